"""The figures of one edition, straight from its events: people, and everything apart."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.tracking import EventKind, HitClass
from app.models.tracking import Event


@dataclass(frozen=True, slots=True)
class Count:
    """human: what people did. all: with previews, bots and colleagues."""

    human: int = 0
    all: int = 0


@dataclass(frozen=True, slots=True)
class EditionFigures:
    scans: Count
    clicks: Count
    forwards: Count
    views: Count
    leads: Count


def edition_figures(session: Session, edition_id: UUID) -> EditionFigures:
    """What happened on an edition so far; asked of the events, so it is true this second."""
    is_human = Event.hit_class == HitClass.HUMAN
    counts = {
        kind: Count(human, every)
        for kind, human, every in session.execute(
            select(Event.kind, func.count().filter(is_human), func.count())
            .where(Event.edition_id == edition_id)
            .group_by(Event.kind)
        )
    }
    return EditionFigures(
        scans=counts.get(EventKind.SCAN, Count()),
        clicks=counts.get(EventKind.CLICK, Count()),
        forwards=counts.get(EventKind.FORWARD, Count()),
        views=counts.get(EventKind.VIEW, Count()),
        leads=counts.get(EventKind.LEAD, Count()),
    )
