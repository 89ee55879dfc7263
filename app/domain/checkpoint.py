"""A signed statement of how a tenant's audit trail read up to some entry, for keeping elsewhere.

Each names the hash of every entry it covers, so that a trail written anew is told from the old one
at its first changed entry, and so that one entry can be shown to belong without showing the others.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.domain.piece import canonical_json

# What the first entry of a chain follows from, and the first checkpoint.
GENESIS: Final = "0" * 64
FORMAT: Final = "imprimatur-checkpoint/1"
# A checkpoint is made when so many entries are open, and never covers more.
MOST_ENTRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Entries `first` to `last` of one tenant had these hashes, at that time, by the platform's clock."""

    tenant: str
    number: int
    first: int
    entries: tuple[str, ...]
    previous: str  # the SHA-256 of the statement before it
    at: datetime
    key: str  # the id of the key it is signed with

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1

    @property
    def head(self) -> str:
        return self.entries[-1]

    def hashes(self) -> Iterator[tuple[int, str]]:
        """The entries' numbers with their hashes."""
        return enumerate(self.entries, self.first)

    def statement(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "tenant": self.tenant,
            "number": self.number,
            "first": self.first,
            "last": self.last,
            "head": self.head,
            "entries": list(self.entries),
            "previous": self.previous,
            "at": self.at.isoformat(),
            "key": self.key,
        }

    def to_bytes(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json(self.statement())

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def signed(self, signature: bytes) -> bytes:
        """The statement with its signature, as it is kept."""
        return canonical_json({"checkpoint": self.statement(), "signature": signature.hex()})


class CheckpointFault(Exception):
    """A checkpoint is not what the platform once signed, or one is missing."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"checkpoint {number} {reason}")
        self.number = number
        self.reason = reason


# Whether a key, named by its id, made a signature of some bytes.
Genuine = Callable[[str, bytes, bytes], bool]


def read_checkpoint(kept: bytes, *, number: int, genuine: Genuine) -> Checkpoint:
    """A checkpoint as it was kept; raises CheckpointFault where a single byte of it is another."""
    try:
        envelope = json.loads(kept)
        found = envelope["checkpoint"]
        point = Checkpoint(
            tenant=found["tenant"],
            number=found["number"],
            first=found["first"],
            entries=tuple(found["entries"]),
            previous=found["previous"],
            at=datetime.fromisoformat(found["at"]),
            key=found["key"],
        )
        signature = bytes.fromhex(envelope["signature"])
        whole = point.signed(signature) == kept
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckpointFault(number, "cannot be read") from error
    if not whole or point.number != number:
        raise CheckpointFault(number, "is not in the form it was signed in")
    if not genuine(point.key, point.to_bytes(), signature):
        raise CheckpointFault(number, "bears no signature of a known key")
    return point


def in_one_line(points: Iterator[Checkpoint], *, tenant: str) -> Iterator[Checkpoint]:
    """The checkpoints as they come; raises CheckpointFault where one does not follow the one before."""
    previous, number, first = GENESIS, 1, 1
    for point in points:
        if point.tenant != tenant:
            raise CheckpointFault(number, "is of another institution")
        if (point.number, point.first, point.previous) != (number, first, previous):
            raise CheckpointFault(number, "does not follow from the one before it")
        yield point
        previous, number, first = point.digest, number + 1, point.last + 1
