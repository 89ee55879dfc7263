"""Ports with nothing behind them, which remember what was asked in plain attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from app.ports import (
    ObjectMissing,
    ObjectStoreUnavailable,
    PictureNotRead,
    TaskName,
    checked_object_key,
)
from compliance.reading import PictureReading


class MemoryObjectStore:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.content_types: dict[str, str] = {}
        self.is_full = False  # a test fills the disk: nothing more can be put

    def put(self, key: str, data: bytes, content_type: str) -> None:
        if self.is_full:
            raise ObjectStoreUnavailable("no space left on device")
        self.objects[checked_object_key(key)] = data
        self.content_types[key] = content_type

    def put_file(self, key: str, file: BinaryIO, content_type: str) -> None:
        file.seek(0)
        self.put(key, file.read(), content_type)

    def get(self, key: str) -> bytes:
        try:
            return self.objects[checked_object_key(key)]
        except KeyError as error:
            raise ObjectMissing(key) from error

    def get_parts(self, key: str) -> Iterator[bytes]:
        return iter([self.get(key)])

    def exists(self, key: str) -> bool:
        return checked_object_key(key) in self.objects

    def delete(self, key: str) -> None:
        self.objects.pop(checked_object_key(key), None)

    def keys(self, prefix: str = "") -> Iterator[str]:
        return (key for key in sorted(self.objects) if key.startswith(prefix))

    def check(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class SentTask:
    name: TaskName
    args: tuple[str, ...]
    countdown_s: float | None


class RecordingTaskQueue:
    def __init__(self) -> None:
        self.sent: list[SentTask] = []

    def send(self, name: TaskName, *args: str, countdown_s: float | None = None) -> None:
        self.sent.append(SentTask(name, args, countdown_s))


class BlankReader:
    """Sees no words in any picture, or what a test says it shall see; or cannot read at all."""

    name = "blank"

    def __init__(self) -> None:
        self.seen = PictureReading(720, 900, ())
        self.fault: str | None = None
        self.pictures: list[bytes] = []

    def read(self, picture: bytes) -> PictureReading:
        self.pictures.append(picture)
        if self.fault is not None:
            raise PictureNotRead(self.fault)
        return self.seen


class FixedClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by
