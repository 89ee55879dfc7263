"""Ink on a still page: words, photographs and codes, drawn into copies of the rows they touch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from templates_lib.glyphs import draw_glyphs
from templates_lib.lines import SetLine, face_of
from templates_lib.pictures import ImageValue, clean_image, monogram_frame
from templates_lib.qr import QrError, qr_mask, reads_back
from templates_lib.skeleton import PicturePlace, TextPlace
from templates_lib.splice import Core, Rectangle, core_of
from templates_lib.survey import Edges, holds

_ROUNDED_FINER: Final = 8
_SMALLER: Final = Image.Resampling.HAMMING
_LARGER: Final = Image.Resampling.BILINEAR
_GAP: Final = 2.0  # a large picture is averaged down to twice the size first

# How far ink reaches from its origin, in sizes of its type. Ink that reaches farther is drawn too,
# on a copy of the whole page.
ABOVE: Final = 0.96
BELOW: Final = 0.26
BESIDE: Final = 0.06

Colour = tuple[int, int, int]


class OutsideAreas(Exception):
    """Ink would leave the areas that were copied for it: the page is drawn on whole, then."""


class Patch(NamedTuple):
    """A copy of an area of a page, as Pillow stores it."""

    left: int
    top: int
    right: int
    bottom: int
    core: Core

    @classmethod
    def of(cls, left: int, top: int, image: Image.Image) -> "Patch":
        """A patch whose first pixel lies there."""
        return cls(left, top, left + image.width, top + image.height, core_of(image))

    def cut(self, area: Rectangle) -> "Patch":
        """A copy of an area within it."""
        x, y = self.left, self.top
        left, top, right, bottom = area
        return Patch(left, top, right, bottom, self.core.crop((left - x, top - y, right - x, bottom - y)))


@dataclass(slots=True)
class Canvas:
    """Copies of some areas of a page, to draw on.

    `around` has what lies around them, without ink.
    """

    patches: Sequence[Patch]
    around: Sequence[Patch] = ()
    changed: list[Rectangle] = field(default_factory=list)

    @classmethod
    def whole(cls, page: Image.Image) -> "Canvas":
        """A page to draw on as it is."""
        return cls((Patch.of(0, 0, page),))

    def patch(self, rectangle: Rectangle) -> Patch:
        """The copy that holds a rectangle, with its place. Raises OutsideAreas."""
        return _holding(self.patches, rectangle)

    def crop(self, rectangle: Rectangle) -> Core:
        """The pixels of a rectangle of the page, not to be drawn on. Raises OutsideAreas."""
        patch = self.patch(rectangle)
        return patch.core if rectangle == patch[:4] else patch.cut(rectangle).core

    def crop_wider(self, rectangle: Rectangle, margin: int) -> Core:
        """The pixels of a rectangle and as much of a margin as is at hand. Raises OutsideAreas."""
        whole = _holding(self.around or self.patches, rectangle)
        left, top = max(whole.left, rectangle[0] - margin), max(whole.top, rectangle[1] - margin)
        right, bottom = min(whole.right, rectangle[2] + margin), min(whole.bottom, rectangle[3] + margin)
        found = whole.cut((left, top, right, bottom)).core
        if self.around:
            for x0, y0, x1, y1, core in self.patches:
                if x0 < right and left < x1 and y0 < bottom and top < y1:
                    found.paste(core, (x0 - left, y0 - top, x1 - left, y1 - top))
        return found

    def paste(
        self, rectangle: Rectangle, what: Image.Image | Core | Colour, mask: Image.Image | None
    ) -> None:
        """Paste onto a rectangle of the page. Raises OutsideAreas."""
        patch = self.patch(rectangle)
        left, top, right, bottom = rectangle
        x, y = patch.left, patch.top
        source = core_of(what) if isinstance(what, Image.Image) else what
        box = left - x, top - y, right - x, bottom - y
        if mask is None:
            patch.core.paste(source, box)
        else:
            patch.core.paste(source, box, core_of(mask))
        self.changed.append(rectangle)


def _holding(patches: Sequence[Patch], rectangle: Rectangle) -> Patch:
    left, top, right, bottom = rectangle
    for patch in patches:
        if patch.left <= left and patch.top <= top and right <= patch.right and bottom <= patch.bottom:
            return patch
    raise OutsideAreas


@dataclass(frozen=True, slots=True)
class TextSpot:
    """Where the first line of a place lies on a plate; `edges` are what its ink must not leave."""

    x: float
    baseline: float
    top: float
    line_px: float
    edges: tuple[Edges, ...]


@dataclass(frozen=True, slots=True)
class PictureSpot:
    """The pixels a picture covers."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> Rectangle:
        return self.left, self.top, self.right, self.bottom


