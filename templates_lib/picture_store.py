"""Where finished pictures are kept: files in a folder here, elsewhere for whoever says how."""

import hashlib
import os
from pathlib import Path
from typing import Final, Protocol

_DRAFT_PREFIX: Final = ".imprimatur-draft-"


class PictureStore(Protocol):
    """Keeps finished pictures under a path. Travels to other processes as a pickle."""

    def put(self, path: Path, data: bytes) -> None:
        """Keep the bytes, whole or not at all. Raises OSError."""
        ...

    def holds(self, path: Path, sha256: str) -> bool:
        """Whether exactly these bytes are kept there."""
        ...

    def tidy(self, folder: Path) -> None:
        """Take away what killed runs left unfinished; nobody else may be writing."""
        ...


class Disk:
    """Pictures as files. One that a power cut tore is found by its hash, so none is waited for."""

    def put(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f"{_DRAFT_PREFIX}{os.getpid()}-{path.name}")
        try:
            self._write(draft, data)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    @staticmethod
    def _write(draft: Path, data: bytes) -> None:
        try:
            file = draft.open("wb", buffering=0)
        except FileNotFoundError:
            draft.parent.mkdir(parents=True, exist_ok=True)
            file = draft.open("wb", buffering=0)
        with file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]

    def holds(self, path: Path, sha256: str) -> bool:
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def tidy(self, folder: Path) -> None:
        for draft in folder.glob(f"{_DRAFT_PREFIX}*"):
            draft.unlink(missing_ok=True)


DISK: Final = Disk()
