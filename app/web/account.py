"""One's own account: who I am here, and my password."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput, WrongCredentials
from app.domain.organisation import Actor
from app.services.sign_in import attempt_sign_in
from app.services.user import change_own_email, change_own_password, own_account
from app.web.edge import actor, network, platform, render_page, unit_of_work
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
    return render_page(
        "account/account.html",
        face="phone" if actor().advisor_id is not None else "desk",
        user=user,
        errors=errors or {},
    )
