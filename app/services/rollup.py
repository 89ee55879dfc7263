"""Fold events into daily figures; the figures can always be folded again from the events."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.domain.tracking import EventFacts, fold_day
from app.models.tracking import DailyRollup, Event, VisitorKey
from app.services.unit_of_work import UnitOfWork

# The days of a tenant's figures are days where its customers live.
TENANT_ZONE = ZoneInfo("Asia/Shanghai")


def today(uow: UnitOfWork) -> date:
    return uow.clock.now().astimezone(TENANT_ZONE).date()


def fold_recent_days(uow: UnitOfWork, *, days: int = 2) -> int:
    """Recount the last days; say how many figures were written."""
    last = today(uow)
    return sum(fold_one_day(uow, last - timedelta(days=back)) for back in range(days))


def fold_one_day(uow: UnitOfWork, day: date) -> int:
    """Replace a day's figures by what its events say."""
    # one folder a tenant at a time; a second waits and then counts the same
    uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"fold:{uow.tenant_id}:{day}"))))
    events = (
        EventFacts(
            kind=row.kind,
            hit_class=row.hit_class,
            piece_id=row.piece_id,
            advisor_id=row.advisor_id,
            org_unit_id=row.org_unit_id,
            channel=row.channel,
            occurred_at=row.occurred_at.astimezone(TENANT_ZONE),
            visitor=row.visitor,
        )
        for row in uow.session.scalars(
            select(Event).where(Event.occurred_on == day).execution_options(yield_per=5000)
        )
    )
    counts = fold_day(events)
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
