"""Who carries on for somebody who has left, and what waits to be handed over."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.domain.organisation import Scope
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.tracking import Lead
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class Handover:
    """What of an advisor's is in circulation, and who has it now."""

    editions: int
    leads: int
    waiting_leads: int  # of somebody who left without a successor: the branch's to give away
    successor: str | None


def heir_of(session: Session, advisor: Advisor) -> Advisor | None:
    """Who answers for an advisor's links now: themselves, or the first on duty down the line.

    None: nobody, so the branch does.
    """
    seen: set[UUID] = set()
    while not advisor.is_active:
        seen.add(advisor.id)
        if advisor.successor_id is None or advisor.successor_id in seen:
            return None
        following = session.scalar(
            select(Advisor).where(Advisor.id == advisor.successor_id).options(joinedload(Advisor.org_unit))
        )
        if following is None:
            return None
        advisor = following
    return advisor


def handover_of(session: Session, advisor: Advisor) -> Handover:
    leads = select(func.count()).select_from(Lead).where(Lead.advisor_id == advisor.id)
    waiting = 0 if advisor.is_active else session.scalar(leads.where(Lead.handed_to_id.is_(None))) or 0
    heir = None if advisor.is_active else heir_of(session, advisor)
    return Handover(
        editions=session.scalar(
            select(func.count()).select_from(Edition).where(Edition.advisor_id == advisor.id)
        )
        or 0,
        leads=session.scalar(leads) or 0,
        waiting_leads=waiting,
        successor=heir.name if heir is not None else None,
    )


def possible_successors(
    session: Session, scope: Scope, advisor: Advisor, *, most: int = 200
) -> list[tuple[str, str]]:
    """Colleagues on duty within the scope, those of the same unit first: (staff number, words)."""
    rows = session.execute(
        select(Advisor.staff_no, Advisor.name, OrgUnit.name)
        .join(Advisor.org_unit)
        .where(Advisor.is_active, Advisor.id != advisor.id, within(scope, OrgUnit.path))
        .order_by(Advisor.org_unit_id != advisor.org_unit_id, OrgUnit.path, Advisor.staff_no)
        .limit(most)
    )
    return [(staff_no, f"{name}（{unit}，{staff_no}）") for staff_no, name, unit in rows]
