"""What one process remembers to spare the database a question. Never the truth, only a copy of it."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Remembered(Generic[K, V]):
    """At most `capacity` values by key, least recently used first out.

    Only for values that can never change under their key.
    """

    capacity: int
    _values: dict[K, V] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: K) -> V | None:
        with self._lock:
            if (value := self._values.pop(key, None)) is not None:
                self._values[key] = value
            return value

    def keep(self, key: K, value: V) -> V:
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            while len(self._values) > self.capacity:
                self._values.pop(next(iter(self._values)))
            return value
