"""One line for each request, under an id that the answer carries too."""

from __future__ import annotations

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("request")
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def register_request_log(app: Flask) -> None:
    """Bind the request's id to every log line it causes."""

    @app.before_request
    def _begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _SAFE_ID.fullmatch(given) else uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if request.endpoint != "static":
            log.info(
                "answered",
                method=request.method,
                # the rule, not the path: codes and tokens do not belong into logs
                rule=str(request.url_rule or "-"),
                status=response.status_code,
                took_ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
            )
        return response
