"""The brand desk: designs and their versions, released by brand and cleared by compliance."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.domain.template import ProductType, TemplateState, Upgrade
from app.queries.template import VersionUse, designs, lineage, version_row, version_use
from app.services.access import access_template_version, require
from app.services.rendition import sample_picture
from app.services.template import (
    clear_template,
    decide_upgrade,
    manifest_of,
    publish_template,
    retire_template,
)
from app.web.edge import actor, render_page, unit_of_work
from app.web.errors import said
from app.web.i18n import translate as _
from app.web.pictures import asked_size, picture_answer

bp = Blueprint("template", __name__)

KINDS: Final = {
    "poster": "海报",
    "card": "知识卡",
    "daily": "日签",
    "brief": "早报",
    "festival": "节日",
    "invitation": "邀请函",
    "business_card": "名片",
}
PRODUCTS: Final = {
    ProductType.NONE: "不涉及产品",
    ProductType.WEALTH: "银行理财",
    ProductType.FUND: "公募基金",
    ProductType.MONEY_FUND: "货币基金",
    ProductType.INSURANCE: "保险",
    ProductType.DIVIDEND_INSURANCE: "分红保险",
    ProductType.LOAN: "贷款",
    ProductType.DEPOSIT: "存款",
    ProductType.SECURITIES_ADVICE: "证券投顾",
}
# what a small picture in a list is drawn at, and one among three on a page
_THUMBNAIL_PX: Final = 320
_SIDE_BY_SIDE_PX: Final = 640


@bp.get("/templates")
def show_designs() -> ResponseReturnValue:
    text = request.args.get("q", "").strip()[:80]
    kind = request.args.get("kind", "") if request.args.get("kind") in KINDS else ""
    state = request.args.get("state", "") if request.args.get("state") in set(TemplateState) else ""
    with unit_of_work() as uow:
        require(uow, Permission.TEMPLATE_VIEW)
        found = designs(
            uow.session, actor().scope_for(Permission.PIECE_VIEW), text=text, kind=kind, state=state
        )
        samples = {
            design.slug: next(
                (one.name for one in uow.around.shelf.samples(design.slug, design.shown.number)), None
            )
            for design in found
        }
    return render_page(
        "templates/list.html",
        block="results",
        designs=found,
        samples=samples,
        unused=VersionUse(),
        text=text,
        kind=kind,
        state=state,
        kinds={value: _(label) for value, label in KINDS.items()},
        products={value: _(label) for value, label in PRODUCTS.items()},
        may_make=actor().may(Permission.PIECE_MAKE_MASTER),
    )


@bp.get("/templates/<slug>/<int:number>")
def show_version(slug: str, number: int) -> ResponseReturnValue:
    return _version(slug, number)


@bp.get("/templates/<slug>/<int:number>/samples/<name>.jpg")
def sample(slug: str, number: int, name: str) -> ResponseReturnValue:
    """One of the version's own samples, drawn and kept; `width` is thumbnail, half or full."""
    widths = {"thumbnail": _THUMBNAIL_PX, "half": _SIDE_BY_SIDE_PX}
    with unit_of_work() as uow:
        version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_VIEW)
        return picture_answer(
            sample_picture(
                uow,
                version,
                name,
                page=request.args.get("page", 0, type=int),
                width_px=widths.get(request.args.get("width", "")),
                size=asked_size(manifest_of(uow, version)),
            )
        )


@bp.post("/templates/<slug>/<int:number>/publish")
def publish(slug: str, number: int) -> ResponseReturnValue:
    """Release a version; while a sample does not fit, the page says which and why."""
    try:
        with unit_of_work() as uow:
            publish_template(uow, slug, number)
    except InvalidInput as error:
        return _version(slug, number, refused=said(error)), 422
    flash(_("已发布。放行前，用它制作的作品都会逐件送审；请合规在本页放行。"), "good")
    return _back(slug, number)


@bp.post("/templates/<slug>/<int:number>/retire")
def retire(slug: str, number: int) -> ResponseReturnValue:
    with unit_of_work() as uow:
        retire_template(uow, slug, number)
    flash(_("已停用，客户经理不再看到它；已有作品不受影响。再次发布即可恢复。"), "info")
    return _back(slug, number)


@bp.post("/templates/<slug>/<int:number>/clear")
def clear(slug: str, number: int) -> ResponseReturnValue:
    with unit_of_work() as uow:
        clear_template(uow, slug, number)
    flash(_("已放行：未改动且资料已核验的作品今后自动通过，全部留痕。"), "good")
    return _back(slug, number)


@bp.post("/templates/<slug>/<int:number>/upgrade")
def upgrade(slug: str, number: int) -> ResponseReturnValue:
    """Decide in one act about every public piece that stems from this older version."""
    wish = Upgrade.ASK if request.form.get("upgrade") == Upgrade.ASK else Upgrade.KEEP
    with unit_of_work() as uow:
        decide_upgrade(uow, slug, number, wish)
    if wish is Upgrade.ASK:
        flash(_("已请制作人用新版重做；在他们重做之前，现有作品照常可用。"), "good")
    else:
        flash(_("现有作品照常可用。"), "good")
    return _back(slug, request.form.get("shown", number, type=int))


def _back(slug: str, number: int) -> ResponseReturnValue:
    return redirect(url_for("template.show_version", slug=slug, number=number), 303)


def _version(slug: str, number: int, *, refused: str | None = None) -> Response:
    me = actor()
    with unit_of_work() as uow:
        version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_VIEW)
        manifest = manifest_of(uow, version)
        row = version_row(uow.session, version.id)
        faults = uow.around.shelf.sample_faults(slug, number, version.digest)
        return render_page(
            "templates/version.html",
            row=row,
            manifest=manifest,
            samples=uow.around.shelf.samples(slug, number),
            faults=faults,
            faulty={(fault.sample, fault.size) for fault in faults},
            use=version_use(uow.session, me.scope_for(Permission.PIECE_VIEW)).get(version.id, VersionUse()),
            others=[
                one
                for design in designs(uow.session, me.scope_for(Permission.PIECE_VIEW))
                if design.slug == slug
                for one in design.versions
            ],
            lineage=lineage(uow.session, me.scope_for(Permission.PIECE_VIEW), slug),
            may_recall=me.may(Permission.RECALL),
            refused=refused,
            kinds={value: _(label) for value, label in KINDS.items()},
            products={value: _(label) for value, label in PRODUCTS.items()},
            may_publish=me.may(Permission.TEMPLATE_PUBLISH),
            may_clear=me.may(Permission.TEMPLATE_CLEAR),
            may_make=me.may(Permission.PIECE_MAKE_MASTER),
            own_release=row.published_by == me.user_id,
        )
