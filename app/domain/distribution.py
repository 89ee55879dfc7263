"""Who is handed what: audiences by organisation and tags."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """Advisors under one subtree who carry all of the tags; or exactly one advisor."""

    path: str
    tags: tuple[str, ...] = ()

    def includes(self, *, path: str, tags: Collection[str]) -> bool:
        return path.startswith(self.path) and set(self.tags) <= set(tags)


MOST_PICKS = 3
ENDING_SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Offered:
    """Something an advisor may send now, as choosing among many looks at it."""

    key: UUID
    published_at: datetime
    valid_until: datetime

    def ends_soon(self, at: datetime) -> bool:
        return self.valid_until - at <= ENDING_SOON


def todays_picks(offered: Iterable[Offered], *, at: datetime) -> list[UUID]:
    """The few worth sending today: what ends soon, soonest first, then what is newest."""
    ranked = sorted(
        offered,
        key=lambda one: (
            (0, one.valid_until.timestamp()) if one.ends_soon(at) else (1, -one.published_at.timestamp()),
            str(one.key),
        ),
    )
    return [one.key for one in ranked[:MOST_PICKS]]
