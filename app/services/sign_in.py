"""Prove who somebody is: passwords for people, tokens for machines, throttled and forgettable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy import Row, Select, and_, bindparam, delete, func, select, update

from app.domain.errors import InvalidInput, TooManyAttempts
from app.domain.organisation import Actor, AdvisorId, Grant, TenantId, UserId
from app.domain.text import LONGEST_TITLE, clean_text, unprintable
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.tenant import Tenant
from app.models.user import ApiToken, FailedSignIn, Membership, SignIn, User
from app.services.unit_of_work import UnitOfWork

_HASHER: Final = PasswordHasher()
_QUICK_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
# Verified for accounts that do not exist, so that both answers take the same time.
_NOBODYS_HASH: Final = _HASHER.hash(secrets.token_hex(16))
MIN_PASSWORD_LENGTH: Final = 10
MAX_PASSWORD_LENGTH: Final = 200
_MOST_AT_ONCE: Final = 1_000
API_TOKEN_PREFIX: Final = "imp_"  # noqa: S105 - a mark by which a leaked token is recognised


@dataclass(frozen=True, slots=True)
class Throttle:
    """How many wrong passwords an account may see from one network before a pause."""

    max_failures: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh proof, shown to its bearer once."""

    token: str
    user_id: UUID
    expires_at: datetime


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def hash_initial_password(password: str) -> str:
    """The hash of a long random password that the platform drew itself.

    Nobody guesses 80 random bits, so a slow hash adds nothing, and ten thousand of them would take
    minutes. The first sign-in replaces it by one of full strength, as for any outdated hash.
    """
    return _QUICK_HASHER.hash(password)


def require_strong(password: str) -> None:
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInput.of("password", "too_short", f"密码至少 {MIN_PASSWORD_LENGTH} 位。")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidInput.of("password", "too_long", f"密码最多 {MAX_PASSWORD_LENGTH} 位。")


def attempt_sign_in(
    uow: UnitOfWork,
    login: str,
    password: str,
    *,
    network: str,
    throttle: Throttle,
    lifetime: timedelta,
) -> Issued | None:
    """A new sign-in for the right password; None, and a remembered failure, for a wrong one.

    Raises TooManyAttempts. Throttling counts by account and network together, so that nobody can
    lock another person out from elsewhere.
    """
    user = checked_user(uow, login, password, network=network, throttle=throttle)
    if user is None:
        return None
    token = secrets.token_urlsafe(32)
    now = uow.clock.now()
    user.signed_in_at = now
    uow.audit.record("sign_in:begin", user.id, network=network)
    uow.session.add(
        SignIn(
            token_hash=_digest(token),
            tenant_id=user.tenant_id,
            user_id=user.id,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    return Issued(token, user.id, now + lifetime)


def attempt_token(
    uow: UnitOfWork,
    login: str,
    password: str,
    *,
    label: str,
    network: str,
    throttle: Throttle,
    lifetime: timedelta,
) -> Issued | None:
    """A machine's token under a person's grants; None for a wrong password."""
    user = checked_user(uow, login, password, network=network, throttle=throttle)
    if user is None:
        return None
    token = API_TOKEN_PREFIX + secrets.token_urlsafe(32)
    now = uow.clock.now()
    uow.audit.record("token:issue", user.id, network=network, days=lifetime.days)
    uow.session.add(
        ApiToken(
            token_hash=_digest(token),
            tenant_id=user.tenant_id,
            user_id=user.id,
            label=clean_text("label", label, longest=LONGEST_TITLE),
            created_at=now,
            expires_at=now + lifetime,
            revoked_at=None,
        )
    )
    return Issued(token, user.id, now + lifetime)


def sign_out(uow: UnitOfWork, token: str) -> None:
    ended = uow.session.execute(
        delete(SignIn).where(SignIn.token_hash == _digest(token)).returning(SignIn.user_id, SignIn.tenant_id)
    ).one_or_none()
    if ended is not None:
        uow.audit.speak_for(Actor(TenantId(ended.tenant_id), "sign-in", UserId(ended.user_id)))
        uow.audit.record("sign_in:end", ended.user_id)


def revoke_token(uow: UnitOfWork, token: str) -> None:
    """End a machine's token; the row stays, so that it can be told when it ended."""
    of = uow.session.scalar(
        update(ApiToken)
        .where(ApiToken.token_hash == _digest(token), ApiToken.revoked_at.is_(None))
        .values(revoked_at=uow.clock.now())
        .returning(ApiToken.user_id)
    )
    if of is not None:
        uow.audit.record("token:revoke", of)


def end_all_sign_ins(uow: UnitOfWork, user_id: UUID) -> None:
    """What happens when a person is disabled, or their roles or password change."""
    uow.session.execute(delete(SignIn).where(SignIn.user_id == user_id))
    uow.session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))


