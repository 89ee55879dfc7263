"""Log in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, g, make_response, redirect, request, session
from flask.typing import ResponseReturnValue

from app.domain.errors import TooManyAttempts, WrongCredentials
from app.domain.organisation import Actor
from app.embedded.demo.logins import DemoLogin, demo_logins
from app.services.sign_in import Issued, Throttle, attempt_sign_in, sign_out, signed_in
from app.settings import Environment, Settings
from app.web.edge import STAFF_COOKIE, STAFF_COOKIE_AGE_S, network, platform, public, render_page
from app.web.errors import said
from app.web.i18n import translate as _
from app.web.signed_in import COOKIE, home_of

bp = Blueprint("sign_in", __name__)


def throttle_of(settings: Settings) -> Throttle:
    return Throttle(settings.login.max_failures, settings.login.window_s)


def safe_target(target: str | None) -> str | None:
    """A path of our own to go on to after login, or None for anything else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(sign) < 0x20 for sign in target):  # noqa: PLR2004
        return None
    return target


@bp.get("/login")
@public
def show_login() -> ResponseReturnValue:
    return _page(next=safe_target(request.args.get("next")))


@bp.post("/login")
@public
def log_in() -> ResponseReturnValue:
    settings = platform().settings
    login = request.form.get("login", "")
    target = safe_target(request.form.get("next"))
    lifetime = timedelta(hours=settings.web.session_hours)
    home = None
    try:
        with platform().unit_of_work(Actor.system("sign-in")) as uow:
            issued = attempt_sign_in(
                uow,
                login,
                request.form.get("password", ""),
                network=network(),
                throttle=throttle_of(settings),
                lifetime=lifetime,
            )
            if issued is not None:
                uow.session.flush()
                found = signed_in(uow, issued.token)
                home = home_of(found[0]) if found else "/"
    except TooManyAttempts as error:
        answer = _page(login=login, error=said(error), next=target)
        answer.headers["Retry-After"] = str(error.data["retry_after_s"])
        return answer, 429
    if issued is None:
        return _page(login=login, error=said(WrongCredentials()), next=target), 401
    # nothing of the anonymous session outlives the login
    session.clear()
    old = request.cookies.get(COOKIE)
    if old:
        with platform().unit_of_work(Actor.system("sign-in")) as uow:
            sign_out(uow, old)
    response = make_response(redirect(target or home or "/", 303))
    carry_sign_in(response, issued, lifetime)
    return response


def carry_sign_in(response: Response, issued: Issued, lifetime: timedelta) -> None:
    """Hand a fresh sign-in to the browser, out of every script's reach."""
    response.set_cookie(
        COOKIE,
        issued.token,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        secure=platform().settings.web.cookie_secure,
        samesite="Lax",
    )
    response.set_cookie(
        STAFF_COOKIE,
        "1",
        max_age=STAFF_COOKIE_AGE_S,
        httponly=True,
        secure=platform().settings.web.cookie_secure,
        samesite="Lax",
    )


@bp.post("/logout")
@public
def log_out() -> ResponseReturnValue:
    token = request.cookies.get(COOKIE)
    if token:
        with platform().unit_of_work(Actor.system("sign-in")) as uow:
            sign_out(uow, token)
    session.clear()
    flash(_("已退出登录。"), "good")
    response = make_response(redirect("/login", 303))
    response.delete_cookie(COOKIE)
    return response


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    found: Actor | None = g.get("actor")
    return redirect(home_of(found) if found else "/login", 303)


def _page(**context: Any) -> Response:
    return render_page("login.html", demo_logins=_demo_logins(), **context)


def _demo_logins() -> tuple[DemoLogin, ...]:
    """Logins everybody may know: shown in embedded mode alone, and only where there is a demo."""
    if platform().settings.environment is not Environment.EMBEDDED:
        return ()
    with platform().sessions() as session:
        return demo_logins(session)
