"""Log lines as JSON for machines or in columns for people, never with secrets."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from app.settings import LogFormat, LogSettings

_SECRET_WORDS: Final = ("password", "secret", "token", "cookie", "authorization", "phone")


def configure_logging(settings: LogSettings) -> None:
    """Send structlog and the standard library's loggers through one chain."""
    level = getattr(logging, settings.level.value.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s", force=False)
    for noisy in ("fontTools", "PIL"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # Its warnings are how the renderer learns that a style was not understood: they are kept from
    # the log, never from the renderer.
    logging.getLogger("weasyprint").propagate = False


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "•••"
    return event
