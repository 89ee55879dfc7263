"""Changes of profiles: ask for one, see what waits, decide as a second person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.domain.profile import ProfileChangeState
from app.models.profile import ProfileChange
from app.queries.api.page import Page, Wanted
from app.queries.api.profile import profile_changes
from app.services.access import require
from app.services.advisor import change_own_profile
from app.services.profile import access_change, decide_change
from app.web.api.fields import Cursor, Id, Instant, PageQuery, Shown, Strict, one_of, text
from app.web.api.operation import Created, operation
from app.web.edge import unit_of_work

bp = Blueprint("profile_changes", __name__)


class ProfileChangeSchema(Shown):
    id = Id()
    advisor_id = Id()
    before = fields.Dict(keys=fields.String(), values=fields.String())
    after = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "照片以其 SHA-256 表示"}
    )
    state = one_of(ProfileChangeState)
    proposers = fields.List(Id())
    proposed_at = Instant()
    decided_by = Id(allow_none=True)
    decided_at = Instant(allow_none=True)
    reason = fields.String()


class ProfileChangePageSchema(Shown):
    items = fields.List(fields.Nested(ProfileChangeSchema))
    next = Cursor(allow_none=True)


class ProfileChangeQuery(PageQuery):
    state = one_of(ProfileChangeState, load_default=None)


class NewProfileChangeSchema(Strict):
    title = text(most=40, load_default=None, allow_none=True)
    phone = text(most=40, load_default=None, allow_none=True)
    licence_no = text(most=40, load_default=None, allow_none=True)


class ProfileDecisionSchema(Strict):
    approve = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = text(most=500, load_default="", metadata={"description": "驳回时必填"})


@bp.get("/profile-changes")
@operation("资料变更，最新在前", query=ProfileChangeQuery, answers=ProfileChangePageSchema, refuses={403})
def list_changes(query: dict[str, Any]) -> Page[ProfileChange]:
    with unit_of_work() as uow:
        return profile_changes(
            uow.session,
            require(uow, Permission.REVIEW_VIEW),
            Wanted(query["limit"], query["cursor"]),
            state=query["state"],
        )


@bp.post("/profile-changes")
@operation(
    "客户经理提交自己的资料变更；通过之前原资料照常公开",
    body=NewProfileChangeSchema,
    answers=ProfileChangeSchema,
    status=201,
    refuses={403},
)
def ask_for_change(body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        change = change_own_profile(
            uow, title=body["title"], phone=body["phone"], licence_no=body["licence_no"]
        )
        if change is None:
            raise InvalidInput.of("body", "no_change", "与现在的资料相同。")
        return Created(change, url_for("api.profile_changes.show_change", change_id=change.id))


@bp.get("/profile-changes/<uuid:change_id>")
@operation("一次资料变更", answers=ProfileChangeSchema, refuses={403})
def show_change(change_id: UUID) -> ProfileChange:
    with unit_of_work() as uow:
        return access_change(uow, change_id, may=Permission.REVIEW_VIEW)


@bp.post("/profile-changes/<uuid:change_id>/decision")
@operation("以第二人身份决定", body=ProfileDecisionSchema, answers=ProfileChangeSchema, refuses={403, 409})
def decide(change_id: UUID, body: dict[str, Any]) -> ProfileChange:
    with unit_of_work() as uow:
        change = decide_change(uow, change_id, approve=body["approve"], reason=body["reason"])
        uow.session.flush()
        return change
