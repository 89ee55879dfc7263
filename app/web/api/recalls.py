"""Recalls: propose, confirm as a second person, and who has heard of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields
from sqlalchemy import inspect

from app.domain.organisation import Permission
from app.domain.recall import RecallBy, RecallState, RecallTarget
from app.models.recall import Recall, RecallHolder
from app.queries.api.page import Page, Wanted
from app.queries.api.recall import recalls
from app.queries.recall import HolderRow, extent_of, holders, items_of
from app.services.access import require
from app.services.recall import (
    access_recall,
    acknowledge_recall,
    cancel_recall,
    confirm_recall,
    covered_by,
    propose_recall,
    remind_holders,
    what_is_covered,
)
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Cursor, Id, Instant, PageQuery, QueryFlag, Shown, Strict, one_of, text
from app.web.api.operation import Created, operation
from app.web.edge import unit_of_work

bp = Blueprint("recalls", __name__)

_SUBJECT = "作品、客户经理、机构：id；模板版本：slug@版本号；素材：SHA-256；规则：规则 id；产品：产品类型"


class ExtentSchema(Shown):
    pieces = fields.Integer()
    live = fields.Integer(metadata={"description": "此刻可打开的"})
    editions = fields.Integer()
    advisors = fields.Integer(metadata={"description": "取用过的客户经理"})
    shared = fields.Integer(metadata={"description": "其中确实发出去了的"})
    people = fields.Integer(metadata={"description": "看过的客户，与触达人数同一口径"})


class RecallSchema(Shown):
    id = Id()
    by = one_of(RecallBy)
    subject = fields.String()
    subject_name = fields.String()
    also_ended = fields.Boolean()
    reason = fields.String()
    public_note = fields.String()
    state = one_of(RecallState)
    proposed_by = Id()
    proposed_at = Instant()
    confirmed_by = Id(allow_none=True)
    confirmed_at = Instant(allow_none=True)
    cancelled_at = Instant(allow_none=True)


class RecallStorySchema(RecallSchema):
    extent = fields.Nested(ExtentSchema)


class RecallPageSchema(Shown):
    items = fields.List(fields.Nested(RecallSchema))
    next = Cursor(allow_none=True)


class PreviewQuery(Strict):
    by = one_of(RecallBy, required=True)
    subject = text(least=1, most=64, required=True, metadata={"description": _SUBJECT})
    also_ended = QueryFlag(load_default=False)


class PreviewSchema(Shown):
    subject_name = fields.String()
    extent = fields.Nested(ExtentSchema)


class NewRecallSchema(Strict):
    by = one_of(RecallBy, required=True)
    subject = text(least=1, most=64, required=True, metadata={"description": _SUBJECT})
    also_ended = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    reason = text(least=1, most=500, required=True, metadata={"description": "客户经理会看到"})
    public_note = text(most=500, load_default="", metadata={"description": "给客户看的一句话"})


class HolderSchema(Shown):
    advisor_id = Id()
    name = fields.String()
    unit = fields.String()
    pieces = fields.Integer()
    people = fields.Integer(metadata={"description": "召回前从其链接看过的客户"})
    since = fields.Integer(metadata={"description": "召回后仍到访的客户"})
    asked_at = Instant(attribute="standing.asked_at")
    acknowledged_at = Instant(attribute="standing.acknowledged_at", allow_none=True)
    is_active = fields.Boolean(attribute="standing.is_active")
    reminders = fields.Integer()
    reminded_at = Instant(allow_none=True)


class HoldersSchema(Shown):
    items = fields.List(fields.Nested(HolderSchema))


class RemindedSchema(Shown):
    reminded = fields.Integer()


class AcknowledgedSchema(Shown):
    recall_id = Id()
    acknowledged_at = Instant()


@bp.get("/recalls")
@operation("召回，最新在前", query=PageQuery, answers=RecallPageSchema, refuses={403})
def list_recalls(query: dict[str, Any]) -> Page[Recall]:
    with unit_of_work() as uow:
        scope = require(uow, Permission.RECALL_VIEW)
        return recalls(uow.session, scope, Wanted(query["limit"], query["cursor"]))


@bp.get("/recalls/preview")
@operation("如果召回会涉及什么", query=PreviewQuery, answers=PreviewSchema, refuses={403, 404})
def preview_recall(query: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        target = RecallTarget.of(query["by"], query["subject"], also_ended=query["also_ended"])
        name, items = what_is_covered(uow, target)
        extent = extent_of(uow.session, items, before=uow.clock.now())
    return {"subject_name": name, "extent": extent}


@bp.post("/recalls")
@operation(
    "发起召回；另一人确认之前一切照常",
    body=NewRecallSchema,
    answers=RecallStorySchema,
    status=201,
    refuses={403, 404},
)
def make_recall(body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        target = RecallTarget.of(body["by"], body["subject"], also_ended=body["also_ended"])
        made = propose_recall(uow, target, reason=body["reason"], public_note=body["public_note"])
        return Created(_story(uow, made), url_for("api.recalls.show_recall", recall_id=made.id))


@bp.get("/recalls/<uuid:recall_id>")
@operation("一次召回", answers=RecallStorySchema, refuses={403})
def show_recall(recall_id: UUID) -> dict[str, Any]:
    with unit_of_work() as uow:
        return _story(uow, access_recall(uow, recall_id, may=Permission.RECALL_VIEW))


@bp.post("/recalls/<uuid:recall_id>/confirm")
@operation("以第二人身份确认：立即全部停用", answers=RecallStorySchema, refuses={403, 409})
def confirm(recall_id: UUID) -> dict[str, Any]:
    with unit_of_work() as uow:
        recall = confirm_recall(uow, recall_id)
        uow.session.flush()
        return _story(uow, recall)


@bp.post("/recalls/<uuid:recall_id>/cancel")
@operation("确认之前取消", answers=RecallStorySchema, refuses={403, 409})
def cancel(recall_id: UUID) -> dict[str, Any]:
    with unit_of_work() as uow:
        return _story(uow, cancel_recall(uow, recall_id))


@bp.get("/recalls/<uuid:recall_id>/holders")
@operation("谁用过，谁已确认", answers=HoldersSchema, refuses={403})
def list_holders(recall_id: UUID) -> dict[str, list[HolderRow]]:
    with unit_of_work() as uow:
        recall = access_recall(uow, recall_id, may=Permission.RECALL_VIEW)
        return {"items": holders(uow.session, recall, require(uow, Permission.RECALL_VIEW))}


@bp.post("/recalls/<uuid:recall_id>/reminders")
@operation("提醒在岗而未确认的客户经理", answers=RemindedSchema, refuses={403})
def remind(recall_id: UUID) -> dict[str, int]:
    with unit_of_work() as uow:
        return {"reminded": remind_holders(uow, recall_id)}


@bp.post("/recalls/<uuid:recall_id>/acknowledgement")
@operation("客户经理确认已停止使用", answers=AcknowledgedSchema, refuses={403})
def acknowledge(recall_id: UUID) -> RecallHolder:
    with unit_of_work() as uow:
        return acknowledge_recall(uow, recall_id)


def _story(uow: UnitOfWork, recall: Recall) -> dict[str, Any]:
    """A recall with its figures: a proposal's as it would be now, a confirmed one's as it was."""
    waiting = recall.state is RecallState.PROPOSED
    items = covered_by(uow, recall) if waiting else items_of(uow.session, recall.id)
    columns = {column.key: getattr(recall, column.key) for column in inspect(Recall).column_attrs}
    extent = extent_of(uow.session, items, before=recall.confirmed_at or uow.clock.now())
    return {**columns, "extent": extent}
