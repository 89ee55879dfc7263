"""One's own account: who I am here, and my password."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput, WrongCredentials
from app.domain.organisation import Actor, Permission
from app.queries.user import substitute_options
from app.services.absence import absences_of, end_absence, set_absence
from app.services.sign_in import attempt_sign_in
from app.services.user import change_own_email, change_own_password, own_account
from app.web.edge import actor, network, platform, render_page, unit_of_work
from app.web.forms.absence import away_of
from app.web.forms.people import errors_by_field
from app.web.i18n import translate as _
from app.web.sign_in import carry_sign_in, throttle_of

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
def show_account() -> ResponseReturnValue:
    return _page()


@bp.post("/password")
def change_password() -> ResponseReturnValue:
    form, throttle = request.form, throttle_of(platform().settings)
    current, new = form.get("current", ""), form.get("new", "")
    try:
        if new != form.get("again", ""):
            raise InvalidInput.of("again", "differs", _("两次输入的新密码不一致。"))
        with unit_of_work() as uow:
            changed = change_own_password(uow, current, new, network=network(), throttle=throttle)
            login = own_account(uow).login
    except InvalidInput as error:
        return _page(errors=errors_by_field(error)), 422
    if not changed:
        return _page(errors={"current": _(WrongCredentials.reason)}), 422
    # every sign-in has ended, this one too: whoever holds the new password goes on with a fresh one
    lifetime = timedelta(hours=platform().settings.web.session_hours)
    with unit_of_work(Actor.system("sign-in")) as uow:
        issued = attempt_sign_in(uow, login, new, network=network(), throttle=throttle, lifetime=lifetime)
    session.clear()
    flash(_("密码已更换，其他设备上的登录已失效。"), "good")
    response = make_response(redirect(url_for("account.show_account"), 303))
    if issued is not None:
        carry_sign_in(response, issued, lifetime)
    return response


@bp.post("/absence")
def go_away() -> ResponseReturnValue:
    """Say that one is out of the office, and who stands in."""
    try:
        with unit_of_work() as uow:
            set_absence(uow, **away_of(request.form))
    except InvalidInput as error:
        return _page(errors=errors_by_field(error)), 422
    flash(_("已登记离岗，名下的待审内容按规则转交。"), "good")
    return redirect(url_for("account.show_account"), 303)


@bp.post("/absence/<uuid:absence_id>/end")
def come_back(absence_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        end_absence(uow, absence_id)
    flash(_("欢迎回来，新的内容会重新分给您。"), "good")
    return redirect(url_for("account.show_account"), 303)


@bp.post("/email")
def change_email() -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            change_own_email(uow, request.form.get("email", ""))
    except InvalidInput as error:
        return _page(errors=errors_by_field(error)), 422
    flash(_("通知邮箱已保存。"), "good")
    return redirect(url_for("account.show_account"), 303)


def _page(errors: dict[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        user = own_account(uow)
        decides = actor().may(Permission.REVIEW_DECIDE)
        away = absences_of(uow, user.id) if decides else []
        substitutes = substitute_options(uow.session, except_user=user.id) if decides else []
    return render_page(
        "account/account.html",
        face="phone" if actor().advisor_id is not None else "desk",
        user=user,
        decides=decides,
        away=away,
        substitutes=[("", _("待审最少的同事")), *substitutes],
        errors=errors or {},
    )
