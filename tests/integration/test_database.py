"""The engine, against a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from app.adapters.database import build_engine
from app.embedded.postgres import PostgresServer
from app.settings import DatabaseSettings


@pytest.fixture
def engine(postgres: PostgresServer) -> Iterator[Engine]:
    engine = build_engine(
        DatabaseSettings(
            url=postgres.url.replace("postgresql:", "postgresql+psycopg:"),
            pool_size=1,
            pool_overflow=1,
            statement_timeout_ms=200,
            lock_timeout_ms=100,
        )
    )
    yield engine
    engine.dispose()


def test_a_statement_that_takes_too_long_is_ended(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(60)"))


def test_a_statement_that_waits_too_long_for_a_lock_gives_up(engine: Engine) -> None:
    with engine.connect() as holder, engine.connect() as waiter:
        holder.execute(text("SELECT pg_advisory_xact_lock(1)"))

        with pytest.raises(OperationalError, match="lock timeout"):
            waiter.execute(text("SELECT pg_advisory_xact_lock(1)"))


def test_times_are_utc(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"


def test_the_platforms_role_is_bound_by_row_level_security(engine: Engine) -> None:
    with engine.connect() as connection:
        role = connection.execute(
            text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()

    assert tuple(role) == (False, False)


def test_a_connection_that_the_server_ended_is_replaced_before_anybody_works_on_it(
    engine: Engine, postgres: PostgresServer
) -> None:
    backend = text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        ended = connection.scalar(backend)
    other = create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with other.connect() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": ended})

    with engine.connect() as connection:
        assert connection.scalar(backend) != ended
