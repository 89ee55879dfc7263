"""Editions with their links, by advisor or by part of the organisation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.tracking import ShortLink
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class LinkRow:
    channel: LinkChannel
    code: str


@dataclass(frozen=True, slots=True)
class EditionRow:
    id: UUID
    piece_id: UUID
    advisor_id: UUID
    created_at: datetime
    links: tuple[LinkRow, ...]


@dataclass(frozen=True, slots=True)
class EditionFilter:
    """Whose editions: one advisor's own, or those of the advisors in a scope."""

    scope: Scope
    own_advisor_id: UUID | None = None
    advisor_id: UUID | None = None
    piece_id: UUID | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [
            Edition.advisor_id == self.own_advisor_id
            if self.own_advisor_id is not None
            else within(self.scope, OrgUnit.path)
        ]
        if self.advisor_id is not None:
            found.append(Edition.advisor_id == self.advisor_id)
        if self.piece_id is not None:
            found.append(Edition.piece_id == self.piece_id)
        return found


def editions(session: Session, narrowed: EditionFilter, wanted: Wanted) -> Page[EditionRow]:
    statement = _rows(narrowed)
    order = Order(Edition.created_at, Edition.id)
    page = page_of(session, statement, order, wanted, _bare, lambda row: Place(row.created_at, row.id))
    return Page(_linked(session, page.items), page.next)


def edition(session: Session, narrowed: EditionFilter, edition_id: UUID) -> EditionRow | None:
    found = session.execute(_rows(narrowed).where(Edition.id == edition_id)).one_or_none()
    return _linked(session, [_bare(found)])[0] if found is not None else None


def _rows(narrowed: EditionFilter) -> Select[Edition]:
    return (
        select(Edition)
        .join(Advisor, Advisor.id == Edition.advisor_id)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(*narrowed.conditions())
    )


def _bare(row: AnyRow) -> EditionRow:
    one: Edition = row[0]
    return EditionRow(one.id, one.piece_id, one.advisor_id, one.created_at, ())


def _linked(session: Session, rows: Collection[EditionRow]) -> tuple[EditionRow, ...]:
    links: dict[UUID, list[LinkRow]] = {row.id: [] for row in rows}
    for link in session.scalars(
        select(ShortLink).where(ShortLink.edition_id.in_(links)).order_by(ShortLink.channel)
    ):
        links[link.edition_id].append(LinkRow(link.channel, link.code))
    return tuple(replace(row, links=tuple(links[row.id])) for row in rows)
