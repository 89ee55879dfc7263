"""Changes of profiles that wait for a second person, and those decided lately."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.domain.organisation import Scope
from app.domain.profile import ProfileChangeState
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.profile import ProfileChange
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class ChangeRow:
    id: UUID
    advisor: str
    unit: str
    fields: tuple[str, ...]
    state: ProfileChangeState
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


def profile_changes(
    session: Session, scope: Scope, *, state: ProfileChangeState, page: int = 1
) -> Page[ChangeRow]:
    """The changes of one state within the scope: open ones by age, all others the latest first."""
    decider = aliased(User)
    chosen = (
        select(ProfileChange, Advisor.name, OrgUnit.name, decider.name)
        .join(Advisor, Advisor.id == ProfileChange.advisor_id)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .outerjoin(decider, decider.id == ProfileChange.decided_by)
        .where(ProfileChange.state == state, within(scope, OrgUnit.path))
    )
    total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
    order = (
        ProfileChange.proposed_at if state is ProfileChangeState.OPEN else ProfileChange.proposed_at.desc()
    )
    rows = session.execute(
        chosen.order_by(order, ProfileChange.id).offset(offset_of(page, PAGE_SIZE)).limit(PAGE_SIZE)
    )
    return Page(
        [
            ChangeRow(
                change.id,
                advisor,
                unit,
                tuple(change.after),
                change.state,
                change.proposed_at,
                decided_by,
                change.decided_at,
            )
            for change, advisor, unit, decided_by in rows
        ],
        max(1, page),
        PAGE_SIZE,
        total,
    )
