"""Keeps several children alive, and stops them in the reverse order of their start."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Final, Self

from app.embedded.child import Child, describe_exit

Say = Callable[[str], None]

# A child that lived this long was well; its next death is a new story.
_WELL_AFTER_S: Final = 30.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_DEATHS_IN_A_ROW: Final = 6
_PROBE_EVERY_S: Final = 0.1
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Watched:
    child: Child
    started_at: float
    deaths: int = 0
    # When to start it again; `None` while it lives.
    restart_at: float | None = None


class Supervisor:
    """Use it as a context: leaving it, for whatever reason, stops every child.

    SIGINT, SIGTERM and SIGHUP end the `with` block as KeyboardInterrupt, which the supervisor
    swallows: being asked to stop is not an error. A second one while it stops kills what is left.
    """

    def __init__(
        self,
        say: Say,
        *,
        on_change: Callable[[Sequence[Child]], None] = lambda _children: None,
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._say = say
        self._on_change = on_change
        self._first_pause_s = first_pause_s
        self._watched: list[_Watched] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._wake, self._waker = -1, -1

    def __enter__(self) -> Self:
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        for number in _STOP_SIGNALS:
            # `nohup` asks us to outlive the terminal
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._handlers[number] = signal.signal(number, _interrupt)
        # a handler must exist for the signal to reach the pipe that wakes us
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._wake)
        os.close(self._waker)
        return kind is KeyboardInterrupt

    @property
    def children(self) -> list[Child]:
        return [watched.child for watched in self._watched]

    def adopt(self, child: Child) -> None:
        """Watch over a child that runs already."""
        self._watched.append(_Watched(child, time.monotonic()))
        self._on_change(self.children)

    def start(self, child: Child) -> None:
        child.start()
        self.adopt(child)

    def watch(self, *, until: Callable[[], bool] | None = None, timeout_s: float | None = None) -> bool:
        """Keep the children alive until the condition holds; without one, until a signal comes.

        Gives False when the time is up first. Raises ChildFailed when a child keeps dying.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while until is None or not until():
            now = time.monotonic()
            if deadline is not None and now > deadline:
                return False
            for watched in self._watched:
                self._look_after(watched, now)
            pauses = [each.restart_at - now for each in self._watched if each.restart_at is not None]
            if until is not None:
                pauses.append(_PROBE_EVERY_S)
            self._sleep(max(0.0, min(pauses)) if pauses else None)
        return True

    def _look_after(self, watched: _Watched, now: float) -> None:
        child = watched.child
        if watched.restart_at is not None:
            if now >= watched.restart_at:
                child.start()
                watched.started_at, watched.restart_at = now, None
                self._on_change(self.children)
        elif not child.is_alive:
            how = describe_exit(child.exit_status)
            if now - watched.started_at >= _WELL_AFTER_S:
                watched.deaths = 0
            watched.deaths += 1
            if watched.deaths >= _DEATHS_IN_A_ROW:
                raise child.failure(f"died {watched.deaths} times in a row ({how})")
            pause = min(self._first_pause_s * 2 ** (watched.deaths - 1), _LONGEST_PAUSE_S)
            watched.restart_at = now + pause
            self._say(f"{child.name} died ({how}); starting it again in {pause:g} s")

    def _sleep(self, pause_s: float | None) -> None:
        """Sleep until the pause is over or a signal comes, a child's death included."""
        ready, _, _ = select.select([self._wake], [], [], pause_s)
        if ready:
            os.read(self._wake, 4096)

    def _stop(self) -> None:
        try:
            for child in reversed(self.children):
                child.stop()
        except KeyboardInterrupt:
            self._say("Stopping at once")
            for number in _STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            for child in reversed(self.children):
                child.kill()
        self._on_change(self.children)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
