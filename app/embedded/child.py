"""One child process: started in a group of its own, watched, and stopped with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.embedded.account import Account
from app.embedded.errors import ChildFailed

_PR_SET_PDEATHSIG: Final = 1
_POLL_S: Final = 0.03
_TAIL_BYTES: Final = 2000
_LOG_KEPT_BYTES: Final = 10 * 1024 * 1024
# Loaded before any fork: the child may not load libraries between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to start and how to end it."""

    # What the person at the terminal calls it.
    name: str
    command: tuple[str, ...]
    # Everything it writes goes here, appended.
    log: Path
    env: Mapping[str, str]
    cwd: Path | None = None
    # The account to change to; `None` keeps ours.
    account: Account | None = None
    # Asks it to finish; after `grace_s` its whole group is killed.
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10
    # The kernel sends this when we die without stopping it, even by `kill -9` (Linux).
    orphan_signal: signal.Signals = signal.SIGTERM


class Child:
    """A process by its specification; it can be started again after it died."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """The process id while it is known, also after the process died."""
        return None if self._process is None else self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As `subprocess` reports it; `None` while it lives or before it was started."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process, after removing what an earlier run of it may have left."""
        self.kill()
        spec = self.spec
        spec.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _set_aside_long_log(spec.log)
        with spec.log.open("ab") as output:
            # A session of its own: Ctrl-C at the terminal reaches the supervisor alone, and the
            # whole family can be signalled as one group.
            self._process = subprocess.Popen(
                spec.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=spec.cwd,
                env=dict(spec.env),
                start_new_session=True,
                user=None if spec.account is None else spec.account.uid,
                group=None if spec.account is None else spec.account.gid,
                extra_groups=None if spec.account is None else [],
                # safe here: we start children from a single-threaded supervisor
                preexec_fn=_die_with_parent(spec.orphan_signal),  # noqa: PLW1509
            )

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float = 60) -> None:
        """Return once `ready` says so; stop the process and raise ChildFailed otherwise."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.is_alive:
                status = self.exit_status
                self.kill()
                raise self.failure(f"ended while starting ({describe_exit(status)})")
            if time.monotonic() > deadline:
                self.stop()
                raise self.failure(f"was not ready after {timeout_s:.0f} s")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Ask the process to finish, wait its grace, then kill whatever is left of its group."""
        if self._process is not None and self.is_alive:
            self._process.send_signal(self.spec.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self.spec.grace_s)
        self.kill()

    def kill(self) -> None:
        """End the process and everything left in its group, now."""
        if self._process is None:
            return
        kill_group(self._process.pid)
        self._process.wait()

    def failure(self, what: str) -> ChildFailed:
        return ChildFailed(self.name, what, self.spec.log, self.log_tail())

    def log_tail(self) -> str:
        """The last lines it wrote."""
        try:
            with self.spec.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode(errors="replace").strip()
        except FileNotFoundError:
            return ""


def describe_exit(status: int | None) -> str:
    """Say an exit status as a person would."""
    if status is None:
        return "still running"
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def kill_group(pid: int) -> None:
    """Kill every process of a group; nothing happens when none is left."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # macOS answers EPERM for a group of zombies
        return


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def end_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, however that happens (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec, so that no crash of ours leaves it behind."""
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_the_kernel


def _set_aside_long_log(log: Path) -> None:
    """Keep one earlier log, so that a long life does not fill the disk."""
    try:
        if log.stat().st_size > _LOG_KEPT_BYTES:
            log.replace(log.with_name(log.name + ".1"))
    except FileNotFoundError:
        return
