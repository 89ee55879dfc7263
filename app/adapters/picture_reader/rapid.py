"""RapidOCR behind the port: one picture at a time, each in a process that is thrown away.

What looks at a picture takes half a gigabyte for some seconds and decodes strangers' files; it has no
files, no network, so much memory and so much time, and when it dies nobody else does.
"""

from __future__ import annotations

import json
import threading
from functools import cached_property
from importlib.metadata import version
from typing import Final

from app.ports import PictureNotRead
from compliance.reading import PictureReading
from templates_lib.pictures import MAX_BYTES, UnsupportedImageError
from templates_lib.sandbox import Limits, StoppedError, call_limited

# A full poster takes about five seconds of one core and maps 1.3 GB, most of it libraries and models.
LIMITS: Final = Limits(wall_s=45, cpu_s=30, memory_bytes=2560 * 1024 * 1024, result_bytes=4 * 1024 * 1024)
# How lines are found and measured is part of what is kept: count it up when that changes.
_OWN_VERSION: Final = 1
_ROOM: Final = threading.BoundedSemaphore(1)
_READ: Final = b"ok"
_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")


class RapidPictureReader:
    """Reads pictures with the models that come inside the package; nothing is fetched."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits

    @cached_property
    def name(self) -> str:
        return f"rapidocr-{version('rapidocr')}/{_OWN_VERSION}"

    def read(self, picture: bytes) -> PictureReading:
        # these are not even sent away
        if len(picture) > MAX_BYTES:
            raise PictureNotRead("too_large", f"图片超过 {MAX_BYTES // 1024 // 1024} MB")
        if not picture.startswith(_SIGNATURES):
            raise PictureNotRead(UnsupportedImageError.code, str(UnsupportedImageError()))
        try:
            with _ROOM:
                answer = call_limited("app.adapters.picture_reader.eyes:look", picture, self._limits)
        except StoppedError as stopped:
            raise PictureNotRead(stopped.code.value) from stopped
        try:
            told = json.loads(answer[len(_READ) :])
            if not answer.startswith(_READ):
                code, reason = told
                raise PictureNotRead(str(code)[:64], str(reason)[:200])
            return PictureReading.of_dict(told)
        except (ValueError, TypeError, KeyError) as error:
            raise PictureNotRead("crashed") from error
