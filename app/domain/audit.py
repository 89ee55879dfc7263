"""The chained record of who did what. No personal data goes in: ids, codes and hashes only."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.checkpoint import GENESIS, Checkpoint
from app.domain.piece import canonical_json


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act: `subject:action`, by whom, on what, with which details."""

    seq: int
    at: datetime
    tag: str
    actor: str
    subject_id: str
    details: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The bytes that are stored and hashed; nothing is ever re-serialised for checking."""
        return canonical_json(
            {
                "seq": self.seq,
                "at": self.at.isoformat(),
                "tag": self.tag,
                "actor": self.actor,
                "subject": self.subject_id,
                "details": dict(self.details),
            }
        )


def entry_hash(previous: str, record: bytes) -> str:
    return hashlib.sha256(previous.encode() + b"\0" + record).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A stored entry as read back."""

    seq: int
    record: bytes
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainFault:
    seq: int
    reason: str


def verify_chain(
    links: Iterable[ChainLink], *, head: ChainLink | None = None, checkpoints: Iterable[Checkpoint] = ()
) -> ChainFault | None:
    """The first broken place, or None when the chain holds from genesis to the head.

    It sees a changed, missing, inserted or swapped entry. Whoever rewrites every entry and the head
    with it, or cuts off the end, is seen by the checkpoints, which were kept elsewhere.
    """
    previous, expected = GENESIS, 1
    recorded = ((point.number, seq, found) for point in checkpoints for seq, found in point.hashes())
    known = next(recorded, None)
    for link in links:
        if link.seq != expected:
            return ChainFault(expected, f"entry {expected} is missing; {link.seq} stands there")
        if link.previous != previous:
            return ChainFault(link.seq, "does not follow from the entry before it")
        if entry_hash(previous, link.record) != link.hash:
            return ChainFault(link.seq, "its content does not match its hash")
        if known is not None:
            number, _, sealed = known
            if link.hash != sealed:
                return ChainFault(link.seq, f"is another entry than checkpoint {number} recorded")
            known = next(recorded, None)
        previous, expected = link.hash, expected + 1
    if known is not None:
        number, seq, _ = known
        return ChainFault(seq, f"is gone, and checkpoint {number} recorded it")
    if head is not None and (head.seq != expected - 1 or head.hash != previous):
        return ChainFault(expected, "the chain is shorter or longer than its head says")
    return None