def line_starts(place: TextPlace, spot: TextSpot, lines: Sequence[SetLine]) -> list[float]:
    """Where each line begins, as it is aligned in its place."""
    if place.align == "start":
        return [spot.x] * len(lines)
    starts = []
    for line in lines:
        room = max(place.limit_px - line.width, 0.0)
        starts.append(spot.x + {"center": room / 2, "end": room}.get(place.align, 0.0))
    return starts


def stays_inside(
    place: TextPlace, spot: TextSpot | PictureSpot | None, lines: Sequence[SetLine], most: int | None
) -> bool:
    """Say whether lines set for a place are few enough, and stay inside what they must not leave."""
    if not lines:
        return True
    if not isinstance(spot, TextSpot) or (most is not None and len(lines) > most):
        return False
    if place.single and len(lines) > 1:
        return False
    trailing = place.style.trailing_px
    for number, (line, x) in enumerate(zip(lines, line_starts(place, spot, lines), strict=True)):
        top = spot.top + number * place.pitch_px
        right = x + line.width - trailing
        if not all(holds(edges, x, top, right, top + spot.line_px) for edges in spot.edges):
            return False
    return True


def draw_words(
    canvas: Canvas, place: TextPlace, spot: TextSpot, lines: Sequence[SetLine], size_px: float
) -> None:
    """Draw the lines of a place. Raises OutsideAreas."""
    lower = _lower(place, size_px)
    for number, (line, x) in enumerate(zip(lines, line_starts(place, spot, lines), strict=True)):
        baseline = spot.baseline + number * place.pitch_px + lower
        across, down = int(x), int(baseline)
        left, top, right, bottom, core = canvas.patch((across, down, across + 1, down))
        inked = draw_glyphs(core, line.glyphs, x - left, baseline - top, size_px, place.colour, place.alpha)
        if inked is not None:
            x0, y0, x1, y1 = inked
            if x0 < 0 or y0 < 0 or x1 + left > right or y1 + top > bottom:
                raise OutsideAreas
            canvas.changed.append((x0 + left, y0 + top, x1 + left, y1 + top))


def words_area(
    place: TextPlace, spot: TextSpot, lines: Sequence[SetLine], size_px: float
) -> Rectangle | None:
    """The pixels that the lines of a place are expected to touch, `None` for none."""
    if not lines:
        return None
    lower = _lower(place, size_px)
    starts = line_starts(place, spot, lines)
    right = max(start + line.width for start, line in zip(starts, lines, strict=True))
    last = spot.baseline + (len(lines) - 1) * place.pitch_px
    return (
        int(min(starts) - size_px * BESIDE),
        int(spot.baseline + lower - size_px * ABOVE),
        int(right + size_px * BESIDE) + 1,
        int(last + lower + size_px * BELOW) + 1,
    )


def _lower(place: TextPlace, size_px: float) -> float:
    """In another size a line is centred on the same height: half its leading changes."""
    return (place.baseline - place.height / 2) * (size_px / place.style.size_px - 1)


def draw_photo(canvas: Canvas, place: PicturePlace, spot: PictureSpot, value: ImageValue) -> None:
    """Draw a photograph, cut to its place as CSS object-fit says. Raises OutsideAreas."""
    for left, top, pixels, mask in frame_photo(place, spot, value):
        x, y = spot.left + left, spot.top + top
        canvas.paste((x, y, x + pixels.width, y + pixels.height), pixels, mask)


