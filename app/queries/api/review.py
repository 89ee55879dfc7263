"""The queue of review rounds, and one round with all a decision needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.organisation import Role, Scope
from app.domain.review import ReviewState, Route
from app.domain.route import Risk, StepState
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Review, ReviewStep
from app.models.route import RouteStep
from app.queries.api.check import CheckRow, latest_check
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of
from app.queries.api.piece import DecisionRow, decisions_on
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class ReviewRow:
    id: UUID
    piece_id: UUID
    piece_title: str
    advisor_id: UUID | None
    org_path: str
    state: ReviewState
    route: Route
    risk: Risk
    reasons: tuple[str, ...]
    carried: tuple[str, ...]
    round: int
    content_hash: str
    verdict: str | None
    opened_at: datetime
    claimed_by: UUID | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a round's route: who may take it, how many must, and where it stands."""

    position: int
    name: str
    role: Role
    quorum: int
    seat_path: str | None
    state: StepState
    due_at: datetime | None
    assigned_to: UUID | None


@dataclass(frozen=True, slots=True)
class ReviewStory:
    review: ReviewRow
    values: dict[str, str]
    disclosure: str | None
    check: CheckRow | None
    # the one that ended the round; None while it waits
    decision: DecisionRow | None
    decisions: tuple[DecisionRow, ...]
    steps: tuple[StepRow, ...]


def reviews(
    session: Session, scope: Scope, wanted: Wanted, *, state: ReviewState | None = None
) -> Page[ReviewRow]:
    """Rounds within the scope, whoever waits longest first."""
    statement = _rows().where(within(scope, OrgUnit.path))
    if state is not None:
        statement = statement.where(Review.state == state)
    order = Order(Review.opened_at, Review.id, newest_first=False)
    return page_of(session, statement, order, wanted, _shown, lambda row: Place(row.opened_at, row.id))


def review_story(session: Session, review_id: UUID) -> ReviewStory:
    """A round that is there; who may read it has been asked before."""
    row = session.execute(_rows().where(Review.id == review_id)).one()
    revision: PieceRevision = row[2]
    decisions = tuple(one for one in decisions_on(session, row[1].id) if one.review_id == review_id)
    return ReviewStory(
        review=_shown(row),
        values={name: str(value) for name, value in revision.values.items()},
        disclosure=revision.disclosure,
        check=latest_check(session, revision),
        decision=next((one for one in decisions if one.is_final), None),
        decisions=decisions,
        steps=_steps(session, review_id),
    )


def _steps(session: Session, review_id: UUID) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(**row)
        for row in session.execute(
            select(
                ReviewStep.position,
                RouteStep.name,
                RouteStep.role,
                RouteStep.quorum,
                RouteStep.seat_path,
                ReviewStep.state,
                ReviewStep.due_at,
                ReviewStep.assigned_to,
            )
            .join(RouteStep, RouteStep.id == ReviewStep.route_step_id)
            .where(ReviewStep.review_id == review_id)
            .order_by(ReviewStep.position)
        ).mappings()
    )


def _rows() -> Select[Review, Piece, PieceRevision, str, str | None]:
    return (
        select(Review, Piece, PieceRevision, OrgUnit.path, CheckRun.verdict)
        .join(Piece, Piece.id == Review.piece_id)
        .join(PieceRevision, PieceRevision.id == Review.revision_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .join(CheckRun, CheckRun.id == Review.check_run_id)
    )


def _shown(row: AnyRow) -> ReviewRow:
    one: Review = row[0]
    piece: Piece = row[1]
    return ReviewRow(
        id=one.id,
        piece_id=piece.id,
        piece_title=piece.title,
        advisor_id=piece.advisor_id,
        org_path=row[3],
        state=one.state,
        route=one.route,
        risk=one.risk,
        reasons=tuple(one.reasons),
        carried=tuple(one.carried),
        round=one.round,
        content_hash=row[2].content_hash,
        verdict=row[4],
        opened_at=one.opened_at,
        claimed_by=one.claimed_by,
    )
