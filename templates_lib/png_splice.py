"""Files put together from parts made before and parts made now, as if encoded whole: PNG.

Rows are compressed in pieces, each flushed, and the first row of a piece is filtered without the
row above: a piece depends on its own rows alone. What pieces a picture has and how each is
compressed belongs to the design, whatever is made now: same pixels, same file.

Sources: PNG specification (third edition), clauses 9 and 10; RFC 1950 (Adler-32); RFC 1951,
clause 3.2.4 (blocks that are stored as they are).
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from templates_lib.splice import Cropper, Pixels, Rectangle, apart, core_of, flat

Rows = tuple[int, int]  # the first, and the one after the last
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_MODULUS: Final = 65_521


_MOST_ROWS: Final = 256  # of a piece that may change
_AT_A_TIME: Final = 32  # rows filtered the thorough way: it takes a dozen times their memory
_GAP_ROWS: Final = 32  # a stretch between live ones that is not worth a piece
_PARTED_ROWS: Final = 8  # fewer are not worth a piece of their own
_BUSY: Final = 2  # rows are parted whose still side differs from above in so many times the live bytes
_AS_IT_IS, _UP = 0, 2  # filters (PNG, clause 9.2)
_MOST_STORED: Final = 0xFFFF
_STORED: Final = struct.Struct("<BHH")  # a block as it is: its kind, its length, the length inverted


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of a design that ink may come to, compressed as one piece.

    Where ink comes to a few `columns` (the first, and the one after the last) of a lively picture,
    these lie in the file as they are and what stands on both sides is compressed once.
    """

    top: int
    bottom: int
    columns: tuple[int, int] | None = None

    def holds(self, left: int, right: int) -> bool:
        """Say whether ink between these columns stays within the band."""
        return self.columns is None or (self.columns[0] <= left and right <= self.columns[1])

    @property
    def bytes_of_row(self) -> slice:
        """Where the live columns lie in a filtered row."""
        first, last = self.columns or (0, 0)
        return slice(1 + 3 * first, 1 + 3 * last)


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


def live_bands(still: Image.Image, rectangles: Iterable[Rectangle]) -> tuple[Band, ...]:
    """The bands of rows that ink in these rectangles touches, none longer than a piece may be."""
    joined: list[list[int]] = []
    rectangles = [one for one in rectangles if one[0] < one[2] and max(0, one[1]) < min(one[3], still.height)]
    for top, bottom in sorted((max(0, r[1]), min(r[3], still.height)) for r in rectangles):
        if joined and top <= joined[-1][1] + _GAP_ROWS:
            joined[-1][1] = max(joined[-1][1], bottom)
        else:
            joined.append([top, bottom])
    return tuple(
        band
        for top, bottom in joined
        for parted in _parted(still, top, bottom, rectangles)
        for band in _short_enough(parted)
    )


