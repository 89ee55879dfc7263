"""Files put together from parts made before and parts made now, as if encoded whole.

JPEG: with restart markers the coder forgets what came before, so the bytes of a cell (some blocks
of one block row) depend on its pixels alone. Cells that do not change keep their bytes; the others
are encoded as small pictures of their own, and the markers between are numbered anew. The result
is the very file a whole encode with the same settings gives.

PNG: rows are compressed in pieces, each flushed, and the first row of a piece is filtered without
the row above: a piece depends on its own rows alone. Pieces that may change are always compressed
the fast way and the others always the thorough way, whichever of them is made now: same pixels,
same file.

Sources: ITU-T T.81, clauses B.2.4.4 and F.1; PNG specification (third edition), clauses 9 and 10;
RFC 1950 (Adler-32).
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
Core = Any  # a picture as Pillow stores it, without the object around it
Cropper = Callable[[Rectangle], Core]
Rows = tuple[int, int]  # the first, and the one after the last

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


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_MODULUS: Final = 65_521


_MOST_ROWS: Final = 256  # of a piece that may change
_AT_A_TIME: Final = 32  # rows filtered the thorough way: it takes a dozen times their memory
_GAP_ROWS: Final = 32  # a stretch between live ones that is not worth a piece
_AS_IT_IS, _UP = 0, 2  # filters (PNG, clause 9.2)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One compressed piece: its bytes, and the Adler-32 and length of what they hold."""

    data: bytes
    adler: int
    length: int


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = isal_zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)))


def _joined_adler(pieces: Iterable[_Piece]) -> int:
    """The Adler-32 of pieces one after the other, from their own."""
    total = 1
    for piece in pieces:
        low, high = total & 0xFFFF, total >> 16
        next_low, next_high = piece.adler & 0xFFFF, piece.adler >> 16
        high = (high + next_high + (low - 1) * piece.length) % _MODULUS
        low = (low + next_low - 1) % _MODULUS
        total = high << 16 | low
    return total


def flat(core: Core) -> Pixels:
    """The rows of a picture, its bands side by side."""
    mode, (width, height) = core.mode, core.size
    encoder = Image._getencoder(mode, "raw", (mode, 0, 1))  # noqa: SLF001  asarray takes twice as long
    wide = width * len(mode)  # RGB and L, here
    return np.frombuffer(drained(encoder, core, wide * height), np.uint8).reshape(-1, wide)


def _fast_filtered(rows: Pixels) -> Pixels:
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[0, 0], filtered[1:, 0] = _AS_IT_IS, _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _fast_piece(filtered: Pixels) -> _Piece:
    coder = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    data = coder.compress(filtered) + coder.flush(isal_zlib.Z_FULL_FLUSH)
    return _Piece(data, isal_zlib.adler32(filtered), filtered.size)


def _thorough_piece(rows: Pixels) -> _Piece:
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    data, adler = [], 1
    for at in range(0, rows.shape[0], _AT_A_TIME):
        filtered = _filtered(rows[at : at + _AT_A_TIME], rows[at - 1] if at else None).tobytes()
        adler = zlib.adler32(filtered, adler)
        data.append(coder.compress(filtered))
    data.append(coder.flush(zlib.Z_FULL_FLUSH))
    return _Piece(b"".join(data), adler, rows.shape[0] * (rows.shape[1] + 1))


def _filtered(rows: Pixels, above: Pixels | None) -> Pixels:
    """Filter each row the way that leaves the smallest differences (PNG, clause 12.8)."""
    up = np.vstack((np.zeros_like(rows[:1]) if above is None else above[None], rows[:-1]))
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
    if above is None:  # of the filters that do not look up, the better
        best[0] = costs[1][0] < costs[0][0]
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = best
    for kind, each in enumerate(candidates):
        out[best == kind, 1:] = each[best == kind]
    return out


def live_rows(height_px: int, rectangles: Iterable[Rectangle]) -> tuple[Rows, ...]:
    """The stretches of rows that rectangles touch, none longer than a piece may be."""
    joined: list[list[int]] = []
    for top, bottom in sorted((max(0, r[1]), min(r[3], height_px)) for r in rectangles):
        if top >= bottom:
            continue
        if joined and top <= joined[-1][1] + _GAP_ROWS:
            joined[-1][1] = max(joined[-1][1], bottom)
        else:
            joined.append([top, bottom])
    return tuple(
        (at, min(at + _MOST_ROWS, bottom)) for top, bottom in joined for at in range(top, bottom, _MOST_ROWS)
    )


