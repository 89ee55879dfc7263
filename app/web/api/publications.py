"""Publications: hand an approved piece to an audience, see what is public, take it down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields

from app.domain.errors import Missing
from app.domain.organisation import Permission
from app.domain.publication import CorrectionKind, EndReason, Standing
from app.queries.api.page import Page, Wanted
from app.queries.api.publication import Onlooker, PublicationRow, publication, publications
from app.queries.today import Reader
from app.services.access import own_advisor, require
from app.services.publication import publish_piece, take_down_publication
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import (
    Cursor,
    Id,
    Instant,
    PageQuery,
    QueryFlag,
    Shown,
    Strict,
    one_of,
    org_path,
    tags,
    text,
)
from app.web.api.operation import Created, operation
from app.web.edge import unit_of_work

bp = Blueprint("publications", __name__)


class AudienceSchema(Strict):
    """Everybody under the path who carries all of the tags."""

    path = org_path(load_default=None, metadata={"description": "默认：作品所属机构"})
    tags = tags(load_default=())


class NewPublicationSchema(Strict):
    piece_id = Id(required=True)
    audience = fields.Nested(AudienceSchema, load_default=lambda: {"path": None, "tags": ()})
    valid_from = Instant(load_default=None, metadata={"description": "须带时区，不可为过去；默认即刻"})
    valid_until = Instant(load_default=None, metadata={"description": "默认 30 天，最长 366 天"})
    why = text(most=500, load_default="", metadata={"description": "为什么值得发，显示在“今日”"})


class PublicationSchema(Shown):
    id = Id()
    piece_id = Id()
    piece_title = fields.String()
    approval_no = fields.String()
    content_hash = fields.String()
    standing = one_of(Standing)
    audience_path = fields.String()
    audience_tags = fields.List(fields.String())
    audience_advisor_id = Id(allow_none=True)
    why = fields.String()
    valid_from = Instant()
    valid_until = Instant()
    published_by = Id(allow_none=True)
    published_at = Instant()
    ended_at = Instant(allow_none=True)
    end_reason = one_of(EndReason, allow_none=True)
    end_note = fields.String()
    corrects_id = Id(allow_none=True, metadata={"description": "它更正的那次发布，同一链接"})
    correction = one_of(CorrectionKind, allow_none=True)


class PublicationPageSchema(Shown):
    items = fields.List(fields.Nested(PublicationSchema))
    next = Cursor(allow_none=True)


class PublicationQuery(PageQuery):
    piece_id = Id(load_default=None)
    live = QueryFlag(load_default=None)


class TakeDownSchema(Strict):
    note = text(least=1, most=500, required=True, metadata={"description": "原因，使用者会看到"})


@bp.get("/publications")
@operation("发布记录，最新在前", query=PublicationQuery, answers=PublicationPageSchema, refuses={403})
def list_publications(query: dict[str, Any]) -> Page[PublicationRow]:
    with unit_of_work() as uow:
        return publications(
            uow.session,
            _onlooker(uow),
            Wanted(query["limit"], query["cursor"]),
            at=uow.clock.now(),
            piece_id=query["piece_id"],
            live=query["live"],
        )


@bp.post("/publications")
@operation(
    "发布：当前内容必须已审核通过",
    body=NewPublicationSchema,
    answers=PublicationSchema,
    status=201,
    refuses={403, 404, 409},
)
def make_publication(body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        made = publish_piece(
            uow,
            body["piece_id"],
            path=body["audience"]["path"],
            tags=tuple(body["audience"]["tags"]),
            valid_from=body["valid_from"],
            valid_until=body["valid_until"],
            why=body["why"],
        )
        return Created(
            _publication(uow, made.id),
            url_for("api.publications.show_publication", publication_id=made.id),
        )


@bp.get("/publications/<uuid:publication_id>")
@operation("一次发布", answers=PublicationSchema, refuses={403})
def show_publication(publication_id: UUID) -> PublicationRow:
    with unit_of_work() as uow:
        return _publication(uow, publication_id)


@bp.post("/publications/<uuid:publication_id>/take-down")
@operation("立即下架", body=TakeDownSchema, answers=PublicationSchema, refuses={403, 409})
def end_publication(publication_id: UUID, body: dict[str, Any]) -> PublicationRow:
    with unit_of_work() as uow:
        take_down_publication(uow, publication_id, note=body["note"])
        uow.session.flush()
        return _publication(uow, publication_id)


def _onlooker(uow: UnitOfWork) -> Onlooker:
    if uow.actor.advisor_id is None:
        return Onlooker(require(uow, Permission.PIECE_VIEW))
    advisor = own_advisor(uow)
    reader = Reader(advisor.id, advisor.org_unit.path, tuple(advisor.tags))
    return Onlooker(require(uow, Permission.PIECE_MAKE), reader)


def _publication(uow: UnitOfWork, publication_id: UUID) -> PublicationRow:
    found = publication(uow.session, _onlooker(uow), publication_id, at=uow.clock.now())
    if found is None:
        raise Missing(noun="publication")
    return found
