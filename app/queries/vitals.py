"""How the platform is doing as a whole, for those who run it: counts over all tenants, no contents."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.piece import PieceState
from app.domain.review import ReviewState
from app.domain.tracking import EventKind, HitClass, day_of
from app.models.check import CheckRun
from app.models.edition import Rendition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Review
from app.models.tracking import Event


@dataclass(frozen=True, slots=True)
class Vitals:
    events_today: dict[tuple[EventKind, HitClass], int]
    renditions: int
    checks_completed: dict[str, int]  # by verdict
    checks_waiting: int
    oldest_check_waits_s: float
    reviews_open: int
    publications_live: int


def vitals(session: Session, *, at: datetime) -> Vitals:
    waiting, oldest = session.execute(
        # a check whose piece was taken back meanwhile waits for nothing
        select(func.count(), func.min(CheckRun.queued_at))
        .join(Piece, Piece.current_revision_id == CheckRun.revision_id)
        .where(CheckRun.completed_at.is_(None), Piece.state == PieceState.CHECKING)
    ).one()
    return Vitals(
        events_today=_events(session, day_of(at)),
        renditions=session.scalar(select(func.count()).select_from(Rendition)) or 0,
        checks_completed={
            verdict or "none": count
            for verdict, count in session.execute(
                select(CheckRun.verdict, func.count())
                .where(CheckRun.completed_at.is_not(None))
                .group_by(CheckRun.verdict)
            )
        },
        checks_waiting=waiting,
        oldest_check_waits_s=max(0.0, (at - oldest).total_seconds()) if waiting else 0.0,
        reviews_open=session.scalar(
            select(func.count()).select_from(Review).where(Review.state == ReviewState.OPEN)
        )
        or 0,
        publications_live=session.scalar(
            select(func.count())
            .select_from(Publication)
            .where(Publication.ended_at.is_(None), Publication.valid_until > at)
        )
        or 0,
    )


def _events(session: Session, day: date) -> dict[tuple[EventKind, HitClass], int]:
    return {
        (kind, hit_class): count
        for kind, hit_class, count in session.execute(
            select(Event.kind, Event.hit_class, func.count())
            .where(Event.occurred_on == day)
            .group_by(Event.kind, Event.hit_class)
        )
    }
