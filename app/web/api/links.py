"""Links: an advisor's edition of a public piece, with one address for each channel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields

from app.domain.errors import Missing
from app.domain.organisation import Permission
from app.domain.tracking import LinkChannel
from app.queries.api.link import EditionFilter, EditionRow, edition, editions
from app.queries.api.page import Page, Wanted
from app.services.access import require
from app.services.serving import open_edition
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Cursor, Id, Instant, LinkAddress, PageQuery, Shown, Strict, one_of
from app.web.api.operation import Created, operation
from app.web.edge import unit_of_work

bp = Blueprint("links", __name__)


class LinkSchema(Shown):
    channel = one_of(LinkChannel, metadata={"description": "qr 是图中二维码里的那一个"})
    code = fields.String()
    url = LinkAddress(attribute="code", dump_only=True)


class EditionSchema(Shown):
    id = Id()
    piece_id = Id()
    advisor_id = Id()
    created_at = Instant()
    links = fields.List(fields.Nested(LinkSchema))


class EditionPageSchema(Shown):
    items = fields.List(fields.Nested(EditionSchema))
    next = Cursor(allow_none=True)


class EditionQuery(PageQuery):
    piece_id = Id(load_default=None)
    advisor_id = Id(load_default=None)


class NewEditionSchema(Strict):
    piece_id = Id(required=True)


@bp.get("/editions")
@operation("个人版及其链接", query=EditionQuery, answers=EditionPageSchema, refuses={403})
def list_editions(query: dict[str, Any]) -> Page[EditionRow]:
    """An advisor sees their own, head office and branches those of their advisors."""
    with unit_of_work() as uow:
        narrowed = _visible(uow, advisor_id=query["advisor_id"], piece_id=query["piece_id"])
        return editions(uow.session, narrowed, Wanted(query["limit"], query["cursor"]))


@bp.post("/editions")
@operation(
    "打开自己的个人版：已发布给您的作品，连同各渠道链接",
    body=NewEditionSchema,
    answers=EditionSchema,
    status=201,
    refuses={403, 404, 410},
)
def make_edition(body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        edition_id = open_edition(uow, body["piece_id"]).id
        made = _edition(uow, edition_id)
    return Created(made, url_for("api.links.show_edition", edition_id=edition_id))


@bp.get("/editions/<uuid:edition_id>")
@operation("一份个人版及其链接", answers=EditionSchema, refuses={403})
def show_edition(edition_id: UUID) -> EditionRow:
    with unit_of_work() as uow:
        return _edition(uow, edition_id)


def _visible(
    uow: UnitOfWork, *, advisor_id: UUID | None = None, piece_id: UUID | None = None
) -> EditionFilter:
    own = uow.actor.advisor_id
    scope = require(uow, Permission.PIECE_MAKE if own else Permission.REACH_VIEW)
    return EditionFilter(scope, own, advisor_id, piece_id)


def _edition(uow: UnitOfWork, edition_id: UUID) -> EditionRow:
    found = edition(uow.session, _visible(uow), edition_id)
    if found is None:
        raise Missing(noun="edition")
    return found
