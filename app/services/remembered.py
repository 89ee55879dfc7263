"""What one process remembers to spare the database a question. Never the truth, only a copy of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Remembered(Generic[K, V]):
    """Values by key up to `capacity` in all, least recently used first out.

    Each counts as one unless `size` says otherwise. Only for values that can never change under their
    key.
    """

    capacity: int
    size: Callable[[V], int] = lambda _value: 1
    _held: int = 0
    _values: dict[K, V] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: K) -> V | None:
        with self._lock:
            if (value := self._values.pop(key, None)) is not None:
                self._values[key] = value
            return value

    def keep(self, key: K, value: V) -> V:
        with self._lock:
            if (former := self._values.pop(key, None)) is not None:
                self._held -= self.size(former)
            self._values[key] = value
            self._held += self.size(value)
            while self._held > self.capacity:
                self._held -= self.size(self._values.pop(next(iter(self._values))))
            return value
