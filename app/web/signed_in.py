"""Who is at the other end of each request, and what they may open."""

from __future__ import annotations

from typing import Final

from flask import Flask, current_app, g, request
from sqlalchemy import select

from app.domain.errors import SignInRequired
from app.domain.organisation import Actor, Permission, Role
from app.models.tenant import Tenant
from app.services.brand import brand_colour
from app.services.sign_in import signed_in
from app.web.brand_sheet import sheet_address
from app.web.edge import DATABASE_GONE, platform

COOKIE: Final = "imprimatur_sign_in"


class CurrentUser:
    """The signed-in person as templates see them."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.name = actor.name
        self.roles = sorted(role.value for role in actor.roles)
        self.is_advisor = actor.advisor_id is not None

    def can(self, permission: str) -> bool:
        return self._actor.may(Permission(permission))


def home_of(actor: Actor) -> str:
    """The page a person starts their day on."""
    if actor.advisor_id is not None:
        return "/today"
    starts = (
        (Role.REVIEWER, "/reviews"),
        (Role.BRAND, "/templates"),
        (Role.OPERATOR, "/board"),
        (Role.BRANCH_HEAD, "/board"),
        (Role.ADMINISTRATOR, "/organisation"),
        (Role.AUDITOR, "/audit"),
    )
    return next((path for role, path in starts if role in actor.roles), "/account")


def register_signed_in(app: Flask) -> None:
    """Find the person by the cookie, and refuse views that are not public without one."""

    @app.before_request
    def _find() -> None:
        if request.endpoint == "static" or request.path.startswith("/api/"):
            return
        token = request.cookies.get(COOKIE)
        if token:
            with platform().unit_of_work(Actor.system("sign-in")) as uow:
                if (found := signed_in(uow, token)) is not None:
                    g.actor, g.tenant = found
        view = current_app.view_functions.get(request.endpoint or "")
        if view is not None and not getattr(view, "is_public", False) and g.get("actor") is None:
            raise SignInRequired

    @app.context_processor
    def _context() -> dict[str, object]:
        actor: Actor | None = g.get("actor")
        found = g.get("tenant") or only_tenant()
        return {
            "tenant": {
                "name": found.name,
                "short_name": found.short_name,
                "hotline": found.hotline,
                "brand_sheet": sheet_address(brand_colour(found)),
            }
            if found
            else {"name": "印信", "short_name": "印信", "hotline": "", "brand_sheet": sheet_address(None)},
            "current_user": CurrentUser(actor) if actor else None,
        }


def only_tenant() -> Tenant | None:
    """The tenant a page belongs to when nobody is signed in: known where there is exactly one.

    Nor is it known while the database is gone: a page that says so is drawn without a name.
    """
    if g.get("database_gone"):
        return None
    try:
        with platform().sessions() as session:
            tenants = session.scalars(select(Tenant).limit(2)).all()
    except DATABASE_GONE:
        g.database_gone = True
        return None
    only = tenants[0] if len(tenants) == 1 else None
    g.tenant = only
    return only
