"""Routes of review: which items take which steps; a change is the next version."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, url_for
from marshmallow import fields, validate

from app.domain.organisation import ROOT_PATH, Permission, Role
from app.domain.route import (
    DECIDING_ROLES,
    MOST_QUORUM,
    MOST_STEPS,
    MOST_TERM_HOURS,
    Risk,
    RouteRule,
    StepPlan,
    UseChannel,
)
from app.domain.template import ProductType
from app.queries.route import RouteLine, route_lines
from app.services.access import require_everywhere
from app.services.route import RoutePlan, create_route, retire_route, revise_route
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Id, Instant, Shown, Strict, one_of, org_path, some_of, text, whole
from app.web.api.operation import Created, operation
from app.web.edge import unit_of_work

bp = Blueprint("routes", __name__)


class NewStepSchema(Strict):
    name = text(least=1, most=200, required=True)
    role = one_of(
        Role,
        load_default=Role.REVIEWER,
        validate=validate.OneOf(DECIDING_ROLES, error="这个角色没有审核权限。"),
    )
    quorum = whole(least=1, most=MOST_QUORUM, load_default=1)
    seat_path = org_path(
        load_default=None,
        allow_none=True,
        metadata={"description": "审核人须在这个机构或其上级任职；默认：内容所属机构或其上级"},
    )
    term_hours = whole(least=1, most=MOST_TERM_HOURS, load_default=24)


class NewRouteSchema(Strict):
    """An empty list of anything takes all of it."""

    name = text(least=1, most=200, required=True)
    path = org_path(load_default=None, allow_none=True, metadata={"description": "默认：全机构"})
    product_types = some_of(ProductType)
    kinds = fields.List(text(least=1, most=64), validate=validate.Length(max=50), load_default=())
    risks = some_of(Risk)
    channels = some_of(UseChannel)
    steps = fields.List(
        fields.Nested(NewStepSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_STEPS),
        metadata={"description": f"依次进行，1 至 {MOST_STEPS} 步"},
    )


class ShownStepSchema(Shown):
    name = fields.String()
    role = one_of(Role)
    quorum = fields.Integer()
    seat_path = fields.String(allow_none=True)
    term_hours = fields.Integer()


class RouteSchema(Shown):
    id = Id()
    lineage_id = Id(metadata={"description": "各版本相同"})
    number = fields.Integer()
    name = fields.String()
    path = fields.String()
    product_types = fields.List(one_of(ProductType))
    kinds = fields.List(fields.String())
    risks = fields.List(one_of(Risk))
    channels = fields.List(one_of(UseChannel))
    steps = fields.List(fields.Nested(ShownStepSchema))
    in_review = fields.Integer()
    made_at = Instant()
    retired_at = Instant(allow_none=True)


class RouteListSchema(Shown):
    items = fields.List(fields.Nested(RouteSchema))


@bp.get("/routes")
@operation("审核流程，按尝试的次序", answers=RouteListSchema, refuses={403})
def list_routes() -> dict[str, Any]:
    with unit_of_work() as uow:
        require_everywhere(uow, Permission.ROUTE_MANAGE)
        return {"items": [_shown(line) for line in route_lines(uow.session)]}


@bp.post("/routes")
@operation("新增审核流程", body=NewRouteSchema, answers=RouteSchema, status=201, refuses={403})
def add_route(body: dict[str, Any]) -> Created:
    with unit_of_work() as uow:
        route = create_route(uow, _plan(body))
        return Created(
            _line(uow, route.lineage_id, route.id),
            url_for("api.routes.change_route", route_id=route.id),
        )


@bp.put("/routes/<uuid:route_id>")
@operation(
    "修订审核流程：得到下一版，在审的仍走原版", body=NewRouteSchema, answers=RouteSchema, refuses={403}
)
def change_route(route_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        route = revise_route(uow, route_id, _plan(body))
        return _line(uow, route.lineage_id, route.id)


@bp.delete("/routes/<uuid:route_id>")
@operation("停用审核流程", answers=None, status=204, refuses={403})
def end_route(route_id: UUID) -> None:
    with unit_of_work() as uow:
        retire_route(uow, route_id)


def _plan(body: dict[str, Any]) -> RoutePlan:
    rule = RouteRule(
        body["path"] or ROOT_PATH,
        frozenset(body["product_types"]),
        frozenset(body["kinds"]),
        frozenset(body["risks"]),
        frozenset(body["channels"]),
    )
    steps = tuple(
        StepPlan(
            step["name"],
            step["role"],
            step["quorum"],
            step["seat_path"],
            timedelta(hours=step["term_hours"]),
        )
        for step in body["steps"]
    )
    return RoutePlan(body["name"], rule, steps)


def _line(uow: UnitOfWork, lineage_id: UUID, route_id: UUID) -> dict[str, Any]:
    lines = route_lines(uow.session, lineage_id=lineage_id)
    return _shown(next(line for line in lines if line.id == route_id))


def _shown(line: RouteLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "lineage_id": line.lineage_id,
        "number": line.number,
        "name": line.name,
        "path": line.rule.path,
        "product_types": sorted(line.rule.product_types),
        "kinds": sorted(line.rule.kinds),
        "risks": sorted(line.rule.risks),
        "channels": sorted(line.rule.channels),
        "steps": [
            {
                "name": step.name,
                "role": step.role,
                "quorum": step.quorum,
                "seat_path": step.seat_path,
                "term_hours": int(step.term.total_seconds() // 3600),
            }
            for step in line.steps
        ],
        "in_review": line.in_review,
        "made_at": line.made_at,
        "retired_at": line.retired_at,
    }
