"""What looks at a picture: runs inside the sandbox and nowhere else.

A picture is decoded, brought to a bounded size and cut into pieces where it is long; RapidOCR finds
and reads the lines of each; how large and how pale they are is measured in the pixels themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image
from rapidocr import RapidOCR

from compliance.reading import Box, PictureReading, SeenLine
from templates_lib.pictures import BadImageError, decode

Pixels = npt.NDArray[np.uint8]

# A phone's screen is no finer, and a long picture is read piece by piece, each with what is at its edges.
SHORT_SIDE_PX: Final = 1_080
LONG_SIDE_PX: Final = 8_000
PIECE_PX: Final = 1_920
_OVERLAP_PX: Final = 160
_MOST_LINES: Final = 600
_MOST_CHARACTERS: Final = 400  # of a line
_UNREADABLE: Final = b"no"
_READ: Final = b"ok"
# One core: what is read beside it does not wait for this.
_SETTINGS: Final = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "critical",
    "Global.max_side_len": PIECE_PX,
    "Rec.rec_batch_num": 1,  # wide lines in one batch would all be as wide as the widest
}
_SHADES: Final = np.arange(256) / 255
_LINEAR: Final = np.where(_SHADES <= 0.04045, _SHADES / 12.92, ((_SHADES + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
cv2.setNumThreads(1)
onnxruntime.set_default_logger_severity(4)


def look(data: bytes) -> bytes:
    """Read a picture's file: `ok` and the reading as JSON, or `no` and why it is no picture."""
    try:
        picture = decode(data, kept_side=LONG_SIDE_PX)
    except BadImageError as error:
        return _UNREADABLE + json.dumps([error.code, str(error)]).encode()
    return _READ + json.dumps(read_pixels(picture).to_dict()).encode()


def read_pixels(picture: Image.Image) -> PictureReading:
    """Read a decoded picture; boxes are in its own pixels."""
    whole = picture.size
    scale = min(1.0, SHORT_SIDE_PX / min(whole))
    if scale < 1:
        picture = picture.resize((round(whole[0] * scale), round(whole[1] * scale)), Image.Resampling.LANCZOS)
    pixels = np.asarray(_on_white(picture))
    lines: list[SeenLine] = []
    for left, top, piece in _pieces(pixels):
        seen = _lines(piece)
        for line in seen:
            box = Box(
                (line.box.left + left) / scale,
                (line.box.top + top) / scale,
                line.box.width / scale,
                line.box.height / scale,
            )
            moved = SeenLine(line.text, box, line.certainty, line.ink / scale, line.contrast)
            if not any(_is_same(moved, other) for other in lines):
                lines.append(moved)
    return PictureReading(*whole, tuple(lines[:_MOST_LINES]))


@cache
def _reader() -> Any:
    return RapidOCR(params=_SETTINGS)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _pieces(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """Cut a long picture along its longer side; yields left, top and pixels."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    step = PIECE_PX - _OVERLAP_PX
    for at in range(0, max(1, longer - _OVERLAP_PX), step):
        if height >= width:
            yield 0, at, pixels[at : at + PIECE_PX]
        else:
            yield at, 0, pixels[:, at : at + PIECE_PX]


def _is_same(line: SeenLine, other: SeenLine) -> bool:
    """Tell whether a line was seen before, in the piece above or beside."""
    x, y = line.box.middle
    box = other.box
    return box.left <= x <= box.right and box.top <= y <= box.bottom and len(line.text) <= len(other.text)


def _lines(pixels: Pixels) -> list[SeenLine]:
    seen = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]))
    if seen.boxes is None or not seen.txts:
        return []
    lines = []
    for corners, text, certainty in zip(seen.boxes, seen.txts, seen.scores, strict=True):
        left, top = (float(side) for side in corners.min(axis=0))
        right, bottom = (float(side) for side in corners.max(axis=0))
        box = Box(left, top, right - left, bottom - top)
        ink, contrast = measure(pixels, box)
        lines.append(SeenLine(text[:_MOST_CHARACTERS], box, float(certainty), ink, contrast))
    return lines


def measure(pixels: Pixels, box: Box) -> tuple[float, float]:
    """Return the height of the characters in a line's box, and their contrast with the ground.

    The ground is the commonest colour of the box, the ink what differs from it most.
    """
    crop = pixels[int(box.top) : int(box.bottom) + 1, int(box.left) : int(box.right) + 1]
    if crop.size == 0:
        return box.size, 1.0
    light = _luminance(crop)
    # told apart in thirty-two steps, as the eye does rather than the light
    shades = np.minimum(np.sqrt(light) * 32, 31).astype(np.int64)
    ground = float(np.median(light[shades == np.bincount(shades.ravel()).argmax()]))
    away = np.abs(light - ground)
    farthest = float(np.quantile(away, 0.97))
    if farthest <= 0:
        return box.size, 1.0
    inked = away >= farthest * 0.6
    ink = float(np.median(light[away >= farthest * 0.9]))
    lighter, darker = max(ground, ink), min(ground, ink)
    across = inked.any(axis=0 if box.height > box.width else 1)
    at = np.flatnonzero(across)
    return float(at[-1] - at[0] + 1), (lighter + 0.05) / (darker + 0.05)


def _luminance(crop: Pixels) -> npt.NDArray[np.float64]:
    """Return relative luminance, 0 to 1. Source: WCAG 2.2, definition of relative luminance."""
    return np.asarray(_LINEAR[crop] @ np.array([0.2126, 0.7152, 0.0722]), dtype=np.float64)
