"""Things happen one after another over the past weeks, each at its own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy.orm import Session, sessionmaker

from app.domain.organisation import Actor
from app.domain.tracking import TENANT_ZONE, day_of
from app.ports import TaskName
from app.services.unit_of_work import Surroundings, UnitOfWork

_WEEKEND: Final = 5


class SetClock:
    """Shows the time of whatever is being told."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at.astimezone(UTC)


class NoQueue:
    """Sends nothing: what a worker would have done in the past is done here, in its turn.

    What is left open is found by the sweep, as any work is whose message was lost.
    """

    def send(self, name: TaskName, *args: str, countdown_s: float | None = None) -> None:  # noqa: ARG002
        return


@dataclass(slots=True)
class Timeline:
    """Acts by their time. The clock only goes forward, so the audit trail reads as it happened."""

    sessions: sessionmaker[Session]
    around: Surroundings
    clock: SetClock
    now: datetime
    _acts: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Have something happen at a time; two things of one moment keep the order they came in."""
        if when > self.now:
            raise ValueError(f"{when} has not come yet")
        self._acts.append((when, len(self._acts), act))

    def play(self) -> None:
        """Let everything happen."""
        for when, _, act in sorted(self._acts, key=lambda one: one[:2]):
            self.clock.at = when
            act()
        self._acts.clear()
        self.clock.at = self.now

    @contextmanager
    def by(self, actor: Actor) -> Iterator[UnitOfWork]:
        with UnitOfWork(self.sessions, actor, self.around) as uow:
            yield uow

    def day(self, days_ago: int) -> date:
        return day_of(self.now) - timedelta(days=days_ago)

    def when(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """A time of day some days ago, where the bank is."""
        return datetime.combine(self.day(days_ago), time(hour, minute), TENANT_ZONE)

    def working(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """The same, on the Friday before where that day is a weekend."""
        weekday = self.day(days_ago).weekday()
        return self.when(days_ago + max(0, weekday - _WEEKEND + 1), hour, minute)
