"""Records as read-only files in a folder, written once.

The end of a record's term is its file's time of access and of change, and its mode has no bit for
writing: file servers with write-once volumes (SnapLock and its like) take exactly this as an order
to keep the file until then. On an ordinary disk it binds this platform, not the disk's owner.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.adapters.object_store.filesystem import sync_folder
from app.ports import ObjectMissing, ObjectStoreUnavailable, RecordExists, RecordKept, checked_object_key

# Both begin with a dot, which no key may.
_UNFINISHED: Final = ".unfinished-"
_HOLD: Final = ".hold-"
_READ_ONLY: Final = 0o444
_GONE: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class FolderRecordVault:
    """Each key is a path below the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, data: bytes, *, until: datetime) -> None:
        path = self._path(key)
        with _disk_faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                _set_term(Path(unfinished), until)
                Path(unfinished).chmod(_READ_ONLY)
                # a link is made only where there is nothing: what is kept is never replaced
                path.hardlink_to(unfinished)
            except FileExistsError:
                self._keep_again(key, data, until)
            finally:
                with suppress(OSError):
                    Path(unfinished).unlink()
            sync_folder(path.parent)

    def read(self, key: str) -> bytes:
        with _disk_faults(key):
            return self._path(key).read_bytes()

    def kept_until(self, key: str) -> datetime:
        with _disk_faults(key):
            return datetime.fromtimestamp(self._file(key).stat().st_mtime, UTC)

    def extend(self, key: str, *, until: datetime) -> None:
        before = self.kept_until(key)
        if until < before.replace(microsecond=0):
            raise RecordKept(key, f"it is to be kept until {before:%Y-%m-%d}")
        with _disk_faults(key):
            _set_term(self._file(key), until)

    def hold(self, key: str, *, held: bool) -> None:
        mark = self._mark(key)
        with _disk_faults(key):
            if held:
                mark.touch(mode=_READ_ONLY)
            else:
                mark.unlink(missing_ok=True)
            sync_folder(mark.parent)

    def is_held(self, key: str) -> bool:
        with _disk_faults(key):
            return self._mark(key).exists()

    def remove(self, key: str, *, at: datetime) -> None:
        until = self.kept_until(key)
        if self.is_held(key):
            raise RecordKept(key, "a hold lies on it")
        if at < until:
            raise RecordKept(key, f"it is to be kept until {until:%Y-%m-%d}")
        with _disk_faults(key):
            path = self._file(key)
            path.unlink()
            sync_folder(path.parent)

    def keys(self, prefix: str = "") -> Iterator[str]:
        # a prefix that ends a folder spares walking the others
        start = self._folder / prefix.rpartition("/")[0]
        with _disk_faults():
            found = sorted(
                path.relative_to(self._folder).as_posix()
                for path in start.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            )
        return (key for key in found if key.startswith(prefix))

    def check(self) -> None:
        with _disk_faults():
            self._folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise ObjectStoreUnavailable(f"{self._folder} may not be written to")

    def _keep_again(self, key: str, data: bytes, until: datetime) -> None:
        if self.read(key) != data:
            raise RecordExists(key)
        if until > self.kept_until(key):
            self.extend(key, until=until)

    def _path(self, key: str) -> Path:
        return self._folder / checked_object_key(key)

    def _file(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def _mark(self, key: str) -> Path:
        path = self._file(key)
        return path.with_name(_HOLD + path.name)


def _set_term(path: Path, until: datetime) -> None:
    # whole seconds, and never earlier than asked: not every file system keeps fractions
    seconds = -int(-until.timestamp() // 1)
    os.utime(path, (seconds, seconds))


@contextmanager
def _disk_faults(key: str = "") -> Iterator[None]:
    """A full, broken or forbidden disk is a vault that cannot answer."""
    try:
        yield
    except _GONE as error:
        raise ObjectMissing(key) from error
    except OSError as error:
        raise ObjectStoreUnavailable(f"the vault's folder does not answer: {error}") from error
