"""Glyphs drawn by FreeType, unhinted, where they stand between two pixels; each drawn once."""

import ctypes
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import freetype
from PIL import Image

from templates_lib.lines import Glyph, face_path

_PHASES: Final = 8  # places between two pixels a glyph is drawn for, across
_FINE: Final = 64  # and down, where a slot's lines have one phase each
_LOAD: Final = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP | freetype.FT_LOAD_RENDER
_MOST_KEPT: Final = 20_000  # about 20 MB of small glyphs

Colour = tuple[int, int, int]

# A glyph's coverage, where it lies from the pixel of its origin, and its size; `None` draws nothing.
# The coverage is Pillow's own storage: pasting it without the picture around it takes half the
# time, and a poster has a hundred glyphs.
_Drawn = tuple[Any, int, int, int, int]

# By face, size, alpha and phase down, which a line has in common; then by glyph and phase across.
_kept: dict[tuple[int, float, float, int], dict[int, _Drawn]] = {}
_count = 0


@cache
def _face(face: int) -> freetype.Face:
    return freetype.Face(str(face_path(face)))


def draw_glyphs(
    core: Any,
    glyphs: Iterable[Glyph],
    x: float,
    baseline: float,
    size_px: float,
    colour: Colour,
    alpha: float = 1.0,
) -> tuple[int, int, int, int] | None:
    """Draw a line's glyphs with its origin at `x`, `baseline` of an image, given as Pillow stores it.

    Returns the edges of what was inked (they may lie outside the image), `None` for no ink.
    """
    paste = core.paste
    left = top = 1 << 30
    right = bottom = -left
    face = -1
    lift = 0.0
    row = down = 0
    drawn_here: dict[int, _Drawn] = {}
    # in whole phases: one rounding a glyph
    start = x * _PHASES + 0.5
    for glyph_face, number, across, rise in glyphs:
        if glyph_face != face or rise != lift:
            face, lift = glyph_face, rise
            row, down = divmod(int((baseline + rise) * _FINE + 0.5), _FINE)
            drawn_here = _kept.setdefault((face, size_px, alpha, down), {})
        phase = int(start + across * _PHASES)
        key = number * _PHASES + phase % _PHASES
        drawn = drawn_here.get(key)
        if drawn is None:
            drawn = drawn_here[key] = _draw(face, number, size_px, phase % _PHASES, down, alpha)
        coverage, across_px, above_px, wide, high = drawn
        if coverage is not None:
            column = phase // _PHASES + across_px
            line = row - above_px
            paste(colour, (column, line, column + wide, line + high), coverage)
            if column < left:  # noqa: PLR1730  a call of min() costs as much as the paste
                left = column
            if column + wide > right:  # noqa: PLR1730
                right = column + wide
            if line < top:  # noqa: PLR1730
                top = line
            if line + high > bottom:  # noqa: PLR1730
                bottom = line + high
    return (left, top, right, bottom) if right > left else None


def _draw(face: int, number: int, size_px: float, right: int, down: int, alpha: float) -> _Drawn:
    global _count  # noqa: PLW0603  one count of what all faces keep
    if _count >= _MOST_KEPT:
        _kept.clear()
        _count = 0
    _count += 1
    opened = _face(face)
    opened.set_char_size(round(size_px * 64))
    opened.set_transform(
        freetype.Matrix(0x10000, 0, 0, 0x10000),
        freetype.Vector(right * 64 // _PHASES, -(down * 64 // _FINE)),
    )
    opened.load_glyph(number, _LOAD)
    bitmap = opened.glyph.bitmap
    if not (bitmap.width and bitmap.rows):
        return None, 0, 0, 0, 0
    size = bitmap.width, bitmap.rows
    # freetype-py's own `buffer` is a list of numbers, made one by one
    rows = ctypes.string_at(bitmap._FT_Bitmap.buffer, bitmap.rows * bitmap.pitch)  # noqa: SLF001
    coverage = Image.frombytes("L", size, rows, "raw", "L", bitmap.pitch, 1)
    if alpha < 1:
        coverage = coverage.point(lambda value: round(value * alpha))
    return coverage.im, opened.glyph.bitmap_left, opened.glyph.bitmap_top, *size
