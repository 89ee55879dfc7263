"""The organisation and its advisors, as the desk governs them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.advisor import ProfileField
from app.domain.errors import InvalidInput, Missing
from app.domain.organisation import OrgLevel, Permission, Scope
from app.queries import advisor as advisor_queries
from app.queries.handover import handover_of, possible_successors
from app.queries.organisation import UnitLine, unit_lines, unit_options
from app.services import advisor as advisor_services
from app.services.access import access_advisor, access_org_unit, require
from app.services.handover import come_back, leave, transfer
from app.services.organisation import add_unit, rename_unit
from app.services.profile import open_change
from app.services.unit_of_work import UnitOfWork
from app.web.edge import platform, render_page, unit_of_work
from app.web.forms.people import errors_by_field, level_of, page_number, profile_of, uuid_of
from app.web.i18n import translate as _
from app.web.people_words import FIELDS, KINDS, LEVELS

bp = Blueprint("organisation", __name__, url_prefix="/organisation")
_ON_DUTY = {"on": True, "left": False}


@bp.get("")
def show_organisation() -> ResponseReturnValue:
    return _organisation()


@bp.post("/units")
def add() -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            unit = add_unit(
                uow,
                uuid_of(form.get("parent"), "org_unit"),
                code=form.get("code", ""),
                name=form.get("name", ""),
                level=level_of(form.get("level")),
            )
    except InvalidInput as error:
        return _organisation(form.get("parent"), adding=form, errors=errors_by_field(error)), 422
    flash(_("已新增机构「{name}」。").format(name=unit.name), "good")
    return redirect(url_for("organisation.show_organisation", unit=unit.id), 303)


@bp.post("/units/<uuid:unit_id>/rename")
def rename(unit_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            unit = rename_unit(uow, unit_id, request.form.get("name", ""))
    except InvalidInput as error:
        return _organisation(str(unit_id), renaming=request.form, errors=errors_by_field(error)), 422
    flash(_("机构已更名为「{name}」。").format(name=unit.name), "good")
    return redirect(url_for("organisation.show_organisation", unit=unit_id), 303)


@bp.get("/advisors/new")
def new_advisor() -> ResponseReturnValue:
    return _new_advisor(request.args.get("unit"))


@bp.post("/advisors")
def add_advisor() -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            advisor = advisor_services.create_advisor(
                uow, uuid_of(form.get("unit"), "org_unit"), form.get("staff_no", ""), profile_of(form)
            )
    except InvalidInput as error:
        return _new_advisor(form.get("unit"), typed=form, errors=errors_by_field(error)), 422
    flash(_("已新增{name}。").format(name=advisor.name), "good")
    return redirect(url_for("organisation.show_advisor", advisor_id=advisor.id), 303)


@bp.get("/advisors/<uuid:advisor_id>")
def show_advisor(advisor_id: UUID) -> ResponseReturnValue:
    return _advisor(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>")
def change_advisor(advisor_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            advisor_services.change_profile(uow, advisor_id, profile_of(request.form))
    except InvalidInput as error:
        return _advisor(advisor_id, typed=request.form, errors=errors_by_field(error)), 422
    flash(_("已保存。图上会印的项目有变化时，另一个人通过后生效。"), "good")
    return _back_to(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/verified")
def verify_advisor(advisor_id: UUID) -> ResponseReturnValue:
    chosen = {field for field in ProfileField if field.value in request.form.getlist("field")}
    with unit_of_work() as uow:
        advisor_services.verify_fields(uow, advisor_id, chosen)
    flash(_("核实情况已保存。"), "good")
    return _back_to(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/duty")
def change_duty(advisor_id: UUID) -> ResponseReturnValue:
    on_duty = request.form.get("duty") == "on"
    try:
        with unit_of_work() as uow:
            if on_duty:
                advisor = come_back(uow, advisor_id)
            else:
                advisor = leave(uow, advisor_id, successor_no=request.form.get("successor", ""))
    except InvalidInput as error:
        return _advisor(advisor_id, errors=errors_by_field(error)), 422
    words = (
        _("{name}已返岗。")
        if on_duty
        else _("{name}已离岗：登录已失效，公开页面不再出现其姓名，扫码和线索转给接任人。")
    )
    flash(words.format(name=advisor.name), "good")
    return _back_to(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/transfer")
def move_advisor(advisor_id: UUID) -> ResponseReturnValue:
    """Move somebody to another unit; their pieces and their role go along."""
    with unit_of_work() as uow:
        advisor = transfer(uow, advisor_id, uuid_of(request.form.get("unit"), "org_unit"))
        name, unit = advisor.name, advisor.org_unit.name
    flash(_("{name}已调至{unit}。以往的统计仍算在原机构。").format(name=name, unit=unit), "good")
    return _back_to(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/account")
def open_account(advisor_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            user = advisor_services.open_account(uow, advisor_id, request.form.get("password", ""))
    except InvalidInput as error:
        return _advisor(advisor_id, errors=errors_by_field(error)), 422
    flash(_("账号已开通，登录名是工号 {login}。请当面告知初始密码。").format(login=user.login), "good")
    return _back_to(advisor_id)


@bp.get("/advisors/<uuid:advisor_id>/portrait")
def show_portrait(advisor_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_VIEW)
        picture = advisor_services.portrait_of(uow, advisor)
    if picture is None:
        raise Missing(noun="portrait")
    response = make_response(picture.data)
    response.content_type = picture.content_type
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(picture.sha256)
    return response.make_conditional(request)


@bp.post("/advisors/<uuid:advisor_id>/portrait")
def upload_portrait(advisor_id: UUID) -> ResponseReturnValue:
    file = request.files.get("photo")
    try:
        with unit_of_work() as uow:
            advisor_services.upload_portrait(
                uow,
                file.read() if file else b"",
                attested=request.form.get("attested") == "1",
                most_pixels=platform().settings.limits.image_pixels,
                advisor_id=advisor_id,
            )
    except InvalidInput as error:
        return _advisor(advisor_id, errors=errors_by_field(error)), 422
    flash(_("照片已提交审核，另一个人通过后生效。"), "good")
    return _back_to(advisor_id)


@bp.post("/advisors/<uuid:advisor_id>/portrait/remove")
def remove_portrait(advisor_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor_services.remove_portrait(uow, advisor_id)
    flash(_("照片已移除；已发布的内容不受影响。"), "good")
    return _back_to(advisor_id)


def _back_to(advisor_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("organisation.show_advisor", advisor_id=advisor_id), 303)


def _organisation(unit: str | None = None, **more: Any) -> Response:
    asked = request.args
    wanted, search, standing = (
        unit or asked.get("unit"),
        asked.get("q", "").strip()[:60],
        asked.get("standing", ""),
    )
    with unit_of_work() as uow:
        scope = require(uow, Permission.ORGANISATION_VIEW)
        lines = unit_lines(uow.session, scope)
        current = _chosen(uow, lines, wanted)
        found = advisor_queries.advisors(
            uow.session,
            Scope((current.path,)) if current else scope,
            search=search,
            on_duty=_ON_DUTY.get(standing),
            number=page_number(asked.get("page")),
        )
    address: dict[str, Any] = {
        "unit": str(current.id) if current and wanted else None,
        "q": search or None,
        "standing": standing or None,
    }
    here = url_for("organisation.show_organisation", **address)
    return render_page(
        "organisation/list.html",
        block="results",
        tree=_opened(lines, current),
        current=current,
        found=found,
        search=search,
        standing=standing,
        previous_url=_turned(address, found.number - 1) if found.has_previous else None,
        next_url=_turned(address, found.number + 1) if found.has_next else None,
        here=here,
        level_options=_levels_below(current),
        **{"errors": {}, "adding": {}, "renaming": {}, **more},
    )


def _chosen(uow: UnitOfWork, lines: list[UnitLine], wanted: str | None) -> UnitLine | None:
    """The unit asked for, or the topmost one; one beyond the scope is missing like any other."""
    if wanted is None:
        return lines[0] if lines else None
    unit = access_org_unit(uow, uuid_of(wanted, "org_unit"), may=Permission.ORGANISATION_VIEW)
    return next(line for line in lines if line.id == unit.id)


def _opened(lines: list[UnitLine], current: UnitLine | None) -> list[UnitLine]:
    """The tree opened along the way to the current unit: its ancestors, their children, its own."""
    way = {line.id for line in lines if current and current.path.startswith(line.path)}
    return [line for line in lines if line.depth == 0 or line.parent_id in way]


def _levels_below(current: UnitLine | None) -> list[tuple[str, str]]:
    return [
        (level.value, _(LEVELS[level])) for level in OrgLevel if current and level.is_below(current.level)
    ]


def _turned(address: dict[str, Any], number: int) -> str:
    return url_for("organisation.show_organisation", **address, page=number)


def _new_advisor(unit: str | None, *, typed: Any = None, errors: dict[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        place = access_org_unit(uow, uuid_of(unit, "org_unit"), may=Permission.ORGANISATION_MANAGE)
    return render_page(
        "organisation/new_advisor.html", unit=place, typed=typed or {}, errors=errors or {}, kinds=_kinds()
    )


def _advisor(advisor_id: UUID, *, typed: Any = None, errors: dict[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        scope = require(uow, Permission.ORGANISATION_VIEW)
        card = advisor_queries.advisor_card(uow.session, scope, advisor_id)
        if card is None:
            raise Missing(noun="advisor")
        advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_VIEW)
        managed = uow.actor.scope_for(Permission.ORGANISATION_MANAGE)
        handover = handover_of(uow.session, advisor)
        pending = open_change(uow, advisor_id)
        successors = possible_successors(uow.session, managed, advisor)
        units = unit_options(uow.session, managed)
    return render_page(
        "organisation/advisor.html",
        card=card,
        unit_id=advisor.org_unit_id,
        handover=handover,
        pending=pending,
        pending_fields=[
            _(words) for field, words in FIELDS.items() if pending and field.value in pending.after
        ],
        successors=[("", _("不指定，由机构承接")), *successors],
        units=units,
        typed=typed
        or {
            "name": card.name,
            "kind": card.kind,
            "title": card.title,
            "phone": card.phone,
            "licence_no": card.licence_no,
            "licence_until": card.licence_until.isoformat() if card.licence_until else "",
            "licences": "、".join(card.licences),
            "tags": "、".join(card.tags),
        },
        errors=errors or {},
        kinds=_kinds(),
        fields=[(field.value, _(words)) for field, words in FIELDS.items()],
        today=platform().clock.now().date(),
    )


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, _(words)) for kind, words in KINDS.items()]