def _parted(still: Image.Image, top: int, bottom: int, rectangles: Sequence[Rectangle]) -> Iterator[Band]:
    """Cut a stretch where rows begin or end whose columns are better set apart."""
    # a band's first row is filtered without the row above, so no band depends on what is above it
    rows = _fast_filtered(flat(core_of(still).crop((0, top, still.width, bottom))))
    busy = np.pad(np.cumsum(rows[:, 1:] != 0, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    ends = {end for _, y0, _, y1 in rectangles for end in (y0, y1) if top < end < bottom}
    begun = top
    for first, last in pairwise(sorted({top, bottom} | ends)):
        inked = [one for one in rectangles if one[1] < last and first < one[3]]
        left = max(0, min((one[0] for one in inked), default=0))
        right = min(max((one[2] for one in inked), default=0), still.width)
        for start, end in _busy_runs(busy[first - top : last - top], 3 * left, 3 * right):
            if begun < first + start:
                yield Band(begun, first + start)
            begun = first + end
            yield Band(first + start, begun, (left, right))
    if begun < bottom:
        yield Band(begun, bottom)


def _busy_runs(busy: NDArray[np.int32], left: int, right: int) -> Iterator[Rows]:
    """The runs of rows whose still side differs from the row above in far more bytes than are live."""
    if not 0 < right - left <= _MOST_STORED:
        return
    outside = busy[:, -1] - (busy[:, right] - busy[:, left])
    worth = np.flatnonzero(np.diff(outside >= _BUSY * (right - left), prepend=False, append=False))
    for start, end in worth.reshape(-1, 2).tolist():
        if end - start >= _PARTED_ROWS:
            yield start, end


def _short_enough(band: Band) -> Iterator[Band]:
    for at in range(band.top, band.bottom, _MOST_ROWS):
        yield replace(band, top=at, bottom=min(at + _MOST_ROWS, band.bottom))


@dataclass(frozen=True, slots=True)
class _Live:
    """A piece that may change: which it is, and what is known of it beforehand.

    `still` has its filtered rows: most of them stay from copy to copy. `sides` has what stands
    before the live columns of each row, and behind the last ones, where columns are set apart.
    """

    number: int
    band: Band
    still: Pixels
    sides: tuple[bytes, ...]

    @classmethod
    def of(cls, number: int, band: Band, pixels: Pixels) -> "_Live":
        filtered = _fast_filtered(pixels)
        return cls(number, band, filtered, _sides(filtered, band) if band.columns else ())

    def piece(self, filtered: Pixels) -> _Piece:
        if not self.sides:
            return _fast_piece(filtered)
        live = np.ascontiguousarray(filtered[:, self.band.bytes_of_row])
        length = live.shape[1]
        stored = np.empty((live.shape[0], _STORED.size + length), np.uint8)
        stored[:, : _STORED.size] = np.frombuffer(_STORED.pack(0, length, _MOST_STORED ^ length), np.uint8)
        stored[:, _STORED.size :] = live
        data, step = stored.tobytes(), stored.shape[1]
        parts = [self.sides[0]]
        for row, side in enumerate(self.sides[1:]):
            parts += (data[row * step : (row + 1) * step], side)
        return _Piece(b"".join(parts), isal_zlib.adler32(filtered), filtered.size)


def _sides(filtered: Pixels, band: Band) -> tuple[bytes, ...]:
    """Compress what stands still in rows: before the live columns of each, and behind the last."""
    live = band.bytes_of_row
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    sides = [b""]
    for row in filtered:
        before, behind = (
            coder.compress(side) + coder.flush(zlib.Z_FULL_FLUSH) if side else b""
            for side in (row[: live.start].tobytes(), row[live.stop :].tobytes())
        )
        sides[-1] += before
        sides.append(behind)
    return tuple(sides)


class PngSplice:
    """A coded picture of which some pieces are replaced from copy to copy.

    `fast` has the stretches of rows that are compressed the fast way. They belong to the design, so
    that the file does not depend on what was made when.
    """

    def __init__(self, image: Image.Image, bands: Sequence[Band]) -> None:
        self._size = image.size
        header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
        self._head = _PNG_HEAD + _chunk(b"IHDR", header)
        self._pieces: list[_Piece] = []
        self._chunks: list[bytes] = []
        self._live: list[_Live] = []
        for band, is_live in _all_rows(image.height, bands):
            number = len(self._pieces)
            pixels = flat(core_of(image).crop((0, band.top, image.width, band.bottom)))
            if is_live:
                self._live.append(_Live.of(number, band, pixels))
                piece = self._live[-1].piece(self._live[-1].still)
            else:
                piece = _thorough_piece(pixels)
            self._chunks.append(self._chunk(number, piece))
            self._pieces.append(piece)

    @staticmethod
    def _chunk(number: int, piece: _Piece) -> bytes:
        return _chunk(b"IDAT", piece.data if number else b"\x78\x01" + piece.data)

    def areas(self, changed: Iterable[Rectangle]) -> tuple[Rectangle, ...] | None:
        """What must be known where these change: a row above and below, too; `None` if not live."""
        height = self._size[1]
        changed = tuple(changed)
        if not all(map(self._is_live, changed)):
            return None
        return apart(
            (left, max(0, top - 1), right, min(bottom + 1, height)) for left, top, right, bottom in changed
        )

    def _is_live(self, area: Rectangle) -> bool:
        left, top, right, bottom = area
        for live in self._live:
            band = live.band
            if band.top <= top < band.bottom and band.holds(left, right):
                top = band.bottom  # pieces may follow each other
        return top >= bottom or left >= right

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
        for live in self._live:
            number, band = live.number, live.band
            here = [(area, pixels) for area, pixels in known if area[1] < band.bottom and band.top < area[3]]
            if here:
                filtered = live.still.copy()
                for area, pixels in here:
                    _filter_into(filtered, band, area, pixels)
                pieces[number] = live.piece(filtered)
                chunks[number] = self._chunk(number, pieces[number])
        # an empty last block ends the stream, whatever the last piece was
        ending = _chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", _joined_adler(pieces)))
        return b"".join((self._head, *chunks, ending, _chunk(b"IEND", b"")))


def _all_rows(height_px: int, bands: Sequence[Band]) -> Iterable[tuple[Band, bool]]:
    """The whole of a picture in pieces, from the top; whether each is a live one."""
    at = 0
    for band in bands:
        if at < band.top:
            yield Band(at, band.top), False
        yield band, True
        at = band.bottom
    if at < height_px:
        yield Band(at, height_px), False


def _filter_into(filtered: Pixels, band: Band, area: Rectangle, pixels: Pixels) -> None:
    """Filter what lies in an area anew, within the rows of a piece."""
    left, top, right, bottom = area
    at = slice(1 + 3 * left, 1 + 3 * right)
    first, last = max(top + 1, band.top + 1), min(bottom, band.bottom)
    if top <= band.top:
        filtered[0, at] = pixels[band.top - top]
    if first < last:
        np.subtract(
            pixels[first - top : last - top],
            pixels[first - 1 - top : last - 1 - top],
            out=filtered[first - band.top : last - band.top, at],
        )


def encode_png(image: Image.Image, bands: Sequence[Band]) -> bytes:
    """Encode a whole picture with the pieces of its design."""
    return PngSplice(image, bands).splice(core_of(image).crop, ())


def encode_still(image: Image.Image) -> bytes:
    """Encode a whole picture as a PNG as fast as may be."""
    whole = Band(0, image.height)
    return encode_png(image, tuple(_short_enough(whole)))
