"""Files put together from parts made before and parts made now, as if encoded whole.

JPEG: with restart markers the coder forgets what came before, so the bytes of a cell (some blocks
of one block row) depend on its pixels alone. Cells that do not change keep their bytes; the others
are encoded as small pictures of their own, and the markers between are numbered anew. The result
is the very file a whole encode with the same settings gives.

PNG: rows are filtered by the row above and compressed in bands of fixed height, each flushed, so a
band depends on its own rows and the row above it. Bands that may change are always compressed the
fast way and the others always the thorough way, whichever of them is made now: same pixels, same
file.

Sources: ITU-T T.81, clauses B.2.4.4 and F.1; PNG specification (third edition), clauses 9 and 10;
RFC 1950 (Adler-32).
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
Cropper = Callable[[Rectangle], Image.Image]

BAND_PX: Final = 32
_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
_END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = b"\xff\xda"
_CELL_PX: Final = 64  # about this wide: narrower costs bytes, wider costs time


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
        """Cover rectangles with whole cells: one area for each column of cells, some joined."""
        wide, high = self.blocks * self.block_px[0], self.block_px[1]
        areas: list[Rectangle] = []
        held = [each for each in rectangles if each[0] < each[2] and each[1] < each[3]]
        for column in range(self.across):
            left, right = column * wide, min((column + 1) * wide, self.width_px)
            for top, bottom in _joined(
                (each[1] // high * high, min(-(-each[3] // high) * high, self.height_px))
                for each in held
                if each[0] < right and left < each[2]
            ):
                before = (areas[-1][1], areas[-1][2], areas[-1][3]) if areas else None
                if before == (top, left, bottom):
                    areas[-1] = (areas[-1][0], top, right, bottom)
                else:
                    areas.append((left, top, right, bottom))
        return tuple(areas)

    def cells(self, rectangle: Rectangle) -> Iterator[int]:
        """Number the cells a rectangle touches, in the order they are coded."""
        wide, high = self.blocks * self.block_px[0], self.block_px[1]
        left, top, right, bottom = rectangle
        for row in range(top // high, -(-bottom // high)):
            for column in range(left // wide, -(-right // wide)):
                yield row * self.across + column


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join stretches that touch."""
    begin, end = -1, -1
    for top, bottom in sorted(spans):
        if top > end:
            if end >= 0:
                yield begin, end
            begin, end = top, bottom
        else:
            end = max(end, bottom)
    if end >= 0:
        yield begin, end


def encode_jpeg(image: Image.Image, settings: JpegSettings) -> bytes:
    """Encode a whole picture with the restart markers of its size."""
    grid = _Grid.of(*image.size, settings.block_px)
    return _encode(image, settings, grid.blocks)


def _encode(image: Image.Image, settings: JpegSettings, blocks: int) -> bytes:
    target = io.BytesIO()
    image.save(
        target,
        "JPEG",
        quality=settings.quality,
        subsampling=settings.chroma,
        restart_marker_blocks=blocks,
    )
    return target.getvalue()


def _scan(data: bytes) -> tuple[bytes, list[bytes]]:
    """Split a file into all that precedes the coded cells, and the cells."""
    start = data.index(_START_OF_SCAN)
    start += 2 + struct.unpack_from(">H", data, start + 2)[0]
    return data[:start], _RESTART.split(data[start:-2])


def _marker(cell: int) -> bytes:
    """The marker that stands before a cell."""
    return bytes((0xFF, 0xD0 + (cell - 1) % 8)) if cell else b""


