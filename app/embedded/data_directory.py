"""The data directory of one `imprimatur up`: who holds it, what runs on it, where things lie."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.embedded.account import server_account
from app.embedded.child import Child, kill_group
from app.embedded.errors import DataDirectoryBusy, EmbeddedError
from app.embedded.keyring import Keyring

_ORPHAN_GRACE_S: Final = 10
# Ours alone; only where the servers have an account of their own must it be able to pass through.
_PRIVATE: Final = 0o700
_PASSABLE: Final = 0o711


class DataDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.path / "keys.json")

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def beat_schedule(self) -> Path:
        return self.path / "beat-schedule"

    def emptied_metrics(self) -> Path:
        """Where the web processes leave their figures for each other, cleared of an earlier run's."""
        folder = self.path / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def log(self, name: str) -> Path:
        return self.path / "log" / f"{name.lower()}.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other `up` away from this directory, and clear away what a killed one left.

        The lock is the kernel's, so a `kill -9` releases it. Raises DataDirectoryBusy.
        """
        try:
            self.path.mkdir(
                mode=_PRIVATE if server_account() is None else _PASSABLE, parents=True, exist_ok=True
            )
            file = (self.path / "lock").open("a+", encoding="ascii")
        except PermissionError as error:
            raise EmbeddedError(f"{self.path} belongs to another user: {error.strerror}") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                pid = file.read().strip()
                raise DataDirectoryBusy(self.path, f" (process {pid})" if pid else "") from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._end_orphans()
            try:
                yield
            finally:
                self._running.unlink(missing_ok=True)
                file.truncate(0)

    def note_children(self, children: Sequence[Child]) -> None:
        """Write down what runs, so that a later `up` can end it if we cannot."""
        noted = {
            str(child.pid): _started_at(child.pid)
            for child in children
            if child.pid is not None and child.is_alive
        }
        _write_private(self._children, json.dumps(noted))

    def publish(self, environ: Mapping[str, str]) -> None:
        """Let other commands on this machine use the running servers."""
        _write_private(self._running, json.dumps(dict(environ)))

    def running_environ(self) -> dict[str, str] | None:
        """The variables of the `up` that runs on this directory; `None` when none runs."""
        try:
            with (self.path / "lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
        except FileNotFoundError:
            return None
        except BlockingIOError:
            pass
        try:
            environ = json.loads(self._running.read_text(encoding="utf-8"))
        except (FileNotFoundError, PermissionError, ValueError):
            return None
        return {str(name): str(value) for name, value in environ.items()}

    @property
    def _children(self) -> Path:
        return self.path / "children.json"

    @property
    def _running(self) -> Path:
        return self.path / "running.json"

    def _end_orphans(self) -> None:
        """End what an earlier run left, when it was killed together with the kernel's help.

        Usually the kernel has already asked the children to finish (see `child.py`) and they are
        about to; this waits for them. A group whose leader is gone still bears the leader's
        number, and no new process gets that number while the group lives.
        """
        try:
            noted = json.loads(self._children.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return
        pids = [
            int(pid)
            for pid, started in noted.items()
            if _group_lives(int(pid)) and _started_at(int(pid)) in {started, None}
        ]
        for pid in pids:
            _signal_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + _ORPHAN_GRACE_S
        while any(_group_lives(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in pids:
            kill_group(pid)
        self._children.unlink()


def _started_at(pid: int | None) -> str | None:
    """When a process began, in whatever form this system tells; `None` when it is gone."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path("/proc", str(pid), "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        # the name in parentheses may hold anything; what follows the last one is numbers
        return stat.rpartition(")")[2].split()[19]
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return listed.stdout.strip() or None


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _write_private(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
