"""The way to PostgreSQL: one engine a process, one session a unit of work."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from app.settings import DatabaseSettings

CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 10
# A session that opened a transaction and went silent would hold its locks for ever.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
# Shorter than the idle time-outs of common firewalls, so a pooled connection is seldom a dead one.
RECYCLE_S = 1800


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
    return create_engine(
        database.url,
        pool_size=database.pool_size,
        max_overflow=database.pool_overflow,
        pool_timeout=POOL_WAIT_S,
        pool_recycle=RECYCLE_S,
        pool_pre_ping=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": " ".join(f"-c {name}={value}" for name, value in session_options.items()),
        },
    )


def build_sessionmaker(engine: Engine) -> sessionmaker[Session]:
    """Make the factory of sessions.

    Objects keep their loaded values after the commit, so that a page can be drawn from them
    without asking the database again.
    """
    return sessionmaker(engine, expire_on_commit=False)
