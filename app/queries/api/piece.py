"""Pieces with their revisions, steps, checks and decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, not_, select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.domain.piece import PieceAction, PieceState
from app.domain.review import Outcome
from app.domain.route import UseChannel
from app.domain.template import ProductType
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision, PieceStep
from app.models.review import Decision, ReviewStep
from app.models.template import Template, TemplateVersion
from app.queries.api.check import CheckRow, latest_check
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class PieceRow:
    """`advisor_id` is None for what head office made for everybody."""

    id: UUID
    title: str
    state: PieceState
    template_slug: str
    template_version: int
    advisor_id: UUID | None
    org_path: str
    product_type: ProductType
    channel: UseChannel
    tags: tuple[str, ...]
    revision: int | None
    content_hash: str | None
    created_at: datetime
    state_since: datetime


@dataclass(frozen=True, slots=True)
class RevisionRow:
    id: UUID
    number: int
    content_hash: str
    values: dict[str, str]
    disclosure: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StepRow:
    before: PieceState
    action: PieceAction
    after: PieceState
    actor: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """`decided_by` is None where the rules let the machine decide; then there is no step either."""

    id: UUID
    review_id: UUID
    step: int | None
    is_final: bool
    outcome: Outcome
    reason: str
    content_hash: str
    shown_sha256: str | None
    decided_by: UUID | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class PieceStory:
    """Everything that happened to a piece, oldest first; the check is that of its current revision."""

    piece: PieceRow
    revisions: tuple[RevisionRow, ...]
    steps: tuple[StepRow, ...]
    check: CheckRow | None
    decisions: tuple[DecisionRow, ...]


def pieces(
    session: Session,
    wanted: Wanted,
    *,
    scope: Scope,
    advisor_id: UUID | None,
    state: PieceState | None = None,
    template_slug: str | None = None,
) -> Page[PieceRow]:
    """An advisor's own pieces; for anybody else those within the scope but for advisors' drafts."""
    if advisor_id is not None:
        statement = _rows().where(Piece.advisor_id == advisor_id)
    else:
        others_draft = and_(Piece.advisor_id.is_not(None), Piece.state == PieceState.DRAFT)
        statement = _rows().where(within(scope, OrgUnit.path), not_(others_draft))
    if state is not None:
        statement = statement.where(Piece.state == state)
    if template_slug is not None:
        statement = statement.where(Template.slug == template_slug)
    order = Order(Piece.created_at, Piece.id)
    return page_of(session, statement, order, wanted, _shown, lambda row: Place(row.created_at, row.id))


def piece(session: Session, piece_id: UUID) -> PieceRow:
    return _shown(session.execute(_rows().where(Piece.id == piece_id)).one())


def piece_story(session: Session, piece_id: UUID) -> PieceStory:
    """The story of a piece that is there; who may read it has been asked before."""
    found = session.execute(_rows().where(Piece.id == piece_id)).one()
    current: PieceRevision | None = found[4]
    return PieceStory(
        piece=_shown(found),
        revisions=_revisions(session, piece_id),
        steps=_steps(session, piece_id),
        check=latest_check(session, current) if current is not None else None,
        decisions=decisions_on(session, piece_id),
    )


def decisions_on(session: Session, piece_id: UUID) -> tuple[DecisionRow, ...]:
    return tuple(
        DecisionRow(
            id=one.id,
            review_id=one.review_id,
            step=position,
            is_final=one.is_final,
            outcome=one.outcome,
            reason=one.reason,
            content_hash=one.content_hash,
            shown_sha256=one.shown_sha256,
            decided_by=one.decided_by,
            decided_at=one.decided_at,
        )
        for one, position in session.execute(
            select(Decision, ReviewStep.position)
            .outerjoin(ReviewStep, ReviewStep.id == Decision.step_id)
            .where(Decision.piece_id == piece_id)
            .order_by(Decision.decided_at, Decision.id)
        )
    )


def _rows() -> Select[Piece, str, int, str, PieceRevision]:
    return (
        select(Piece, Template.slug, TemplateVersion.number, OrgUnit.path, PieceRevision)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .outerjoin(PieceRevision, PieceRevision.id == Piece.current_revision_id)
    )


def _shown(row: AnyRow) -> PieceRow:
    one: Piece = row[0]
    revision: PieceRevision | None = row[4]
    return PieceRow(
        id=one.id,
        title=one.title,
        state=one.state,
        template_slug=row[1],
        template_version=row[2],
        advisor_id=one.advisor_id,
        org_path=row[3],
        product_type=one.product_type,
        channel=one.channel,
        tags=tuple(one.tags),
        revision=revision.number if revision is not None else None,
        content_hash=revision.content_hash if revision is not None else None,
        created_at=one.created_at,
        state_since=one.state_since,
    )


def _revisions(session: Session, piece_id: UUID) -> tuple[RevisionRow, ...]:
    return tuple(
        RevisionRow(
            id=one.id,
            number=one.number,
            content_hash=one.content_hash,
            values={name: str(value) for name, value in one.values.items()},
            disclosure=one.disclosure,
            created_at=one.created_at,
        )
        for one in session.scalars(
            select(PieceRevision).where(PieceRevision.piece_id == piece_id).order_by(PieceRevision.number)
        )
    )


def _steps(session: Session, piece_id: UUID) -> tuple[StepRow, ...]:
    return _one_after_another(
        StepRow(
            before=one.before,
            action=one.action,
            after=one.after,
            actor=one.actor,
            at=one.at,
            note=one.note,
        )
        for one in session.scalars(
            select(PieceStep).where(PieceStep.piece_id == piece_id).order_by(PieceStep.at, PieceStep.id)
        )
    )


def _one_after_another(steps: Iterable[StepRow]) -> tuple[StepRow, ...]:
    """Steps of one instant in the order they can only have been taken: each begins where one ended."""
    left = sorted(steps, key=lambda step: step.at)
    taken: list[StepRow] = []
    state = PieceState.DRAFT
    while left:
        candidates = [step for step in left if step.at == left[0].at]
        fitting = [step for step in candidates if step.before is state] or candidates
        step = min(fitting, key=lambda one: one.after is not one.before)  # what stays comes first
        left.remove(step)
        taken.append(step)
        state = step.after
    return tuple(taken)
