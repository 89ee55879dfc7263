"""Do something once in a process of its own, for a parent that lives long and shall stay small."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context

from app.embedded.errors import PreparationFailed
from app.settings import Settings


def run_apart(work: Callable[[Settings], None], settings: Settings, *, what: str) -> None:
    """Do the work and wait for it; stopped ourselves, we stop it first.

    `work` is a function of a module, which the process imports. Raises PreparationFailed where it
    broke off; its traceback then stands on the terminal.
    """
    process = get_context("spawn").Process(target=_begin, args=(work, settings), name=what)
    process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.terminate()
            process.join()
    if process.exitcode != 0:
        raise PreparationFailed(what)


def _begin(work: Callable[[Settings], None], settings: Settings) -> None:
    # Ctrl-C reaches everybody at the terminal; the parent alone decides, and ends us by SIGTERM
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    work(settings)
