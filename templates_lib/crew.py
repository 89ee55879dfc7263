"""Processes that share out a long list of jobs, each made ready once.

Pango and PDFium bear neither two threads nor a fork after use, so every worker is forked from a server
that has read in what all will need and used nothing of it. It talks to us through a pipe that nobody
else holds: when either of us is gone, however suddenly, the other notices at once. No worker outlives
its crew by more than the jobs in its hand.
"""

import gc
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Final, Generic, TypeVar

# One job in work and the next at hand: nobody waits, and no long list stands in memory.
AT_HAND: Final = 2
PATIENCE_S: Final = 120.0
FORKED: Final = get_context("forkserver")
_READY: Final = "ready"
_MOST_TRIES: Final = 2
_GRACE_S: Final = 10.0

J = TypeVar("J")
R = TypeVar("R")


def read_in_ahead(*modules: str) -> None:
    """Let the server read these in, once for all who are forked from it; too late once it has begun."""
    FORKED.set_forkserver_preload(list(modules))


class CrewStopped(RuntimeError):
    """A worker met what concerns all jobs alike: no space is left, or it cannot be made ready.

    A job may raise it, or a kind of its own with one message; it then ends the whole.
    """


class WorkerDefect(RuntimeError):
    """A worker met an error that nobody foresaw; the message is its traceback."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came: the process that had the job died of it, or was given up, twice."""


def share_out(
    prepare: Callable[[], Callable[[J], R]],
    jobs: Iterable[J],
    *,
    processes: int,
    patience_s: float = PATIENCE_S,
) -> Iterator[tuple[J, R | Lost]]:
    """Do the jobs in so many processes; give each back with its result, as they are finished.

    `prepare` is called once in each process and makes what does a job there; it, the jobs and the
    results travel as pickles. A process that dies, or lets us wait for `patience_s`, is replaced
    and its job tried once more. Raises CrewStopped, WorkerDefect.
    """
    crew = _Crew(prepare, iter(jobs), patience_s)
    try:
        for _ in range(processes):
            crew.hire()
        crew.hand_out()
        while crew.has_work:
            yield from crew.results()
            crew.hand_out()
    finally:
        crew.dismiss()


@dataclass(slots=True)
class _Task(Generic[J]):
    job: J
    tries: int = 0


class _Worker(Generic[J, R]):
    """One process as its crew sees it: the tasks it was given, the first of them in work."""

    def __init__(self, prepare: Callable[[], Callable[[J], R]]) -> None:
        self.tasks: deque[_Task[J]] = deque()
        self.ready = False
        self.since = time.monotonic()
        self.pipe, theirs = FORKED.Pipe()
        self.process = FORKED.Process(target=_serve, args=(prepare, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, task: _Task[J]) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        with suppress(OSError):  # it is gone; that is noticed when we listen
            self.pipe.send(task.job)


class _Crew(Generic[J, R]):
    def __init__(self, prepare: Callable[[], Callable[[J], R]], jobs: Iterator[J], patience_s: float) -> None:
        self._prepare, self._jobs, self._patience_s = prepare, jobs, patience_s
        self._again: deque[_Task[J]] = deque()
        self._workers: dict[Connection, _Worker[J, R]] = {}

    def hire(self) -> None:
        worker = _Worker(self._prepare)
        self._workers[worker.pipe] = worker

    @property
    def has_work(self) -> bool:
        return any(worker.tasks for worker in self._workers.values())

    def hand_out(self) -> None:
        """Give everybody one task before anybody has the next."""
        for most in range(1, AT_HAND + 1):
            for worker in self._workers.values():
                if len(worker.tasks) < most and (task := self._next()) is not None:
                    worker.give(task)

    def results(self) -> Iterator[tuple[J, R | Lost]]:
        """Wait until somebody answers, or is gone."""
        for pipe in self._heard():
            worker = self._workers[pipe]
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            if isinstance(answer, Exception):
                raise answer
            worker.ready, worker.since = True, time.monotonic()
            if answer != _READY:
                yield worker.tasks.popleft().job, answer[0]

    def dismiss(self) -> None:
        for worker in self._workers.values():
            worker.pipe.close()
        for worker in self._workers.values():
            worker.process.join(_GRACE_S)
            worker.process.kill()

    def _next(self) -> _Task[J] | None:
        if self._again:
            return self._again.popleft()
        return next((_Task(job) for job in self._jobs), None)

    def _heard(self) -> list[Connection]:
        busy = [worker for worker in self._workers.values() if worker.tasks]
        due = min(worker.since for worker in busy) + self._patience_s
        heard = wait(list(self._workers), max(0.0, due - time.monotonic()))
        if not heard:
            for worker in busy:
                if worker.since + self._patience_s <= time.monotonic():
                    worker.process.kill()  # its pipe closes, and that we hear
        return [pipe for pipe in heard if isinstance(pipe, Connection)]

    def _bury(self, worker: _Worker[J, R]) -> Iterator[tuple[J, Lost]]:
        """Put another in its place, and what it left undone back in line, first of all."""
        del self._workers[worker.pipe]
        worker.pipe.close()
        worker.process.kill()
        worker.process.join()
        if not worker.ready:
            code = worker.process.exitcode
            raise CrewStopped(f"a process ended while it was made ready (exit code {code})")
        if worker.tasks:
            worker.tasks[0].tries += 1
            if worker.tasks[0].tries == _MOST_TRIES:
                yield worker.tasks.popleft().job, Lost()
        self._again.extendleft(reversed(worker.tasks))
        self.hire()


def _serve(prepare: Callable[[], Callable[[J], R]], pipe: Connection) -> None:
    # Ctrl-C reaches everybody at the terminal; the crew alone decides, and ends us by its silence
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer: object
    try:
        do = prepare()
        answer = _READY
        frozen = False
        while _said(pipe, answer):
            try:
                job = pipe.recv()
            except (EOFError, OSError):
                return
            answer = (do(job),)
            if not frozen:
                # what the first job left behind stays for good: it is not looked through again
                gc.collect()
                gc.freeze()
                frozen = True
    except CrewStopped as error:
        _said(pipe, error)
    except Exception:  # noqa: BLE001  whatever it is, somebody else can show it
        _said(pipe, WorkerDefect(traceback.format_exc()))
    finally:
        gc.unfreeze()  # what is frozen is not cleared up at the end, and some libraries complain


def _said(pipe: Connection, answer: object) -> bool:
    try:
        pipe.send(answer)
    except OSError:
        return False
    return True
