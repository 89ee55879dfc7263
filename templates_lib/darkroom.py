"""Uploaded pictures are decoded here, one by one, in a process that is thrown away.

Decoders are where a picture can bite. This process never runs one on a stranger's file: it sends
the file away and takes back plain pixels, which cannot be anything but pixels.
"""

import json
import struct
import threading
from typing import Final

from PIL import Image

from templates_lib import pictures
from templates_lib.pictures import MAX_PIXELS, BadImageError, CleanImage
from templates_lib.sandbox import Limits, Stop, StoppedError, call_limited

# 40 million pixels of four bytes, decoded and once more while they are made smaller.
LIMITS: Final = Limits(wall_s=10, cpu_s=10, memory_bytes=768 * 1024 * 1024, result_bytes=8 * 1024 * 1024)

# Each takes up to a third of a gigabyte for a moment; a third at once would only wait for the others.
_ROOM: Final = threading.BoundedSemaphore(2)
_QUESTION: Final = struct.Struct(">Q")
_ANSWER: Final = struct.Struct(">4sII")
_MODES: Final = {"RGB": 3, "RGBA": 4}
_REFUSALS: Final = {
    kind.code: kind
    for kind in (
        BadImageError,
        pictures.EmptyImageError,
        pictures.UnsupportedImageError,
        pictures.LargeImageError,
    )
}


def develop(data: bytes, most_pixels: int = MAX_PIXELS, limits: Limits = LIMITS) -> CleanImage:
    """Decode a stranger's picture out of harm's way. Raises BadImageError."""
    if not data:
        raise pictures.EmptyImageError
    if len(data) > pictures.MAX_BYTES:  # not even sent away
        raise BadImageError(f"图片超过 {pictures.MAX_BYTES // 1024 // 1024} MB")
    try:
        with _ROOM:
            answer = call_limited(f"{__name__}:expose", _QUESTION.pack(most_pixels) + data, limits)
    except StoppedError as stopped:
        if stopped.code is Stop.CRASHED:
            raise BadImageError("图片文件不完整或已损坏") from stopped
        raise pictures.LargeImageError("图片太大或太复杂，请另存为普通 JPEG 后再上传") from stopped
    return CleanImage(_pixels(answer))


def expose(question: bytes) -> bytes:
    """Decode, inside the sandbox: raw pixels, or the reason there are none."""
    (most_pixels,) = _QUESTION.unpack_from(question)
    try:
        image = pictures.decode(question[_QUESTION.size :], most_pixels)
    except BadImageError as error:
        return _ANSWER.pack(b"no", 0, 0) + json.dumps([error.code, str(error)]).encode()
    return _ANSWER.pack(image.mode.encode(), *image.size) + image.tobytes()


def _pixels(answer: bytes) -> Image.Image:
    mode, width, height = _ANSWER.unpack_from(answer)
    mode, body = mode.rstrip(b"\0").decode("ascii", "replace"), answer[_ANSWER.size :]
    if mode not in _MODES:
        raise _refusal(body)
    if len(body) != width * height * _MODES[mode] or not 0 < max(width, height) <= pictures.KEPT_SIDE_PX:
        raise BadImageError("图片文件不完整或已损坏")
    return Image.frombytes(mode, (width, height), body)


def _refusal(body: bytes) -> BadImageError:
    """The reason as the sandbox gave it, read as text and nothing more."""
    code, reason = json.loads(body)
    found = BadImageError(str(reason)[:200])
    found.code = str(code) if code in _REFUSALS else BadImageError.code
    return found
