"""A scope as a condition of a query: what a person may see is decided by these two alone."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.organisation import Scope
from app.models.organisation import OrgUnit
from app.models.user import Membership, User


def within(scope: Scope, path: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The scope as a condition on a path column."""
    return or_(false(), *(path.startswith(prefix, autoescape=True) for prefix in scope.paths))


def governed(scope: Scope) -> ColumnElement[bool]:
    """People none of whose roles reach beyond the scope; those without a role, from the root alone."""
    roles = (
        select(Membership.id)
        .join(OrgUnit, OrgUnit.id == Membership.org_unit_id)
        .where(Membership.user_id == User.id)
        .correlate(User)
    )
    root_is_mine = exists(
        select(OrgUnit.id)
        .where(OrgUnit.tenant_id == User.tenant_id, OrgUnit.parent_id.is_(None), within(scope, OrgUnit.path))
        .correlate(User)
    )
    return and_(~exists(roles.where(~within(scope, OrgUnit.path))), or_(exists(roles), root_is_mine))
