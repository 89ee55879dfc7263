"""People who sign in: who they are, what they may do and where."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from app.domain.advisor import CODE, MAX_NAME_LENGTH
from app.domain.errors import AccessDenied, Fault, InvalidInput
from app.domain.organisation import Permission, Role, Scope
from app.domain.text import unprintable
from app.models.organisation import OrgUnit
from app.models.user import Membership, User
from app.queries.scope import within
from app.services.access import access_user, require
from app.services.sign_in import (
    Throttle,
    checked_user,
    end_all_sign_ins,
    hash_password,
    require_strong,
)
from app.services.unit_of_work import UnitOfWork

# An advisor's role comes with their profile: services/advisor.py gives it.
GRANTABLE = frozenset(Role) - {Role.ADVISOR}


@dataclass(frozen=True, slots=True)
class RoleOn:
    """A role on a unit and everything below it."""

    role: Role
    unit_id: UUID


class OwnAccount(AccessDenied):
    """An administrator turned against the branch they sit on."""

    code = "own_account"
    reason = "不能停用自己的账号，也不能调整自己的角色。"
    remedy = "请由另一位管理员操作。"


def create_user(uow: UnitOfWork, *, login: str, name: str, password: str, roles: Collection[RoleOn]) -> User:
    """Add a person with their first roles. Raises InvalidInput, AccessDenied."""
    scope = require(uow, Permission.USER_MANAGE)
    login, name = login.strip(), name.strip()
    require_free_login(uow, login)
    _require_name(name)
    require_strong(password)
    if not roles:
        raise InvalidInput.of("roles", "required", "请至少选择一个角色和它的机构。")
    user = User(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        login=login,
        name=name,
        password_hash=hash_password(password),
        created_at=uow.clock.now(),
    )
    user.memberships = _memberships(uow, scope, roles)
    uow.session.add(user)
    try:
        uow.session.flush()
    except IntegrityError as error:
        # somebody took the login between the question and now
        raise _login_taken() from error
    uow.audit.record("user:create", user.id, roles=_said(user))
    return user


def set_roles(uow: UnitOfWork, user_id: UUID, roles: Collection[RoleOn]) -> User:
    """Replace what a person may do; they sign in anew. Raises OwnAccount, InvalidInput, Missing.

    The role of an advisor stays with their profile and is neither given nor taken here.
    """
    scope = require(uow, Permission.USER_MANAGE)
    user = _other_user(uow, user_id)
    kept = [one for one in user.memberships if one.role is Role.ADVISOR]
    wanted = _memberships(uow, scope, roles)
    said_before = _said(user)
    before = {(one.role, one.org_unit_id) for one in user.memberships}
    after = {(one.role, one.org_unit_id) for one in (*kept, *wanted)}
    if after != before:
        user.memberships = [
            one
            for one in user.memberships
            if one.role is Role.ADVISOR or (one.role, one.org_unit_id) in after
        ] + [one for one in wanted if (one.role, one.org_unit_id) not in before]
        uow.session.flush()
        end_all_sign_ins(uow, user.id)
        uow.audit.record("user:set_roles", user.id, before=said_before, after=_said(user))
    return user


def set_active(uow: UnitOfWork, user_id: UUID, *, active: bool) -> User:
    """Let somebody in, or out: a disabled person is signed out everywhere at once."""
    user = _other_user(uow, user_id)
    if user.is_active != active:
        user.is_active = active
        if not active:
            end_all_sign_ins(uow, user.id)
        uow.audit.record("user:enable" if active else "user:disable", user.id)
    return user


def reset_password(uow: UnitOfWork, user_id: UUID, password: str) -> User:
    """Give somebody a new password, told to them in person; they are signed out everywhere."""
    user = _other_user(uow, user_id)
    require_strong(password)
    user.password_hash = hash_password(password)
    end_all_sign_ins(uow, user.id)
    uow.audit.record("user:reset_password", user.id)
    return user


def change_own_password(uow: UnitOfWork, current: str, new: str, *, network: str, throttle: Throttle) -> bool:
    """Change one's password and end every sign-in; False, and a remembered failure, for a wrong one.

    A wrong current password counts like a failed sign-in: a borrowed browser cannot guess on.
    Raises InvalidInput, TooManyAttempts.
    """
    require_strong(new)
    mine = uow.session.get_one(User, uow.actor.user_id)
    user = checked_user(uow, mine.login, current, network=network, throttle=throttle)
    if user is None:
        return False
    user.password_hash = hash_password(new)
    end_all_sign_ins(uow, user.id)
    uow.audit.record("user:change_password", user.id)
    return True


_MAIL_ADDRESS = re.compile(r"[^@\s<>\"',;:]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)


def change_own_email(uow: UnitOfWork, email: str) -> User:
    """Say where one's own notices are mailed to; nothing means: nowhere. Raises InvalidInput."""
    email = email.strip()
    if email and not _MAIL_ADDRESS.fullmatch(email):
        raise InvalidInput.of("email", "malformed", "请写成 name@example.com 这样的邮箱地址。")
    user = uow.session.get_one(User, uow.actor.user_id)
    if (user.email or "") != email:
        user.email = email or None
        uow.audit.record("user:change_email", user.id, mailed=bool(email))
    return user


