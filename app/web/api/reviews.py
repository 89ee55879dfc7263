"""Reviews: the queue, a round with all a decision needs, and the decision."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields

from app.domain.organisation import Permission, Role
from app.domain.piece import changed_slots
from app.domain.review import Outcome, ReviewState, Route
from app.domain.route import MOST_STEPS, Risk, StepState
from app.queries.api.page import Page, Wanted
from app.queries.api.review import ReviewRow, review_story, reviews
from app.services.access import access_review, require
from app.services.review import decide
from app.services.template import manifest_of
from app.web.api.fields import Cursor, Id, Instant, PageQuery, Shown, Strict, one_of, sha256, text, whole
from app.web.api.operation import Created, operation
from app.web.api.pieces import CheckRunSchema, DecisionSchema
from app.web.edge import unit_of_work
from compliance.report import Verdict

bp = Blueprint("reviews", __name__)


class ReviewSchema(Shown):
    id = Id()
    piece_id = Id()
    piece_title = fields.String()
    advisor_id = Id(allow_none=True)
    org_path = fields.String()
    state = one_of(ReviewState)
    route = one_of(Route)
    risk = one_of(Risk)
    reasons = fields.List(fields.String(), metadata={"description": "自动通过或交人审核的原因"})
    carried = fields.List(fields.String(), metadata={"description": "内容与上次通过时相同的项"})
    round = fields.Integer()
    content_hash = fields.String(metadata={"description": "决定时原样带回"})
    verdict = one_of(Verdict, allow_none=True)
    opened_at = Instant()
    claimed_by = Id(allow_none=True)


class SlotChangeSchema(Shown):
    slot = fields.String()
    label = fields.String()
    before = fields.String()
    after = fields.String()


class ReviewStepSchema(Shown):
    position = fields.Integer()
    name = fields.String()
    role = one_of(Role)
    quorum = fields.Integer()
    seat_path = fields.String(allow_none=True)
    state = one_of(StepState)
    due_at = Instant(allow_none=True)
    assigned_to = Id(allow_none=True)


class ReviewStorySchema(ReviewSchema):
    values = fields.Dict(keys=fields.String(), values=fields.String())
    changes = fields.List(
        fields.Nested(SlotChangeSchema), metadata={"description": "与模板默认内容相比的差异"}
    )
    disclosure = fields.String(allow_none=True)
    check = fields.Nested(CheckRunSchema, allow_none=True)
    decision = fields.Nested(DecisionSchema, allow_none=True, metadata={"description": "结束这一轮的决定"})
    decisions = fields.List(fields.Nested(DecisionSchema))
    steps = fields.List(fields.Nested(ReviewStepSchema))


class ReviewPageSchema(Shown):
    items = fields.List(fields.Nested(ReviewSchema))
    next = Cursor(allow_none=True)


class ReviewQuery(PageQuery):
    state = one_of(ReviewState, load_default=None)


class NewDecisionSchema(Strict):
    outcome = one_of(Outcome, required=True)
    content_hash = sha256(required=True, metadata={"description": "您看到的内容；已有新版本则 409"})
    step = whole(
        least=1,
        most=MOST_STEPS,
        load_default=1,
        metadata={"description": "您所在的一步；审核已进入别的一步则 409"},
    )
    reason = text(most=2000, load_default="", metadata={"description": "退回或驳回时必填"})


@bp.get("/reviews")
@operation("审核队列，等得最久的在前", query=ReviewQuery, answers=ReviewPageSchema, refuses={403})
def list_reviews(query: dict[str, Any]) -> Page[ReviewRow]:
    with unit_of_work() as uow:
        return reviews(
            uow.session,
            require(uow, Permission.REVIEW_VIEW),
            Wanted(query["limit"], query["cursor"]),
            state=query["state"],
        )


@bp.get("/reviews/<uuid:review_id>")
@operation("一轮审核", answers=ReviewStorySchema, refuses={403})
def show_review(review_id: UUID) -> dict[str, Any]:
    with unit_of_work() as uow:
        review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
        manifest = manifest_of(uow, review.piece.template_version)
        story = review_story(uow.session, review_id)
    return {
        **asdict(story.review),
        "values": story.values,
        "changes": changed_slots(
            {slot.name: slot.label for slot in manifest.slots},
            {slot.name: slot.default or "" for slot in manifest.slots},
            story.values,
        ),
        "disclosure": story.disclosure,
        "check": story.check,
        "decision": story.decision,
        "decisions": story.decisions,
        "steps": story.steps,
    }


@bp.post("/reviews/<uuid:review_id>/decisions")
@operation("作出审核决定", body=NewDecisionSchema, answers=DecisionSchema, status=201, refuses={403, 409})
def make_decision(review_id: UUID, body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        decision = decide(
            uow,
            review_id,
            body["outcome"],
            content_hash=body["content_hash"],
            step=body["step"],
            reason=body["reason"],
        )
        uow.session.flush()
        made = next(one for one in review_story(uow.session, review_id).decisions if one.id == decision.id)
    return Created(made, url_for("api.reviews.show_review", review_id=review_id))
