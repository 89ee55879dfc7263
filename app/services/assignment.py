"""Whose item it is: nothing waits without an owner, and nobody's absence keeps anybody waiting."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import aliased

from app.domain.route import StepState
from app.models.absence import Absence
from app.models.organisation import OrgUnit
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
            Membership.role == plan.role,
            func.starts_with(item_path, seat.path),
            true() if plan.seat_path is None else func.starts_with(plan.seat_path, seat.path),
        )
        .group_by(User.id)
        .order_by(waiting, User.created_at, User.id)
    ).all()


def _free_of_hands(uow: UnitOfWork, review: Review, user_ids: Sequence[UUID]) -> Sequence[UUID]:
    barred = {*hands_in(uow, review), *votes_in(uow, review)}
    persons = persons_of(uow, {*user_ids, *barred})
    hands = {persons[one] for one in barred if one in persons}
    return [one for one in user_ids if persons.get(one) not in hands]
