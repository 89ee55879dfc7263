"""保存期限与保全: terms that only grow, holds that two people lift, what was destroyed and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.domain.errors import DomainError, InvalidInput, TermOnlyGrows
from app.domain.organisation import Permission
from app.domain.retention import HoldScope, RecordClass
from app.domain.template import ProductType
from app.queries.retention import advisor_numbered, certificates, due_records, legal_holds, retention_terms
from app.services.access import require
from app.services.retention import (
    HoldTarget,
    ask_release,
    destroy_record,
    lengthen_term,
    place_hold,
    release_hold,
)
from app.web.edge import actor, render_page, unit_of_work
from app.web.forms.people import uuid_of
from app.web.i18n import translate as _
from app.web.template import PRODUCTS

bp = Blueprint("retention", __name__, url_prefix="/archive/retention")

CLASSES: Final[dict[RecordClass, tuple[str, str]]] = {
    RecordClass.PUBLICATION: ("对外展示的内容", "自公开结束之日起，连同图片、审核与检测记录。"),
    RecordClass.AUDIT: ("留痕的检查点", "自签署之日起。"),
}
SCOPES: Final[dict[HoldScope, str]] = {
    HoldScope.EVERYTHING: "全部档案",
    HoldScope.PIECE: "一份作品",
    HoldScope.ADVISOR: "一位客户经理",
    HoldScope.PRODUCT: "一类产品",
}


@bp.get("")
def show_retention() -> ResponseReturnValue:
    return _page()


@bp.post("/holds")
def place() -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            target = _target(uow.session, form)
            place_hold(uow, target, reason=form.get("reason", ""))
    except InvalidInput as error:
        return _refused(error)
    flash(_("保全已设立。解除需要两个人。"), "good")
    return _back()


@bp.post("/holds/<uuid:hold_id>/ask-release")
def ask(hold_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            ask_release(uow, hold_id, reason=request.form.get("reason", ""))
    except InvalidInput as error:
        return _refused(error)
    flash(_("已申请解除。请另一位有权限的同事确认。"), "good")
    return _back()


@bp.post("/holds/<uuid:hold_id>/release")
def release(hold_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        release_hold(uow, hold_id)
    flash(_("保全已解除。"), "good")
    return _back()


@bp.post("/terms/<record_class>")
def lengthen(record_class: str) -> ResponseReturnValue:
    try:
        if record_class not in {one.value for one in RecordClass}:
            raise InvalidInput.of("record_class", "unknown", "没有这一类记录。")
        years = request.form.get("years", "", type=str).strip()
        if not (years.isascii() and years.isdigit() and len(years) < 4):  # noqa: PLR2004
            raise InvalidInput.of("years", "malformed", "请填写整数年。")
        with unit_of_work() as uow:
            lengthen_term(uow, RecordClass(record_class), int(years))
    except (InvalidInput, TermOnlyGrows) as error:
        return _refused(error)
    flash(_("保存期限已更新，已有的记录随之延长。"), "good")
    return _back()


@bp.post("/records/<uuid:item_id>/destroy")
def destroy(item_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        destroy_record(uow, item_id)
    flash(_("记录已销毁，证书存入保险库。"), "good")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("retention.show_retention"), 303)


def _refused(error: DomainError) -> ResponseReturnValue:
    return _page(refused=error), 422


def _page(*, refused: DomainError | None = None) -> Response:
    with unit_of_work() as uow:
        require(uow, Permission.ARCHIVE_VIEW)
        return render_page(
            "retention/holds.html",
            terms=retention_terms(uow.session),
            holds=legal_holds(uow.session),
            due=due_records(uow.session, at=uow.clock.now()),
            certificates=certificates(uow.session),
            refused=_said(refused) if refused else None,
            entered=request.form,
            classes=CLASSES,
            scopes=SCOPES,
            product_words=PRODUCTS,
            products=[(one.value, _(words)) for one, words in PRODUCTS.items()],
            may_hold=actor().may(Permission.HOLD_MANAGE),
            may_manage=actor().may(Permission.RETENTION_MANAGE),
            me=actor().user_id,
        )


def _said(refused: DomainError) -> str:
    if isinstance(refused, InvalidInput):
        return " ".join(_(fault.reason) for fault in refused.faults)
    return str(refused)


def _target(session: Session, form: Mapping[str, str]) -> HoldTarget:
    scope = form.get("scope", "")
    if scope not in {one.value for one in HoldScope}:
        raise InvalidInput.of("scope", "unknown", "请选择保全的范围。")
    chosen = HoldScope(scope)
    match chosen:
        case HoldScope.EVERYTHING:
            return HoldTarget(chosen)
        case HoldScope.PIECE:
            return HoldTarget(chosen, piece_id=uuid_of(form.get("piece"), "piece"))
        case HoldScope.ADVISOR:
            return HoldTarget(chosen, advisor_id=advisor_numbered(session, form.get("advisor", "")))
        case HoldScope.PRODUCT:
            product = form.get("product", "")
            known = product in {one.value for one in ProductType}
            return HoldTarget(chosen, product=ProductType(product) if known else None)
