"""Who a piece would reach: units and tags to choose from, and the audience they add up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.domain.organisation import OrgLevel, Scope
from app.domain.tracking import HitClass
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.tracking import ShortLink, Visit
from app.queries.scope import within

NAMES_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class UnitChoice:
    path: str
    name: str
    level: OrgLevel
    advisors: int  # in the whole subtree


@dataclass(frozen=True, slots=True)
class TagChoice:
    tag: str
    advisors: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Active advisors under a unit who carry all of the tags.

    `unlicensed` of them may not use the product: they are counted, and see nothing.
    """

    count: int
    unlicensed: int
    names: tuple[tuple[str, str], ...]  # some of them, with their unit


def units_in(session: Session, scope: Scope) -> tuple[UnitChoice, ...]:
    """The units a person may choose, as the tree reads, each with the advisors below it."""
    below = (
        select(OrgUnit.path, func.count(Advisor.id).label("advisors"))
        .join(Advisor, and_(Advisor.org_unit_id == OrgUnit.id, Advisor.is_active))
        .where(within(scope, OrgUnit.path))
        .group_by(OrgUnit.path)
    )
    counts = session.execute(below).all()
    return tuple(
        UnitChoice(path, name, level, sum(row.advisors for row in counts if row.path.startswith(path)))
        for path, name, level in session.execute(
            select(OrgUnit.path, OrgUnit.name, OrgUnit.level)
            .where(within(scope, OrgUnit.path))
            .order_by(OrgUnit.path)
        )
    )


def tags_in(session: Session, scope: Scope) -> tuple[TagChoice, ...]:
    """The tags advisors of a scope carry, the commonest first."""
    carried = (
        select(func.unnest(Advisor.tags).label("tag"))
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(Advisor.is_active, within(scope, OrgUnit.path))
        .subquery()
    )
    return tuple(
        TagChoice(tag, count)
        for tag, count in session.execute(
            select(carried.c.tag, func.count())
            .group_by(carried.c.tag)
            .order_by(func.count().desc(), carried.c.tag)
        )
    )


def audience(
    session: Session, scope: Scope, path: str, tags: Sequence[str], *, licence: str | None = None
) -> Audience:
    """Who is under the path with all the tags, within the scope; a path outside it has nobody."""
    conditions: list[ColumnElement[bool]] = [
        Advisor.is_active.is_(True),
        within(scope, OrgUnit.path),
        OrgUnit.path.startswith(path, autoescape=True),
    ]
    if tags:
        conditions.append(Advisor.tags.contains(list(tags)))
    qualified: ColumnElement[bool] = (
        Advisor.licences.contains([licence]) if licence else Advisor.is_active.is_(True)
    )
    count, licensed = session.execute(
        select(func.count(Advisor.id), func.count(Advisor.id).filter(qualified))
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(*conditions)
    ).one()
    names = session.execute(
        select(Advisor.name, OrgUnit.name)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(*conditions)
        .order_by(OrgUnit.path, Advisor.staff_no)
        .limit(NAMES_SHOWN)
    ).all()
    return Audience(count, count - licensed, tuple((name, unit) for name, unit in names))


@dataclass(frozen=True, slots=True)
class EditionUse:
    """One advisor who took the piece up, and what came of it."""

    advisor: str
    org_name: str
    created_at: datetime
    arrivals: int  # of people; previews, bots and colleagues apart


@dataclass(frozen=True, slots=True)
class PieceUse:
    total: int
    rows: tuple[EditionUse, ...]


def editions_of(
    session: Session, scope: Scope, piece_id: UUID, *, text: str = "", limit: int = 20
) -> PieceUse:
    """Who has an edition of a piece, those with most arrivals first."""
    arrivals = (
        select(func.count(Visit.token))
        .join(ShortLink, ShortLink.code == Visit.code)
        .where(ShortLink.edition_id == Edition.id, Visit.hit_class == HitClass.HUMAN)
        .correlate(Edition)
        .scalar_subquery()
    )
    conditions: list[ColumnElement[bool]] = [Edition.piece_id == piece_id, within(scope, OrgUnit.path)]
    if text:
        conditions.append(
            or_(Advisor.name.icontains(text, autoescape=True), OrgUnit.name.icontains(text, autoescape=True))
        )
    joined = (
        select(Advisor.name, OrgUnit.name, Edition.created_at, arrivals.label("arrivals"))
        .select_from(Edition)
        .join(Advisor, Advisor.id == Edition.advisor_id)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(*conditions)
    )
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    rows = session.execute(joined.order_by(arrivals.desc(), Edition.created_at).limit(limit)).all()
    return PieceUse(total, tuple(EditionUse(*row) for row in rows))
