"""The audit trail as pages and auditors read it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from app.models.audit import AuditEntry, AuditHead
from app.models.checkpoint import AuditCheckpoint
from app.models.user import User
from app.queries.page import Page, offset_of

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What of the trail is asked for; days are days of the tenant's zone, both included."""

    subject_kind: str = ""
    actor: str = ""
    subject_id: str = ""
    since: date | None = None
    until: date | None = None

    def named(self) -> dict[str, str]:
        """What was asked for, without a word that somebody typed: a name would be a person's."""
        said = {
            "kind": self.subject_kind,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "actor": "given" if self.actor else "",
            "subject": "given" if self.subject_id else "",
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class AuditLine:
    seq: int
    at: datetime
    tag: str
    # the person's name where the actor is one, else the duty of the system
    actor: str
    subject_id: str
    details: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class ChainEnd:
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class LastCheckpoint:
    """The newest checkpoint that the vault has."""

    number: int
    last_seq: int
    signed_at: datetime
    key_id: str


def audit_lines(
    session: Session, tenant_id: UUID, sought: AuditFilter, *, zone: ZoneInfo, number: int = 1
) -> Page[AuditLine]:
    """Entries of a tenant, the newest first."""
    conditions = [AuditEntry.tenant_id == tenant_id]
    if sought.subject_kind:
        conditions.append(AuditEntry.tag.startswith(sought.subject_kind + ":", autoescape=True))
    if sought.subject_id:
        conditions.append(AuditEntry.subject_id == sought.subject_id)
    if sought.actor:
        people = select(cast(User.id, String)).where(
            User.name.contains(sought.actor, autoescape=True) | (User.login == sought.actor)
        )
        conditions.append(AuditEntry.actor.in_(people) | (AuditEntry.actor == sought.actor))
    if sought.since:
        conditions.append(AuditEntry.at >= datetime.combine(sought.since, datetime.min.time(), zone))
    if sought.until:
        after = sought.until + timedelta(days=1)
        conditions.append(AuditEntry.at < datetime.combine(after, datetime.min.time(), zone))
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    entries = session.scalars(
        select(AuditEntry)
        .where(*conditions)
        .order_by(AuditEntry.seq.desc())
        .offset(offset_of(number, PAGE_SIZE))
        .limit(PAGE_SIZE)
    ).all()
    names = _names(session, {entry.actor for entry in entries})
    lines = [
        AuditLine(
            entry.seq,
            entry.at,
            entry.tag,
            names.get(entry.actor, entry.actor),
            entry.subject_id,
            json.loads(entry.record)["details"],
            entry.hash,
        )
        for entry in entries
    ]
    return Page(lines, max(1, number), PAGE_SIZE, total)


def subject_kinds(session: Session, tenant_id: UUID) -> list[str]:
    """What the trail speaks of: the first halves of its tags."""
    kind = func.split_part(AuditEntry.tag, ":", 1)
    return list(
        session.scalars(select(kind).where(AuditEntry.tenant_id == tenant_id).distinct().order_by(kind))
    )


def chain_end(session: Session, tenant_id: UUID) -> ChainEnd | None:
    head = session.get(AuditHead, tenant_id)
    return ChainEnd(head.seq, head.hash) if head else None


def last_checkpoint(session: Session, tenant_id: UUID) -> LastCheckpoint | None:
    row = session.execute(
        select(
            AuditCheckpoint.number,
            AuditCheckpoint.last_seq,
            AuditCheckpoint.signed_at,
            AuditCheckpoint.key_id,
        )
        .where(AuditCheckpoint.tenant_id == tenant_id, AuditCheckpoint.kept_at.is_not(None))
        .order_by(AuditCheckpoint.number.desc())
        .limit(1)
    ).one_or_none()
    return LastCheckpoint(*row) if row else None


def stored_entries(session: Session, tenant_id: UUID) -> Iterator[dict[str, Any]]:
    """Every entry with the very bytes that were hashed, oldest first: enough to verify it elsewhere."""
    for seq, record, previous, entry_hash in session.execute(
        select(AuditEntry.seq, AuditEntry.record, AuditEntry.previous_hash, AuditEntry.hash)
        .where(AuditEntry.tenant_id == tenant_id)
        .order_by(AuditEntry.seq)
        .execution_options(yield_per=1000)
    ):
        yield {
            "seq": seq,
            "record": bytes(record).decode(),
            "previous_hash": previous,
            "hash": entry_hash,
        }


def _names(session: Session, actors: set[str]) -> dict[str, str]:
    ids = []
    for actor in actors:
        try:
            ids.append(UUID(actor))
        except ValueError:
            continue
    return {
        str(user_id): name
        for user_id, name in session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    }
