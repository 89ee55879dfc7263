"""The archive as pages list it: what was shown, found by what somebody remembers of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Text, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from app.domain.archive import NEAR, SHORTEST_SEARCH, ItemKind, grams, search_form
from app.domain.organisation import Scope
from app.domain.publication import EndReason, normal_approval_no
from app.domain.template import ProductType
from app.domain.tracking import TENANT_ZONE
from app.models.archive import ArchiveItem
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE = 24


@dataclass(frozen=True, slots=True)
class ArchiveSearch:
    """What is asked for; days are days of the tenant's zone on which it was public, both included."""

    words: str = ""
    person: str = ""
    product: ProductType | None = None
    since: date | None = None
    until: date | None = None

    def named(self) -> dict[str, str]:
        """What was asked for, without a word that somebody typed: it may be a person's name."""
        said = {
            "words": "given" if self.words else "",
            "person": "given" if self.person else "",
            "product": self.product.value if self.product else "",
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class ArchiveLine:
    id: UUID
    kind: ItemKind
    title: str
    people: str
    words: str
    product: ProductType
    approval_no: str
    valid_from: datetime
    shown_until: datetime
    end_reason: EndReason | None
    sealed_at: datetime | None
    # how much of the words asked for is in it, 0 to 1; None where none were asked for
    likeness: float | None


def search_archive(
    session: Session, sought: ArchiveSearch, scope: Scope, *, number: int = 1
) -> Page[ArchiveLine]:
    """Items that hold all of it, the latest first; where no item holds the words, the likest first.

    Somebody who quotes from memory gets what comes near, marked as such.
    """
    wanted = _without_words(sought, scope)
    if not sought.words:
        return _page(session, wanted, None, number)
    approval_no = normal_approval_no(sought.words)
    if approval_no:
        return _page(session, [*wanted, Publication.approval_no == approval_no], None, number)
    form = search_form(sought.words)
    if len(form) < SHORTEST_SEARCH:
        return Page([], 1, PAGE_SIZE, 0)
    pairs = cast(literal(grams(form), ARRAY(Text)), ARRAY(Text))
    whole = and_(ArchiveItem.grams.contains(pairs), ArchiveItem.form.contains(form, autoescape=True))
    found = _page(session, [*wanted, whole], literal(1.0), number)
    if found.total or number > 1:
        return found
    return _near(session, wanted, grams(form), number)


def _near(
    session: Session, wanted: list[ColumnElement[bool]], pairs: list[str], number: int
) -> Page[ArchiveLine]:
    asked = cast(literal(pairs, ARRAY(Text)), ARRAY(Text))
    likeness = func.archive_likeness(ArchiveItem.grams, asked)
    return _page(session, [*wanted, ArchiveItem.grams.overlap(asked), likeness >= NEAR], likeness, number)


def _without_words(sought: ArchiveSearch, scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [within(scope, OrgUnit.path)]
    if sought.person:
        conditions.append(ArchiveItem.people.contains(sought.person, autoescape=True))
    if sought.product:
        conditions.append(ArchiveItem.product_type == sought.product)
    if sought.since:
        conditions.append(_ended() > _start(sought.since, TENANT_ZONE))
    if sought.until:
        conditions.append(Publication.valid_from < _start(sought.until + timedelta(days=1), TENANT_ZONE))
    return conditions


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone)


def _ended() -> ColumnElement[datetime]:
    return func.least(func.coalesce(Publication.ended_at, Publication.valid_until), Publication.valid_until)


def _page(
    session: Session, conditions: list[ColumnElement[bool]], likeness: Any, number: int
) -> Page[ArchiveLine]:
    shown = likeness if likeness is not None else literal(None)
    joined = (
        select(ArchiveItem.id)
        .join(Publication, Publication.id == ArchiveItem.publication_id)
        .join(Piece, Piece.id == ArchiveItem.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(*conditions)
    )
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    order = [ArchiveItem.noted_at.desc(), ArchiveItem.id]
    rows = session.execute(
        joined.with_only_columns(
            ArchiveItem.id,
            ArchiveItem.kind,
            func.coalesce(func.nullif(ArchiveItem.title, ""), Piece.title),
            ArchiveItem.people,
            ArchiveItem.words,
            ArchiveItem.product_type,
            Publication.approval_no,
            Publication.valid_from,
            _ended(),
            Publication.end_reason,
            ArchiveItem.sealed_at,
            shown.label("likeness"),
        )
        .order_by(*([shown.desc()] if likeness is not None else []), *order)
        .offset(offset_of(number, PAGE_SIZE))
        .limit(PAGE_SIZE)
    ).all()
    return Page([ArchiveLine(*row) for row in rows], max(1, number), PAGE_SIZE, total)
