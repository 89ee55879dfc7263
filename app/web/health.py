"""Is this process alive, and is the platform ready."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.ports import ObjectStoreUnavailable
from app.web.edge import platform, public

bp = Blueprint("health", __name__)


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
