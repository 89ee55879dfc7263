"""People who sign in: list, add, roles on subtrees, passwords, in and out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput, Missing
from app.domain.organisation import Permission, Role, permits
from app.queries.organisation import unit_options
from app.queries.user import substitute_options, user_line, users
from app.services.absence import absences_of, end_absence, set_absence
from app.services.access import require
from app.services.person import join_accounts, other_accounts
from app.services.user import GRANTABLE, create_user, reset_password, set_active, set_roles
from app.web.edge import actor, render_page, unit_of_work
from app.web.forms.absence import away_of
from app.web.forms.people import errors_by_field, page_number, roles_of
from app.web.i18n import translate as _
from app.web.people_words import ROLE_DUTIES, ROLES

bp = Blueprint("user", __name__, url_prefix="/users")
_SPARE_LINES = 2


@bp.get("")
def list_users() -> ResponseReturnValue:
    asked = request.args
    search, chosen = asked.get("q", "").strip()[:60], asked.get("role", "")
    role = Role(chosen) if chosen in set(Role) else None
    with unit_of_work() as uow:
        scope = require(uow, Permission.USER_MANAGE)
        found = users(
            uow.session,
            scope,
            search=search,
            role=role,
            desk_only=role is None and not search,
            number=page_number(asked.get("page")),
        )
    address: dict[str, Any] = {"q": search or None, "role": chosen or None}
    return render_page(
        "user/list.html",
        block="results",
        found=found,
        search=search,
        chosen=chosen,
        roles=[("", _("全部岗位")), *((one.value, _(words)) for one, words in ROLES.items())],
        previous_url=_list_url(address, found.number - 1) if found.has_previous else None,
        next_url=_list_url(address, found.number + 1) if found.has_next else None,
    )


@bp.get("/new")
def new_user() -> ResponseReturnValue:
    return _new_user()


@bp.post("")
def add_user() -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            user = create_user(
                uow,
                login=form.get("login", ""),
                name=form.get("name", ""),
                password=form.get("password", ""),
                roles=roles_of(form),
            )
    except InvalidInput as error:
        return _new_user(typed=form, errors=errors_by_field(error)), 422
    flash(_("已新增{name}，请当面告知初始密码。").format(name=user.name), "good")
    return redirect(url_for("user.show_user", user_id=user.id), 303)


@bp.get("/<uuid:user_id>")
def show_user(user_id: UUID) -> ResponseReturnValue:
    return _user(user_id)


@bp.post("/<uuid:user_id>/roles")
def change_roles(user_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            set_roles(uow, user_id, roles_of(request.form))
    except InvalidInput as error:
        return _user(user_id, errors=errors_by_field(error)), 422
    flash(_("角色已保存；如有变化，对方需要重新登录。"), "good")
    return _back_to(user_id)


@bp.post("/<uuid:user_id>/password")
def change_password(user_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            reset_password(uow, user_id, request.form.get("password", ""))
    except InvalidInput as error:
        return _user(user_id, errors=errors_by_field(error)), 422
    flash(_("密码已重置，原有登录全部失效。请当面告知新密码。"), "good")
    return _back_to(user_id)


@bp.post("/<uuid:user_id>/active")
def change_active(user_id: UUID) -> ResponseReturnValue:
    active = request.form.get("active") == "1"
    with unit_of_work() as uow:
        user = set_active(uow, user_id, active=active)
    words = _("{name}已启用，可以登录。") if active else _("{name}已停用，所有登录立即失效。")
    flash(words.format(name=user.name), "good")
    return _back_to(user_id)


@bp.post("/<uuid:user_id>/person")
def join(user_id: UUID) -> ResponseReturnValue:
    """State that this account and another are the same person's."""
    try:
        with unit_of_work() as uow:
            user = join_accounts(uow, user_id, login=request.form.get("login", ""))
            name = user.name
    except InvalidInput as error:
        return _user(user_id, errors=errors_by_field(error)), 422
    flash(_("已认定{name}的两个账号属于同一人，四眼原则按人计算。").format(name=name), "good")
    return _back_to(user_id)


@bp.post("/<uuid:user_id>/absence")
def send_away(user_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            set_absence(uow, user_id=user_id, **away_of(request.form))
    except InvalidInput as error:
        return _user(user_id, errors=errors_by_field(error)), 422
    flash(_("已登记离岗，名下的待审内容按规则转交。"), "good")
    return _back_to(user_id)


@bp.post("/<uuid:user_id>/absence/<uuid:absence_id>/end")
def call_back(user_id: UUID, absence_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        end_absence(uow, absence_id)
    flash(_("离岗已结束。"), "good")
    return _back_to(user_id)


def _back_to(user_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("user.show_user", user_id=user_id), 303)


def _list_url(address: dict[str, Any], number: int) -> str:
    return url_for("user.list_users", **address, page=number)


def _new_user(*, typed: Any = None, errors: dict[str, str] | None = None) -> Response:
    lines = _typed_lines() if typed else []
    with unit_of_work() as uow:
        scope = require(uow, Permission.USER_MANAGE)
        units = unit_options(uow.session, scope)
    return render_page(
        "user/new.html",
        typed=typed or {},
        errors=errors or {},
        role_lines=[*lines, *[("", "")] * _SPARE_LINES],
        **_choices(units),
    )


def _user(user_id: UUID, *, errors: dict[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        scope = require(uow, Permission.USER_MANAGE)
        line = user_line(uow.session, scope, user_id)
        units = unit_options(uow.session, scope)
        if line is None:
            raise Missing(noun="user")
        others = other_accounts(uow, user_id)
        away = absences_of(uow, user_id)
        substitutes = substitute_options(uow.session, except_user=user_id)
    stored = [(one.role.value, str(one.unit_id)) for one in line.roles if one.role in GRANTABLE]
    lines = _typed_lines() if errors and "roles" in errors else stored
    return render_page(
        "user/user.html",
        line=line,
        errors=errors or {},
        is_self=line.id == actor().user_id,
        decides=any(permits(one.role, Permission.REVIEW_DECIDE) for one in line.roles),
        others=others,
        away=away,
        substitutes=[("", _("待审最少的同事")), *substitutes],
        is_advisor=any(one.role is Role.ADVISOR for one in line.roles),
        role_lines=[*lines, *[("", "")] * _SPARE_LINES],
        **_choices(units),
    )


def _typed_lines() -> list[tuple[str, str]]:
    pairs = zip(request.form.getlist("role"), request.form.getlist("unit"), strict=False)
    return [(role, unit) for role, unit in pairs if role]


def _choices(units: list[tuple[UUID, str]]) -> dict[str, Any]:
    grantable = [role for role in ROLES if role in GRANTABLE]
    return {
        "role_options": [("", _("（不设）")), *((role.value, _(ROLES[role])) for role in grantable)],
        "unit_options": [(str(unit_id), name) for unit_id, name in units],
        "duties": [(_(ROLES[role]), _(ROLE_DUTIES[role])) for role in grantable],
    }
