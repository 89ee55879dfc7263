"""A profile: changed only with a second person's word, and confirmed again from time to time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from app.domain.advisor import ProfileField
from app.domain.errors import DomainError, IllegalTransition

ProfileChangeId = NewType("ProfileChangeId", UUID)
# How many days before its end an advisor is told, the first notice first.
NOTICE_DAYS: Final = (14, 3, 1)


class ProfileChangeState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by its proposer, or overtaken by a later proposal


class ProfileExpired(DomainError):
    """A profile was not confirmed in time, so it is printed on nothing new."""

    code = "profile_expired"
    reason = "您的资料已到确认期限，暂时不能印在新的图上；已发布的不受影响。"
    remedy = "请在“我的”里核对资料，按一下“资料无误”即可。"


def require_open(state: ProfileChangeState, action: str) -> None:
    """Raise IllegalTransition where a change has been decided or taken back already."""
    if state is not ProfileChangeState.OPEN:
        raise IllegalTransition(state=state.value, action=action)


def what_changes(
    before: Mapping[ProfileField, str], after: Mapping[ProfileField, str]
) -> dict[ProfileField, str]:
    """The fields that would really differ, with their new values."""
    return {field: value for field, value in after.items() if before.get(field, "") != value}


@dataclass(frozen=True, slots=True)
class ProfileTerm:
    """Until when a confirmed profile may be printed on new pieces; None: without end."""

    expires_at: datetime | None

    @classmethod
    def of(cls, confirmed_at: datetime, term: timedelta | None) -> "ProfileTerm":
        return cls(confirmed_at + term if term is not None else None)

    def has_ended(self, *, at: datetime) -> bool:
        return self.expires_at is not None and at >= self.expires_at

    def days_left(self, *, at: datetime) -> int | None:
        """Whole days that remain, a part of a day counted as one; None without an end."""
        if self.expires_at is None:
            return None
        return max(0, math.ceil((self.expires_at - at) / timedelta(days=1)))

    def notice(self, *, at: datetime) -> int | None:
        """The latest notice that is due by now, by its days; None before the first and after the end."""
        left = self.days_left(at=at)
        if left is None or self.has_ended(at=at):
            return None
        return min((days for days in NOTICE_DAYS if left <= days), default=None)
