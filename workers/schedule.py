"""What beat sends by itself: the task, how often, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from celery.schedules import crontab

from app.ports import TaskName


@dataclass(frozen=True, slots=True)
class Recurring:
    task: TaskName
    every: timedelta | crontab
    reason: str

    @property
    def expires_s(self) -> float:
        """A message older than one turn is useless: after an outage one run is enough, not a hundred."""
        return self.every.total_seconds() if isinstance(self.every, timedelta) else 3600


SCHEDULE: Final = (
    Recurring(
        TaskName.SWEEP,
        timedelta(seconds=15),
        "The row is the truth: work whose message was lost, or whose worker died, is sent again.",
    ),
    Recurring(
        TaskName.EXPIRE_PUBLICATIONS,
        timedelta(seconds=60),
        "What has run out is marked so; serving refuses it by the clock without waiting for this.",
    ),
    Recurring(
        TaskName.CHECKPOINT_AUDIT,
        timedelta(seconds=60),
        "What was done a minute ago can no longer be written anew; a thousand entries wait for less.",
    ),
    Recurring(
        TaskName.TEND_REVIEWS,
        timedelta(seconds=60),
        "No item stays without an owner; what is nearly late is pressed, what is late goes back.",
    ),
    Recurring(
        TaskName.NOTE_FAILED_SIGN_INS,
        timedelta(seconds=60),
        "Whose password is being guessed at is in the trail before the pause is over.",
    ),
    Recurring(
        TaskName.NOTE_ENDING_PROFILES,
        timedelta(hours=1),
        "Whoever must confirm a profile is told 14, 3 and 1 days before; expiry itself is the clock's.",
    ),
    Recurring(
        TaskName.KEEP_RECORDS,
        timedelta(seconds=60),
        "Lost records are sealed, the vault hears of terms and holds, evidence packs go in time.",
    ),
    Recurring(
        TaskName.FOLD_DAY,
        timedelta(minutes=5),
        "Reach on the page is at most this old; events are folded in again until a day is closed.",
    ),
    Recurring(
        TaskName.TELL,
        timedelta(seconds=5),
        "People hear of what concerns them while it matters; the audit trail loses none of it.",
    ),
    Recurring(
        TaskName.REHEARSE_TEMPLATES,
        timedelta(minutes=2),
        "After a start, an upgrade or a lost message: nobody shall wait for a design's first picture.",
    ),
)


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The table in Celery's own form."""
    return {
        recurring.task.value: {
            "task": recurring.task.value,
            "schedule": recurring.every,
            "options": {"expires": recurring.expires_s},
        }
        for recurring in SCHEDULE
    }
