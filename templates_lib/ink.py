"""Ink on a still page: words, photographs and codes, drawn into copies of the rows they touch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

from templates_lib.glyphs import draw_glyphs
from templates_lib.lines import Glyph, SetLine, face_of
from templates_lib.pictures import ImageValue, clean_image, monogram_frame
from templates_lib.qr import QrError, decode_qr, qr_mask
from templates_lib.skeleton import PicturePlace, TextPlace
from templates_lib.splice import Rectangle
from templates_lib.survey import Edges

_ROUNDED_FINER: Final = 8
_SMALLER: Final = Image.Resampling.HAMMING
_LARGER: Final = Image.Resampling.BILINEAR
_GAP: Final = 2.0  # a large picture is averaged down to twice the size first

Colour = tuple[int, int, int]


class OutsideAreas(Exception):
    """Ink would leave the areas that were copied for it: the page is drawn on whole, then."""


@dataclass(slots=True)
class Canvas:
    """Copies of some areas of a page, each with the place of its first pixel, to draw on."""

    patches: Sequence[tuple[int, int, Image.Image]]
    changed: list[Rectangle] = field(default_factory=list)

    def patch(self, rectangle: Rectangle) -> tuple[int, int, Image.Image]:
        """The copy that holds a rectangle, with its place. Raises OutsideAreas."""
        left, top, right, bottom = rectangle
        for patch in self.patches:
            x, y, image = patch
            if x <= left and y <= top and right <= x + image.width and bottom <= y + image.height:
                return patch
        raise OutsideAreas

    def crop(self, rectangle: Rectangle) -> Image.Image:
        """The pixels of a rectangle of the page. Raises OutsideAreas."""
        left, top, right, bottom = rectangle
        x, y, image = self.patch(rectangle)
        return image.crop((left - x, top - y, right - x, bottom - y))

    def paste(self, rectangle: Rectangle, what: Image.Image | Colour, mask: Image.Image | None) -> None:
        """Paste onto a rectangle of the page. Raises OutsideAreas."""
        x, y, image = self.patch(rectangle)
        left, top, right, bottom = rectangle
        image.paste(what, (left - x, top - y, right - x, bottom - y), mask)
        self.changed.append(rectangle)


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
    starts = []
    for line in lines:
        room = max(place.limit_px - line.width, 0.0)
        starts.append(spot.x + {"center": room / 2, "end": room}.get(place.align, 0.0))
    return starts


def draw_words(
    canvas: Canvas, place: TextPlace, spot: TextSpot, lines: Sequence[SetLine], size_px: float
) -> None:
    """Draw the lines of a place. Raises OutsideAreas."""
    # in another size a line is centred on the same height: half its leading changes
    lower = (place.baseline - place.height / 2) * (size_px / place.style.size_px - 1)
    for number, (line, x) in enumerate(zip(lines, line_starts(place, spot, lines), strict=True)):
        baseline = spot.baseline + number * place.pitch_px + lower
        across, down = int(x), int(baseline)
        left, top, image = canvas.patch((across, down, across + 1, down))
        inked = draw_glyphs(image, line.glyphs, x - left, baseline - top, size_px, place.colour, place.alpha)
        if inked is not None:
            x0, y0, x1, y1 = inked
            if x0 < 0 or y0 < 0 or x1 > image.width or y1 > image.height:
                raise OutsideAreas
            canvas.changed.append((x0 + left, y0 + top, x1 + left, y1 + top))


def draw_photo(canvas: Canvas, place: PicturePlace, spot: PictureSpot, value: ImageValue) -> None:
    """Draw a photograph, cut to its place as CSS object-fit says. Raises OutsideAreas."""
    pixels, mask, left, top = frame_photo(place, spot, value)
    left, top = spot.left + left, spot.top + top
    canvas.paste((left, top, left + pixels.width, top + pixels.height), pixels, mask)


Framed = tuple[Image.Image, Image.Image | None, int, int]


def frame_photo(place: PicturePlace, spot: PictureSpot, value: ImageValue) -> Framed:
    """Cut a photograph for a place. It is done once for each portrait, not for each poster."""
    width, height = spot.right - spot.left, spot.bottom - spot.top
    return _framed(value, width, height, place.fit, place.position, place.radii)


@lru_cache(maxsize=256)
def _framed(
    value: ImageValue,
    width: int,
    height: int,
    fit: str,
    position: tuple[float, float],
    radii: tuple[float, float, float, float],
) -> Framed:
    """Cut and scale a picture for a frame: its pixels, their mask, and their place in the frame."""
    pixels, left, top = _fitted(clean_image(value).pixels, width, height, fit, position)
    mask = _rounded(width, height, radii)
    if mask is not None and (left or top or pixels.size != (width, height)):
        mask = mask.crop((left, top, left + pixels.width, top + pixels.height))
    if pixels.mode == "RGBA":
        alpha = pixels.getchannel("A")
        mask = alpha if mask is None else Image.composite(alpha, Image.new("L", alpha.size), mask)
        pixels = pixels.convert("RGB")
    return pixels, mask, left, top


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
    glyph = Glyph(face_of(frame.glyph.face), frame.glyph.number, 0.0, 0.0)
    ground = canvas.crop(spot.area)
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
        x, y, image = canvas.patch(spot.area)
        margin = (spot.right - spot.left) // 6  # the quiet zone, and a little of what surrounds it
        around = (
            max(0, spot.left - x - margin),
            max(0, spot.top - y - margin),
            min(image.width, spot.right - x + margin),
            min(image.height, spot.bottom - y + margin),
        )
        if url not in decode_qr(image.crop(around)):
            raise QrError("成品上的二维码无法识别，图片没有放行")


def rgb(colour: str) -> Colour:
    """Read `#RRGGBB`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
