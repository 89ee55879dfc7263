"""What every test may ask for: a platform on a fresh database, its clock, a browserless client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, make_url, text

from app.adapters.object_store.filesystem import FilesystemObjectStore
from app.bootstrap import Platform, build_platform, migrate
from app.domain.organisation import Role
from app.embedded.postgres import PostgresServer
from app.factory import create_app
from app.services.shelf import TemplateShelf
from app.settings import Settings
from templates_lib.catalog import Catalog
from tests.audited import watch_the_trail
from tests.designs import small_library
from tests.factories import House
from tests.fakes import BlankReader, FixedClock, MemoryObjectStore, RecordingTaskQueue

pytest_plugins = ["tests.servers", "tests.live"]

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SECRET = "a secret of the tests, long enough for them"

_QUICK = {"architecture", "unit"}
_LONG = {
    "test_story_in_a_browser.py",
    "test_campaign.py",
    "test_demo.py",
    "test_gate_machine.py",
    "test_gate_faults.py",
    "test_accessibility.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick ones first, then what takes minutes: left to the end, one process would wait for it."""
    items.sort(key=lambda item: (_QUICK.isdisjoint(item.path.parts), item.path.name not in _LONG))


def settings_for(database_url: str, data_dir: Path, **more: str) -> Settings:
    """Settings as a process would read them, with the tests' own servers."""
    return Settings.from_env(
        {
            "IMPRIMATUR_ENVIRONMENT": "embedded",
            "IMPRIMATUR_DATABASE_URL": database_url,
            "IMPRIMATUR_BROKER_URL": "redis://127.0.0.1:1/0",
            "IMPRIMATUR_SECRET_KEY": SECRET,
            "IMPRIMATUR_DATA_DIR": str(data_dir),
            "IMPRIMATUR_PUBLIC_URL": "http://imprimatur.test",
            "IMPRIMATUR_LOG_LEVEL": "error",
            # a busy machine holds a row for longer than people would be kept waiting
            "IMPRIMATUR_DATABASE_LOCK_TIMEOUT_MS": "30000",
            **more,
        }
    )


def named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def administer(postgres: PostgresServer, *statements: str) -> None:
    engine = create_engine(
        named(postgres.superuser_url, "postgres").replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated, empty database from which each test's own is cloned."""
    owner = make_url(postgres.url).username
    administer(postgres, f'CREATE DATABASE pattern OWNER "{owner}"')
    migrate(settings_for(named(postgres.url, "pattern"), tmp_path_factory.mktemp("migrate")))
    return "pattern"


@contextmanager
def fresh_database(postgres: PostgresServer, pattern: str) -> Iterator[str]:
    """The address of a migrated database that is gone afterwards."""
    name = f"t{uuid4().hex[:12]}"
    owner = make_url(postgres.url).username
    # its files are copied in a fraction of the time that writing them through the log takes
    administer(postgres, f'CREATE DATABASE {name} TEMPLATE {pattern} OWNER "{owner}" STRATEGY FILE_COPY')
    yield named(postgres.url, name)
    administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: PostgresServer, migrated: str) -> Iterator[str]:
    """A database of this test's own: rows are never removed here, so none is shared."""
    with fresh_database(postgres, migrated) as url:
        yield url


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def queue() -> RecordingTaskQueue:
    return RecordingTaskQueue()


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def reader() -> BlankReader:
    return BlankReader()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> TemplateShelf:
    """The library, compiled once for all tests: a compiled design never changes."""
    folder = tmp_path_factory.getbasetemp()
    # processes that test side by side show each other what they found out
    shared = folder if worker_id == "master" else folder.parent
    return TemplateShelf(Catalog(), store=FilesystemObjectStore(shared / "designs"))


@pytest.fixture
def platform(
    database_url: str,
    tmp_path: Path,
    clock: FixedClock,
    queue: RecordingTaskQueue,
    store: MemoryObjectStore,
    shelf: TemplateShelf,
    reader: BlankReader,
) -> Iterator[Platform]:
    """The platform on a real database, with a clock that stands still and a queue that remembers.

    Whatever a test lets it do is watched: a change without its entry in the trail fails the test.
    """
    built = build_platform(
        settings_for(database_url, tmp_path), store=store, queue=queue, clock=clock, reader=reader
    )
    built.__dict__["surroundings"] = replace(built.surroundings, shelf=shelf)
    watch_the_trail(built.sessions)
    yield built
    built.engine.dispose()


@pytest.fixture
def house(platform: Platform) -> House:
    """An institution with its people and released templates; see tests/factories.py."""
    return House.build(platform)


def put_on_shelf(platform: Platform, folder: Path) -> None:
    """Put the one small design in place of the whole library."""
    shelf = TemplateShelf(Catalog(small_library(folder / "library")))
    platform.__dict__["surroundings"] = replace(platform.surroundings, shelf=shelf)


@pytest.fixture(scope="module")
def standing_house(
    postgres: PostgresServer, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """An institution with one small design, shared by a module's tests that do not mind each other."""
    with fresh_database(postgres, migrated) as url:
        built = build_platform(
            settings_for(url, tmp_path_factory.mktemp("standing")),
            store=MemoryObjectStore(),
            queue=RecordingTaskQueue(),
            clock=FixedClock(NOW),
            reader=BlankReader(),
        )
        watch_the_trail(built.sessions)
        put_on_shelf(built, tmp_path_factory.mktemp("designs"))
        yield House.build(built)
        built.engine.dispose()


@pytest.fixture
def small_house(platform: Platform, tmp_path: Path) -> House:
    """A house with one design that is drawn in no time, and a person who makes and reviews: "both"."""
    put_on_shelf(platform, tmp_path)
    house = House.build(platform)
    both = house.person("both", Role.REVIEWER, "/HQ/")
    house.people["both"] = replace(both, grants=(*both.grants, *house.people["operator"].grants))
    return house


@pytest.fixture
def client(platform: Platform) -> FlaskClient:
    app = create_app(platform=platform)
    app.config["WTF_CSRF_ENABLED"] = False  # tests of CSRF turn it on; all others are about something else
    return app.test_client()


@pytest.fixture
def count_queries(platform: Platform) -> Callable[[Callable[[], object]], int]:
    """How many statements an act sends to the database: a list may not ask once for each row."""

    def counted(act: Callable[[], object]) -> int:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            if "pg_current_xact_id_if_assigned" not in statement:  # what the tests ask at each commit
                statements.append(statement)

        event.listen(platform.engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(platform.engine, "before_cursor_execute", note)
        return len(statements)

    return counted
