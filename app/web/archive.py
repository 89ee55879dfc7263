"""档案: what the public was shown, found by what somebody remembers of it, and kept as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.archive import ItemKind
from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.domain.publication import EndReason, Standing, Validity
from app.domain.template import ProductType
from app.queries.archive import ArchiveSearch
from app.queries.retention import legal_holds
from app.services.archive import look_into_archive, open_item
from app.services.record import kept_file, kept_record
from app.web.edge import actor, platform, render_page, unit_of_work
from app.web.forms.people import day_of, errors_by_field, page_number
from app.web.i18n import translate as _
from app.web.template import PRODUCTS

bp = Blueprint("archive", __name__, url_prefix="/archive")

STANDINGS: Final[dict[Standing, tuple[str, str, str]]] = {
    Standing.NOT_YET: ("尚未开始", "info", "hourglass"),
    Standing.LIVE: ("公开中", "good", "broadcast"),
    Standing.EXPIRED: ("已过期", "neutral", "calendar-off"),
    Standing.TAKEN_DOWN: ("已下架", "attention", "circle-minus"),
    Standing.RECALLED: ("已召回", "stop", "alert-octagon"),
    Standing.REPLACED: ("已被新版替换", "neutral", "stack-2"),
}
OUTCOMES: Final = {"approve": "通过", "reject": "驳回", "request_changes": "退回修改"}
VERDICTS: Final = {"pass": "未命中规则", "warn": "慎用", "review": "需人工审核", "block": "须修改"}
KINDS: Final[dict[ItemKind, str]] = {
    ItemKind.PUBLICATION: "发布原件",
    ItemKind.EDITION: "客户经理的一份",
}


@bp.get("")
def show_archive() -> ResponseReturnValue:
    asked: dict[str, Any] = {
        name: value
        for name in ("words", "person", "product", "since", "until")
        if (value := request.args.get(name, "").strip()[:200].replace("\0", ""))
    }
    sought, errors = _search(asked)
    with unit_of_work() as uow:
        found = look_into_archive(uow, sought, number=page_number(request.args.get("page")))
        now = uow.clock.now()
        standings = {
            line.id: _standing(line.valid_from, line.shown_until, line.end_reason, at=now)
            for line in found.rows
        }
    return render_page(
        "archive/list.html",
        block="results",
        found=found,
        asked=asked,
        errors=errors,
        standings=standings,
        kinds=KINDS,
        product_words=PRODUCTS,
        products=[("", _("全部")), *((one.value, _(words)) for one, words in PRODUCTS.items())],
        previous_url=url_for("archive.show_archive", **asked, page=found.number - 1)
        if found.has_previous
        else None,
        next_url=url_for("archive.show_archive", **asked, page=found.number + 1) if found.has_next else None,
    )


@bp.get("/<uuid:item_id>")
def show_item(item_id: UUID) -> ResponseReturnValue:
    """One item as it was shown, read from the vault and compared with what was sealed."""
    with unit_of_work() as uow:
        item = open_item(uow, item_id)
        kept = kept_record(uow, item)
        publication = item.publication
        return render_page(
            "archive/item.html",
            item=item,
            record=kept.said if kept else None,
            is_genuine=kept.is_genuine if kept else False,
            publication=publication,
            standing=_standing(
                publication.valid_from,
                publication.valid_until,
                publication.end_reason,
                at=uow.clock.now(),
            ),
            holds=[
                one for one in legal_holds(uow.session, piece_id=item.piece_id) if one.released_at is None
            ],
            kinds=KINDS,
            product_words=PRODUCTS,
            outcomes=OUTCOMES,
            verdicts=VERDICTS,
            may_hold=actor().may(Permission.HOLD_MANAGE),
            may_export=actor().may(Permission.EVIDENCE_EXPORT),
            key_id=platform().signer.key_id,
        )


@bp.get("/<uuid:item_id>/<string:sha256>.jpg")
def show_picture(item_id: UUID, sha256: str) -> ResponseReturnValue:
    """A picture out of the vault, byte for byte."""
    with unit_of_work() as uow:
        data = kept_file(uow, open_item(uow, item_id), sha256)
    response = Response(data, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/<uuid:item_id>/record.json")
def download_record(item_id: UUID) -> ResponseReturnValue:
    """The record's own bytes, whose SHA-256 stands on the page."""
    with unit_of_work() as uow:
        item = open_item(uow, item_id)
        kept = kept_record(uow, item)
    response = Response(kept.data if kept else b"", mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="record-{item_id}.json"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _standing(
    start: datetime, end: datetime, ended: EndReason | None, *, at: datetime
) -> tuple[str, str, str]:
    words, tone, shape = STANDINGS[Validity(start, end).standing(ended=ended, at=at)]
    return _(words), tone, shape


def _search(asked: dict[str, str]) -> tuple[ArchiveSearch, dict[str, str]]:
    errors: dict[str, str] = {}
    days = {}
    for name in ("since", "until"):
        try:
            days[name] = day_of(asked.get(name), name)
        except InvalidInput as error:
            errors |= errors_by_field(error)
    product = asked.get("product", "")
    return (
        ArchiveSearch(
            words=asked.get("words", ""),
            person=asked.get("person", ""),
            product=ProductType(product) if product in {one.value for one in ProductType} else None,
            since=days.get("since"),
            until=days.get("until"),
        ),
        errors,
    )
