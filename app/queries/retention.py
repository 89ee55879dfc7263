"""Terms, holds and certificates as pages list them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.domain.retention import DEFAULT_YEARS, HoldScope, RecordClass
from app.domain.template import ProductType
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.piece import Piece
from app.models.retention import Destruction, LegalHold, RetentionTerm
from app.models.user import User

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class TermLine:
    record_class: RecordClass
    years: int
    set_by: str | None
    set_at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldLine:
    id: UUID
    scope: HoldScope
    # the piece's title or the advisor's name
    target: str | None
    product: ProductType | None
    reason: str
    placed_by: str
    placed_at: datetime
    release_reason: str
    release_asked_by: str | None
    asked_by_id: UUID | None
    release_asked_at: datetime | None
    released_by: str | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class CertificateLine:
    item_id: UUID
    record_sha256: str
    kept_until: datetime
    destroyed_by: str
    destroyed_at: datetime


@dataclass(frozen=True, slots=True)
class DueLine:
    """A record whose term is over."""

    id: UUID
    title: str
    people: str
    kept_until: datetime


def retention_terms(session: Session) -> list[TermLine]:
    """Every class with its term, the default where nobody set one."""
    set_ones = {
        term.record_class: (term, name)
        for term, name in session.execute(
            select(RetentionTerm, User.name).outerjoin(User, User.id == RetentionTerm.set_by)
        )
    }
    lines = []
    for record_class in RecordClass:
        term, name = set_ones.get(record_class, (None, None))
        lines.append(
            TermLine(record_class, term.years, name, term.set_at)
            if term
            else TermLine(record_class, DEFAULT_YEARS, None, None)
        )
    return lines


def legal_holds(session: Session, *, piece_id: UUID | None = None) -> list[HoldLine]:
    """Holds, those that lie first, the newest first."""
    placer, asker, releaser = aliased(User), aliased(User), aliased(User)
    statement = (
        select(
            LegalHold.id,
            LegalHold.scope,
            func.coalesce(Piece.title, Advisor.name),
            LegalHold.product_type,
            LegalHold.reason,
            placer.name,
            LegalHold.placed_at,
            LegalHold.release_reason,
            asker.name,
            LegalHold.release_asked_by,
            LegalHold.release_asked_at,
            releaser.name,
            LegalHold.released_at,
        )
        .join(placer, placer.id == LegalHold.placed_by)
        .outerjoin(asker, asker.id == LegalHold.release_asked_by)
        .outerjoin(releaser, releaser.id == LegalHold.released_by)
        .outerjoin(Piece, Piece.id == LegalHold.piece_id)
        .outerjoin(Advisor, Advisor.id == LegalHold.advisor_id)
        .order_by(LegalHold.released_at.is_not(None), LegalHold.placed_at.desc())
        .limit(_MOST)
    )
    if piece_id is not None:
        statement = statement.where(LegalHold.piece_id == piece_id)
    return [HoldLine(*tuple(row)) for row in session.execute(statement)]


def certificates(session: Session) -> list[CertificateLine]:
    rows = session.execute(
        select(
            Destruction.item_id,
            Destruction.record_sha256,
            Destruction.kept_until,
            User.name,
            Destruction.destroyed_at,
        )
        .join(User, User.id == Destruction.destroyed_by)
        .order_by(Destruction.destroyed_at.desc())
        .limit(_MOST)
    )
    return [CertificateLine(*row) for row in rows]


def due_records(session: Session, *, at: datetime) -> list[DueLine]:
    """Records whose term is over, the oldest first; whether a hold lies on one is asked when it is to go."""
    rows = session.execute(
        select(ArchiveItem.id, ArchiveItem.title, ArchiveItem.people, ArchiveItem.kept_until)
        .where(ArchiveItem.kept_until <= at)
        .order_by(ArchiveItem.kept_until)
        .limit(_MOST)
    )
    return [DueLine(item_id, title, people, until) for item_id, title, people, until in rows if until]


def advisor_numbered(session: Session, staff_no: str) -> UUID | None:
    """The advisor with this staff number, whether still on duty or not."""
    wanted = staff_no.strip()[:64].replace("\0", "")
    return session.scalar(select(Advisor.id).where(Advisor.staff_no == wanted))
