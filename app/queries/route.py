"""The routes as the page of administration shows them, and what waits on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.domain.review import ReviewState
from app.domain.route import RouteRule, StepPlan
from app.models.organisation import OrgUnit
from app.models.review import Review
from app.models.route import ReviewRoute
from app.models.user import User


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One version of a route; `in_review` counts what is on any version of it."""

    id: UUID
    lineage_id: UUID
    number: int
    name: str
    position: int
    rule: RouteRule
    steps: tuple[StepPlan, ...]
    made_by: str | None
    made_at: datetime
    retired_at: datetime | None
    in_review: int


def route_lines(session: Session, *, lineage_id: UUID | None = None) -> list[RouteLine]:
    """The standing routes in their order; or every version of one, the newest first."""
    statement = select(ReviewRoute, User.name).outerjoin(User, User.id == ReviewRoute.made_by)
    if lineage_id is None:
        statement = statement.where(ReviewRoute.retired_at.is_(None)).order_by(
            ReviewRoute.position, ReviewRoute.made_at, ReviewRoute.id
        )
    else:
        statement = statement.where(ReviewRoute.lineage_id == lineage_id).order_by(ReviewRoute.number.desc())
    found = session.execute(statement.options(selectinload(ReviewRoute.steps))).all()
    waiting = _in_review(session, [route.lineage_id for route, _ in found])
    return [
        RouteLine(
            route.id,
            route.lineage_id,
            route.number,
            route.name,
            route.position,
            route.rule,
            tuple(step.plan for step in route.steps),
            maker,
            route.made_at,
            route.retired_at,
            waiting.get(route.lineage_id, 0),
        )
        for route, maker in found
    ]


def unit_names(session: Session) -> dict[str, str]:
    """The names of all units by path, from the top down."""
    found = session.execute(select(OrgUnit.path, OrgUnit.name).order_by(OrgUnit.path))
    return {row.path: row.name for row in found}


def _in_review(session: Session, lineages: Sequence[UUID]) -> Mapping[UUID, int]:
    counted = session.execute(
        select(ReviewRoute.lineage_id, func.count().label("waiting"))
        .join(Review, Review.route_id == ReviewRoute.id)
        .where(Review.state == ReviewState.OPEN, ReviewRoute.lineage_id.in_(lineages))
        .group_by(ReviewRoute.lineage_id)
    )
    return {row.lineage_id: row.waiting for row in counted}
