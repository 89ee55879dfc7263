"""Nothing waits for ever: owners are found, what is nearly late is pressed, what is late comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.piece import LONGEST_REST, PieceAction, PieceState
from app.domain.review import ReviewState, claim_holds
from app.domain.route import ESCALATES_AT, StepState
from app.models.absence import Absence
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.review import Review, ReviewStep
from app.models.route import RouteStep
from app.models.user import Membership, User
from app.services.assignment import hand_over
from app.services.piece import lock_piece
from app.services.rounds import end_round
from app.services.unit_of_work import UnitOfWork

_MOST_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Tended:
    """What one turn did."""

    handed_over: int
    escalated: int
    lapsed: int
    abandoned: int


def tend_reviews(uow: UnitOfWork) -> Tended:
    """One turn of the clock over everything that waits; doing it twice is doing it once."""
    lapsed = _lapse(uow)
    return Tended(_rehome(uow), _escalate(uow), lapsed, _close_abandoned(uow))


def _open_steps(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> Sequence[tuple[UUID, UUID]]:
    """Open steps and their pieces, in the order in which everybody locks pieces."""
    found = uow.session.execute(
        select(ReviewStep.id, Review.piece_id)
        .join(Review, Review.id == ReviewStep.review_id)
        .join(Piece, Piece.id == Review.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .join(RouteStep, RouteStep.id == ReviewStep.route_step_id)
        .where(ReviewStep.state == StepState.OPEN, *conditions)
        .order_by(ReviewStep.due_at)
        .limit(_MOST_AT_ONCE)
    ).all()
    return sorted(((step_id, piece_id) for step_id, piece_id in found), key=lambda pair: pair[1])


def _rehome(uow: UnitOfWork) -> int:
    """Give what has no owner, or one who left, is away or may no longer decide it, another."""
    at = uow.clock.now()
    seat = aliased(OrgUnit)
    is_seated = exists(
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .join(seat, seat.id == Membership.org_unit_id)
        .where(
            Membership.user_id == ReviewStep.assigned_to,
            User.is_active,
            Membership.role == RouteStep.role,
            func.starts_with(OrgUnit.path, seat.path),
            or_(RouteStep.seat_path.is_(None), func.starts_with(RouteStep.seat_path, seat.path)),
        )
        .correlate(ReviewStep, RouteStep, OrgUnit)
    )
    is_away = exists(
        select(Absence.id)
        .where(
            Absence.user_id == ReviewStep.assigned_to,
            Absence.cancelled_at.is_(None),
            Absence.starts_at <= at,
            Absence.ends_at > at,
        )
        .correlate(ReviewStep)
    )
    lost = _open_steps(uow, or_(ReviewStep.assigned_to.is_(None), ~is_seated, is_away))
    return sum(hand_over(uow, piece_id, step_id, why="absence") for step_id, piece_id in lost)


def _escalate(uow: UnitOfWork) -> int:
    """Press what has used most of its time; unless somebody is on it, it goes to the freest colleague."""
    at = uow.clock.now()
    used = func.extract("epoch", at - ReviewStep.opened_at)
    given = func.extract("epoch", ReviewStep.due_at - ReviewStep.opened_at)
    late = _open_steps(uow, ReviewStep.escalated_at.is_(None), used >= given * ESCALATES_AT)
    done = 0
    for step_id, piece_id in late:
        review, step = _locked(uow, piece_id, step_id)
        if step.state is not StepState.OPEN or step.escalated_at is not None:
            continue
        step.escalated_at = at
        uow.audit.record(
            "review:escalate",
            review.id,
            piece=str(piece_id),
            step=step.position,
            due_at=step.due_at.isoformat() if step.due_at else None,
            owner=str(step.assigned_to) if step.assigned_to else None,
        )
        if not claim_holds(review.claimed_at, at=at):
            hand_over(uow, piece_id, step_id, why="escalation", away_from=step.assigned_to)
        done += 1
    return done


def _lapse(uow: UnitOfWork) -> int:
    """Give back to its maker what was not decided in time, with the reason, so that nobody guesses."""
    at = uow.clock.now()
    done = 0
    for step_id, piece_id in _open_steps(uow, ReviewStep.due_at <= at):
        piece = lock_piece(uow, piece_id)
        review, step = _locked(uow, piece_id, step_id)
        if step.state is not StepState.OPEN or review.state is not ReviewState.OPEN:
            continue
        end_round(uow, review, ReviewState.CLOSED)
        piece.apply(
            PieceAction.WITHDRAW,
            actor=uow.actor.name,
            at=at,
            note="未能在时限内审结，已自动撤回。内容都还在，可以直接再次送审。",
        )
        uow.audit.record("review:lapse", review.id, piece=str(piece_id), step=step.position)
        done += 1
    return done


def _close_abandoned(uow: UnitOfWork) -> int:
    """Close on purpose what was sent for review and then left lying (AU-6)."""
    at = uow.clock.now()
    left = or_(
        *(and_(Piece.state == state, Piece.state_since <= at - rest) for state, rest in LONGEST_REST.items())
    )
    found = uow.session.scalars(select(Piece.id).where(left).order_by(Piece.id).limit(_MOST_AT_ONCE)).all()
    done = 0
    for piece_id in found:
        piece = lock_piece(uow, piece_id)
        rest = LONGEST_REST.get(piece.state)
        if rest is None or piece.state_since > at - rest:
            continue
        piece.apply(PieceAction.WITHDRAW, actor=uow.actor.name, at=at, note=_LEFT_LYING[piece.state])
        uow.audit.record("piece:lapse", piece.id)
        done += 1
    return done


_LEFT_LYING: Final = {
    PieceState.CHECKING: "检测一直未能完成，已自动撤回。请再次送审；如仍不成功请联系管理员。",
    PieceState.CHANGES_REQUESTED: "退回后长时间没有修改，已自动撤回。需要时可以继续修改并再次送审。",
    PieceState.APPROVED: "通过后长时间没有发布，已自动撤回。需要时请再次送审。",
}


def _locked(uow: UnitOfWork, piece_id: UUID, step_id: UUID) -> tuple[Review, ReviewStep]:
    """A round and its step as they are now, locked in everybody's order: piece, round, step."""
    lock_piece(uow, piece_id)
    review = uow.session.scalars(
        select(Review)
        .join(ReviewStep, ReviewStep.review_id == Review.id)
        .where(ReviewStep.id == step_id)
        .with_for_update(of=Review)
        .execution_options(populate_existing=True)
    ).one()
    step = uow.session.scalars(
        select(ReviewStep)
        .where(ReviewStep.id == step_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return review, step
