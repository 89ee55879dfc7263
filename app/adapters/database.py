"""The way to PostgreSQL: one engine a process, one session a unit of work."""

from __future__ import annotations

import select
import time
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from app.settings import DatabaseSettings

CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 10
# A session that opened a transaction and went silent would hold its locks for ever.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
# Shorter than the idle time-outs of common firewalls, so a pooled connection is seldom a dead one.
RECYCLE_S = 1800
# A connection that rested longer is asked whether it still leads anywhere: a server whose whole
# machine is gone says no goodbye.
TRUSTED_REST_S = 5.0
_RESTED_SINCE: Final = "rested_since"


def build_engine(database: DatabaseSettings, *, application_name: str = "imprimatur") -> Engine:
    """Make the engine; nothing connects before the first use.

    Build it after a fork, never before: two processes must not share a connection.
    """
    session_options = {
        "timezone": "UTC",
        "statement_timeout": f"{database.statement_timeout_ms}ms",
        "lock_timeout": f"{database.lock_timeout_ms}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_TIMEOUT_MS}ms",
    }
    engine = create_engine(
        database.url,
        pool_size=database.pool_size,
        max_overflow=database.pool_overflow,
        pool_timeout=POOL_WAIT_S,
        pool_recycle=RECYCLE_S,
        connect_args={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": " ".join(f"-c {name}={value}" for name, value in session_options.items()),
        },
    )
    _give_out_living_connections(engine)
    return engine


def _give_out_living_connections(engine: Engine) -> None:
    """Replace a connection whose server is gone before anybody works on it.

    The pool's own pre-ping sends a statement each time a connection is taken, three or four for each
    page of the public edge. A server that stops, or is killed, closes its sockets, and that can be
    seen without asking: nothing may wait to be read on a connection at rest.
    """

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info[_RESTED_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _require_alive(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_RESTED_SINCE)
        if since is None or (time.monotonic() - since < TRUSTED_REST_S and _is_quiet(connection)):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # whatever took this one took all that were opened before
            raise InvalidatePoolError from error


def _is_quiet(connection: Any) -> bool:
    """Whether nothing waits to be read: no last words of the server, no end of the line."""
    if connection.closed:
        return False
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return not watch.poll(0)


def build_sessionmaker(engine: Engine) -> sessionmaker[Session]:
    """Make the factory of sessions.

    Objects keep their loaded values after the commit, so that a page can be drawn from them
    without asking the database again.
    """
    return sessionmaker(engine, expire_on_commit=False)
