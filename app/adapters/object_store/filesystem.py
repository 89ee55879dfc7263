"""Objects as files in a folder, for one machine or a shared volume."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.ports import PART_BYTES, ObjectMissing, ObjectStoreUnavailable, checked_object_key

# Begins with a dot, which no key may, so a half-written file is never taken for an object.
_UNFINISHED = ".unfinished-"


class FilesystemObjectStore:
    """Each key is a path below the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, data: bytes, content_type: str) -> None:
        self.put_file(key, io.BytesIO(data), content_type)

    def put_file(self, key: str, file: BinaryIO, content_type: str) -> None:  # noqa: ARG002 - see the port
        path = self._path(key)
        with _disk_faults():
            self._make_folder(path.parent)
            descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
            try:
                file.seek(0)
                with os.fdopen(descriptor, "wb") as target:
                    shutil.copyfileobj(file, target)
                    target.flush()
                    os.fsync(target.fileno())
                Path(unfinished).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(unfinished).unlink()
                raise
            sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            with _disk_faults():
                return path.read_bytes()
        except _NO_SUCH_FILE as error:
            raise ObjectMissing(key) from error

    def get_parts(self, key: str) -> Iterator[bytes]:
        try:
            with _disk_faults():
                file = self._path(key).open("rb")
        except _NO_SUCH_FILE as error:
            raise ObjectMissing(key) from error
        return _parts_of(file)

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _disk_faults():
            return path.is_file()

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _disk_faults(), suppress(*_NO_SUCH_FILE):
            path.unlink()
            sync_folder(path.parent)

    def keys(self, prefix: str = "") -> Iterator[str]:
        with _disk_faults():
            found = sorted(
                path.relative_to(self._folder).as_posix()
                for path in self._folder.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            )
        return (key for key in found if key.startswith(prefix))

    def check(self) -> None:
        with _disk_faults():
            self._make_folder(self._folder)
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise ObjectStoreUnavailable(f"{self._folder} may not be written to")

    def _path(self, key: str) -> Path:
        return self._folder / checked_object_key(key)

    def _make_folder(self, folder: Path) -> None:
        """Make the folder and record each new one in its parent, so that a crash keeps it."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            sync_folder(each.parent)


def _parts_of(file: BinaryIO) -> Iterator[bytes]:
    with file, _disk_faults():
        while part := file.read(PART_BYTES):
            yield part


_NO_SUCH_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


@contextmanager
def _disk_faults() -> Iterator[None]:
    """A full, broken or forbidden disk is a store that cannot answer."""
    try:
        yield
    except _NO_SUCH_FILE:
        raise
    except OSError as error:
        raise ObjectStoreUnavailable(f"the object folder does not answer: {error}") from error


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