def own_account(uow: UnitOfWork) -> User:
    """The person acting, with their roles."""
    return uow.session.scalars(
        select(User)
        .where(User.id == uow.actor.user_id)
        .options(selectinload(User.memberships).joinedload(Membership.org_unit))
    ).one()


def require_free_login(uow: UnitOfWork, login: str) -> None:
    """Logins are unique across tenants: one address of login serves them all."""
    if not CODE.fullmatch(login):
        raise InvalidInput.of(
            "login", "malformed", "账号用字母、数字、点和横线，以字母或数字开头，最多 40 位。"
        )
    # the table itself, so that the session's tenant does not hide a login of another
    accounts = User.__table__
    if uow.session.execute(select(accounts.c.id).where(accounts.c.login == login)).first():
        raise _login_taken()


def _login_taken() -> InvalidInput:
    return InvalidInput.of("login", "taken", "这个账号不可用，请换一个。")


def _require_name(name: str) -> None:
    if not name or len(name) > MAX_NAME_LENGTH or unprintable(name):
        raise InvalidInput.of("name", "malformed", f"请填写姓名，最多 {MAX_NAME_LENGTH} 字。")


def _other_user(uow: UnitOfWork, user_id: UUID) -> User:
    user = access_user(uow, user_id, may=Permission.USER_MANAGE)
    if user.id == uow.actor.user_id:
        raise OwnAccount(permission=Permission.USER_MANAGE.value)
    return user


def _memberships(uow: UnitOfWork, scope: Scope, roles: Collection[RoleOn]) -> list[Membership]:
    """The roles as rows, each on a unit within the scope of whoever grants it."""
    wanted = set(roles)
    if not_grantable := {one.role for one in wanted} - GRANTABLE:
        names = "、".join(sorted(not_grantable))
        raise InvalidInput.of("roles", "not_grantable", f"角色 {names} 随客户经理档案授予。")
    units = {
        unit.id: unit
        for unit in uow.session.scalars(
            select(OrgUnit).where(
                OrgUnit.id.in_({one.unit_id for one in wanted}), within(scope, OrgUnit.path)
            )
        )
    }
    if any(one.unit_id not in units for one in wanted):
        raise InvalidInput(Fault("roles", "unknown_unit", "请选择您管理范围内的机构。"))
    return [
        Membership(
            id=uuid4(),
            tenant_id=uow.tenant_id,
            role=one.role,
            org_unit_id=one.unit_id,
            org_unit=units[one.unit_id],
        )
        for one in sorted(wanted, key=lambda one: (one.role, str(one.unit_id)))
    ]


def _said(user: User) -> list[str]:
    return sorted(f"{one.role.value} {one.org_unit.code}" for one in user.memberships)
