"""The routes of an institution: what takes which steps, changed by making the next version."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.organisation import ROOT_PATH, Permission
from app.domain.route import (
    DECIDING_ROLES,
    MOST_QUORUM,
    MOST_STEPS,
    MOST_TERM_HOURS,
    Risk,
    RoutedItem,
    RouteRule,
    StepPlan,
)
from app.domain.text import LONGEST_TITLE, clean_text
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.route import ReviewRoute, RouteStep
from app.services.access import require_everywhere
from app.services.unit_of_work import UnitOfWork

# Takes whatever no other route takes; stands behind all others.
_LAST: Final = 1000
DEFAULT_NAME: Final = "常规审核"
DEFAULT_STEPS: Final = (StepPlan("初审", term=timedelta(hours=72)),)


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """A route as an administrator describes it."""

    name: str
    rule: RouteRule
    steps: Sequence[StepPlan]


class LastRoute(InvalidInput):
    """The route that takes everything else cannot go: no item may be left without a way."""

    code = "last_route"


def route_of(uow: UnitOfWork, piece: Piece, risk: Risk) -> ReviewRoute:
    """The route that a piece takes when its review opens now, with its steps."""
    item = RoutedItem(
        path=piece.org_unit.path,
        product_type=piece.product_type,
        kind=piece.template_version.template.kind,
        risk=risk,
        channel=piece.channel,
    )
    for route in standing_routes(uow):
        if route.rule.takes(item):
            return route
    return _add_default(uow)


def standing_routes(uow: UnitOfWork) -> Sequence[ReviewRoute]:
    """The newest version of every route in their order, with steps."""
    return uow.session.scalars(
        select(ReviewRoute)
        .where(ReviewRoute.retired_at.is_(None))
        .order_by(ReviewRoute.position, ReviewRoute.made_at, ReviewRoute.id)
        .options(selectinload(ReviewRoute.steps))
    ).all()


def seed_routes(uow: UnitOfWork) -> None:
    """What a new institution starts with: one reviewer for everything, until it says otherwise."""
    _add_default(uow)


def create_route(uow: UnitOfWork, plan: RoutePlan) -> ReviewRoute:
    """Add a route in front of the one that takes everything else. Raises InvalidInput, AccessDenied."""
    require_everywhere(uow, Permission.ROUTE_MANAGE)
    return _add(uow, _checked(uow, plan), lineage_id=uuid4(), number=1, position=_next_position(uow))


def revise_route(uow: UnitOfWork, route_id: UUID, plan: RoutePlan) -> ReviewRoute:
    """Make the next version of a route; what is in review keeps the one it started with.

    The same plan again makes nothing. Raises InvalidInput, Missing, AccessDenied.
    """
    require_everywhere(uow, Permission.ROUTE_MANAGE)
    route = _standing(uow, route_id)
    plan = _checked(uow, plan)
    if (plan.name, plan.rule, list(plan.steps)) == (
        route.name,
        route.rule,
        [step.plan for step in route.steps],
    ):
        return route
    if route.rule.takes_everything and not plan.rule.takes_everything:
        _require_another_last(uow, route)
    route.retired_at = uow.clock.now()
    uow.session.flush()
    return _add(uow, plan, lineage_id=route.lineage_id, number=route.number + 1, position=route.position)


def retire_route(uow: UnitOfWork, route_id: UUID) -> ReviewRoute:
    """Take a route out of use for what is submitted from now on. Raises LastRoute, Missing."""
    require_everywhere(uow, Permission.ROUTE_MANAGE)
    route = _standing(uow, route_id)
    if route.rule.takes_everything:
        _require_another_last(uow, route)
    route.retired_at = uow.clock.now()
    uow.audit.record("route:retire", route.lineage_id, version=str(route.id), number=route.number)
    return route


def order_routes(uow: UnitOfWork, route_ids: Sequence[UUID]) -> None:
    """Say in which order routes are tried: the first that takes an item is its route."""
    require_everywhere(uow, Permission.ROUTE_MANAGE)
    uow.session.execute(select(ReviewRoute.id).where(ReviewRoute.retired_at.is_(None)).with_for_update())
    routes = {route.id: route for route in standing_routes(uow)}
    if set(route_ids) != set(routes) or len(route_ids) != len(routes):
        raise InvalidInput.of("routes", "stale", "流程在您打开之后有变动，请刷新后再排序。")
    for position, route_id in enumerate(route_ids, start=1):
        routes[route_id].position = position
    uow.audit.record("route:order", uow.tenant_id, order=[str(one) for one in route_ids])


def _add_default(uow: UnitOfWork) -> ReviewRoute:
    # two first reviews at once found one default route, not two
    uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"routes:{uow.tenant_id}"))))
    for route in standing_routes(uow):
        if route.rule.takes_everything:
            return route
    plan = RoutePlan(DEFAULT_NAME, RouteRule(), DEFAULT_STEPS)
    return _add(uow, plan, lineage_id=uuid4(), number=1, position=_LAST)


def _add(uow: UnitOfWork, plan: RoutePlan, *, lineage_id: UUID, number: int, position: int) -> ReviewRoute:
    rule = plan.rule
    route = ReviewRoute(
        tenant_id=uow.tenant_id,
        lineage_id=lineage_id,
        number=number,
        name=plan.name,
        position=position,
        org_path=rule.path,
        product_types=sorted(one.value for one in rule.product_types),
        kinds=sorted(rule.kinds),
        risks=sorted(one.value for one in rule.risks),
        channels=sorted(one.value for one in rule.channels),
        made_by=uow.actor.user_id,
        made_at=uow.clock.now(),
        steps=[
            RouteStep(
                tenant_id=uow.tenant_id,
                position=at,
                name=step.name,
                role=step.role,
                quorum=step.quorum,
                seat_path=step.seat_path,
                term=step.term,
            )
            for at, step in enumerate(plan.steps, start=1)
        ],
    )
    uow.session.add(route)
    uow.session.flush()
    uow.audit.record(
        "route:create" if number == 1 else "route:revise",
        lineage_id,
        version=str(route.id),
        number=number,
        rule={
            "path": route.org_path,
            "product_types": route.product_types,
            "kinds": route.kinds,
            "risks": route.risks,
            "channels": route.channels,
        },
        steps=[
            f"{step.role.value} x{step.quorum} {step.seat_path or '*'} {int(step.term.total_seconds())}s"
            for step in route.steps
        ],
    )
    return route


def _standing(uow: UnitOfWork, route_id: UUID) -> ReviewRoute:
    route = uow.session.scalar(
        select(ReviewRoute)
        .where(ReviewRoute.id == route_id, ReviewRoute.retired_at.is_(None))
        .options(selectinload(ReviewRoute.steps))
        .with_for_update()
    )
    if route is None:
        raise Missing(noun="route")
    return route


def _require_another_last(uow: UnitOfWork, leaving: ReviewRoute) -> None:
    if not any(route.rule.takes_everything for route in standing_routes(uow) if route.id != leaving.id):
        raise LastRoute(
            Fault("route", "last_route", "至少要有一条适用于全部内容的流程，否则会有作品无人可审。")
        )


def _next_position(uow: UnitOfWork) -> int:
    before = uow.session.scalars(
        select(ReviewRoute.position).where(ReviewRoute.retired_at.is_(None), ReviewRoute.position < _LAST)
    ).all()
    return max(before, default=0) + 1


def _checked(uow: UnitOfWork, plan: RoutePlan) -> RoutePlan:
    """The plan with its words cleaned; raises InvalidInput naming everything that is wrong with it."""
    plan = RoutePlan(
        clean_text("name", plan.name, longest=LONGEST_TITLE),
        plan.rule,
        tuple(
            replace(step, name=clean_text(f"steps.{at}.name", step.name, longest=LONGEST_TITLE))
            for at, step in enumerate(plan.steps, start=1)
        ),
    )
    seats = {step.seat_path for step in plan.steps if step.seat_path is not None}
    known = _known_paths(uow, {plan.rule.path, *seats}) | {ROOT_PATH}
    faults: list[Fault] = []
    if not plan.name:
        faults.append(Fault("name", "required", "请给流程起个名字。"))
    if plan.rule.path not in known:
        faults.append(Fault("path", "unknown_unit", "适用机构不存在。"))
    if not 1 <= len(plan.steps) <= MOST_STEPS:
        faults.append(Fault("steps", "count", f"请设置 1 至 {MOST_STEPS} 步。"))
    for at, step in enumerate(plan.steps, start=1):
        faults.extend(_step_faults(f"steps.{at}", step, known))
    if faults:
        raise InvalidInput(*faults)
    return plan


def _step_faults(field: str, step: StepPlan, known: Container[str]) -> list[Fault]:
    shortest, longest = timedelta(hours=1), timedelta(hours=MOST_TERM_HOURS)
    seat_is_known = step.seat_path is None or step.seat_path in known
    rules = (
        ("name", "required", bool(step.name), "请给每一步起个名字，如初审、复审。"),
        ("role", "not_deciding", step.role in DECIDING_ROLES, "这个角色没有审核权限。"),
        ("quorum", "range", 1 <= step.quorum <= MOST_QUORUM, f"人数为 1 至 {MOST_QUORUM}。"),
        ("term_hours", "range", shortest <= step.term <= longest, f"时限为 1 至 {MOST_TERM_HOURS} 小时。"),
        ("seat_path", "unknown_unit", seat_is_known, "审核人所在机构不存在。"),
    )
    return [Fault(f"{field}.{name}", code, reason) for name, code, holds, reason in rules if not holds]


def _known_paths(uow: UnitOfWork, paths: Collection[str]) -> frozenset[str]:
    if not paths:
        return frozenset()
    return frozenset(uow.session.scalars(select(OrgUnit.path).where(OrgUnit.path.in_(paths))))