class JpegSplice:
    """A coded picture of which some areas are replaced from copy to copy."""

    def __init__(self, image: Image.Image, live: Iterable[Rectangle], settings: JpegSettings) -> None:
        self._settings = settings
        grid = self._grid = _Grid.of(*image.size, settings.block_px)
        head, coded = _scan(_encode(image, settings, grid.blocks))
        self.areas = grid.areas(live)
        replaced = [cell for area in self.areas for cell in grid.cells(area)]
        places = {cell: place for place, cell in enumerate(replaced)}
        self._live = frozenset(replaced)
        # what stands still between two live cells is one run of bytes, markers and all
        self._runs: list[bytes] = []
        self._order: list[int] = []
        run = [head]
        for cell, data in enumerate(coded):
            run.append(_marker(cell))
            if cell in places:
                self._runs.append(b"".join(run))
                self._order.append(places[cell])
                run = []
            else:
                run.append(data)
        self._end = b"".join([*run, _END])

    def covers(self, changed: Iterable[Rectangle]) -> bool:
        """Say whether all that changed lies in areas that are coded anew."""
        return all(self._live.issuperset(self._grid.cells(rectangle)) for rectangle in changed)

    def splice(self, crop: Cropper) -> bytes:
        """The whole file of a picture that differs from the first in its areas only."""
        cells: list[bytes] = []
        for area in self.areas:
            cells += _scan(_encode(crop(area), self._settings, self._grid.blocks))[1]
        out: list[bytes] = []
        for run, place in zip(self._runs, self._order, strict=True):
            out += (run, cells[place])
        out.append(self._end)
        return b"".join(out)


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_MODULUS: Final = 65_521


@dataclass(frozen=True, slots=True)
class _Band:
    """One compressed band: its bytes, and the Adler-32 and length of what they hold."""

    data: bytes
    adler: int
    length: int


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = isal_zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)))


def _joined_adler(bands: Sequence[_Band]) -> int:
    """The Adler-32 of bands one after the other, from their own."""
    total = 1
    for band in bands:
        low, high = total & 0xFFFF, total >> 16
        next_low, next_high = band.adler & 0xFFFF, band.adler >> 16
        high = (high + next_high + (low - 1) * band.length) % _MODULUS
        low = (low + next_low - 1) % _MODULUS
        total = high << 16 | low
    return total


def _fast_band(rows: Pixels, up: Pixels) -> _Band:
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    np.subtract(rows, up, out=filtered[:, 1:])
    return _fast_coded(filtered)


def _fast_coded(filtered: Pixels) -> _Band:
    coder = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    data = coder.compress(filtered) + coder.flush(isal_zlib.Z_FULL_FLUSH)
    return _Band(data, isal_zlib.adler32(filtered), filtered.size)


def _thorough_band(rows: Pixels, up: Pixels) -> _Band:
    filtered = _filtered(rows, up).tobytes()
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = coder.compress(filtered) + coder.flush(zlib.Z_FULL_FLUSH)
    return _Band(data, zlib.adler32(filtered), len(filtered))


def _filtered(rows: Pixels, up: Pixels) -> Pixels:
    """Filter each row the way that leaves the smallest differences (PNG, clause 12.8)."""
    left = np.zeros_like(rows)
    left[:, 3:] = rows[:, :-3]
    corner = np.zeros_like(rows)
    corner[:, 3:] = up[:, :-3]
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    paeth = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    candidates = (
        rows,
        rows - left,
        rows - up,
        rows - ((a + b) >> 1).astype(np.uint8),
        rows - paeth.astype(np.uint8),
    )
    costs = [np.abs(each.view(np.int8).astype(np.int16)).sum(1) for each in candidates]
    best = np.stack(costs).argmin(0)
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = best
    for kind, each in enumerate(candidates):
        out[best == kind, 1:] = each[best == kind]
    return out


