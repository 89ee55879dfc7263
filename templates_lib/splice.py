"""Files put together from parts made before and parts made now, as if encoded whole: JPEG.

With restart markers the coder forgets what came before, so the bytes of a cell (some blocks of one
block row) depend on its pixels alone. Cells that do not change keep their bytes; the others are
encoded as small pictures of their own, and the markers between are numbered anew. The result is
the very file a whole encode with the same settings gives. PNG is spliced in `png_splice`.

Source: ITU-T T.81, clauses B.2.4.4 and F.1.
"""

import io
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
Core = Any  # a picture as Pillow stores it, without the object around it
Cropper = Callable[[Rectangle], Core]

_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
_END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = b"\xff\xda"
_CELL_PX: Final = 64  # about this wide: narrower costs bytes, wider costs time


def apart(rectangles: Iterable[Rectangle]) -> tuple[Rectangle, ...]:
    """Join rectangles that share pixels, until none does; empty ones are left out."""
    found: list[Rectangle] = []
    for each in rectangles:
        left, top, right, bottom = each
        if left >= right or top >= bottom:
            continue
        met = True
        while met:
            met = False
            for place, (x0, y0, x1, y1) in enumerate(found):
                if x0 < right and left < x1 and y0 < bottom and top < y1:
                    left, top = min(left, x0), min(top, y0)
                    right, bottom = max(right, x1), max(bottom, y1)
                    del found[place]
                    met = True
                    break
        found.append((left, top, right, bottom))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class JpegSettings:
    """Quality 1…95 and chroma `4:4:4`, `4:2:2` or `4:2:0`."""

    quality: int = 90
    chroma: str = "4:2:0"

    @property
    def block_px(self) -> tuple[int, int]:
        """Width and height of the smallest unit the coder works in."""
        return {"4:4:4": (8, 8), "4:2:2": (16, 8), "4:2:0": (16, 16)}[self.chroma]


