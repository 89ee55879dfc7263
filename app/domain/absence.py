"""When somebody is out of the office: from, until, and who stands in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.errors import Fault, InvalidInput

LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Away:
    """A time away; both ends are instants, the end is no longer part of it."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, starts_at: datetime, ends_at: datetime, *, at: datetime) -> "Away":
        """A time away as somebody states it now; raises InvalidInput naming what cannot be."""
        faults = []
        if ends_at <= starts_at:
            faults.append(Fault("ends_at", "before_start", "结束时间须晚于开始时间。"))
        elif ends_at <= at:
            faults.append(Fault("ends_at", "past", "这段时间已经过去。"))
        elif ends_at - starts_at > LONGEST:
            faults.append(Fault("ends_at", "too_long", "一次最长一年；更久请停用账号。"))
        if faults:
            raise InvalidInput(*faults)
        return cls(starts_at, ends_at)
