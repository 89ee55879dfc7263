"""Templates and what may be entered into them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint
from marshmallow import fields

from app.domain.organisation import Permission
from app.domain.template import ProductType, TemplateState
from app.models.template import TemplateVersion
from app.queries.api.page import Page, Wanted
from app.queries.api.template import TemplateRow, template, templates
from app.services.access import require
from app.services.rollup import today
from app.services.template import manifest_of, open_template, publish_template
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Cursor, Day, Id, Instant, PageQuery, Shown, one_of
from app.web.api.operation import operation
from app.web.edge import unit_of_work
from templates_lib.manifest import SlotKind, SlotSource

bp = Blueprint("templates", __name__)


class TemplateSchema(Shown):
    id = Id()
    slug = fields.String()
    version = fields.Integer()
    name = fields.String()
    kind = fields.String()
    summary = fields.String()
    state = one_of(TemplateState)
    product_type = one_of(ProductType)
    disclosure = fields.String(allow_none=True, metadata={"description": "与产品类型绑定的必备提示"})
    tags = fields.List(fields.String())
    pages = fields.Integer()
    width_px = fields.Integer()
    height_px = fields.Integer()
    valid_from = Day(allow_none=True)
    valid_until = Day(allow_none=True)
    digest = fields.String()
    loaded_at = Instant()
    published_at = Instant(allow_none=True)
    cleared_at = Instant(allow_none=True)


class SlotSchema(Shown):
    name = fields.String()
    label = fields.String()
    kind = one_of(SlotKind)
    source = one_of(SlotSource, metadata={"description": "由谁填写"})
    required = fields.Boolean()
    locked = fields.Boolean()
    max_chars = fields.Integer(allow_none=True, metadata={"description": "按码点计"})
    max_lines = fields.Integer(allow_none=True)
    phrases = fields.List(fields.String())
    default = fields.String(allow_none=True)
    help = fields.String(allow_none=True)


class SizeSchema(Shown):
    name = fields.String(metadata={"description": "出图时的 size；空为原尺寸"})
    label = fields.String()
    width_px = fields.Integer()
    height_px = fields.Integer()


class OpenTemplateSchema(TemplateSchema):
    slots = fields.List(fields.Nested(SlotSchema))
    sizes = fields.List(fields.Nested(SizeSchema))


class TemplatePageSchema(Shown):
    items = fields.List(fields.Nested(TemplateSchema))
    next = Cursor(allow_none=True)


class TemplateQuery(PageQuery):
    state = one_of(TemplateState, load_default=None)
    product_type = one_of(ProductType, load_default=None)


@bp.get("/templates")
@operation("模板列表", query=TemplateQuery, answers=TemplatePageSchema, refuses={403})
def list_templates(query: dict[str, Any]) -> Page[TemplateRow]:
    """An advisor sees what they may use today, everybody else every version."""
    with unit_of_work() as uow:
        own = uow.actor.advisor_id is not None
        require(uow, Permission.PIECE_MAKE if own else Permission.TEMPLATE_VIEW)
        return templates(
            uow.session,
            Wanted(query["limit"], query["cursor"]),
            usable_on=today(uow) if own else None,
            state=query["state"],
            product_type=query["product_type"],
        )


@bp.get("/templates/<slug:slug>/<number:version>")
@operation("一个模板版本，含槽位与限制", answers=OpenTemplateSchema, refuses={403})
def show_template(slug: str, version: int) -> dict[str, Any]:
    with unit_of_work() as uow:
        return _opened(uow, open_template(uow, slug, version))


@bp.post("/templates/<slug:slug>/<number:version>/publish")
@operation("向客户经理发布一个模板版本", answers=OpenTemplateSchema, refuses={403, 409})
def release_template(slug: str, version: int) -> dict[str, Any]:
    with unit_of_work() as uow:
        released = publish_template(uow, slug, version)
        uow.session.flush()
        return _opened(uow, released)


def _opened(uow: UnitOfWork, version: TemplateVersion) -> dict[str, Any]:
    manifest = manifest_of(uow, version)
    return {
        **asdict(template(uow.session, version.id)),
        "slots": manifest.slots,
        "sizes": [
            {"name": name, "label": size.name, "width_px": size.width_px, "height_px": size.height_px}
            for name, size in manifest.sizes.items()
        ],
    }
