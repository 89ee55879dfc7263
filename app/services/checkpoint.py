"""Sign how the audit trail reads, keep that in the vault, and compare the trail with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.audit import ChainFault
from app.domain.checkpoint import (
    GENESIS,
    MOST_ENTRIES,
    Checkpoint,
    CheckpointFault,
    in_one_line,
    read_checkpoint,
)
from app.domain.organisation import Permission
from app.domain.retention import RecordClass, term_end
from app.models.audit import AuditEntry
from app.models.checkpoint import AuditCheckpoint
from app.ports import ObjectMissing, RecordVault, Signer
from app.queries.audit import AuditFilter, AuditLine, audit_lines
from app.queries.page import Page
from app.services.access import require_everywhere
from app.services.audit import verify_audit
from app.services.retention import years_of
from app.services.unit_of_work import UnitOfWork


def checkpoint_key(tenant_id: UUID, number: int) -> str:
    """Where the vault keeps a checkpoint; numbers sort as they follow."""
    return f"checkpoints/{tenant_id}/{number:09}.json"


def make_checkpoints(uow: UnitOfWork) -> int:
    """Sign every entry that no checkpoint covers yet; say how many checkpoints that took.

    They are about the audit trail, not acts in it: an entry for each would make the next one due.
    """
    # one at a time: two would sign the same entries under the same number
    uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"checkpoint:{uow.tenant_id}"))))
    last = uow.session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.number.desc()).limit(1))
    number, seq, previous = (last.number, last.last_seq, last.digest) if last else (0, 0, GENESIS)
    made = 0
    while hashes := _hashes_after(uow.session, seq):
        number, made = number + 1, made + 1
        point = Checkpoint(
            tenant=str(uow.tenant_id),
            number=number,
            first=seq + 1,
            entries=tuple(hashes),
            previous=previous,
            at=uow.clock.now(),
            key=uow.around.signer.key_id,
        )
        uow.session.add(
            AuditCheckpoint(
                tenant_id=uow.tenant_id,
                number=number,
                first_seq=point.first,
                last_seq=point.last,
                digest=point.digest,
                key_id=point.key,
                signed_at=point.at,
                signed=point.signed(uow.around.signer.sign(point.to_bytes())),
            )
        )
        seq, previous = point.last, point.digest
    return made


def _hashes_after(session: Session, seq: int) -> list[str]:
    return list(
        session.scalars(
            select(AuditEntry.hash).where(AuditEntry.seq > seq).order_by(AuditEntry.seq).limit(MOST_ENTRIES)
        )
    )


def keep_checkpoints(uow: UnitOfWork) -> int:
    """Put into the vault what it does not have yet, the oldest first; say how many those were.

    Run in a unit of work of its own, after the rows are really there: the row is the truth.
    """
    waiting = uow.session.scalars(
        select(AuditCheckpoint)
        .where(AuditCheckpoint.kept_at.is_(None))
        .order_by(AuditCheckpoint.number)
        .with_for_update(skip_locked=True)
    ).all()
    years = years_of(uow, RecordClass.AUDIT)
    for row in waiting:
        uow.around.vault.keep(
            checkpoint_key(uow.tenant_id, row.number),
            row.signed,
            until=term_end(row.signed_at, years),
        )
        row.kept_at = uow.clock.now()
    return len(waiting)


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What comparing the trail with the vault came to; no fault: everything is as it was signed."""

    entries: int
    checkpoints: int
    covered: int  # entries that a checkpoint in the vault bears witness to
    fault: ChainFault | None = None
    checkpoint_fault: CheckpointFault | None = None

    @property
    def is_whole(self) -> bool:
        return self.fault is None and self.checkpoint_fault is None


@dataclass(slots=True)
class _Walk:
    """Reads the checkpoints of the vault one after another, and counts them."""

    vault: RecordVault
    signer: Signer
    tenant_id: UUID
    most: int
    count: int = 0
    covered: int = 0

    def points(self) -> Iterator[Checkpoint]:
        for point in in_one_line(self._stored(), tenant=str(self.tenant_id)):
            self.count, self.covered = point.number, point.last
            yield point

    def _stored(self) -> Iterator[Checkpoint]:
        for number in range(1, self.most + 1):
            try:
                kept = self.vault.read(checkpoint_key(self.tenant_id, number))
            except ObjectMissing as error:
                raise CheckpointFault(number, "is missing in the vault") from error
            yield read_checkpoint(kept, number=number, genuine=self.signer.is_genuine)


def verify_against_vault(
    session: Session, tenant_id: UUID, *, vault: RecordVault, signer: Signer
) -> AuditVerdict:
    """Walk a tenant's chain from its first entry beside the checkpoints in the vault.

    The vault is believed, not the database's own list of checkpoints: that list only says which
    ones must be there.
    """
    claimed = session.scalar(
        select(func.coalesce(func.max(AuditCheckpoint.number), 0)).where(
            AuditCheckpoint.tenant_id == tenant_id, AuditCheckpoint.kept_at.is_not(None)
        )
    )
    stored = max((_number(key) for key in vault.keys(f"checkpoints/{tenant_id}/")), default=0)
    walk = _Walk(vault, signer, tenant_id, most=max(claimed or 0, stored))
    try:
        entries, fault = verify_audit(session, tenant_id, walk.points())
    except CheckpointFault as error:
        entries, fault = verify_audit(session, tenant_id)
        return AuditVerdict(entries, walk.count, walk.covered, fault, error)
    return AuditVerdict(entries, walk.count, walk.covered, fault)


def read_audit(uow: UnitOfWork, sought: AuditFilter, *, zone: ZoneInfo, number: int = 1) -> Page[AuditLine]:
    """A page of the trail, for whoever may see all of it; that somebody looked is an act as well.

    What was looked for is named by its kind alone: a name that was typed is a person's.
    """
    require_everywhere(uow, Permission.AUDIT_VIEW)
    found = audit_lines(uow.session, uow.tenant_id, sought, zone=zone, number=number)
    uow.audit.record("audit:read", uow.tenant_id, page=number, found=found.total, by=sought.named())
    return found


def verify_own_audit(uow: UnitOfWork) -> AuditVerdict:
    """Compare the acting institution's trail with the vault; the result is an entry in it."""
    require_everywhere(uow, Permission.AUDIT_VIEW)
    verdict = verify_against_vault(
        uow.session, uow.tenant_id, vault=uow.around.vault, signer=uow.around.signer
    )
    uow.audit.record(
        "audit:verify",
        uow.tenant_id,
        entries=verdict.entries,
        checkpoints=verdict.checkpoints,
        whole=verdict.is_whole,
    )
    return verdict


def _number(key: str) -> int:
    name = key.rpartition("/")[2].removesuffix(".json")
    return int(name) if name.isdecimal() else 0
