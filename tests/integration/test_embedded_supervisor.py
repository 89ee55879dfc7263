"""Children and their supervisor, with small processes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from app.embedded.account import Account, reachable_programs, server_folder
from app.embedded.child import Child, ChildSpec
from app.embedded.errors import ChildFailed, EmbeddedUnavailable
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.embedded.supervisor import Supervisor
from app.embedded.valkey import start_valkey
from tests.processes import eventually, is_alive


def python_child(folder: Path, program: str, *, grace_s: float = 10) -> Child:
    return Child(
        ChildSpec(
            name="Web",
            command=(sys.executable, "-c", program),
            log=folder / "web.log",
            env={"PATH": "/usr/bin:/bin"},
            grace_s=grace_s,
        )
    )


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    said: list[str] = []

    with Supervisor(said.append, first_pause_s=0.01) as supervisor:
        supervisor.start(python_child(tmp_path, "raise SystemExit('the disk is full')"))
        with pytest.raises(ChildFailed, match="died 6 times in a row") as given_up:
            supervisor.watch()

    assert "the disk is full" in str(given_up.value)
    assert len(said) == 5


def test_children_stop_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    order = tmp_path / "order"
    program = """
import signal, sys
def leave(*_):
    with open({order!r}, "a") as file: file.write({name!r})
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
signal.pause()
"""
    with Supervisor(print) as supervisor:
        for name in ("database", "worker"):
            child = python_child(tmp_path, program.format(order=str(order), name=f"{name} "))
            supervisor.start(child)
            child.wait_until(lambda: "ready" in child.log_tail())  # noqa: B023
            child.spec.log.unlink()

    assert order.read_text() == "worker database "


def test_being_told_to_stop_is_not_an_error(tmp_path: Path) -> None:
    with Supervisor(print) as supervisor:
        child = python_child(tmp_path, "import signal; signal.pause()")
        supervisor.start(child)
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.watch()

    assert not child.is_alive


def test_a_child_deaf_to_its_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = python_child(
        tmp_path,
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); signal.pause()",
        grace_s=0.1,
    )
    child.start()
    child.wait_until(lambda: "deaf" in child.log_tail())

    child.stop()

    assert child.exit_status == -signal.SIGKILL


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    child = python_child(
        tmp_path,
        "import subprocess, sys, signal\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(p.pid, flush=True); signal.pause()",
    )
    child.start()
    child.wait_until(lambda: child.log_tail() != "")
    grandchild = int(child.log_tail())

    child.stop()

    eventually(lambda: not is_alive(grandchild))


def test_a_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"

    first = Keyring(path).secret("secret_key")

    assert Keyring(path).secret("secret_key") == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_secrets_differ(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.json")

    assert keyring.secret("one") != keyring.secret("two")


def test_without_a_bundled_postgres_one_is_told_to_name_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(EmbeddedUnavailable, match="export IMPRIMATUR_DATABASE_URL=postgresql://"):
        start_postgres(tmp_path / "pg", keyring=Keyring(tmp_path / "keys"), log=tmp_path / "log")


def test_without_a_bundled_valkey_one_is_told_to_name_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(EmbeddedUnavailable, match="export IMPRIMATUR_BROKER_URL=redis://"):
        start_valkey(tmp_path / "valkey", keyring=Keyring(tmp_path / "keys"), log=tmp_path / "log")


@pytest.fixture
def closed_folder(tmp_path: Path) -> Path:
    """A folder nobody but its owner may enter, such as root's home."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def test_an_ordinary_user_keeps_the_servers_files_where_asked(closed_folder: Path) -> None:
    assert server_folder(closed_folder / "postgres", None) == closed_folder / "postgres"


def test_programs_are_copied_with_their_places_to_each_other(closed_folder: Path, server_dir: Path) -> None:
    (closed_folder / "server" / "bin").mkdir(parents=True)
    (closed_folder / "server" / "bin" / "postgres").write_text("program")
    (closed_folder / "server.libs").mkdir()
    (closed_folder / "server.libs" / "libpq.so").write_text("library")

    copy = reachable_programs(
        closed_folder, ("server", "server.libs"), server_dir / "copies", Account(65534, 65534)
    )

    assert copy == server_dir / "copies"
    assert (copy / "server" / "bin" / "postgres").read_text() == "program"
    assert (copy / "server.libs" / "libpq.so").read_text() == "library"


def test_programs_that_can_be_reached_are_used_where_they_are(server_dir: Path) -> None:
    account = Account(65534, 65534)

    assert reachable_programs(server_dir, ("server",), server_dir / "unused", account) == server_dir
