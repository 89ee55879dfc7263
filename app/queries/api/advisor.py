"""Advisors within somebody's part of the organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class AdvisorRow:
    id: UUID
    staff_no: str
    name: str
    title: str
    phone: str
    licence_no: str
    licence_until: date | None
    licences: tuple[str, ...]
    tags: tuple[str, ...]
    verified_fields: tuple[str, ...]
    org_unit_id: UUID
    org_unit_name: str
    org_path: str
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AdvisorFilter:
    """What a list of advisors is narrowed to; None and empty do not narrow."""

    words: str | None = None  # part of a name, or a staff number
    path: str | None = None
    tags: tuple[str, ...] = ()
    is_active: bool | None = None


def advisors(session: Session, scope: Scope, narrowed: AdvisorFilter, wanted: Wanted) -> Page[AdvisorRow]:
    statement = _rows(scope)
    if narrowed.words:
        part = narrowed.words
        statement = statement.where(
            or_(Advisor.name.contains(part, autoescape=True), Advisor.staff_no == part)
        )
    if narrowed.path:
        statement = statement.where(OrgUnit.path.startswith(narrowed.path, autoescape=True))
    if narrowed.tags:
        statement = statement.where(Advisor.tags.contains(list(narrowed.tags)))
    if narrowed.is_active is not None:
        statement = statement.where(Advisor.is_active.is_(narrowed.is_active))
    order = Order(Advisor.created_at, Advisor.id)
    return page_of(session, statement, order, wanted, _shown, lambda row: Place(row.created_at, row.id))


def advisor(session: Session, scope: Scope, advisor_id: UUID) -> AdvisorRow | None:
    row = session.execute(_rows(scope).where(Advisor.id == advisor_id)).one_or_none()
    return _shown(row) if row is not None else None


def _rows(scope: Scope) -> Select[Advisor, OrgUnit]:
    return select(Advisor, OrgUnit).join(Advisor.org_unit).where(within(scope, OrgUnit.path))


def _shown(row: AnyRow) -> AdvisorRow:
    one: Advisor = row[0]
    unit: OrgUnit = row[1]
    return AdvisorRow(
        id=one.id,
        staff_no=one.staff_no,
        name=one.name,
        title=one.title,
        phone=one.phone,
        licence_no=one.licence_no,
        licence_until=one.licence_until,
        licences=tuple(one.licences),
        tags=tuple(one.tags),
        verified_fields=tuple(one.verified_fields),
        org_unit_id=unit.id,
        org_unit_name=unit.name,
        org_path=unit.path,
        is_active=one.is_active,
        created_at=one.created_at,
    )
