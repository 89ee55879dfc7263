"""Do a request once, however often it is sent."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import DifferentRepeat, SignInRequired
from app.models.repeat import RepeatableRequest
from app.services.unit_of_work import UnitOfWork


def already_done(uow: UnitOfWork, operation: str, *, key: str, request_digest: str) -> UUID | None:
    """What a request under this key made before; None the first time, which is then taken down.

    The same request sent twice at once waits here for the first. Raises DifferentRepeat where the
    key was used to ask for something else. Keys belong to the person who sends them.
    """
    if uow.actor.user_id is None:
        raise SignInRequired
    uow.session.execute(
        insert(RepeatableRequest)
        .values(
            tenant_id=uow.tenant_id,
            user_id=uow.actor.user_id,
            operation=operation,
            key=key,
            request_digest=request_digest,
            subject_id=None,
            asked_at=uow.clock.now(),
        )
        .on_conflict_do_nothing()
    )
    request = _request(uow, operation, key)
    if request.request_digest != request_digest:
        raise DifferentRepeat
    return request.subject_id


def remember_done(uow: UnitOfWork, operation: str, *, key: str, subject_id: UUID) -> None:
    """Say what came of the request taken down in this unit of work."""
    _request(uow, operation, key).subject_id = subject_id


def _request(uow: UnitOfWork, operation: str, key: str) -> RepeatableRequest:
    return uow.session.scalars(
        select(RepeatableRequest).where(
            RepeatableRequest.user_id == uow.actor.user_id,
            RepeatableRequest.operation == operation,
            RepeatableRequest.key == key,
        )
    ).one()