@dataclass(frozen=True, slots=True)
class _Grid:
    """How a picture of a size falls into cells: `across` to a row, each `blocks` wide."""

    width_px: int
    height_px: int
    block_px: tuple[int, int]
    blocks: int
    across: int
    down: int

    @classmethod
    def of(cls, width_px: int, height_px: int, block_px: tuple[int, int]) -> "_Grid":
        row = -(-width_px // block_px[0])
        # cells must end where rows end: among the divisors, the one nearest to the wanted width
        divisors = [count for count in range(1, row + 1) if row % count == 0]
        blocks = min(divisors, key=lambda count: abs(count * block_px[0] - _CELL_PX))
        if blocks * block_px[0] < _CELL_PX // 3:
            blocks = row  # a row of a prime number of blocks is one cell
        return cls(width_px, height_px, block_px, blocks, row // blocks, -(-height_px // block_px[1]))

    def areas(self, rectangles: Iterable[Rectangle]) -> tuple[Rectangle, ...]:
        """Cover rectangles with areas of whole cells, none of them in two."""
        wide, high = self.blocks * self.block_px[0], self.block_px[1]
        covered = apart(
            (left // wide, top // high, -(-right // wide), -(-bottom // high))
            for left, top, right, bottom in rectangles
            if left < right and top < bottom
        )
        return tuple(
            (left * wide, top * high, min(right * wide, self.width_px), min(bottom * high, self.height_px))
            for left, top, right, bottom in covered
        )

    def rows(self, area: Rectangle) -> tuple[range, int]:
        """The first cell of each row of an area, and how many cells a row of it has."""
        wide, high = self.blocks * self.block_px[0], self.block_px[1]
        left, top, right, bottom = area
        first = top // high * self.across + left // wide
        last = -(-bottom // high) * self.across
        return range(first, last, self.across), -(-right // wide) - left // wide


def encode_jpeg(image: Image.Image, settings: JpegSettings) -> bytes:
    """Encode a whole picture with the restart markers of its size."""
    grid = _Grid.of(*image.size, settings.block_px)
    return _encode(core_of(image), settings, grid.blocks)


def core_of(image: Image.Image) -> Core:
    """A picture as Pillow stores it: pasting, cutting and coding that costs half the time."""
    image.load()
    return image.im


_SUBSAMPLING: Final = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
_BUFFER: Final = 1 << 16


def _encode(core: Core, settings: JpegSettings, blocks: int) -> bytes:
    """What `Image.save` does with these settings, without what it does around the encoder."""
    # as Pillow's JPEG plugin sets it up: quality, then progressive, smooth, optimize, keep_rgb and
    # streamtype unset, resolution, subsampling, marker blocks and rows, and nothing attached
    chosen = settings.quality, 0, 0, 0, 0, 0, (0, 0), _SUBSAMPLING[settings.chroma], blocks, 0
    encoder = Image._getencoder("RGB", "jpeg", "RGB", (*chosen, None, None, b"", b""))  # noqa: SLF001
    width, height = core.size
    return drained(encoder, core, width * height // 2 + _BUFFER)


def drained(encoder: Any, core: Core, most: int) -> bytes:
    """All that an encoder makes of a picture, mostly in one go."""
    try:
        encoder.setimage(core, (0, 0, *core.size))
        _, ended, data = encoder.encode(most)
        made = [data]
        while not ended:
            _, ended, data = encoder.encode(most)
            made.append(data)
        if ended < 0:
            raise OSError(f"the encoder stopped with {ended}")
        return b"".join(made) if len(made) > 1 else data
    finally:
        encoder.cleanup()


def flat(core: Core) -> Pixels:
    """The rows of a picture, its bands side by side."""
    mode, (width, height) = core.mode, core.size
    encoder = Image._getencoder(mode, "raw", (mode, 0, 1))  # noqa: SLF001  asarray takes twice as long
    wide = width * len(mode)  # RGB and L, here
    return np.frombuffer(drained(encoder, core, wide * height), np.uint8).reshape(-1, wide)


def _head_length(data: bytes) -> int:
    """The length of all that precedes the coded cells."""
    start = data.index(_START_OF_SCAN)
    return start + 2 + int(struct.unpack_from(">H", data, start + 2)[0])


def _cells(data: bytes, head: int) -> list[bytes]:
    """The coded cells of a file."""
    return _RESTART.split(data[head:-2])


def _marker(cell: int) -> bytes:
    """The marker that stands before a cell."""
    return bytes((0xFF, 0xD0 + (cell - 1) % 8)) if cell else b""


def _bits(count: int) -> int:
    return (1 << count) - 1


class JpegSplice:
    """A coded picture of which some cells are replaced from copy to copy: those that may be live."""

    def __init__(self, image: Image.Image, live: Iterable[Rectangle], settings: JpegSettings) -> None:
        self._settings = settings
        grid = self._grid = _Grid.of(*image.size, settings.block_px)
        data = _encode(core_of(image), settings, grid.blocks)
        self._head = _head_length(data)
        # of each row of cells, the live ones as bits
        self._live = [0] * grid.down
        for area in grid.areas(live):
            firsts, count = grid.rows(area)
            for first in firsts:
                self._live[first // grid.across] |= _bits(count) << first % grid.across
        # the file in parts: what stands still, markers and all, and a live cell, in turn
        self._parts: list[bytes] = []
        self._places: dict[int, int] = {}
        run = [data[: self._head]]
        for cell, coded in enumerate(_cells(data, self._head)):
            run.append(_marker(cell))
            if self._live[cell // grid.across] >> cell % grid.across & 1:
                self._parts += (b"".join(run), coded)
                self._places[cell] = len(self._parts) - 1
                run = []
            else:
                run.append(coded)
        self._parts.append(b"".join([*run, _END]))

    def areas(self, changed: Iterable[Rectangle]) -> tuple[Rectangle, ...] | None:
        """The areas to be coded anew where these change; `None` where one is not live."""
        areas = self._grid.areas(changed)
        across = self._grid.across
        for area in areas:
            firsts, count = self._grid.rows(area)
            wanted = _bits(count) << firsts.start % across
            for live in self._live[firsts.start // across : -(-firsts.stop // across)]:
                if wanted & ~live:
                    return None
        return areas

    def splice(self, crop: Cropper, areas: Iterable[Rectangle]) -> bytes:
        """The whole file of a picture that differs from the first in these areas only."""
        parts = self._parts.copy()
        for area in areas:
            cells = _cells(_encode(crop(area), self._settings, self._grid.blocks), self._head)
            firsts, count = self._grid.rows(area)
            for number, first in enumerate(firsts):
                place = self._places[first]
                # between neighbours stands a marker alone
                parts[place : place + 2 * count : 2] = cells[number * count : (number + 1) * count]
        return b"".join(parts)


def encode_webp(image: Image.Image, quality: int) -> bytes:
    """Encode a whole picture as WebP, which cannot be spliced."""
    target = io.BytesIO()
    image.save(target, "WEBP", quality=quality, method=4)
    return target.getvalue()