class PngSplice:
    """A coded picture of which some pieces are replaced from copy to copy.

    `fast` has the stretches of rows that are compressed the fast way. They belong to the design, so
    that the file does not depend on what was made when.
    """

    def __init__(self, image: Image.Image, fast: Sequence[Rows]) -> None:
        self._size = image.size
        header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
        self._head = _PNG_HEAD + _chunk(b"IHDR", header)
        self._pieces: list[_Piece] = []
        self._chunks: list[bytes] = []
        # of what may change, the filtered rows too: most of them stay from copy to copy
        self._live: list[tuple[int, Rows, Pixels]] = []
        for rows, is_fast in _all_rows(image.height, fast):
            pixels = flat(core_of(image).crop((0, rows[0], image.width, rows[1])))
            if is_fast:
                self._live.append((len(self._pieces), rows, _fast_filtered(pixels)))
                piece = _fast_piece(self._live[-1][2])
            else:
                piece = _thorough_piece(pixels)
            self._chunks.append(self._chunk(len(self._pieces), piece))
            self._pieces.append(piece)

    @staticmethod
    def _chunk(number: int, piece: _Piece) -> bytes:
        return _chunk(b"IDAT", piece.data if number else b"\x78\x01" + piece.data)

    def areas(self, changed: Iterable[Rectangle]) -> tuple[Rectangle, ...] | None:
        """What must be known where these change: a row above and below, too; `None` if not live."""
        height = self._size[1]
        changed = tuple(changed)
        if not all(self._is_live(top, bottom) for _, top, _, bottom in changed if top < bottom):
            return None
        return apart(
            (left, max(0, top - 1), right, min(bottom + 1, height)) for left, top, right, bottom in changed
        )

    def _is_live(self, top: int, bottom: int) -> bool:
        for _, (first, last), _ in self._live:
            if first <= top < last:
                top = last  # pieces may follow each other
        return top >= bottom

    def edges_stay(self, areas: Sequence[Rectangle], changed: Iterable[Rectangle]) -> bool:
        """Say whether changes leave the edges of their areas as they were."""
        height = self._size[1]
        return all(
            any(
                x0 <= left and right <= x1 and (y0 < top or not y0) and (bottom < y1 or y1 == height)
                for x0, y0, x1, y1 in areas
            )
            for left, top, right, bottom in changed
        )

    def splice(self, crop: Cropper, areas: Iterable[Rectangle]) -> bytes:
        """The whole file of a picture that differs from the first in these areas only.

        Their uppermost and lowest rows, but for those of the picture, are as they were.
        """
        known = [(area, flat(crop(area))) for area in areas]
        pieces, chunks = list(self._pieces), list(self._chunks)
        for number, rows, still in self._live:
            here = [(area, pixels) for area, pixels in known if area[1] < rows[1] and rows[0] < area[3]]
            if here:
                filtered = still.copy()
                for area, pixels in here:
                    _filter_into(filtered, rows, area, pixels)
                pieces[number] = _fast_piece(filtered)
                chunks[number] = self._chunk(number, pieces[number])
        # an empty last block ends the stream, whatever the last piece was
        ending = _chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", _joined_adler(pieces)))
        return b"".join((self._head, *chunks, ending, _chunk(b"IEND", b"")))


def _all_rows(height_px: int, fast: Sequence[Rows]) -> Iterable[tuple[Rows, bool]]:
    """The whole of a picture in pieces, from the top; whether each is a fast one."""
    at = 0
    for top, bottom in fast:
        if at < top:
            yield (at, top), False
        yield (top, bottom), True
        at = bottom
    if at < height_px:
        yield (at, height_px), False


def _filter_into(filtered: Pixels, rows: Rows, area: Rectangle, pixels: Pixels) -> None:
    """Filter what lies in an area anew, within the rows of a piece."""
    left, top, right, bottom = area
    at = slice(1 + 3 * left, 1 + 3 * right)
    first, last = max(top + 1, rows[0] + 1), min(bottom, rows[1])
    if top <= rows[0]:
        filtered[0, at] = pixels[rows[0] - top]
    if first < last:
        np.subtract(
            pixels[first - top : last - top],
            pixels[first - 1 - top : last - 1 - top],
            out=filtered[first - rows[0] : last - rows[0], at],
        )


def encode_png(image: Image.Image, fast: Sequence[Rows]) -> bytes:
    """Encode a whole picture with the pieces of its design."""
    return PngSplice(image, fast).splice(core_of(image).crop, ())


def encode_still(image: Image.Image) -> bytes:
    """Encode a whole picture as a PNG as fast as may be."""
    return encode_png(image, live_rows(image.height, [(0, 0, *image.size)]))


def encode_webp(image: Image.Image, quality: int) -> bytes:
    """Encode a whole picture as WebP, which cannot be spliced."""
    target = io.BytesIO()
    image.save(target, "WEBP", quality=quality, method=4)
    return target.getvalue()
