"""People who sign in, as pages show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from app.domain.organisation import Permission, Role, Scope, permits
from app.models.user import Membership, User
from app.queries.page import Page, offset_of
from app.queries.scope import governed

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class RoleLine:
    role: Role
    unit_id: UUID
    unit: str


@dataclass(frozen=True, slots=True)
class UserLine:
    id: UUID
    login: str
    name: str
    is_active: bool
    signed_in_at: datetime | None
    roles: tuple[RoleLine, ...]


def users(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    role: Role | None = None,
    desk_only: bool = False,
    number: int = 1,
) -> Page[UserLine]:
    """People whose every role lies within the scope, by login and name.

    `desk_only` leaves out those who are advisors and nothing else: there are thousands of them.
    """
    conditions = [governed(scope)]
    if role is not None:
        conditions.append(User.memberships.any(Membership.role == role))
    if desk_only:
        conditions.append(or_(User.memberships.any(Membership.role != Role.ADVISOR), ~User.memberships.any()))
    conditions += [
        or_(User.login.icontains(word, autoescape=True), User.name.contains(word, autoescape=True))
        for word in search.replace("\x00", "").split()[:5]
    ]
    total = session.scalar(select(func.count(User.id)).where(*conditions)) or 0
    rows = session.scalars(
        select(User)
        .where(*conditions)
        .order_by(User.is_active.desc(), User.login)
        .offset(offset_of(number, PAGE_SIZE))
        .limit(PAGE_SIZE)
        .options(selectinload(User.memberships).joinedload(Membership.org_unit))
    )
    return Page([_line(user) for user in rows], max(1, number), PAGE_SIZE, total)


def user_line(session: Session, scope: Scope, user_id: UUID) -> UserLine | None:
    """One person of a scope; None where there is none, or none here."""
    user = session.scalar(
        select(User)
        .where(User.id == user_id, governed(scope))
        .options(selectinload(User.memberships).joinedload(Membership.org_unit))
    )
    return _line(user) if user else None


def _line(user: User) -> UserLine:
    order = list(Role)
    roles = sorted(user.memberships, key=lambda one: (order.index(one.role), one.org_unit.path))
    return UserLine(
        user.id,
        user.login,
        user.name,
        user.is_active,
        user.signed_in_at,
        tuple(RoleLine(one.role, one.org_unit_id, one.org_unit.name) for one in roles),
    )


def substitute_options(session: Session, *, except_user: UUID) -> list[tuple[str, str]]:
    """Active colleagues who may decide on reviews, by id and name; not the accounts of one's own."""
    mine = select(User.person_id).where(User.id == except_user).scalar_subquery()
    deciding = [role for role in Role if permits(role, Permission.REVIEW_DECIDE)]
    found = session.execute(
        select(User.id, User.name)
        .where(
            User.is_active,
            User.person_id != mine,
            User.memberships.any(Membership.role.in_(deciding)),
        )
        .order_by(User.name)
    )
    return [(str(row.id), row.name) for row in found]