# A cut photograph in parts, each with its place in the frame. Laying pixels down through a mask takes
# thirty times as long as copying them, and most of a mask lets all through.
_Framed = tuple[tuple[int, int, Image.Image, Image.Image | None], ...]


def frame_photo(place: PicturePlace, spot: PictureSpot, value: ImageValue) -> _Framed:
    """Cut a photograph for a place. It is done once for each portrait, not for each poster."""
    width, height = spot.right - spot.left, spot.bottom - spot.top
    return _framed(value, width, height, place.fit, place.position, place.radii)


@lru_cache(maxsize=64)  # up to half a megabyte each, and in a long run none is met twice
def _framed(
    value: ImageValue,
    width: int,
    height: int,
    fit: str,
    position: tuple[float, float],
    radii: tuple[float, float, float, float],
) -> _Framed:
    """Cut and scale a picture for a frame."""
    pixels, left, top = _fitted(clean_image(value).pixels, width, height, fit, position)
    mask = _rounded(width, height, radii)
    if mask is not None and (left or top or pixels.size != (width, height)):
        mask = mask.crop((left, top, left + pixels.width, top + pixels.height))
    if pixels.mode == "RGBA":
        alpha = pixels.getchannel("A")
        mask = alpha if mask is None else Image.composite(alpha, Image.new("L", alpha.size), mask)
        pixels = pixels.convert("RGB")
    if mask is None:
        return ((left, top, pixels, None),)
    return tuple(
        (left + box[0], top + box[1], pixels.crop(box), None if open_ else mask.crop(box))
        for box, open_ in _parts(mask)
    )


_TRIED: Final = 24


