"""Whose item it is: nothing waits without an owner, and nobody's absence keeps anybody waiting."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import aliased, joinedload

from app.domain.organisation import Permission, Role, permits
from app.domain.route import StepState
from app.models.absence import Absence
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.review import Review, ReviewStep
from app.models.route import RouteStep
from app.models.user import Membership, User
from app.services.independence import hands_in, persons_of, votes_in
from app.services.unit_of_work import UnitOfWork


def deciders_of(uow: UnitOfWork, step: ReviewStep, *, item_path: str) -> Sequence[UUID]:
    """Everybody who may take a step of an item: role, subtree and seat, and no hand in the work.

    Whoever has the fewest open items comes first, so that work spreads by itself.
    """
    return _free_of_hands(uow, step.review, _seated(uow, step.route_step, item_path))


def assign(uow: UnitOfWork, step: ReviewStep, *, item_path: str) -> UUID | None:
    """Give an open step an owner who is there: the one who has it, their substitute, or the freest.

    None where nobody may take it now; it is tried again each minute until its time is over.
    """
    at = uow.clock.now()
    able = deciders_of(uow, step, item_path=item_path)
    away = absences(uow, {*able, *([step.assigned_to] if step.assigned_to else [])}, at=at)
    owner = step.assigned_to
    if owner is not None and owner in away:
        owner = away[owner].substitute_id
    if owner not in able or owner in away:  # a substitute may be away in turn
        owner = next((one for one in able if one not in away), None)
    step.assigned_to = owner
    return owner


def freest_holder(uow: UnitOfWork, permission: Permission, *, item_path: str) -> UUID | None:
    """Who holds a permission on an item, is there, and has the fewest open items."""
    able = _holders(uow, [role for role in Role if permits(role, permission)], item_path=item_path)
    away = absences(uow, able, at=uow.clock.now())
    return next((one for one in able if one not in away), None)


def hand_over(
    uow: UnitOfWork, piece_id: UUID, step_id: UUID, *, why: str, away_from: UUID | None = None
) -> bool:
    """Give an open step another owner if its own cannot take it; whether it changed hands.

    `away_from` is passed over even though they are there: an item that is nearly late goes on.
    """
    path = lock_path(uow, piece_id)
    step = uow.session.scalar(
        select(ReviewStep)
        .where(ReviewStep.id == step_id, ReviewStep.state == StepState.OPEN)
        .options(
            joinedload(ReviewStep.route_step),
            joinedload(ReviewStep.review).joinedload(Review.revision),
        )
        .execution_options(populate_existing=True)
        .with_for_update(of=ReviewStep)
    )
    if step is None:
        return False
    before = step.assigned_to
    if away_from is not None and before == away_from:
        able = deciders_of(uow, step, item_path=path)
        away = absences(uow, able, at=uow.clock.now())
        step.assigned_to = next((one for one in able if one not in away and one != away_from), before)
    else:
        assign(uow, step, item_path=path)
    if step.assigned_to == before:
        return False
    uow.audit.record(
        "review:assign",
        step.review_id,
        why=why,
        step=step.position,
        from_user=str(before) if before else None,
        to_user=str(step.assigned_to) if step.assigned_to else None,
    )
    return True


def lock_path(uow: UnitOfWork, piece_id: UUID) -> str:
    """Hold a piece still, as everything does first that changes its life, and say where it belongs."""
    uow.session.execute(select(Piece.id).where(Piece.id == piece_id).with_for_update())
    return path_of(uow, piece_id)


def path_of(uow: UnitOfWork, piece_id: UUID) -> str:
    """Where in the organisation a piece belongs."""
    return uow.session.scalars(
        select(OrgUnit.path).join(Piece, Piece.org_unit_id == OrgUnit.id).where(Piece.id == piece_id)
    ).one()


def absences(uow: UnitOfWork, user_ids: Collection[UUID], *, at: datetime) -> dict[UUID, Absence]:
    """Who of these is away at that time, by account."""
    if not user_ids:
        return {}
    found = uow.session.scalars(
        select(Absence)
        .where(
            Absence.user_id.in_(user_ids),
            Absence.cancelled_at.is_(None),
            Absence.starts_at <= at,
            Absence.ends_at > at,
        )
        .order_by(Absence.made_at)
    )
    return {one.user_id: one for one in found}


def _seated(uow: UnitOfWork, plan: RouteStep, item_path: str) -> Sequence[UUID]:
    return _holders(uow, [plan.role], item_path=item_path, seat_path=plan.seat_path)


def _holders(
    uow: UnitOfWork, roles: Collection[Role], *, item_path: str, seat_path: str | None = None
) -> Sequence[UUID]:
    """Active accounts with one of the roles on an item's line, whoever has least to do first."""
    seat = aliased(OrgUnit)
    waiting = (
        select(func.count(ReviewStep.id))
        .where(ReviewStep.assigned_to == User.id, ReviewStep.state == StepState.OPEN)
        .correlate(User)
        .scalar_subquery()
    )
    return uow.session.scalars(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(seat, seat.id == Membership.org_unit_id)
        .where(
            User.is_active,
            Membership.role.in_(roles),
            func.starts_with(item_path, seat.path),
            true() if seat_path is None else func.starts_with(seat_path, seat.path),
        )
        .group_by(User.id)
        .order_by(waiting, User.created_at, User.id)
    ).all()


def _free_of_hands(uow: UnitOfWork, review: Review, user_ids: Sequence[UUID]) -> Sequence[UUID]:
    barred = {*hands_in(uow, review), *votes_in(uow, review)}
    persons = persons_of(uow, {*user_ids, *barred})
    hands = {persons[one] for one in barred if one in persons}
    return [one for one in user_ids if persons.get(one) not in hands]
