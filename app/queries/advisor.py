"""Advisors as pages show them."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.domain.organisation import Scope
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class AdvisorLine:
    id: UUID
    staff_no: str
    name: str
    title: str
    unit: str
    licence_no: str
    licence_until: date | None
    is_active: bool
    has_photo: bool
    has_account: bool
    verified: int


@dataclass(frozen=True, slots=True)
class AdvisorCard:
    """Everything the desk shows of one advisor."""

    id: UUID
    staff_no: str
    name: str
    kind: str
    title: str
    phone: str
    licence_no: str
    licence_until: date | None
    licences: tuple[str, ...]
    tags: tuple[str, ...]
    verified_fields: frozenset[str]
    has_photo: bool
    is_active: bool
    login: str | None
    unit_path: str
    # from the head office down
    units: tuple[str, ...]


def advisors(
    session: Session, scope: Scope, *, search: str = "", on_duty: bool | None = None, number: int = 1
) -> Page[AdvisorLine]:
    """Advisors of a scope by name, staff number, licence, or the sound of the name."""
    conditions = [within(scope, OrgUnit.path), *_matches(search)]
    if on_duty is not None:
        conditions.append(Advisor.is_active == on_duty)
    total = session.scalar(select(func.count(Advisor.id)).join(Advisor.org_unit).where(*conditions)) or 0
    found = session.scalars(
        select(Advisor)
        .join(Advisor.org_unit)
        .where(*conditions)
        .options(contains_eager(Advisor.org_unit))
        .order_by(OrgUnit.path, Advisor.staff_no)
        .offset(offset_of(number, PAGE_SIZE))
        .limit(PAGE_SIZE)
    )
    return Page([_line(advisor) for advisor in found], max(1, number), PAGE_SIZE, total)


def advisor_card(session: Session, scope: Scope, advisor_id: UUID) -> AdvisorCard | None:
    """One advisor of a scope; None where there is none, or none here."""
    found = session.execute(
        select(Advisor, OrgUnit, User.login)
        .join(Advisor.org_unit)
        .outerjoin(User, User.id == Advisor.user_id)
        .where(Advisor.id == advisor_id, within(scope, OrgUnit.path))
    ).one_or_none()
    if found is None:
        return None
    advisor, unit, login = found
    return AdvisorCard(
        id=advisor.id,
        staff_no=advisor.staff_no,
        name=advisor.name,
        kind=advisor.kind,
        title=advisor.title,
        phone=advisor.phone,
        licence_no=advisor.licence_no,
        licence_until=advisor.licence_until,
        licences=tuple(advisor.licences),
        tags=tuple(advisor.tags),
        verified_fields=frozenset(advisor.verified_fields),
        has_photo=advisor.photo_sha256 is not None,
        is_active=advisor.is_active,
        login=login,
        unit_path=unit.path,
        units=_line_of(session, unit),
    )


def _line(advisor: Advisor) -> AdvisorLine:
    return AdvisorLine(
        advisor.id,
        advisor.staff_no,
        advisor.name,
        advisor.title,
        advisor.org_unit.name,
        advisor.licence_no,
        advisor.licence_until,
        advisor.is_active,
        advisor.photo_sha256 is not None,
        advisor.user_id is not None,
        len(advisor.verified_fields),
    )


def _matches(search: str) -> list[ColumnElement[bool]]:
    """Every word of the search must be found somewhere in the row."""
    return [
        or_(
            Advisor.name.contains(word, autoescape=True),
            Advisor.staff_no.istartswith(word, autoescape=True),
            Advisor.licence_no.istartswith(word, autoescape=True),
            Advisor.name_sounds.contains(word.lower(), autoescape=True),
        )
        for word in search.replace("\x00", "").split()[:5]
    ]


def _line_of(session: Session, unit: OrgUnit) -> tuple[str, ...]:
    names = [unit.name]
    while unit.parent_id is not None:
        parent = session.get(OrgUnit, unit.parent_id)
        if parent is None:
            break
        names.append(parent.name)
        unit = parent
    return tuple(reversed(names))
