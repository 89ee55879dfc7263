"""召回: see what would go dark, ask for it, confirm it as a second person, watch it reach everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import IllegalTransition, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.recall import RecallBy, RecallState, RecallTarget, SelfConfirmation
from app.domain.template import ProductType
from app.models.recall import Recall
from app.queries.recall import (
    Covered,
    Options,
    covered_pieces,
    extent_of,
    holders,
    items_of,
    options,
    recalls,
    still_live,
)
from app.queries.review import names_of
from app.services.access import require
from app.services.recall import (
    access_recall,
    acknowledge_recall,
    cancel_recall,
    confirm_recall,
    covered_by,
    found_subject,
    propose_recall,
    remind_holders,
    what_is_covered,
)
from app.services.unit_of_work import UnitOfWork
from app.web.edge import actor, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import errors_by_field, page_number
from app.web.i18n import translate as _
from app.web.template import PRODUCTS

bp = Blueprint("recall", __name__)

BY_WORDS: Final[dict[RecallBy, str]] = {
    RecallBy.PIECE: "作品",
    RecallBy.TEMPLATE: "模板版本",
    RecallBy.ASSET: "素材",
    RecallBy.RULE: "规则",
    RecallBy.PRODUCT: "产品类型",
    RecallBy.ADVISOR: "客户经理",
    RecallBy.BRANCH: "机构",
}
STATE_WORDS: Final[dict[RecallState, str]] = {
    RecallState.PROPOSED: "待第二人确认",
    RecallState.CONFIRMED: "已召回",
    RecallState.CANCELLED: "已取消",
}


@bp.get("/recalls")
def list_recalls() -> ResponseReturnValue:
    with unit_of_work() as uow:
        scope = require(uow, Permission.RECALL_VIEW)
        found = recalls(uow.session, scope, page=page_number(request.args.get("page")))
    return render_page(
        "recalls/list.html",
        found=found,
        by_words=_words(BY_WORDS),
        may_recall=actor().may(Permission.RECALL),
        previous_url=url_for("recall.list_recalls", page=found.number - 1) if found.has_previous else None,
        next_url=url_for("recall.list_recalls", page=found.number + 1) if found.has_next else None,
    )


@bp.get("/recalls/new")
def show_new() -> ResponseReturnValue:
    """Choose what to take back, and see at once what that would be."""
    return _new(request.args)


@bp.post("/recalls")
def propose() -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            recall = propose_recall(
                uow,
                _target(uow, form),
                reason=form.get("reason", ""),
                public_note=form.get("public_note", ""),
            )
            recall_id = recall.id
    except InvalidInput as error:
        return _new(form, errors=errors_by_field(error)), 422
    flash(_("已发起召回，现在请另一位同事确认。确认之前一切照常。"), "info")
    return _back(recall_id)


@bp.get("/recalls/<uuid:recall_id>")
def show_recall(recall_id: UUID) -> ResponseReturnValue:
    return _recall(recall_id)


@bp.get("/recalls/<uuid:recall_id>/standing")
def show_standing(recall_id: UUID) -> ResponseReturnValue:
    """How much could still be opened this second; asked again until it is nothing."""
    with unit_of_work() as uow:
        recall = access_recall(uow, recall_id, may=Permission.RECALL_VIEW)
        live = _live(uow, recall)
    return render_page("recalls/standing.html", recall=recall, live=live)


@bp.post("/recalls/<uuid:recall_id>/confirm")
def confirm(recall_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            confirm_recall(uow, recall_id)
    except SelfConfirmation as refused:
        return _recall(recall_id, refused=said(refused)), 403
    except IllegalTransition as refused:
        return _recall(recall_id, refused=said(refused)), 409
    flash(_("召回已生效。链接、页面、图片和二维码此刻起都显示“已召回”。"), "good")
    return _back(recall_id)


@bp.post("/recalls/<uuid:recall_id>/cancel")
def cancel(recall_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            cancel_recall(uow, recall_id)
    except IllegalTransition as refused:
        return _recall(recall_id, refused=said(refused)), 409
    flash(_("已取消，没有内容被召回。"), "info")
    return _back(recall_id)


@bp.post("/recalls/<uuid:recall_id>/remind")
def remind(recall_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        reminded = remind_holders(uow, recall_id)
    flash(_("已再次提醒 {count} 人，提醒在他们的“今日”最上方。").format(count=reminded), "good")
    return _back(recall_id)


@bp.post("/recalls/<uuid:recall_id>/acknowledge")
def acknowledge(recall_id: UUID) -> ResponseReturnValue:
    """An advisor says that they have stopped using it."""
    with unit_of_work() as uow:
        acknowledge_recall(uow, recall_id)
    flash(_("已确认，谢谢。请把存在手机里的图片也删掉。"), "good")
    return redirect(url_for("today.show_today"), 303)


def _back(recall_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("recall.show_recall", recall_id=recall_id), 303)


def _target(uow: UnitOfWork, form: Mapping[str, str]) -> RecallTarget:
    """What the form aims at; people write numbers, not ids. Raises InvalidInput."""
    try:
        by = RecallBy(form.get("by", ""))
    except ValueError:
        raise InvalidInput.of("by", "unknown", _("请选择按什么召回。")) from None
    subject = found_subject(uow, by, form.get("subject", ""))
    return RecallTarget.of(by, subject, also_ended=form.get("also_ended") == "1")


def _new(form: Mapping[str, str], *, errors: dict[str, str] | None = None) -> Response:
    errors = dict(errors or {})
    by = RecallBy(form["by"]) if form.get("by") in set(RecallBy) else RecallBy.PIECE
    seen: dict[str, Any] = {"name": None, "extent": None, "pieces": None}
    with unit_of_work() as uow:
        scope = require(uow, Permission.RECALL)
        if form.get("subject"):
            try:
                target = _target(uow, form)
                name, items = what_is_covered(uow, target)
            except InvalidInput as error:
                errors |= errors_by_field(error)
            except Missing:
                errors["subject"] = _("没有找到，或不在您的范围内。")
            else:
                seen = {"name": name, **_seen(uow, items)}
        offered = options(uow.session, scope)
        # findings name the slug that rules of one meaning share
        rules = [(slug, slug) for slug in sorted({rule.slug for rule in uow.around.ruleset.rules})]
    return render_page(
        "recalls/new.html",
        by=by,
        by_words=_words(BY_WORDS),
        chips=[
            (_(words), url_for("recall.show_new", by=key.value), key is by) for key, words in BY_WORDS.items()
        ],
        page_url=lambda page: url_for(
            "recall.show_new",
            by=by.value,
            subject=form.get("subject"),
            also_ended=form.get("also_ended"),
            page=page,
        ),
        typed=form,
        errors=errors,
        choices=_choices(by, offered, rules),
        **seen,
    )


def _seen(uow: UnitOfWork, items: list[Covered]) -> dict[str, Any]:
    now = uow.clock.now()
    return {
        "extent": extent_of(uow.session, items, before=now),
        "pieces": covered_pieces(uow.session, items, at=now, page=page_number(request.args.get("page"))),
    }


def _choices(by: RecallBy, offered: Options, rules: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """What can be chosen from a list; None where a number is typed."""
    match by:
        case RecallBy.TEMPLATE:
            return list(offered.templates)
        case RecallBy.BRANCH:
            return list(offered.units)
        case RecallBy.RULE:
            return rules
        case RecallBy.PRODUCT:
            return [(product, _(words)) for product, words in PRODUCTS.items()]
        case RecallBy.PIECE | RecallBy.ADVISOR | RecallBy.ASSET:
            return None


def _recall(recall_id: UUID, *, refused: str | None = None) -> Response:
    me = actor()
    with unit_of_work() as uow:
        scope = require(uow, Permission.RECALL_VIEW)
        recall = access_recall(uow, recall_id, may=Permission.RECALL_VIEW)
        waiting = recall.state is RecallState.PROPOSED
        items = covered_by(uow, recall) if waiting else items_of(uow.session, recall.id)
        now = uow.clock.now()
        reach = me.scope_for(Permission.RECALL)
        may_act = bool(reach.paths) and all(reach.covers(path) for path in recall.scope_paths)
        held = holders(uow.session, recall, scope)
        people = names_of(
            uow.session,
            [
                one
                for one in (recall.proposed_by, recall.confirmed_by, recall.cancelled_by)
                if one is not None
            ],
        )
        return render_page(
            "recalls/recall.html",
            recall=recall,
            subject=_subject_words(recall),
            by_words=_words(BY_WORDS),
            live=_live(uow, recall, items),
            extent=extent_of(uow.session, items, before=recall.confirmed_at or now),
            pieces=covered_pieces(uow.session, items, at=now, page=page_number(request.args.get("page"))),
            holders=held,
            missing=sum(row.standing.is_missing for row in held),
            waited_for=sum(
                row.standing.is_missing or row.standing.acknowledged_at is not None for row in held
            ),
            people=people,
            own=recall.proposed_by == me.user_id,
            may_confirm=may_act and waiting and recall.proposed_by != me.user_id,
            may_cancel=may_act and waiting,
            may_remind=may_act and recall.state is RecallState.CONFIRMED,
            page_url=lambda page: url_for("recall.show_recall", recall_id=recall_id, page=page),
            refused=refused,
        )


def _live(uow: UnitOfWork, recall: Recall, items: list[Covered] | None = None) -> int:
    if recall.state is RecallState.CONFIRMED:
        return still_live(uow.session, recall.id)
    return sum(one.was_live for one in (items if items is not None else covered_by(uow, recall)))


def _subject_words(recall: Recall) -> str:
    if recall.by is RecallBy.PRODUCT:
        return _(PRODUCTS[ProductType(recall.subject)])
    if recall.by is RecallBy.TEMPLATE:
        return f"{recall.subject_name} · {recall.subject.partition('@')[2]}"
    return recall.subject_name


def _words(words: Mapping[Any, str]) -> dict[str, str]:
    return {str(key): _(value) for key, value in words.items()}
