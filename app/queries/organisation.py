"""The organisation as pages show it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.organisation import OrgLevel, Scope
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit of a tree, in tree order; `depth` counts from the topmost unit shown."""

    id: UUID
    parent_id: UUID | None
    code: str
    name: str
    level: OrgLevel
    path: str
    depth: int
    # advisors on duty in the unit and everything below it
    advisors: int
    children: int


def unit_lines(session: Session, scope: Scope) -> list[UnitLine]:
    """The units of a scope as one list, every unit after the one it belongs to."""
    units = sorted(
        session.execute(
            select(
                OrgUnit.id, OrgUnit.parent_id, OrgUnit.code, OrgUnit.name, OrgUnit.level, OrgUnit.path
            ).where(within(scope, OrgUnit.path))
        ),
        # by step, not by letter: a database's collation may look past the slashes
        key=lambda unit: unit.path.split("/"),
    )
    counts = session.execute(
        select(Advisor.org_unit_id, func.count(Advisor.id))
        .join(Advisor.org_unit)
        .where(Advisor.is_active, within(scope, OrgUnit.path))
        .group_by(Advisor.org_unit_id)
    )
    on_duty = {row[0]: row[1] for row in counts}
    shown = {unit.id for unit in units}
    below: dict[UUID, int] = dict.fromkeys(shown, 0)
    children: dict[UUID, int] = dict.fromkeys(shown, 0)
    depth: dict[UUID, int] = {}
    # a parent's path is the beginning of its children's, so it comes first in the list
    for unit in units:
        depth[unit.id] = depth[unit.parent_id] + 1 if unit.parent_id in shown else 0
    for unit in reversed(units):
        below[unit.id] += on_duty.get(unit.id, 0)
        if unit.parent_id in shown:
            below[unit.parent_id] += below[unit.id]
            children[unit.parent_id] += 1
    return [
        UnitLine(
            unit.id,
            unit.parent_id,
            unit.code,
            unit.name,
            unit.level,
            unit.path,
            depth[unit.id],
            below[unit.id],
            children[unit.id],
        )
        for unit in units
    ]


def unit_options(session: Session, scope: Scope) -> list[tuple[UUID, str]]:
    """The units of a scope for a choice, set in by their depth."""
    return [(line.id, "　" * line.depth + line.name) for line in unit_lines(session, scope)]
