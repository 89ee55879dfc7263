"""证据包: choose what must be shown, and take it away in a file that proves itself."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast
from uuid import UUID

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.domain.template import ProductType
from app.services.access import require
from app.services.evidence import EvidenceScope, export_evidence, pack_name, scope_words
from app.web.edge import platform, render_page, unit_of_work
from app.web.forms.people import day_of
from app.web.i18n import translate as _
from app.web.template import PRODUCTS

bp = Blueprint("evidence", __name__, url_prefix="/archive/evidence")

_IN_MEMORY_BYTES: Final = 16 * 1024 * 1024


@bp.get("")
def show_form() -> ResponseReturnValue:
    return _page({name: value[:64] for name, value in request.args.items()})


@bp.post("")
def export() -> ResponseReturnValue:
    file = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))  # noqa: SIM115 - sent, then closed
    try:
        scope = _scope(request.form)
        pack = export_evidence(unit_of_work, scope, file)
    except BaseException as error:
        file.close()
        if not isinstance(error, InvalidInput):
            raise
        refused = " ".join(_(fault.reason) for fault in error.faults)
        return _page({name: value[:64] for name, value in request.form.items()}, refused=refused), 422
    file.seek(0)
    response = send_file(
        file, mimetype="application/zip", as_attachment=True, download_name=pack_name(pack.made_at)
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(entered: dict[str, str], *, refused: str | None = None) -> Response:
    with unit_of_work() as uow:
        require(uow, Permission.EVIDENCE_EXPORT)
        try:
            piece = scope_words(uow, EvidenceScope(piece_id=_piece(entered.get("piece", ""))))
        except InvalidInput:
            piece = ""
    return render_page(
        "archive/evidence.html",
        entered=entered,
        piece=piece,
        refused=refused,
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