def _parts(mask: Image.Image) -> list[tuple[Rectangle, bool]]:
    """Part a mask into a middle that lets all through and what lies around it."""
    width, height = mask.size
    opaque = np.asarray(mask) == 255  # noqa: PLR2004
    best, middle = 0, (0, 0, 0, 0)
    for above in range(0, height // 2, max(1, height // 2 // _TRIED)):
        closed = np.flatnonzero(~opaque[above : height - above].all(0))
        left = int(closed[closed < width // 2].max(initial=-1)) + 1
        right = int(closed[closed >= width // 2].min(initial=width))
        if (right - left) * (height - 2 * above) > best:
            best, middle = (right - left) * (height - 2 * above), (left, above, right, height - above)
    left, top, right, bottom = middle
    around = (
        (0, 0, width, top), (0, top, left, bottom), (right, top, width, bottom), (0, bottom, width, height),
    )  # fmt: skip
    if not best:
        return [((0, 0, width, height), False)]
    return [(middle, True), *((box, False) for box in around if box[0] < box[2] and box[1] < box[3])]


def forget_photos() -> None:
    """Forget every photograph that was cut: for measuring."""
    _framed.cache_clear()


def _fitted(
    pixels: Image.Image, width: int, height: int, fit: str, position: tuple[float, float]
) -> tuple[Image.Image, int, int]:
    """Scale a picture into a frame; returns it with its place in the frame."""
    if fit == "fill":
        return _scaled(pixels, (width, height), (0, 0, *pixels.size)), 0, 0
    across, down = width / pixels.width, height / pixels.height
    x, y = position
    if fit == "contain":
        scale = min(across, down)
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        small = _scaled(pixels, size, (0, 0, *pixels.size))
        return small, round((width - size[0]) * x), round((height - size[1]) * y)
    scale = max(across, down)
    shown = width / scale, height / scale
    left, top = max(0.0, (pixels.width - shown[0]) * x), max(0.0, (pixels.height - shown[1]) * y)
    box = left, top, min(left + shown[0], pixels.width), min(top + shown[1], pixels.height)
    return _scaled(pixels, (width, height), box), 0, 0


def _scaled(
    pixels: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    kernel = _SMALLER if size[0] < box[2] - box[0] else _LARGER
    return pixels.resize(size, kernel, box=box, reducing_gap=_GAP)


@lru_cache(maxsize=64)
def _rounded(width: int, height: int, radii: tuple[float, float, float, float]) -> Image.Image | None:
    """The mask of a frame with rounded corners; `None` where none is round."""
    if not any(radii):
        return None
    # corners that would overlap shrink together (CSS Backgrounds 3, clause 4.5)
    one, two, three, four = radii
    sums = ((one + two, width), (three + four, width), (two + three, height), (four + one, height))
    shrink = min([1.0, *(side / both for both, side in sums if both > side)])
    finer = _ROUNDED_FINER
    fine = Image.new("L", (width * finer, height * finer), 255)
    draw = ImageDraw.Draw(fine)
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    for radius, (right, bottom) in zip(radii, corners, strict=True):
        side = radius * shrink * finer
        if side < 1:
            continue
        x0, y0 = right * (fine.width - side), bottom * (fine.height - side)
        draw.rectangle((x0, y0, x0 + side, y0 + side), fill=0)
        centre = (side if not right else fine.width - side, side if not bottom else fine.height - side)
        box = (centre[0] - side, centre[1] - side, centre[0] + side - 1, centre[1] + side - 1)
        angle = {(0, 0): 180, (1, 0): 270, (1, 1): 0, (0, 1): 90}[right, bottom]
        draw.pieslice(box, angle, angle + 90, fill=255)
    return fine.reduce(finer)


def can_draw_monogram(name: str) -> bool:
    """Say whether some face has the first character of a name."""
    return monogram_frame(name) is not None


def draw_monogram(canvas: Canvas, place: PicturePlace, spot: PictureSpot, name: str, colour: Colour) -> None:
    """Draw the first character of a name for a missing portrait. Raises OutsideAreas."""
    frame = monogram_frame(name)
    if frame is None:
        raise ValueError(f"no face draws {name[:1]!r}")
    width, height = spot.right - spot.left, spot.bottom - spot.top
    side = max(width, height) if place.fit == "cover" else min(width, height)
    scale = side / frame.side
    x = (width - side) * place.position[0] + frame.x * scale
    y = (height - side) * place.position[1] + frame.y * scale
    glyph = (face_of(frame.glyph.face), frame.glyph.number, 0.0, 0.0)
    ground = canvas.patch(spot.area).cut(spot.area).core
    draw_glyphs(ground, (glyph,), x, y, frame.size_px * scale, colour)
    canvas.paste(spot.area, ground, _rounded(width, height, place.radii))


def draw_code(canvas: Canvas, spot: PictureSpot, url: str, colour: Colour) -> None:
    """Draw a QR code on the ground that is there. Raises QrError, OutsideAreas."""
    mask, start = qr_mask(url, spot.right - spot.left)
    left, top = spot.left + start, spot.top + start
    canvas.paste((left, top, left + mask.width, top + mask.height), colour, mask)


def lay_ink(canvas: Canvas, left: int, top: int, ink: Image.Image) -> None:
    """Lay ink (premultiplied) whose first pixel lies there over the page. Raises OutsideAreas."""
    inked = ink.getchannel("a").getbbox()
    if inked is None:
        return
    whole = ink.crop(inked).convert("RGBA")
    x0, y0, x1, y1 = inked
    area = x0 + left, y0 + top, x1 + left, y1 + top
    canvas.paste(area, whole.convert("RGB"), whole.getchannel("A"))


def check_codes(codes: Iterable[tuple[str, PictureSpot]], canvas: Canvas) -> None:
    """Read every code back out of the finished pixels, surroundings and all. Raises QrError."""
    for url, spot in codes:
        margin = (spot.right - spot.left) // 6  # the quiet zone, and a little of what surrounds it
        if not reads_back(canvas.crop_wider(spot.area, margin), url):
            raise QrError("成品上的二维码无法识别，图片没有放行")


def rgb(colour: str) -> Colour:
    """Read `#RRGGBB`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
