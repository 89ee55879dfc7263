"""When something is public, under which number, and how that ends."""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from app.domain.errors import InvalidInput

PublicationId = NewType("PublicationId", UUID)

DEFAULT_VALIDITY = timedelta(days=30)
_LONGEST_VALIDITY = timedelta(days=366)
# "From now", said by another machine's clock, is not the past.
_CLOCKS_DIFFER = timedelta(minutes=5)
_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0/O, 1/I/L: read aloud on the phone


class EndReason(StrEnum):
    EXPIRED = "expired"
    TAKEN_DOWN = "taken_down"
    RECALLED = "recalled"
    REPLACED = "replaced"


class CorrectionKind(StrEnum):
    """Why something published is corrected. The public note has these words and no others."""

    FIGURES = "figures"
    WORDING = "wording"
    OUTDATED = "outdated"
    LAYOUT = "layout"
    PROFILE = "profile"


class Standing(StrEnum):
    """How a publication stands at an instant."""

    NOT_YET = "not_yet"
    LIVE = "live"
    EXPIRED = "expired"
    TAKEN_DOWN = "taken_down"
    RECALLED = "recalled"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Validity:
    """From (inclusive) to (exclusive), both with a time zone."""

    valid_from: datetime
    valid_until: datetime

    def standing(self, *, ended: EndReason | None, at: datetime) -> Standing:
        """The end is a fact of the clock: no job has to run for an expired link to go dark."""
        if ended is not None:
            return Standing(ended.value)
        if at < self.valid_from:
            return Standing.NOT_YET
        if at >= self.valid_until:
            return Standing.EXPIRED
        return Standing.LIVE


def validity(*, valid_from: datetime | None, valid_until: datetime | None, at: datetime) -> Validity:
    """Settle the validity period; raises InvalidInput for a naive, past or endless one."""
    for field, value in (("valid_from", valid_from), ("valid_until", valid_until)):
        if value is not None and value.tzinfo is None:
            raise InvalidInput.of(field, "no_time_zone", "时间缺少时区。")
    start = valid_from or at
    if start < at - _CLOCKS_DIFFER:
        raise InvalidInput.of("valid_from", "in_the_past", "有效期不能从过去开始。")
    if start > at + _LONGEST_VALIDITY:
        raise InvalidInput.of("valid_from", "too_far", "有效期最远在 366 天之后开始。")
    start = max(start, at)  # no record says that something was public before its approval
    end = valid_until or start + DEFAULT_VALIDITY
    if end <= at:
        raise InvalidInput.of("valid_until", "in_the_past", "有效期的结束时间必须在将来。")
    if end <= start:
        raise InvalidInput.of("valid_until", "before_start", "结束时间必须晚于开始时间。")
    if end - start > _LONGEST_VALIDITY:
        raise InvalidInput.of("valid_until", "too_long", "有效期最长 366 天。")
    return Validity(start, end)


_NUMBER_PATTERN = re.compile(rf"(YX\d{{6}})([{_NUMBER_ALPHABET}]{{4}})([{_NUMBER_ALPHABET}]{{4}})")


def normal_approval_no(text: str) -> str | None:
    """An approval number as a person copied it, in the form it was given; None if it is none."""
    signs = re.sub(r"[\s\-‐-―_.]+", "", unicodedata.normalize("NFKC", text)).upper()
    found = _NUMBER_PATTERN.fullmatch(signs)
    return "-".join(found.groups()) if found else None


def new_approval_no(at: datetime) -> str:
    """An approval number one can read out: year, month, eight unambiguous signs."""
    code = "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))
    return f"YX{at:%Y%m}-{code[:4]}-{code[4:]}"
