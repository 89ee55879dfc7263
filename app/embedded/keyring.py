"""Secrets generated once and kept in a file only its owner may read."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from app.embedded.errors import EmbeddedError


class Keyring:
    """Named random secrets in one JSON file, mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        return name in self._read()

    def secret(self, name: str) -> str:
        """Give the secret of that name, made at the first call."""
        held = self._read()
        if name not in held:
            held[name] = secrets.token_hex(32)
            self._write(held)
        return held[name]

    def _read(self) -> dict[str, str]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise EmbeddedError(f"{self._path} is damaged: restore it from a back-up") from error
        return {str(name): str(value) for name, value in held.items()}

    def _write(self, held: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".unfinished")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(held, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
