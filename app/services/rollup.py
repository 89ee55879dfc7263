"""Fold events into daily figures; the figures can always be folded again from the events."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.domain.tracking import EventFacts, day_of, fold_day
from app.models.tracking import DailyRollup, Event, VisitorKey
from app.services.unit_of_work import UnitOfWork

# How far back the fold looks for days it has missed: longer than any outage of the workers.
_LOOK_BACK: Final = timedelta(days=92)


def today(uow: UnitOfWork) -> date:
    return day_of(uow.clock.now())


def fold_stale_days(uow: UnitOfWork) -> int:
    """Recount every recent day whose figures do not cover all of its events; say how many days."""
    stale = stale_days(uow)
    for day in stale:
        fold_one_day(uow, day)
    return len(stale)


def stale_days(uow: UnitOfWork) -> list[date]:
    """Days with more events than were folded. Events are only ever added, so the count tells."""
    since = today(uow) - _LOOK_BACK
    kept = (
        select(Event.occurred_on.label("day"), func.count().label("events"))
        .where(Event.tenant_id == uow.tenant_id, Event.occurred_on >= since)
        .group_by(Event.occurred_on)
        .subquery()
    )
    folded = (
        select(DailyRollup.day, func.sum(DailyRollup.raw).label("events"))
        .where(DailyRollup.tenant_id == uow.tenant_id, DailyRollup.day >= since)
        .group_by(DailyRollup.day)
        .subquery()
    )
    return list(
        uow.session.scalars(
            select(kept.c.day)
            .outerjoin(folded, folded.c.day == kept.c.day)
            .where(kept.c.events != func.coalesce(folded.c.events, 0))
            .order_by(kept.c.day)
        )
    )


def fold_one_day(uow: UnitOfWork, day: date) -> int:
    """Replace a day's figures by what its events say; folded twice, they are the same."""
    # one folder a tenant and day at a time; a second waits and then counts the same
    uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"fold:{uow.tenant_id}:{day}"))))
    rows = uow.session.execute(
        select(
            Event.kind,
            Event.hit_class,
            Event.piece_id,
            Event.advisor_id,
            Event.org_unit_id,
            Event.channel,
            Event.occurred_at,
        )
        .where(Event.tenant_id == uow.tenant_id, Event.occurred_on == day)
        .execution_options(yield_per=5000)
    )
    counts = fold_day(EventFacts(*row) for row in rows)
    uow.session.execute(
        delete(DailyRollup).where(DailyRollup.tenant_id == uow.tenant_id, DailyRollup.day == day)
    )
    if counts:
        uow.session.execute(
            insert(DailyRollup),
            [
                {
                    "tenant_id": uow.tenant_id,
                    "day": key.day,
                    "piece_id": key.piece_id,
                    "advisor_id": key.advisor_id,
                    "org_unit_id": key.org_unit_id,
                    "channel": key.channel,
                    "kind": key.kind,
                    "human": count.human,
                    "raw": count.raw,
                }
                for key, count in counts.items()
            ],
        )
    return len(counts)


def prepare_event_days(uow: UnitOfWork) -> None:
    """Make the coming months' partitions, and destroy the visitor keys of days that are over."""
    day = today(uow)
    uow.session.execute(
        text("SELECT ensure_event_partitions(:first, :last)"),
        {"first": day, "last": day + timedelta(days=70)},
    )
    uow.session.execute(delete(VisitorKey).where(VisitorKey.day < day))
