"""Which accounts belong to one human being."""

from uuid import UUID

from sqlalchemy import select, update

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.models.user import User
from app.services.access import access_user
from app.services.unit_of_work import UnitOfWork


def join_accounts(uow: UnitOfWork, user_id: UUID, *, login: str) -> User:
    """State that an account and the one with that login belong to the same person, for good.

    From then on they count as one wherever four eyes are asked for, also for what was made before.
    The other way round there is none: whoever could part two accounts could approve their own work.
    Raises InvalidInput, Missing.
    """
    user = access_user(uow, user_id, may=Permission.USER_MANAGE)
    other_id = uow.session.scalar(select(User.id).where(User.login == login.strip()))
    if other_id is None:
        raise InvalidInput.of("login", "unknown", "没有这个账号，请核对。")
    other = access_user(uow, other_id, may=Permission.USER_MANAGE)
    if other.id == user.id:
        raise InvalidInput.of("login", "same", "这就是这个账号本身。")
    if other.person_id != user.person_id:
        leaving, staying = sorted((user.person_id, other.person_id))
        uow.session.execute(update(User).where(User.person_id == leaving).values(person_id=staying))
        uow.session.expire(user)
        uow.audit.record("user:join", user_id, other=str(other_id), person=str(staying))
    return user


def other_accounts(uow: UnitOfWork, user_id: UUID) -> list[User]:
    """The other accounts of the person behind an account."""
    mine = select(User.person_id).where(User.id == user_id).scalar_subquery()
    return list(
        uow.session.scalars(
            select(User).where(User.person_id == mine, User.id != user_id).order_by(User.login)
        )
    )
