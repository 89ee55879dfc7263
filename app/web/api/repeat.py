"""Requests that may be sent twice: the Idempotency-Key header, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from app.domain.errors import InvalidInput
from app.domain.piece import canonical_json

KEY_HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A key the caller chose, and the hash of what they asked for under it."""

    key: str
    request_digest: str


def repeatable() -> Repeatable | None:
    """The request's key, if it has one. Raises InvalidInput for a malformed one."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not KEY_PATTERN.fullmatch(key):
        raise InvalidInput.of(KEY_HEADER, "malformed", "幂等键为 1–64 个字母、数字或 . _ : - 。")
    asked: Any = json.loads(request.get_data())
    return Repeatable(key, hashlib.sha256(canonical_json(asked)).hexdigest())
