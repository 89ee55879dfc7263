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
from app.web.api.fields import (
    Cursor,
    Day,
    Id,
    Instant,
    PageQuery,
    QueryFlag,
    Shown,
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
        found = advisor(uow.session, require(uow, Permission.ORGANISATION_VIEW), advisor_id)
    if found is None:
        raise Missing(noun="advisor")
    return found
