"""Advisors, as whoever answers for their part of the organisation sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint
from marshmallow import fields

from app.domain.errors import Missing
from app.domain.organisation import Permission
from app.queries.api.advisor import AdvisorFilter, AdvisorRow, advisor, advisors
from app.queries.api.page import Page, Wanted
from app.services.access import require
from app.services.handover import come_back, leave, transfer
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import (
    Cursor,
    Day,
    Id,
    Instant,
    PageQuery,
    QueryFlag,
    Shown,
    Strict,
    org_path,
    tags,
    text,
)
from app.web.api.operation import operation
from app.web.edge import unit_of_work

bp = Blueprint("advisors", __name__)


class AdvisorSchema(Shown):
    id = Id()
    staff_no = fields.String()
    name = fields.String()
    title = fields.String()
    phone = fields.String()
    licence_no = fields.String()
    licence_until = Day(allow_none=True)
    licences = fields.List(fields.String())
    tags = fields.List(fields.String())
    verified_fields = fields.List(fields.String())
    org_unit_id = Id()
    org_unit_name = fields.String()
    org_path = fields.String()
    is_active = fields.Boolean()
    created_at = Instant()


class AdvisorPageSchema(Shown):
    items = fields.List(fields.Nested(AdvisorSchema))
    next = Cursor(allow_none=True)


class AdvisorQuery(PageQuery):
    q = text(most=64, load_default=None, metadata={"description": "姓名的一部分，或完整工号"})
    path = org_path(load_default=None)
    tag = tags(load_default=())
    is_active = QueryFlag(load_default=None)


class LeaveSchema(Strict):
    successor_no = text(most=40, load_default="", metadata={"description": "接任人工号；空：由机构承接"})


class TransferSchema(Strict):
    org_unit_id = Id(required=True)


@bp.get("/advisors")
@operation("客户经理名单", query=AdvisorQuery, answers=AdvisorPageSchema, refuses={403})
def list_advisors(query: dict[str, Any]) -> Page[AdvisorRow]:
    with unit_of_work() as uow:
        return advisors(
            uow.session,
            require(uow, Permission.ORGANISATION_VIEW),
            AdvisorFilter(query["q"], query["path"], tuple(query["tag"]), query["is_active"]),
            Wanted(query["limit"], query["cursor"]),
        )


@bp.get("/advisors/<uuid:advisor_id>")
@operation("一位客户经理", answers=AdvisorSchema, refuses={403})
def show_advisor(advisor_id: UUID) -> AdvisorRow:
    with unit_of_work() as uow:
        return _advisor(uow, advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/leave")
@operation("离岗：扫码和线索转给接任人", body=LeaveSchema, answers=AdvisorSchema, refuses={403})
def note_leaving(advisor_id: UUID, body: dict[str, Any]) -> AdvisorRow:
    with unit_of_work() as uow:
        leave(uow, advisor_id, successor_no=body["successor_no"])
        uow.session.flush()
        return _advisor(uow, advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/return")
@operation("返岗", answers=AdvisorSchema, refuses={403})
def note_return(advisor_id: UUID) -> AdvisorRow:
    with unit_of_work() as uow:
        come_back(uow, advisor_id)
        uow.session.flush()
        return _advisor(uow, advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/transfer")
@operation("调到另一机构，作品随人走", body=TransferSchema, answers=AdvisorSchema, refuses={403})
def move(advisor_id: UUID, body: dict[str, Any]) -> AdvisorRow:
    with unit_of_work() as uow:
        transfer(uow, advisor_id, body["org_unit_id"])
        uow.session.flush()
        return _advisor(uow, advisor_id)


def _advisor(uow: UnitOfWork, advisor_id: UUID) -> AdvisorRow:
    found = advisor(uow.session, require(uow, Permission.ORGANISATION_VIEW), advisor_id)
    if found is None:
        raise Missing(noun="advisor")
    return found
