"""Inspections: what passed by itself and was drawn, and what was found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint
from marshmallow import fields, validate

from app.domain.inspection import InspectionOutcome
from app.domain.organisation import Permission
from app.domain.piece import PieceState
from app.queries.inspection import InspectionRow, inspection_row, inspections
from app.services.access import require
from app.services.inspection import access_inspection, conclude_inspection
from app.web.api.fields import Id, Instant, QueryCount, QueryFlag, Shown, Strict, one_of, text
from app.web.api.operation import operation
from app.web.edge import unit_of_work

bp = Blueprint("inspections", __name__)
_MOST_PAGES = 10_000


class InspectionSchema(Shown):
    id = Id()
    piece_id = Id()
    edition_id = Id(allow_none=True, metadata={"description": "抽中的是由已通过作品生成的个人版"})
    title = fields.String()
    state = one_of(PieceState)
    maker = fields.String(allow_none=True)
    org_name = fields.String()
    template_slug = fields.String()
    template_number = fields.Integer()
    reasons = fields.List(fields.String(), metadata={"description": "为什么自动通过"})
    seed = fields.String()
    share_bp = fields.Integer(metadata={"description": "抽检比例，万分之几"})
    lot = fields.Integer(
        metadata={"description": "SHA-256(seed, 0x00, 审核或个人版的 id) 前 8 字节除以 10000 的余数"}
    )
    passed_at = Instant()
    drawn_at = Instant()
    due_at = Instant()
    outcome = one_of(InspectionOutcome, allow_none=True)
    note = fields.String()
    inspected_at = Instant(allow_none=True)


class InspectionPageSchema(Shown):
    items = fields.List(fields.Nested(InspectionSchema))
    total = fields.Integer()


class InspectionQuery(Strict):
    done = QueryFlag(load_default=False)
    page = QueryCount(load_default=1, validate=validate.Range(min=1, max=_MOST_PAGES))


class ConclusionSchema(Strict):
    outcome = one_of(InspectionOutcome, required=True)
    note = text(most=2000, load_default="", metadata={"description": "发现问题时必填，使用者会看到"})
    stop_design = fields.Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "同时取消设计免审"}
    )


@bp.get("/inspections")
@operation("抽检", query=InspectionQuery, answers=InspectionPageSchema, refuses={403})
def list_inspections(query: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        scope = require(uow, Permission.REVIEW_VIEW)
        found = inspections(uow.session, scope, done=bool(query["done"]), page=query["page"])
    return {"items": found.rows, "total": found.total}


@bp.get("/inspections/<uuid:inspection_id>")
@operation("一件抽检", answers=InspectionSchema, refuses={403})
def show_inspection(inspection_id: UUID) -> InspectionRow:
    with unit_of_work() as uow:
        access_inspection(uow, inspection_id, may=Permission.REVIEW_VIEW)
        return inspection_row(uow.session, inspection_id)


@bp.post("/inspections/<uuid:inspection_id>")
@operation(
    "填写抽检结果；发现问题即下架", body=ConclusionSchema, answers=InspectionSchema, refuses={403, 409}
)
def conclude(inspection_id: UUID, body: dict[str, Any]) -> InspectionRow:
    with unit_of_work() as uow:
        conclude_inspection(
            uow, inspection_id, body["outcome"], note=body["note"], stop_design=body["stop_design"]
        )
        uow.session.flush()
        return inspection_row(uow.session, inspection_id)
