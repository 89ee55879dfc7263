"""证据包: choose what must be shown, and take it away, once it is made, in a file that proves itself."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.evidence_pack import KEPT_FOR
from app.domain.organisation import Permission
from app.domain.template import ProductType
from app.queries.evidence_pack import packs_within
from app.services.access import require
from app.services.evidence import EvidenceScope, pack_name, scope_words
from app.services.evidence_pack import ask_pack, take_pack
from app.web.edge import platform, render_page, unit_of_work
from app.web.forms.people import day_of
from app.web.i18n import translate as _
from app.web.template import PRODUCTS

bp = Blueprint("evidence", __name__, url_prefix="/archive/evidence")


@bp.get("")
def show_form() -> ResponseReturnValue:
    return _page({name: value[:64] for name, value in request.args.items()})


@bp.post("")
def ask() -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            ask_pack(uow, _scope(request.form))
    except InvalidInput as error:
        refused = " ".join(_(fault.reason) for fault in error.faults)
        return _page({name: value[:64] for name, value in request.form.items()}, refused=refused), 422
    flash(_("已开始制作。做好后会通知您，不必停在本页。"), "good")
    return redirect(url_for("evidence.show_form"), 303)


@bp.get("/<uuid:pack_id>.zip")
def download(pack_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        pack, parts = take_pack(uow, pack_id)
    response = Response(parts, mimetype="application/zip")
    response.content_length = cast("int", pack.size_bytes)
    name = pack_name(cast("datetime", pack.made_at))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(entered: dict[str, str], *, refused: str | None = None) -> Response:
    with unit_of_work() as uow:
        scope = require(uow, Permission.EVIDENCE_EXPORT)
        try:
            piece = scope_words(uow, EvidenceScope(piece_id=_piece(entered.get("piece", ""))))
        except InvalidInput:
            piece = ""
        packs = packs_within(uow.session, scope)
    return render_page(
        "archive/evidence.html",
        block="packs",
        entered=entered,
        piece=piece,
        refused=refused,
        packs=packs,
        is_under_way=any(line.pack.state.is_under_way for line in packs),
        kept_for=KEPT_FOR,
        products=[("", _("全部")), *((one.value, _(words)) for one, words in PRODUCTS.items())],
        key=platform().signer.public_key.hex(),
    )


def _piece(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise InvalidInput.of("piece", "unknown", "没有这份作品。") from error


def _scope(form: dict[str, str]) -> EvidenceScope:
    product = form.get("product", "")
    return EvidenceScope(
        piece_id=_piece(form.get("piece", "")),
        staff_no=form.get("advisor", "").strip()[:64].replace("\0", ""),
        product=ProductType(product) if product in {one.value for one in ProductType} else None,
        since=day_of(form.get("since"), "since"),
        until=day_of(form.get("until"), "until"),
    )
