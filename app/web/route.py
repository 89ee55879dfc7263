"""Administration of review: which items take which steps, and the share that is inspected."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.inspection import LOTS
from app.domain.organisation import Permission
from app.domain.route import DECIDING_ROLES, MOST_STEPS, RouteRule, StepPlan
from app.queries.route import RouteLine, route_lines, unit_names
from app.services.access import require_everywhere
from app.services.route import (
    DEFAULT_STEPS,
    create_route,
    order_routes,
    retire_route,
    revise_route,
    standing_routes,
)
from app.services.sampling import sampling_policy, set_sampling
from app.services.unit_of_work import UnitOfWork
from app.web.edge import render_page, unit_of_work
from app.web.forms.people import errors_by_field
from app.web.forms.route import route_of, step_lines
from app.web.i18n import translate as _
from app.web.people_words import ROLES
from app.web.route_words import CHANNELS, RISK_NAMES, RISKS, channel_choices
from app.web.template import KINDS, PRODUCTS

bp = Blueprint("route", __name__, url_prefix="/routes")
_BP_PER_CENT: Final = LOTS // 100


@bp.get("")
def show_routes() -> ResponseReturnValue:
    return _routes()


@bp.get("/new")
def new_route() -> ResponseReturnValue:
    return _form(None)


@bp.post("")
def add_route() -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            route = create_route(uow, route_of(request.form))
    except InvalidInput as error:
        return _form(None, error=error), 422
    flash(_("流程「{name}」已启用，从现在起送审的内容按它办理。").format(name=route.name), "good")
    return redirect(url_for("route.show_routes"), 303)


@bp.get("/<uuid:route_id>")
def show_route(route_id: UUID) -> ResponseReturnValue:
    return _form(route_id)


@bp.post("/<uuid:route_id>")
def change_route(route_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            route = revise_route(uow, route_id, route_of(request.form))
            number = route.number
    except InvalidInput as error:
        return _form(route_id, error=error), 422
    flash(
        _("流程「{name}」第 {number} 版已生效；审核中的内容仍走原来的版本。").format(
            name=route.name, number=number
        ),
        "good",
    )
    return redirect(url_for("route.show_routes"), 303)


@bp.post("/<uuid:route_id>/retire")
def end_route(route_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            route = retire_route(uow, route_id)
    except InvalidInput as error:
        return _form(route_id, error=error), 422
    flash(_("流程「{name}」已停用；审核中的内容按它办完。").format(name=route.name), "info")
    return redirect(url_for("route.show_routes"), 303)


@bp.post("/<uuid:route_id>/move")
def move_route(route_id: UUID) -> ResponseReturnValue:
    """Try a route earlier or later than its neighbour."""
    step = -1 if request.form.get("direction") == "up" else 1
    with unit_of_work() as uow:
        require_everywhere(uow, Permission.ROUTE_MANAGE)
        order = [route.id for route in standing_routes(uow)]
        if route_id not in order:
            raise Missing(noun="route")
        place = order.index(route_id)
        other = place + step
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
            order_routes(uow, order)
    return redirect(url_for("route.show_routes"), 303)


@bp.post("/sampling")
def change_sampling() -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            set_sampling(uow, share_bp=_basis_points(request.form), seed=request.form.get("seed", ""))
    except InvalidInput as error:
        return _routes(errors=errors_by_field(error)), 422
    flash(_("抽检比例已保存，从下一件自动通过的内容起生效。"), "good")
    return redirect(url_for("route.show_routes"), 303)


def _basis_points(form: Any) -> int:
    text = form.get("share", "").strip().rstrip("%")
    try:
        return round(float(text) * _BP_PER_CENT)
    except (ValueError, OverflowError) as error:
        raise InvalidInput.of("share", "malformed", "请填写百分数，例如 5。") from error


def _routes(errors: dict[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        require_everywhere(uow, Permission.ROUTE_MANAGE)
        lines = route_lines(uow.session)
        units = unit_names(uow.session)
        policy = sampling_policy(uow)
    return render_page(
        "routes/list.html",
        lines=lines,
        conditions={line.id: _conditions(line.rule, units) for line in lines},
        units=units,
        default_steps=DEFAULT_STEPS,
        share=f"{policy.share_bp / _BP_PER_CENT:g}",
        seed=policy.seed,
        errors=errors or {},
    )


def _form(route_id: UUID | None, *, error: InvalidInput | None = None) -> Response:
    with unit_of_work() as uow:
        require_everywhere(uow, Permission.ROUTE_MANAGE)
        units = unit_names(uow.session)
        line = _standing(uow, route_id)
        versions = route_lines(uow.session, lineage_id=line.lineage_id) if line else []
    typed = request.form if error is not None and "name" in request.form else None
    rule = line.rule if line else RouteRule()
    if typed is not None:
        chosen = {name: typed.getlist(name) for name in ("product_types", "kinds", "risks", "channels")} | {
            "path": typed.get("path", "")
        }
        steps = step_lines(typed)
    else:
        chosen = {
            "product_types": list(rule.product_types),
            "kinds": list(rule.kinds),
            "risks": list(rule.risks),
            "channels": list(rule.channels),
            "path": rule.path,
        }
        steps = [_as_typed(step) for step in (line.steps if line else DEFAULT_STEPS)]
    empty = {"name": "", "role": DECIDING_ROLES[0].value, "quorum": "1", "seat": "", "hours": "24"}
    faults: tuple[Fault, ...] = error.faults if error is not None else ()
    return render_page(
        "routes/route.html",
        line=line,
        versions=versions,
        conditions={one.id: _conditions(one.rule, units) for one in versions},
        units=units,
        name=typed.get("name", "") if typed is not None else (line.name if line else ""),
        chosen=chosen,
        steps=[*steps, *[empty] * max(0, MOST_STEPS - len(steps))],
        errors={fault.field: fault.reason for fault in reversed(faults)},
        unit_options=[("/", _("全机构")), *units.items()],
        seat_options=[("", _("内容所属机构及上级")), *units.items()],
        role_options=[(role.value, _(ROLES[role])) for role in DECIDING_ROLES],
        product_options=[(value.value, _(words)) for value, words in PRODUCTS.items()],
        kind_options=[(value, _(words)) for value, words in KINDS.items()],
        risk_options=[(value.value, _(words)) for value, words in RISKS.items()],
        channel_options=channel_choices(),
    )


def _standing(uow: UnitOfWork, route_id: UUID | None) -> RouteLine | None:
    if route_id is None:
        return None
    for line in route_lines(uow.session):
        if line.id == route_id:
            return line
    raise Missing(noun="route")


def _as_typed(step: StepPlan) -> dict[str, str]:
    return {
        "name": step.name,
        "role": step.role.value,
        "quorum": str(step.quorum),
        "seat": step.seat_path or "",
        "hours": str(int(step.term.total_seconds() // 3600)),
    }


def _conditions(rule: RouteRule, units: dict[str, str]) -> list[tuple[str, str]]:
    """What a route takes, in words: each condition with what it asks for."""
    said = [
        (_("机构"), units.get(rule.path, rule.path) if rule.path != "/" else ""),
        (_("产品"), "、".join(_(words) for value, words in PRODUCTS.items() if value in rule.product_types)),
        (_("类型"), "、".join(_(words) for value, words in KINDS.items() if value in rule.kinds)),
        (_("风险"), "、".join(_(words) for value, words in RISK_NAMES.items() if value in rule.risks)),
        (_("渠道"), "、".join(_(words) for value, words in CHANNELS.items() if value in rule.channels)),
    ]
    return [(label, words) for label, words in said if words]
