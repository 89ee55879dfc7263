"""Ask for an evidence pack, let a worker make it, take it away, and remove it in time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from os import SEEK_END
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session, sessionmaker

from app.domain.errors import AccessDenied, InvalidInput, Missing
from app.domain.evidence_pack import KEPT_FOR, MOST_TURNS, pack_key
from app.domain.organisation import Actor, Permission, TenantId
from app.models.evidence_pack import EvidencePack
from app.ports import ObjectMissing, TaskName
from app.services.access import require
from app.services.evidence import (
    EvidenceScope,
    draw_evidence,
    record_export,
    require_exportable,
    scope_words,
)
from app.services.sign_in import actor_of
from app.services.unit_of_work import UnitOfWork

_FIRST_WAIT: Final = timedelta(seconds=20)
_LONGEST_WAIT: Final = timedelta(minutes=5)
_MOST_AT_ONCE: Final = 200
_LOST_ROLE: Final = "申请人现在没有导出证据包的权限。"
_TRIED_ENOUGH: Final = "多次没有做成。请再导出一次；若仍不成，请联系管理员。"


def ask_pack(uow: UnitOfWork, scope: EvidenceScope) -> EvidencePack:
    """Ask for a pack; what is wrong with its scope is said here and now.

    Asked for twice by one person before it is made, it is made once. Raises InvalidInput, AccessDenied.
    """
    reach = require_exportable(uow, scope)
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.EVIDENCE_EXPORT.value)
    asked = uow.session.scalar(
        select(EvidencePack).where(
            EvidencePack.asked_by == uow.actor.user_id,
            EvidencePack.scope == scope.to_dict(),
            *_UNFINISHED,
        )
    )
    if asked is not None:
        return asked
    now = uow.clock.now()
    pack = EvidencePack(
        tenant_id=uow.tenant_id,
        scope=scope.to_dict(),
        words=scope_words(uow, scope),
        reach=list(reach.paths),
        asked_by=uow.actor.user_id,
        asked_at=now,
        sent_at=now,
    )
    uow.session.add(pack)
    uow.session.flush()
    uow.audit.record("evidence:ask", pack.id, scope=scope.named())
    uow.after_commit(TaskName.MAKE_EVIDENCE_PACK, pack.id)
    return pack


def tenant_of_pack(sessions: sessionmaker[Session], pack_id: UUID) -> UUID | None:
    """Whose pack a message speaks of; messages carry ids and nothing else."""
    with sessions() as session:
        return session.scalar(select(EvidencePack.tenant_id).where(EvidencePack.id == pack_id))


def make_pack(begin: Callable[[Actor], UnitOfWork], tenant_id: TenantId, pack_id: UUID) -> bool:
    """Make a pack that was asked for, in the name of whoever asked and with the grants they hold now.

    False where there is nothing to make: it is made, given up, waits for records to be sealed, or
    another worker is at it. Killed anywhere, it is begun again and exactly one pack comes of it.
    """
    with begin(Actor.system("evidence", tenant_id)) as uow:
        connection = uow.at_once()
    with connection, _alone(connection, pack_id) as is_alone:
        return is_alone and _make(begin, tenant_id, pack_id)


def _make(begin: Callable[[Actor], UnitOfWork], tenant_id: TenantId, pack_id: UUID) -> bool:
    duty = Actor.system("evidence", tenant_id)
    with begin(duty) as uow:
        pack = _unfinished(uow, pack_id)
        if pack is None:
            return False
        asker = actor_of(uow, pack.asked_by)
        if asker is None or pack.turn == MOST_TURNS:
            _give_up(uow, pack, _LOST_ROLE if asker is None else _TRIED_ENOUGH)
            return False
        for turn in range(1, pack.turn + 1):  # what died may have left its object
            uow.store.delete(pack_key(tenant_id, pack_id, turn))
        pack.begun_at, pack.turn = uow.clock.now(), pack.turn + 1
        turn, scope, store = pack.turn, EvidenceScope.of_dict(pack.scope), uow.store
    with cast("BinaryIO", TemporaryFile()) as file:
        try:
            drawn = draw_evidence(partial(begin, asker), scope, file)
        except (AccessDenied, InvalidInput) as refused:
            with begin(duty) as uow:
                _take_refusal(uow, pack_id, refused)
            return False
        key = pack_key(tenant_id, pack_id, turn)
        size_bytes = file.seek(0, SEEK_END)
        store.put_file(key, file, "application/zip")
    with begin(duty) as uow:
        pack = _unfinished(uow, pack_id)
        if pack is None or pack.turn != turn:
            # given up for dead, and begun anew by another
            store.delete(key)
            return False
        pack.made_at, pack.reach, pack.records = drawn.made_at, list(drawn.reach), drawn.items
        pack.size_bytes, pack.manifest = size_bytes, drawn.digest
        record_export(uow, pack.id, drawn, asked_by=str(pack.asked_by))
    return True


_UNFINISHED: Final = (EvidencePack.made_at.is_(None), EvidencePack.failed_at.is_(None))


@contextmanager
def _alone(connection: Connection, pack_id: UUID) -> Iterator[bool]:
    """Whether nobody else makes this pack just now; whoever dies lets go. No transaction is open."""
    lock = func.hashtext(f"evidence:{pack_id}")
    is_alone = bool(connection.scalar(select(func.pg_try_advisory_lock(lock))))
    try:
        yield is_alone
    finally:
        if is_alone:
            connection.execute(select(func.pg_advisory_unlock(lock)))


def _unfinished(uow: UnitOfWork, pack_id: UUID) -> EvidencePack | None:
    return uow.session.scalar(
        select(EvidencePack).where(EvidencePack.id == pack_id, *_UNFINISHED).with_for_update()
    )


def _take_refusal(uow: UnitOfWork, pack_id: UUID, refused: AccessDenied | InvalidInput) -> None:
    """Say why it is not made; what is only being sealed still is waited for, and the sweep comes again."""
    pack = _unfinished(uow, pack_id)
    if pack is None:
        return
    if isinstance(refused, AccessDenied):
        _give_up(uow, pack, _LOST_ROLE)
    elif {fault.code for fault in refused.faults} != {"not_sealed"}:
        _give_up(uow, pack, " ".join(fault.reason for fault in refused.faults))


def _give_up(uow: UnitOfWork, pack: EvidencePack, why: str) -> None:
    pack.failed_at, pack.failure = uow.clock.now(), why
    uow.audit.record("evidence:fail", pack.id, asked_by=str(pack.asked_by))


def send_stale_packs(uow: UnitOfWork) -> int:
    """Queue every pack that is not made after its time; say how many there were.

    Sent too often it does no harm: a pack that is being made is left to whoever makes it.
    """
    now = uow.clock.now()
    doubled = _FIRST_WAIT.total_seconds() * func.power(2, func.least(EvidencePack.sent_times - 1, 20))
    wait_s = func.least(doubled, _LONGEST_WAIT.total_seconds())
    stale = uow.session.scalars(
        select(EvidencePack)
        .where(
            *_UNFINISHED,
            EvidencePack.sent_at + func.make_interval(0, 0, 0, 0, 0, 0, wait_s) < now,
        )
        .order_by(EvidencePack.sent_at)
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for pack in stale:
        pack.sent_at, pack.sent_times = now, pack.sent_times + 1
        uow.after_commit(TaskName.MAKE_EVIDENCE_PACK, pack.id)
    return len(stale)


def take_pack(uow: UnitOfWork, pack_id: UUID) -> tuple[EvidencePack, Iterator[bytes]]:
    """A pack with its bytes, part by part, for whoever may see all that it was gathered from.

    Raises Missing, AccessDenied.
    """
    scope = require(uow, Permission.EVIDENCE_EXPORT)
    pack = uow.session.get(EvidencePack, pack_id)
    if pack is None or pack.made_at is None or not all(map(scope.covers, pack.reach)):
        raise Missing(noun="evidence_pack")
    try:
        parts = uow.store.get_parts(pack_key(uow.tenant_id, pack.id, pack.turn))
    except ObjectMissing as error:
        raise Missing(noun="evidence_pack") from error
    uow.audit.record("evidence:download", pack.id, manifest=pack.manifest)
    return pack, parts


def remove_old_packs(uow: UnitOfWork) -> int:
    """Remove what was made, or given up, long enough ago; say how many there were."""
    old = uow.session.scalars(
        select(EvidencePack)
        .where(func.coalesce(EvidencePack.made_at, EvidencePack.failed_at) <= uow.clock.now() - KEPT_FOR)
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for pack in old:
        # the objects first: a row that outlives them is found again, an object without a row never
        for turn in range(1, pack.turn + 1):
            uow.store.delete(pack_key(uow.tenant_id, pack.id, turn))
        uow.session.delete(pack)
        uow.audit.record("evidence:remove", pack.id, manifest=pack.manifest)
    return len(old)
