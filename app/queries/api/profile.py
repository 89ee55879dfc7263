"""Changes of profiles for machines."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.domain.profile import ProfileChangeState
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.profile import ProfileChange
from app.queries.api.page import Order, Page, Place, Wanted, page_of
from app.queries.scope import within


def profile_changes(
    session: Session, scope: Scope, wanted: Wanted, *, state: ProfileChangeState | None
) -> Page[ProfileChange]:
    """The changes within the scope, newest first."""
    statement = (
        select(ProfileChange)
        .join(Advisor, Advisor.id == ProfileChange.advisor_id)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(within(scope, OrgUnit.path))
    )
    if state is not None:
        statement = statement.where(ProfileChange.state == state)
    return page_of(
        session,
        statement,
        Order(ProfileChange.proposed_at, ProfileChange.id),
        wanted,
        lambda row: row[0],
        lambda change: Place(change.proposed_at, change.id),
    )
