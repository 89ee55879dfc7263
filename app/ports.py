"""What the platform needs from the outside world, said as protocols and nothing more.

Services are given these; `bootstrap` decides which adapter stands behind each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final, Protocol

from compliance.reading import PictureReading

# Each segment begins with a letter or digit, so neither `..`, nor a hidden file, nor an absolute
# path can be written; the same keys are legal in a folder, in S3 and in an archive.
OBJECT_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
OBJECT_KEY_MAX_LENGTH: Final = 512
# How much of a large object is in memory at once.
PART_BYTES: Final = 1024 * 1024


class InvalidObjectKey(ValueError):
    """The key could not be stored everywhere alike; the caller built it wrongly."""

    def __init__(self, key: str) -> None:
        super().__init__(f"not an object key: {key[:80]!r}")
        self.key = key


class ObjectMissing(LookupError):
    """No object is stored under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no object is stored under {key!r}")
        self.key = key


class ObjectStoreUnavailable(Exception):
    """The store could not be asked: nothing is known about the object, try again later."""


class TaskQueueUnavailable(Exception):
    """The broker did not take the message; the row it speaks of is safe and will be swept."""


class NotifierUnavailable(Exception):
    """The message could not be handed over now; it may be later."""


def checked_object_key(key: str) -> str:
    """Give the key back when every store can hold it, raise InvalidObjectKey otherwise."""
    if len(key) > OBJECT_KEY_MAX_LENGTH or OBJECT_KEY.fullmatch(key) is None:
        raise InvalidObjectKey(key)
    return key


class ObjectStore(Protocol):
    """Bytes under a key: pictures, renditions, imported files.

    What an object *is* (its type, its name, who may see it) stands in the database row that
    names the key. Every method raises InvalidObjectKey for a malformed key and
    ObjectStoreUnavailable when the store cannot answer.
    """

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes durably; once this returns, a crash does not lose them.

        An object of the same key is replaced, and a reader sees the old bytes or the new,
        never a mixture.
        """
        ...

    def put_file(self, key: str, file: BinaryIO, content_type: str) -> None:
        """Store a large object as put() does, from an open file's beginning to its end."""
        ...

    def get(self, key: str) -> bytes:
        """Give the stored bytes; raises ObjectMissing."""
        ...

    def get_parts(self, key: str) -> Iterator[bytes]:
        """Give a large object part by part, nowhere whole; raises ObjectMissing before the first."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Forget the object; deleting what is not there is not an error."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with the prefix, in sorted order: for back-up and audit."""
        ...

    def check(self) -> None:
        """Return when the store answers; raise ObjectStoreUnavailable when it does not."""
        ...


class RecordExists(Exception):
    """Another record is kept under this key, and a record is never replaced."""

    def __init__(self, key: str) -> None:
        super().__init__(f"another record is kept under {key!r}")
        self.key = key


class RecordKept(Exception):
    """The record's term is not over, or a hold lies on it: it is not removed, nor its term shortened."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} stays: {reason}")
        self.key = key


class RecordVault(Protocol):
    """Records under a key, written once and kept until a day nobody can bring nearer.

    Keys are object keys. Every method raises InvalidObjectKey for a malformed one, ObjectMissing
    where no record is kept, and ObjectStoreUnavailable when the vault cannot answer.
    """

    def keep(self, key: str, data: bytes, *, until: datetime) -> None:
        """Keep a record durably; kept again with the same bytes, its term only grows.

        Raises RecordExists for other bytes than those kept.
        """
        ...

    def read(self, key: str) -> bytes:
        """The bytes that were kept first, whatever was tried since."""
        ...

    def kept_until(self, key: str) -> datetime: ...

    def extend(self, key: str, *, until: datetime) -> None:
        """Keep a record longer; raises RecordKept for an earlier day than before."""
        ...

    def hold(self, key: str, *, held: bool) -> None:
        """Lay a hold on a record, or lift it: while it lies the record stays, whatever its term."""
        ...

    def is_held(self, key: str) -> bool: ...

    def remove(self, key: str, *, at: datetime) -> None:
        """Destroy a record whose term is over; raises RecordKept before that or under a hold."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with the prefix, in sorted order."""
        ...

    def check(self) -> None:
        """Return when the vault answers; raise ObjectStoreUnavailable when it does not."""
        ...


class Signer(Protocol):
    """Ed25519 in the platform's name. Anybody may verify; only who holds the key can sign."""

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of the public key's SHA-256."""
        ...

    @property
    def public_key(self) -> bytes:
        """32 bytes, to be handed to whoever shall verify."""
        ...

    def sign(self, data: bytes) -> bytes: ...

    def is_genuine(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """Whether this key, or one the platform signed with before, made the signature."""
        ...


class TaskName(StrEnum):
    """Every message that may travel to a worker; each value is the name of one task."""

    RUN_COMPLIANCE_CHECK = "check.run"
    READ_PICTURE = "reading.read"
    FOLD_DAY = "tracking.fold_day"
    EXPIRE_PUBLICATIONS = "publication.expire"
    NOTE_ENDING_PROFILES = "profile.note_ending"
    SWEEP = "sweep.stale"
    TEND_REVIEWS = "review.tend"
    NOTE_FAILED_SIGN_INS = "sign_in.note_failed"
    CHECKPOINT_AUDIT = "checkpoint.audit"
    SEAL_RECORD = "record.seal"
    KEEP_RECORDS = "record.keep"
    REHEARSE_TEMPLATES = "template.rehearse"
    TELL = "notice.tell"
    MAKE_EVIDENCE_PACK = "evidence_pack.make"


class TaskQueue(Protocol):
    """The way to the workers. A message is a nudge: the database row is the truth."""

    def send(self, name: TaskName, *args: str, countdown_s: float | None = None) -> None:
        """Hand one message over, at least once; `countdown_s` delays its first run.

        Arguments are ids and nothing else. Raises TaskQueueUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell outside the platform. `to` is a mail address; None: the group chat."""

    words: str
    link: str
    to: str | None = None


class Notifier(Protocol):
    """The way to people who are not looking at a page just now."""

    def send(self, message: Message) -> None:
        """Hand one message over. Raises NotifierUnavailable; where no way is set up, does nothing."""
        ...


class PictureNotRead(Exception):
    """A picture could not be read: it is none, or reading it took more than it may. A person looks."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}" if reason else code)
        self.code, self.reason = code, reason


class PictureReader(Protocol):
    """Reads the words in a picture that came from outside."""

    @property
    def name(self) -> str:
        """What read, with its version: another one may read the same picture otherwise."""
        ...

    def read(self, picture: bytes) -> PictureReading:
        """Read a JPEG, PNG or WEBP file, boxes in its pixels. Raises PictureNotRead, within a minute."""
        ...


class Clock(Protocol):
    """What time it is, so that a test can say."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...
