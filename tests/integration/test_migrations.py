"""The schema: made from nothing and unmade again by a plain role, and the same as the models say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

import migrations
from app.bootstrap import migrate
from app.embedded.postgres import PostgresServer
from app.models import Base
from app.settings import Settings
from tests.conftest import administer, named, settings_for


@pytest.fixture
def empty(postgres: PostgresServer, tmp_path: Path) -> Iterator[Settings]:
    """Settings for a database with nothing in it, of the platform's own role."""
    name = f"m{uuid4().hex[:12]}"
    administer(postgres, f'CREATE DATABASE {name} OWNER "{make_url(postgres.url).username}"')
    yield settings_for(named(postgres.url, name), tmp_path)
    administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def connection(empty: Settings) -> Iterator[Connection]:
    engine = create_engine(empty.database.url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def script(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def test_the_migrations_form_one_line(connection: Connection) -> None:
    assert len(ScriptDirectory.from_config(script(connection)).get_heads()) == 1


def test_the_migrated_schema_is_the_one_the_models_describe(empty: Settings, connection: Connection) -> None:
    migrate(empty)

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        # the partitions of event and what hangs on them belong to no model
        return not (kind == "table" and name is not None and name.startswith("event_"))

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_name": ours, "target_metadata": Base.metadata}
    )
    assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(empty: Settings) -> None:
    migrate(empty)
    migrate(empty)


def test_every_migration_can_be_undone(empty: Settings, connection: Connection) -> None:
    migrate(empty)
    command.downgrade(script(connection), "base")
    left = text(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND relkind IN ('r', 'p', 'v', 'S') AND relname <> 'alembic_version'"
        " UNION ALL SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'public'"
    )
    assert connection.scalars(left).all() == []
    command.upgrade(script(connection), "head")


def test_the_role_that_migrates_is_no_superuser(connection: Connection) -> None:
    role = text("SELECT rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    assert connection.scalar(role) is False
