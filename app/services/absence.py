"""Out of the office: somebody's items move to whoever stands in, and come to nobody who is away."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.domain.absence import Away
from app.domain.errors import InvalidInput, Missing
from app.domain.organisation import Permission, permits
from app.domain.route import StepState
from app.models.absence import Absence
from app.models.review import Review, ReviewStep
from app.models.user import Membership, User
from app.services.access import access_user, require
from app.services.assignment import hand_over
from app.services.independence import persons_of
from app.services.unit_of_work import UnitOfWork


def set_absence(
    uow: UnitOfWork,
    *,
    starts_at: datetime,
    ends_at: datetime,
    substitute_id: UUID | None = None,
    user_id: UUID | None = None,
) -> Absence:
    """Note that somebody is away; oneself, or for a manager of users anybody they govern.

    Standing in gives nobody a right: a substitute who may not decide an item is passed over for
    whoever may and has least to do. Raises InvalidInput, Missing, AccessDenied.
    """
    person = _away_person(uow, user_id)
    away = Away.of(starts_at, ends_at, at=uow.clock.now())
    if substitute_id is not None:
        _require_able(uow, person, substitute_id)
    absence = Absence(
        tenant_id=uow.tenant_id,
        user_id=person,
        substitute_id=substitute_id,
        starts_at=away.starts_at,
        ends_at=away.ends_at,
        made_by=uow.actor.user_id,
        made_at=uow.clock.now(),
        cancelled_at=None,
    )
    uow.session.add(absence)
    uow.session.flush()
    uow.audit.record(
        "absence:set",
        absence.id,
        user=str(person),
        starts_at=away.starts_at.isoformat(),
        ends_at=away.ends_at.isoformat(),
        substitute=str(substitute_id) if substitute_id else None,
    )
    if away.starts_at <= uow.clock.now():
        _move_items_of(uow, person)
    return absence


def end_absence(uow: UnitOfWork, absence_id: UUID) -> Absence:
    """Be back early, or not go at all; what moved stays where it is."""
    absence = uow.session.scalar(select(Absence).where(Absence.id == absence_id).with_for_update())
    if absence is None:
        raise Missing(noun="absence")
    _away_person(uow, absence.user_id)
    if absence.cancelled_at is None and absence.ends_at > uow.clock.now():
        absence.cancelled_at = uow.clock.now()
        uow.audit.record("absence:end", absence.id, user=str(absence.user_id))
    return absence


def _away_person(uow: UnitOfWork, user_id: UUID | None) -> UUID:
    if uow.actor.user_id is not None and user_id in {None, uow.actor.user_id}:
        require(uow, Permission.REVIEW_DECIDE)
        return uow.actor.user_id
    if user_id is None:
        raise Missing(noun="user")
    return access_user(uow, user_id, may=Permission.USER_MANAGE).id


def _require_able(uow: UnitOfWork, person: UUID, substitute_id: UUID) -> None:
    """A substitute is another person, there, and a reviewer somewhere; raises InvalidInput."""
    roles = uow.session.scalars(
        select(Membership.role)
        .join(User, User.id == Membership.user_id)
        .where(User.id == substitute_id, User.is_active)
    ).all()
    if not any(permits(role, Permission.REVIEW_DECIDE) for role in roles):
        raise InvalidInput.of("substitute", "not_deciding", "请选择一位有审核权限的同事。")
    if len(set(persons_of(uow, {person, substitute_id}).values())) == 1:
        raise InvalidInput.of("substitute", "same_person", "代理人须是另一个人。")


def _move_items_of(uow: UnitOfWork, user_id: UUID) -> None:
    waiting = uow.session.execute(
        select(ReviewStep.id, Review.piece_id)
        .join(Review, Review.id == ReviewStep.review_id)
        .where(ReviewStep.assigned_to == user_id, ReviewStep.state == StepState.OPEN)
        .order_by(Review.piece_id)
    ).all()
    for step_id, piece_id in waiting:
        hand_over(uow, piece_id, step_id, why="absence")


def absences_of(uow: UnitOfWork, user_id: UUID) -> list[Absence]:
    """Somebody's present and coming times away, the next first."""
    return list(
        uow.session.scalars(
            select(Absence)
            .where(
                Absence.user_id == user_id,
                Absence.cancelled_at.is_(None),
                Absence.ends_at > uow.clock.now(),
            )
            .order_by(Absence.starts_at)
        )
    )