_GRANTED: Final = (
    select(Tenant, User.id, User.name, Advisor.id, Membership.role, OrgUnit.path)
    .select_from(User)
    .join(Tenant, Tenant.id == User.tenant_id)
    .outerjoin(Advisor, and_(Advisor.user_id == User.id, Advisor.is_active))
    .outerjoin(Membership, Membership.user_id == User.id)
    .outerjoin(OrgUnit, OrgUnit.id == Membership.org_unit_id)
    .where(User.is_active)
)
_SIGNED_IN: Final = _GRANTED.join(SignIn, SignIn.user_id == User.id).where(
    SignIn.token_hash == bindparam("digest"), SignIn.expires_at > bindparam("at")
)
_SPOKEN_FOR: Final = _GRANTED.join(ApiToken, ApiToken.user_id == User.id).where(
    ApiToken.token_hash == bindparam("digest"),
    ApiToken.expires_at > bindparam("at"),
    ApiToken.revoked_at.is_(None),
)


def signed_in(uow: UnitOfWork, token: str) -> tuple[Actor, Tenant] | None:
    """Who carries this browser token now, and where; grants are read afresh, never from the token."""
    return _carrier(uow, _SIGNED_IN, token)


def token_actor(uow: UnitOfWork, token: str) -> Actor | None:
    """Who a machine's token speaks for now."""
    found = _carrier(uow, _SPOKEN_FOR, token)
    return found[0] if found else None


def actor_of(uow: UnitOfWork, user_id: UUID) -> Actor | None:
    """A person with the grants they hold now, for work asked for earlier; None: no account in use."""
    rows = uow.session.execute(_GRANTED.where(User.id == user_id)).all()
    return _actor(rows) if rows else None


def _carrier(uow: UnitOfWork, carried: Select[*tuple[Any, ...]], token: str) -> tuple[Actor, Tenant] | None:
    rows = uow.session.execute(carried, {"digest": _digest(token), "at": uow.clock.now()}).all()
    if not rows:
        return None
    return _actor(rows), rows[0][0]


def _actor(rows: Sequence[Row[*tuple[Any, ...]]]) -> Actor:
    tenant, user_id, name, advisor_id = rows[0][:4]
    return Actor(
        tenant_id=TenantId(tenant.id),
        name=name,
        user_id=UserId(user_id),
        advisor_id=AdvisorId(advisor_id) if advisor_id else None,
        grants=tuple(Grant(role, path) for *_person, role, path in rows if role is not None),
    )


def checked_user(
    uow: UnitOfWork, login: str, password: str, *, network: str, throttle: Throttle
) -> User | None:
    """The active person with this login and password; None, and a remembered failure, otherwise.

    Raises TooManyAttempts.
    """
    # what nobody's login can hold is left out, so that every wrong login has the same answer
    name = "".join(sign for sign in login.strip() if not unprintable(sign))[:64]
    since = uow.clock.now() - timedelta(seconds=throttle.window_s)
    failures, oldest = uow.session.execute(
        select(func.count(), func.min(FailedSignIn.at)).where(
            FailedSignIn.login == name,
            FailedSignIn.network == network,
            FailedSignIn.at > since,
        )
    ).one()
    if failures >= throttle.max_failures:
        wait = (oldest - since).total_seconds()
        raise TooManyAttempts(retry_after_s=max(1, round(wait)))
    user = uow.session.scalar(select(User).where(User.login == name))
    genuine = _verifies(user.password_hash if user else _NOBODYS_HASH, password)
    if user is None or not genuine or not user.is_active:
        uow.session.add(
            FailedSignIn(
                login=name,
                network=network,
                at=uow.clock.now(),
                begins_pause=failures + 1 == throttle.max_failures,
            )
        )
        return None
    if _HASHER.check_needs_rehash(user.password_hash):
        user.password_hash = _HASHER.hash(password)
    if uow.actor.tenant_id is None:
        uow.audit.speak_for(Actor(TenantId(user.tenant_id), user.name, UserId(user.id)))
    forgotten = uow.session.scalars(
        delete(FailedSignIn)
        .where(FailedSignIn.login == name, FailedSignIn.network == network)
        .returning(FailedSignIn)
    )
    for failed in forgotten:  # the count begins anew; what failed stays in the trail
        if failed.noted_at is None:
            _record_failure(uow, failed, user.id)
    return user


def note_failed_sign_ins(uow: UnitOfWork) -> int:
    """Enter into the trail whose password was guessed at, and say how many there were.

    A turn of beat does it and not the request, so that no answer tells whether an account exists.
    """
    found = uow.session.execute(
        select(FailedSignIn, User.id)
        .join(User, User.login == FailedSignIn.login)
        .where(FailedSignIn.noted_at.is_(None))
        .order_by(FailedSignIn.at)
        .limit(_MOST_AT_ONCE)
        .with_for_update(of=FailedSignIn, skip_locked=True)
    ).all()
    for failed, user_id in found:
        _record_failure(uow, failed, user_id)
        failed.noted_at = uow.clock.now()
    return len(found)


def _record_failure(uow: UnitOfWork, failed: FailedSignIn, user_id: UUID) -> None:
    tried = {"network": failed.network, "tried_at": failed.at.isoformat()}
    uow.audit.record("sign_in:fail", user_id, **tried)
    if failed.begins_pause:
        uow.audit.record("sign_in:lock", user_id, **tried)


def _verifies(password_hash: str, password: str) -> bool:
    try:
        # half a surrogate is no character, but it is a wrong password like any other
        return _HASHER.verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
