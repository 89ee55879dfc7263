"""What every view needs: the platform, the person at the other end, a unit of work, a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import Response, current_app, g, make_response, render_template, request
from jinja2_fragments.flask import render_block
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.domain.errors import SignInRequired
from app.domain.organisation import Actor
from app.domain.tracking import Hit, truncated_ip
from app.services.tracking import Caller
from app.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from app.bootstrap import Platform

EXTENSION: Final = "imprimatur"
STATIC: Final = Path(__file__).parent / "static"
# The visits this browser made, for as long as it stays open.
VISIT_COOKIE: Final = "visit"
# Somebody of the institution once signed in here, so what this browser opens is no customer's.
STAFF_COOKIE: Final = "of_staff"
STAFF_COOKIE_AGE_S: Final = 180 * 24 * 3600
# How browsers say that a page is fetched without being shown.
_PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
# Unreachable, restarting, out of connections, or a lock that took too long: all of it passes.
DATABASE_GONE: Final = (OperationalError, PoolExhausted)
View = TypeVar("View", bound=Callable[..., Any])


def platform() -> Platform:
    found: Platform = current_app.extensions[EXTENSION]
    return found


def public(view: View) -> View:
    """Mark a view that needs no sign-in; every other view is refused without one."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def actor() -> Actor:
    """The person signed in; raises SignInRequired."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise SignInRequired
    return found


def unit_of_work(by: Actor | None = None) -> UnitOfWork:
    """A unit of work in the name of the person signed in, or of a named system duty."""
    return platform().unit_of_work(by or actor())


def caller() -> Caller:
    """The visitor of a public page, cropped to what counting needs."""
    return Caller(
        hit=Hit.cropped(
            method=request.method,
            user_agent=request.headers.get("User-Agent"),
            purpose=next(filter(None, map(request.headers.get, _PURPOSES)), None),
            signed_in=g.get("actor") is not None,
            of_staff=STAFF_COOKIE in request.cookies,
        ),
        address=request.remote_addr,
        carried_tokens=tuple(filter(None, request.cookies.get(VISIT_COOKIE, "")[:400].split("."))),
    )


def network() -> str:
    return truncated_ip(request.remote_addr)


def render_page(page: str, *, block: str | None = None, **context: Any) -> Response:
    """A whole page, or only its named block where htmx asked for a part of it."""
    if block is not None and request.headers.get("HX-Request") == "true":
        response = make_response(render_block(page, block, **context))
    else:
        response = make_response(render_template(page, **context))
    response.headers.setdefault("Cache-Control", "no-store")
    response.vary.add("HX-Request")
    return response


def static_url(path: str) -> str:
    """A static file's address with its content's mark, so that it may be cached for ever."""
    return f"/static/{path}?v={_mark(path)}"


@cache
def _mark(path: str) -> str:
    return sha256((STATIC / path).read_bytes()).hexdigest()[:10]
