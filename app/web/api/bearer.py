"""Who a machine speaks for: the token in its Authorization header, and nothing else."""

from __future__ import annotations

from flask import current_app, g, request

from app.domain.errors import TokenRequired
from app.domain.organisation import Actor
from app.services.sign_in import token_actor
from app.web.edge import platform


def carried_token() -> str:
    """The token of this request. Raises TokenRequired."""
    carried = request.authorization
    if carried is None or carried.type != "bearer" or not carried.token:
        raise TokenRequired
    return carried.token


def require_token() -> None:
    """Find the person behind the token. Cookies are not looked at, so no page can act here."""
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "is_public", False):
        return
    with platform().unit_of_work(Actor.system("sign-in")) as uow:
        g.actor = token_actor(uow, carried_token())
    if g.actor is None:
        raise TokenRequired
