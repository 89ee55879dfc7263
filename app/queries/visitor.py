"""Who looked at an advisor's editions, as far as they allowed, and who asked to be called."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.tracking import EventKind, HitClass, LinkChannel
from app.models.piece import Piece
from app.models.tracking import Event, Lead


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing a visitor did."""

    kind: EventKind
    title: str
    channel: LinkChannel
    at: datetime


@dataclass(frozen=True, slots=True)
class VisitorOfTheDay:
    """One visitor on one day. The pseudonym does not outlive the day, so days are not joined."""

    label: str
    source: str
    first_at: datetime
    last_at: datetime
    edition_id: UUID
    doings: tuple[Doing, ...]

    @property
    def kinds(self) -> frozenset[EventKind]:
        return frozenset(doing.kind for doing in self.doings)


@dataclass(frozen=True, slots=True)
class VisitorDay:
    day: date
    visitors: tuple[VisitorOfTheDay, ...]


def visitor_label(number: int) -> str:
    """A, B … Z, AA, AB …: a name to speak of somebody by who gave none."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def visitor_days(session: Session, advisor_id: UUID, *, since: date, most: int = 500) -> list[VisitorDay]:
    """People who looked, by day, the newest first; labels follow the order of arrival on the day."""
    rows = session.execute(
        select(Event, Piece.title)
        .join(Piece, Piece.id == Event.piece_id)
        .where(
            Event.advisor_id == advisor_id,
            Event.occurred_on >= since,
            Event.hit_class == HitClass.HUMAN,
        )
        .order_by(Event.occurred_at.desc())
        .limit(most)
    ).all()
    days = []
    for day, of_day in groupby(rows, key=lambda row: row[0].occurred_on):
        by_visitor: dict[str, list[tuple[Event, str]]] = {}
        for event, title in reversed(list(of_day)):
            by_visitor.setdefault(event.visitor, []).append((event, title))
        visitors = [
            VisitorOfTheDay(
                label=visitor_label(number),
                source=events[0][0].source,
                first_at=events[0][0].occurred_at,
                last_at=events[-1][0].occurred_at,
                edition_id=events[-1][0].edition_id,
                doings=tuple(
                    Doing(event.kind, title, event.channel, event.occurred_at) for event, title in events
                ),
            )
            for number, events in enumerate(by_visitor.values())
        ]
        days.append(VisitorDay(day, tuple(sorted(visitors, key=lambda one: one.last_at, reverse=True))))
    return days


def not_counted(session: Session, advisor_id: UUID, *, since: date) -> int:
    """Previews, bots and colleagues on the advisor's editions: seen, and not taken for visitors."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Event)
            .where(
                Event.advisor_id == advisor_id,
                Event.occurred_on >= since,
                Event.hit_class != HitClass.HUMAN,
            )
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class OwnLead:
    """Somebody who left their details for this advisor, with the consent they gave."""

    name: str
    phone: str
    message: str
    title: str
    edition_id: UUID
    consented_at: datetime


def own_leads(session: Session, advisor_id: UUID, *, most: int = 100) -> list[OwnLead]:
    rows = session.execute(
        select(Lead, Piece.title)
        .join(Piece, Piece.id == Lead.piece_id)
        .where(func.coalesce(Lead.handed_to_id, Lead.advisor_id) == advisor_id)
        .order_by(Lead.created_at.desc())
        .limit(most)
    )
    return [
        OwnLead(lead.name, lead.phone, lead.message, title, lead.edition_id, lead.consented_at)
        for lead, title in rows
    ]
