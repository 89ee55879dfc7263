"""Let several people act in the same instant, as the database sees it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from app.domain.errors import DomainError

# Nothing a test does takes as long: whoever waits longer waits for somebody who never comes.
_PATIENCE_S = 30


def at_once(*acts: Callable[[], object], patience_s: float = _PATIENCE_S) -> list[object]:
    """Do all of it at once, each in a thread of its own; give what came of each, in order.

    A refusal of the domain is an outcome like any other. Everything else is raised here.
    """
    barrier = Barrier(len(acts))

    def do(act: Callable[[], object]) -> object:
        barrier.wait(_PATIENCE_S)
        try:
            return act()
        except DomainError as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as people:
        return [done.result(patience_s) for done in [people.submit(do, act) for act in acts]]
