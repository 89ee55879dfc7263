"""Glyphs drawn by FreeType, unhinted, where they stand between two pixels; each drawn once."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import freetype
from PIL import Image

from templates_lib.lines import Glyph

_PHASES: Final = 8  # places between two pixels a glyph is drawn for, across
_FINE: Final = 64  # and down, where a slot's lines have one phase each
_LOAD: Final = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP | freetype.FT_LOAD_RENDER
_MAX_KEPT: Final = 20_000  # about 20 MB of small glyphs

Colour = tuple[int, int, int]


class _Drawn(NamedTuple):
    """A glyph's coverage and where it lies from the pixel of its origin; `None` draws nothing.

    The coverage is Pillow's own storage: pasting it without the picture around it takes half the
    time, and a poster has a hundred glyphs.
    """

    coverage: Any
    left: int
    top: int
    width: int
    height: int


_kept: dict[tuple[Path, int, float, int, int, float], _Drawn] = {}


@cache
def _face(path: Path) -> freetype.Face:
    return freetype.Face(str(path))


def draw_glyphs(
    image: Image.Image,
    glyphs: Iterable[Glyph],
    x: float,
    baseline: float,
    size_px: float,
    colour: Colour,
    alpha: float = 1.0,
) -> tuple[int, int, int, int] | None:
    """Draw a line's glyphs with its origin at `x`, `baseline` of the image.

    Returns the edges of what was inked (they may lie outside the image), `None` for no ink.
    """
    image.load()
    paste = image.im.paste
    known = _kept.get
    row, down = _split(baseline, _FINE)
    left = top = 1 << 30
    right = bottom = -left
    for face, number, across, rise in glyphs:
        if rise:
            row, down = _split(baseline + rise, _FINE)
        column, right = _split(x + across, _PHASES)
        key = (face, number, size_px, right, down, alpha)
        drawn = known(key) or _draw(key)
        coverage, across_px, above_px, wide, high = drawn
        if coverage is not None:
            column += across_px
            line = row - above_px
            paste(colour, (column, line, column + wide, line + high), coverage)
            left, right = min(left, column), max(right, column + wide)
            top, bottom = min(top, line), max(bottom, line + high)
        if rise:
            row, down = _split(baseline, _FINE)
    return (left, top, right, bottom) if right > left else None


def _split(place: float, phases: int) -> tuple[int, int]:
    """Whole pixels and phases left of and above a place, rounded to the nearest phase."""
    return divmod(int(place * phases + 0.5), phases)


def _draw(key: tuple[Path, int, float, int, int, float]) -> _Drawn:
    path, number, size_px, right, down, alpha = key
    face = _face(path)
    face.set_char_size(round(size_px * 64))
    face.set_transform(
        freetype.Matrix(0x10000, 0, 0, 0x10000),
        freetype.Vector(right * 64 // _PHASES, -(down * 64 // _FINE)),
    )
    face.load_glyph(number, _LOAD)
    bitmap = face.glyph.bitmap
    coverage = None
    if bitmap.width and bitmap.rows:
        data = bytes(bitmap.buffer)
        coverage = Image.frombytes("L", (bitmap.width, bitmap.rows), data, "raw", "L", bitmap.pitch, 1)
        if alpha < 1:
            coverage = coverage.point(lambda value: round(value * alpha))
    drawn = _Drawn(
        coverage.im if coverage is not None else None,
        face.glyph.bitmap_left,
        face.glyph.bitmap_top,
        bitmap.width,
        bitmap.rows,
    )
    if len(_kept) >= _MAX_KEPT:
        _kept.clear()
    _kept[key] = drawn
    return drawn
