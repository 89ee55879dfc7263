"""Append to a tenant's chain in the transaction that is being described."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Result, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.audit import (
    AuditRecord,
    ChainFault,
    ChainLink,
    entry_hash,
    verify_chain,
)
from app.domain.checkpoint import GENESIS, MOST_ENTRIES, Checkpoint
from app.domain.organisation import Actor, TenantId
from app.models.audit import AuditEntry, AuditHead
from app.models.tenant import Tenant
from app.ports import Clock


@dataclass(frozen=True, slots=True)
class _Act:
    tag: str
    subject_id: str
    details: dict[str, Any]


@dataclass(slots=True)
class AuditTrail:
    """Collects the acts of one unit of work; append() chains them just before the commit.

    The chain's head is locked only then, so that two people working at once wait for each other
    for a moment, not for the length of a request.
    """

    session: Session
    actor: Actor
    clock: Clock
    _acts: list[_Act] = field(default_factory=list)
    _refusals: list[_Act] = field(default_factory=list)

    def record(self, tag: str, subject_id: UUID | str, **details: Any) -> None:
        """Note `subject:action` on an id. Ids, codes and hashes only: no personal data."""
        self._acts.append(_Act(tag, str(subject_id), details))

    def speak_for(self, actor: Actor) -> None:
        """Name who acts where it was not known at the beginning: whoever signs in, or out."""
        self.actor = actor

    def record_refusal(self, tag: str, subject_id: UUID | str, **details: Any) -> None:
        """Note an attempt that is about to be refused: it stays on record though nothing else does."""
        self._refusals.append(_Act(tag, str(subject_id), details))

    def append_refusals(self) -> bool:
        """After everything was rolled back: chain what was refused; whether there was anything."""
        self._acts, self._refusals = self._refusals, []
        there_are = bool(self._acts)
        self.append()
        return there_are

    def append(self) -> bool:
        """Chain what was recorded; true where so many entries have come up that a checkpoint is due."""
        if not self._acts:
            return False
        tenant_id = self.actor.tenant_id
        if tenant_id is None:
            raise LookupError("an act is recorded for a tenant")
        head = self._locked_head(tenant_id)
        before = head.seq
        by = str(self.actor.user_id or self.actor.name)
        for act in self._acts:
            record = AuditRecord(
                seq=head.seq + 1,
                at=self.clock.now(),
                tag=act.tag,
                actor=by,
                subject_id=act.subject_id,
                details=act.details,
            )
            stored = record.to_bytes()
            link_hash = entry_hash(head.hash, stored)
            self.session.add(
                AuditEntry(
                    tenant_id=tenant_id,
                    seq=record.seq,
                    at=record.at,
                    tag=act.tag,
                    actor=by,
                    subject_id=act.subject_id,
                    record=stored,
                    previous_hash=head.hash,
                    hash=link_hash,
                )
            )
            head.seq, head.hash = record.seq, link_hash
        self._acts.clear()
        self.session.flush()
        return head.seq // MOST_ENTRIES > before // MOST_ENTRIES

    def _locked_head(self, tenant_id: TenantId) -> AuditHead:
        locked = (
            select(AuditHead)
            .where(AuditHead.tenant_id == tenant_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if (head := self.session.scalar(locked)) is not None:
            return head
        # a tenant's very first act; two of them at once wait here for each other
        self.session.execute(
            insert(AuditHead).values(tenant_id=tenant_id, seq=0, hash=GENESIS).on_conflict_do_nothing()
        )
        return self.session.scalars(locked).one()


def verify_audit(
    session: Session, tenant_id: UUID, checkpoints: Iterable[Checkpoint] = ()
) -> tuple[int, ChainFault | None]:
    """Walk a tenant's chain: how many entries there are, and the first broken place if any.

    Checkpoints of it, in their order, show besides what the chain alone cannot: that its end was
    cut off, or that it was written anew.

    Head and entries are read by one statement: between two, somebody's act would be appended and
    the chain would look longer than its head.
    """
    statement = (
        select(
            AuditHead.seq,
            AuditHead.hash,
            AuditEntry.seq,
            AuditEntry.record,
            AuditEntry.previous_hash,
            AuditEntry.hash,
        )
        .select_from(Tenant)
        .outerjoin(AuditHead, AuditHead.tenant_id == Tenant.id)
        .outerjoin(AuditEntry, AuditEntry.tenant_id == Tenant.id)
        .where(Tenant.id == tenant_id)
        .order_by(AuditEntry.seq)
        .execution_options(yield_per=1000)
    )
    # closed also where the walk ends early, at the first fault
    with session.execute(statement) as rows:
        return _walked(rows, checkpoints)


def _walked(
    rows: Result[*tuple[Any, ...]], checkpoints: Iterable[Checkpoint]
) -> tuple[int, ChainFault | None]:
    count = 0
    found = iter(rows)
    first = next(found, None)
    if first is None:
        return 0, None  # there is no such tenant
    head = ChainLink(first[0] or 0, b"", "", first[1] or GENESIS)

    def links() -> Iterator[ChainLink]:
        nonlocal count
        for _, _, seq, record, previous, link_hash in itertools.chain((first,), found):
            if seq is not None:
                count += 1
                yield ChainLink(seq, bytes(record), previous, link_hash)

    fault = verify_chain(links(), head=head, checkpoints=checkpoints)
    return count, fault
