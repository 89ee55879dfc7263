"""Is this process alive, is the platform ready, and the tenant's colours."""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, g, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.ports import ObjectStoreUnavailable
from app.web.edge import platform, public
from app.web.own_face import own_faces
from app.web.signed_in import only_tenant

bp = Blueprint("health", __name__)
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_TOKEN: Final = re.compile(r"brand(?:-[a-z]+)*")


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return jsonify(status="alive")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """The database and the store answer too."""
    parts = {"database": "ready", "store": "ready"}
    try:
        with platform().sessions() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
    except SQLAlchemyError:
        parts["database"] = "unavailable"
    try:
        platform().store.check()
    except ObjectStoreUnavailable:
        parts["store"] = "unavailable"
    ready = set(parts.values()) == {"ready"}
    return jsonify(status="ready" if ready else "unavailable", **parts), 200 if ready else 503


@bp.get("/brand.css")
@public
def brand_css() -> ResponseReturnValue:
    """The tenant's colour tokens over the default sheet; only colours can come through.

    And faces of our own, where the device may have no Chinese one.
    """
    tenant = g.get("tenant") or only_tenant()
    tokens = tenant.brand_tokens if tenant else {}
    lines = [
        f"  --{name}: {value};"
        for name, value in sorted(tokens.items())
        if _TOKEN.fullmatch(name) and isinstance(value, str) and _COLOUR.fullmatch(value)
    ]
    sheet = ":root {\n" + "\n".join(lines) + "\n}\n"
    response = make_response(sheet + own_faces(request.user_agent.string))
    response.mimetype = "text/css"
    response.headers["Cache-Control"] = "private, max-age=60"
    response.vary.add("User-Agent")
    return response
