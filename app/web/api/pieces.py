"""Pieces: make, change, send for review, take back, and read what happened to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields

from app.domain.organisation import Permission
from app.domain.piece import PieceAction, PieceState
from app.domain.publication import CorrectionKind
from app.domain.review import Outcome
from app.domain.route import UseChannel
from app.domain.template import ProductType
from app.queries.api.page import Page, Wanted
from app.queries.api.piece import PieceRow, piece, piece_story, pieces
from app.services.access import require
from app.services.correction import drop_correction, start_correction
from app.services.piece import change_piece, make_piece_once, open_piece, save_piece
from app.services.publication import set_successor
from app.services.submission import submit_for_review, withdraw_piece
from app.web.api.checks import FindingSchema, TemplateNameSchema
from app.web.api.fields import Cursor, Id, Instant, PageQuery, Shown, Strict, one_of, slot_values, tags, text
from app.web.api.operation import Created, operation
from app.web.api.repeat import repeatable
from app.web.edge import unit_of_work
from compliance.report import Verdict

bp = Blueprint("pieces", __name__)


class PieceSchema(Shown):
    id = Id()
    title = fields.String()
    state = one_of(PieceState)
    template_slug = fields.String()
    template_version = fields.Integer()
    advisor_id = Id(allow_none=True, metadata={"description": "null：总部为所有人制作"})
    org_path = fields.String()
    product_type = one_of(ProductType)
    channel = one_of(UseChannel)
    tags = fields.List(fields.String())
    revision = fields.Integer(allow_none=True)
    content_hash = fields.String(allow_none=True, metadata={"description": "审核所针对的内容"})
    created_at = Instant()
    state_since = Instant()


class RevisionSchema(Shown):
    id = Id()
    number = fields.Integer()
    content_hash = fields.String()
    values = fields.Dict(keys=fields.String(), values=fields.String())
    disclosure = fields.String(allow_none=True)
    created_at = Instant()


class StepSchema(Shown):
    before = one_of(PieceState)
    action = one_of(PieceAction)
    after = one_of(PieceState)
    actor = fields.String()
    at = Instant()
    note = fields.String()


class CheckRunSchema(Shown):
    id = Id()
    verdict = one_of(Verdict, allow_none=True, metadata={"description": "null：尚无结论，按拦截处理"})
    ruleset = fields.String()
    queued_at = Instant()
    completed_at = Instant(allow_none=True)
    findings = fields.List(fields.Nested(FindingSchema))


class DecisionSchema(Shown):
    id = Id()
    review_id = Id()
    step = fields.Integer(allow_none=True, metadata={"description": "流程的第几步；null：由系统通过"})
    is_final = fields.Boolean(metadata={"description": "这一轮到此结束"})
    outcome = one_of(Outcome)
    reason = fields.String()
    content_hash = fields.String()
    shown_sha256 = fields.String(allow_none=True, metadata={"description": "审核人看到的图，见 renditions"})
    decided_by = Id(allow_none=True, metadata={"description": "null：按规则由系统通过"})
    decided_at = Instant()


class PieceStorySchema(PieceSchema):
    revisions = fields.List(fields.Nested(RevisionSchema))
    steps = fields.List(fields.Nested(StepSchema))
    check = fields.Nested(CheckRunSchema, allow_none=True)
    decisions = fields.List(fields.Nested(DecisionSchema))


class PiecePageSchema(Shown):
    items = fields.List(fields.Nested(PieceSchema))
    next = Cursor(allow_none=True)


class NewPieceSchema(Strict):
    template = fields.Nested(TemplateNameSchema, required=True)
    values = slot_values(load_default=dict)
    title = text(least=1, most=200, load_default=None)
    tags = tags(load_default=(), metadata={"description": "只用于总部制作的作品"})
    channel = one_of(
        UseChannel, load_default=None, metadata={"description": "打算用在哪里，决定审核流程；默认朋友圈"}
    )


class ChangedPieceSchema(Strict):
    values = slot_values(load_default=dict, metadata={"description": "没有提到的槽位保持原样"})
    title = text(least=1, most=200, load_default=None)
    tags = tags(load_default=())
    channel = one_of(
        UseChannel, load_default=None, metadata={"description": "换了渠道即须重新审核；null：不变"}
    )


class PieceQuery(PageQuery):
    state = one_of(PieceState, load_default=None)
    template = text(least=1, most=64, load_default=None)


class NewCorrectionSchema(Strict):
    kind = one_of(CorrectionKind, required=True, metadata={"description": "写进页面上的更正说明"})


class SuccessorSchema(Strict):
    piece_id = Id(required=True, allow_none=True, metadata={"description": "面向全员的另一份；null：不指定"})


@bp.get("/pieces")
@operation("作品列表", query=PieceQuery, answers=PiecePageSchema, refuses={403})
def list_pieces(query: dict[str, Any]) -> Page[PieceRow]:
    with unit_of_work() as uow:
        may = Permission.PIECE_MAKE if uow.actor.advisor_id else Permission.PIECE_VIEW
        return pieces(
            uow.session,
            Wanted(query["limit"], query["cursor"]),
            scope=require(uow, may),
            advisor_id=uow.actor.advisor_id,
            state=query["state"],
            template_slug=query["template"],
        )


@bp.post("/pieces")
@operation(
    "制作作品",
    body=NewPieceSchema,
    answers=PieceSchema,
    status=201,
    refuses={403, 404, 409},
    repeatable=True,
)
def make_piece(body: dict[str, Any]) -> Created:
    slug, number = body["template"]["slug"], body["template"]["version"]
    more = {
        "number": number,
        "title": body["title"],
        "tags": tuple(body["tags"]),
        "channel": body["channel"],
    }
    asked = repeatable()
    with unit_of_work() as uow:
        if asked is None:
            piece_id = save_piece(uow, slug, body["values"], **more).id
        else:
            piece_id = make_piece_once(
                uow, slug, body["values"], key=asked.key, request_digest=asked.request_digest, **more
            )
        uow.session.flush()
        made = piece(uow.session, piece_id)
    return Created(made, url_for("api.pieces.show_piece", piece_id=piece_id))


@bp.get("/pieces/<uuid:piece_id>")
@operation("一份作品的始末", answers=PieceStorySchema, refuses={403})
def show_piece(piece_id: UUID) -> dict[str, Any]:
    with unit_of_work() as uow:
        story = piece_story(uow.session, open_piece(uow, piece_id).id)
    return {
        **asdict(story.piece),
        "revisions": story.revisions,
        "steps": story.steps,
        "check": story.check,
        "decisions": story.decisions,
    }


@bp.patch("/pieces/<uuid:piece_id>")
@operation(
    "修改作品；内容有变即成为新修订，须重新审核",
    body=ChangedPieceSchema,
    answers=PieceSchema,
    refuses={403, 409},
)
def edit_piece(piece_id: UUID, body: dict[str, Any]) -> PieceRow:
    with unit_of_work() as uow:
        change_piece(
            uow,
            piece_id,
            changed=body["values"],
            title=body["title"],
            tags=tuple(body["tags"]),
            channel=body["channel"],
        )
        uow.session.flush()
        return piece(uow.session, piece_id)


@bp.post("/pieces/<uuid:piece_id>/submit")
@operation("送审", answers=PieceSchema, refuses={403, 409})
def submit_piece(piece_id: UUID) -> PieceRow:
    with unit_of_work() as uow:
        submit_for_review(uow, piece_id)
        uow.session.flush()
        return piece(uow.session, piece_id)


@bp.post("/pieces/<uuid:piece_id>/withdraw")
@operation("撤回", answers=PieceSchema, refuses={403, 409})
def take_piece_back(piece_id: UUID) -> PieceRow:
    with unit_of_work() as uow:
        withdraw_piece(uow, piece_id)
        uow.session.flush()
        return piece(uow.session, piece_id)


@bp.post("/pieces/<uuid:piece_id>/correction")
@operation(
    "开始更正：原版在同一链接继续有效，新版通过后替换它",
    body=NewCorrectionSchema,
    answers=PieceSchema,
    refuses={403, 409},
)
def correct_piece(piece_id: UUID, body: dict[str, Any]) -> PieceRow:
    with unit_of_work() as uow:
        start_correction(uow, piece_id, body["kind"])
        uow.session.flush()
        return piece(uow.session, piece_id)


@bp.post("/pieces/<uuid:piece_id>/correction/drop")
@operation("放弃更正", answers=PieceSchema, refuses={403, 409})
def drop_piece_correction(piece_id: UUID) -> PieceRow:
    with unit_of_work() as uow:
        drop_correction(uow, piece_id)
        uow.session.flush()
        return piece(uow.session, piece_id)


@bp.post("/pieces/<uuid:piece_id>/successor")
@operation("结束之后引导到哪一份", body=SuccessorSchema, answers=PieceSchema, refuses={403})
def name_successor(piece_id: UUID, body: dict[str, Any]) -> PieceRow:
    with unit_of_work() as uow:
        set_successor(uow, piece_id, body["piece_id"])
        uow.session.flush()
        return piece(uow.session, piece_id)