def _stretches(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Join numbers that follow each other: first and last of each stretch."""
    for _, group in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        stretch = [number for _, number in group]
        yield stretch[0], stretch[-1]


def bands_touched(height_px: int, rectangles: Iterable[Rectangle]) -> frozenset[int]:
    """Number the bands that rectangles touch, and the band below each, whose first row looks up."""
    last = -(-height_px // BAND_PX)
    touched: set[int] = set()
    for _, top, _, bottom in rectangles:
        if top < bottom:
            touched.update(range(max(0, top) // BAND_PX, min(last, bottom // BAND_PX + 1)))
    return frozenset(touched)


class PngSplice:
    """A coded picture of which some bands are replaced from copy to copy.

    `fast` numbers the bands that are compressed the fast way. It belongs to the design, so that the
    file does not depend on what was made when.
    """

    def __init__(self, image: Image.Image, fast: frozenset[int]) -> None:
        self._fast, self._size = fast, image.size
        header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
        self._head = _PNG_HEAD + _chunk(b"IHDR", header)
        numbers = range(-(-image.height // BAND_PX))
        self._bands = [self._band(image.crop, number) for number in numbers]
        # one chunk for each stretch of bands made the same way: also a matter of the design alone
        self._stretches = [list(group) for _, group in groupby(numbers, key=lambda number: number in fast)]
        self._chunks = [self._chunk(stretch, self._bands) for stretch in self._stretches]

    def _band(self, crop: Cropper, number: int) -> _Band:
        width, height = self._size
        top, bottom = number * BAND_PX, min((number + 1) * BAND_PX, height)
        # Pillow keeps four bytes a pixel; asarray of a crop copies the three
        pixels = np.asarray(crop((0, max(top - 1, 0), width, bottom)))
        flat = pixels.reshape(pixels.shape[0], -1)
        if top == 0:
            flat = np.concatenate((np.zeros_like(flat[:1]), flat))
        return (_fast_band if number in self._fast else _thorough_band)(flat[1:], flat[:-1])

    def _fast_bands(self, crop: Cropper, first: int, last: int) -> list[_Band]:
        """Neighbouring bands, filtered in one go."""
        width, height = self._size
        top, bottom = first * BAND_PX, min((last + 1) * BAND_PX, height)
        pixels = np.asarray(crop((0, max(top - 1, 0), width, bottom)))
        flat = pixels.reshape(pixels.shape[0], -1)
        filtered = np.empty((bottom - top, flat.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        if top:
            np.subtract(flat[1:], flat[:-1], out=filtered[:, 1:])
        else:
            filtered[0, 1:] = flat[0]
            np.subtract(flat[1:], flat[:-1], out=filtered[1:, 1:])
        return [_fast_coded(filtered[at : at + BAND_PX]) for at in range(0, bottom - top, BAND_PX)]

    def _chunk(self, stretch: list[int], bands: Sequence[_Band]) -> bytes:
        data = b"".join(bands[number].data for number in stretch)
        return _chunk(b"IDAT", b"\x78\x01" + data if stretch[0] == 0 else data)

    def splice(self, crop: Cropper, changed: Iterable[Rectangle]) -> bytes:
        """The whole file of a picture that differs from the first inside `changed` only."""
        touched = bands_touched(self._size[1], changed)
        bands = list(self._bands)
        for first, last in _stretches(touched):
            if self._fast.issuperset(range(first, last + 1)):
                bands[first : last + 1] = self._fast_bands(crop, first, last)
            else:
                for number in range(first, last + 1):
                    bands[number] = self._band(crop, number)
        chunks = [
            kept if touched.isdisjoint(stretch) else self._chunk(stretch, bands)
            for stretch, kept in zip(self._stretches, self._chunks, strict=True)
        ]
        # an empty last block ends the stream, whatever the last band was
        ending = _chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", _joined_adler(bands)))
        return b"".join((self._head, *chunks, ending, _chunk(b"IEND", b"")))


def encode_png(image: Image.Image, fast: frozenset[int]) -> bytes:
    """Encode a whole picture with the bands of its design."""
    return PngSplice(image, fast).splice(image.crop, ())


def encode_still(image: Image.Image) -> bytes:
    """Encode a whole picture as a PNG as fast as may be."""
    return encode_png(image, frozenset(range(-(-image.height // BAND_PX))))


def encode_webp(image: Image.Image, quality: int) -> bytes:
    """Encode a whole picture as WebP, which cannot be spliced."""
    target = io.BytesIO()
    image.save(target, "WEBP", quality=quality, method=4)
    return target.getvalue()
