"""`imprimatur up` as a person uses it: started as a process, asked over HTTP, stopped by signals."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import pytest

from app.embedded.postgres import PostgresServer
from app.embedded.valkey import ValkeyServer
from tests.processes import command_of, descendants, eventually, is_alive
from tests.up import Up, the_child, unused_port


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder the servers' account can reach."""
    path = Path(tempfile.mkdtemp(prefix="imprimatur-up-"))
    path.chmod(0o711)
    yield path
    rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """A running one with light children, for the tests that leave it running."""
    up = Up(folder / "shared", "--light", "--demo", "--port", str(unused_port()))
    up.wait_until_ready()
    yield up
    up.end(signal.SIGTERM)


def test_it_prints_an_address_that_answers_and_how_to_log_in(up: Up) -> None:
    assert up.get("/readyz") is not None
    assert "reviewer  wang  password" in up.said


def test_a_second_one_on_the_same_data_is_told_who_holds_it(up: Up) -> None:
    second = Up(up.data.path, "--light")

    assert second.process.wait(60) == 1
    assert "in use by another `imprimatur up`" in second.said
    assert str(up.process.pid) in second.said


def test_a_port_asked_for_and_taken_is_refused(up: Up, folder: Path) -> None:
    second = Up(folder / "taken", "--light", "--port", str(up.port))

    assert second.process.wait(60) == 1
    assert f"Port {up.port} on 127.0.0.1 is taken" in second.said


def test_no_secret_can_be_read_by_others(up: Up) -> None:
    for name in ("keys.json", "running.json", "children.json", "valkey/valkey.conf"):
        assert (up.data.path / name).stat().st_mode & 0o077 == 0, name
    password = up.data.keyring.secret("valkey_password")
    assert not any(password in command_of(pid) for pid in descendants(up.process.pid))


def test_no_server_runs_as_root(up: Up) -> None:
    for server in ("postgres -D", "valkey-server"):
        assert Path("/proc", str(the_child(up, server))).stat().st_uid != 0


@pytest.mark.parametrize("child", ["stand_in web", "stand_in idle", "valkey-server", "postgres -D"])
def test_a_child_that_is_killed_is_started_again(up: Up, child: str) -> None:
    killed = the_child(up, child)

    os.kill(killed, signal.SIGKILL)

    eventually(lambda: any(child in command_of(p) for p in descendants(up.process.pid) - {killed}))
    eventually(lambda: up.get("/readyz"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_data_stays_however_it_was_stopped(folder: Path, number: signal.Signals) -> None:
    data = folder / f"kept-{number.name}"
    first = Up(data, "--light", "--port", str(unused_port()))
    first.wait_until_ready()
    with first.connect() as connection:
        connection.execute("INSERT INTO scan VALUES ('before the stop')")
    first.end(number)

    second = Up(data, "--light", "--port", str(unused_port()))
    second.wait_until_ready()
    with second.connect() as connection:
        rows = connection.execute("SELECT code FROM scan").fetchall()
    second.end(signal.SIGTERM)

    assert rows == [("before the stop",)]


def test_data_stays_when_everything_is_killed_at_once(folder: Path) -> None:
    data = folder / "kept-all-killed"
    first = Up(data, "--light", "--port", str(unused_port()))
    first.wait_until_ready()
    with first.connect() as connection:
        connection.execute("INSERT INTO scan VALUES ('before the crash')")
    for pid in [first.process.pid, *descendants(first.process.pid)]:
        with suppress(ProcessLookupError):  # the death of its parent was faster
            os.kill(pid, signal.SIGKILL)
    first.process.wait()

    second = Up(data, "--light", "--port", str(unused_port()))
    second.wait_until_ready()
    with second.connect() as connection:
        rows = connection.execute("SELECT code FROM scan").fetchall()
    second.end(signal.SIGTERM)

    assert rows == [("before the crash",)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopping_leaves_no_process_of_granian_celery_or_the_servers(
    folder: Path, number: signal.Signals
) -> None:
    up = Up(folder / f"whole-{number.name}", "--port", str(unused_port()))
    up.wait_until_ready()
    family = descendants(up.process.pid)
    commands = " ".join(command_of(pid) for pid in family)
    assert all(name in commands for name in ("granian", "worker", "beat", "postgres", "valkey"))

    status = up.end(number)

    assert status == (0 if number is signal.SIGINT else -signal.SIGKILL)
    eventually(lambda: not any(is_alive(pid) for pid in family))


def test_servers_of_ones_own_are_used_and_none_is_started(
    folder: Path, postgres: PostgresServer, valkey: ValkeyServer
) -> None:
    up = Up(
        folder / "own",
        *("--light", "--port", str(unused_port())),
        env={"IMPRIMATUR_DATABASE_URL": postgres.url, "IMPRIMATUR_BROKER_URL": valkey.url},
    )
    up.wait_until_ready()
    commands = " ".join(command_of(pid) for pid in descendants(up.process.pid))
    up.end(signal.SIGTERM)

    assert "valkey-server" not in commands
    assert "postgres" not in commands


def test_settings_that_cannot_be_are_named(folder: Path) -> None:
    up = Up(
        folder / "faulty",
        *("--light", "--port", str(unused_port())),
        env={"IMPRIMATUR_SESSION_HOURS": "many", "IMPRIMATUR_DATABASE_URL": "sqlite://"},
    )

    assert up.process.wait(60) == 1
    assert "IMPRIMATUR_SESSION_HOURS must be a whole number" in up.said
    assert "IMPRIMATUR_DATABASE_URL must begin with postgresql://" in up.said
