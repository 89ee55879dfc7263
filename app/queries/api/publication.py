"""Publications and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.domain.publication import CorrectionKind, EndReason, Standing, Validity
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of
from app.queries.scope import within
from app.queries.today import Reader, meant_for


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """`standing` is how it stood at the instant that was asked about."""

    id: UUID
    piece_id: UUID
    piece_title: str
    approval_no: str
    content_hash: str
    standing: Standing
    audience_path: str
    audience_tags: tuple[str, ...]
    audience_advisor_id: UUID | None
    why: str
    valid_from: datetime
    valid_until: datetime
    published_by: UUID | None
    published_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    end_note: str
    corrects_id: UUID | None
    correction: CorrectionKind | None


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who asks: an advisor sees what was handed to them, anybody else what lies in their scope."""

    scope: Scope
    reader: Reader | None = None

    def sees(self) -> ColumnElement[bool]:
        if self.reader is None:
            return within(self.scope, OrgUnit.path)
        return or_(Piece.advisor_id == self.reader.advisor_id, meant_for(self.reader))


def publications(
    session: Session,
    onlooker: Onlooker,
    wanted: Wanted,
    *,
    at: datetime,
    piece_id: UUID | None = None,
    live: bool | None = None,
) -> Page[PublicationRow]:
    statement = _rows(onlooker)
    if piece_id is not None:
        statement = statement.where(Publication.piece_id == piece_id)
    if live is not None:
        is_live = (
            Publication.ended_at.is_(None) & (Publication.valid_from <= at) & (Publication.valid_until > at)
        )
        statement = statement.where(is_live if live else ~is_live)
    order = Order(Publication.published_at, Publication.id)

    def shown(row: AnyRow) -> PublicationRow:
        return _shown(row, at)

    return page_of(session, statement, order, wanted, shown, lambda row: Place(row.published_at, row.id))


def publication(
    session: Session, onlooker: Onlooker, publication_id: UUID, *, at: datetime
) -> PublicationRow | None:
    found = session.execute(_rows(onlooker).where(Publication.id == publication_id)).one_or_none()
    return _shown(found, at) if found is not None else None


def _rows(onlooker: Onlooker) -> Select[Publication, str]:
    return (
        select(Publication, Piece.title)
        .join(Piece, Piece.id == Publication.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(onlooker.sees())
    )


def _shown(row: AnyRow, at: datetime) -> PublicationRow:
    one: Publication = row[0]
    return PublicationRow(
        id=one.id,
        piece_id=one.piece_id,
        piece_title=row[1],
        approval_no=one.approval_no,
        content_hash=one.content_hash,
        standing=Validity(one.valid_from, one.valid_until).standing(ended=one.end_reason, at=at),
        audience_path=one.audience_path,
        audience_tags=tuple(one.audience_tags),
        audience_advisor_id=one.audience_advisor_id,
        why=one.why,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        published_by=one.published_by,
        published_at=one.published_at,
        ended_at=one.ended_at,
        end_reason=one.end_reason,
        end_note=one.end_note,
        corrects_id=one.corrects_id,
        correction=one.correction,
    )
