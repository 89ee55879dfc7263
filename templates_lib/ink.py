"""Ink on a still page: words, photographs and codes, drawn into copies of the rows they touch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

from templates_lib.glyphs import draw_glyphs
from templates_lib.lines import Glyph, SetLine
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


class OutsideRows(Exception):
    """Ink would leave the rows that were copied for it."""


@dataclass(slots=True)
class Canvas:
    """Copies of some rows of a page, each with the row it begins at, and what was drawn on them."""

    patches: Sequence[tuple[int, Image.Image]]
    changed: list[Rectangle] = field(default_factory=list)

    def patch(self, top: float, bottom: float) -> tuple[int, Image.Image]:
        """The copy that holds these rows. Raises OutsideRows."""
        for first, image in self.patches:
            if first <= top and bottom <= first + image.height:
                return first, image
        raise OutsideRows

    def crop(self, rectangle: Rectangle) -> Image.Image:
        """The pixels of a rectangle of the page. Raises OutsideRows."""
        left, top, right, bottom = rectangle
        first, image = self.patch(top, bottom)
        return image.crop((left, top - first, right, bottom - first))


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


def line_starts(place: TextPlace, spot: TextSpot, lines: Sequence[SetLine]) -> list[float]:
    """Where each line begins, as it is aligned in its place."""
    starts = []
    for line in lines:
        room = max(place.limit_px - line.width, 0.0)
        starts.append(spot.x + {"start": 0.0, "center": room / 2, "end": room}[place.align])
    return starts


def draw_words(
    canvas: Canvas, place: TextPlace, spot: TextSpot, lines: Sequence[SetLine], size_px: float
) -> None:
    """Draw the lines of a place. Raises OutsideRows."""
    # in another size a line is centred on the same height: half its leading changes
    lower = (place.baseline - place.height / 2) * (size_px / place.style.size_px - 1)
    for number, (line, x) in enumerate(zip(lines, line_starts(place, spot, lines), strict=True)):
        baseline = spot.baseline + number * place.pitch_px + lower
        first, image = canvas.patch(baseline - size_px, baseline + size_px * 0.25)
        inked = draw_glyphs(image, line.glyphs, x, baseline - first, size_px, place.colour, place.alpha)
        if inked is not None:
            left, top, right, bottom = inked
            if top < 0 or bottom > image.height:
                raise OutsideRows
            canvas.changed.append((max(left, 0), top + first, min(right, image.width), bottom + first))


def draw_photo(canvas: Canvas, place: PicturePlace, spot: PictureSpot, value: ImageValue) -> None:
    """Draw a photograph, cut to its place as CSS object-fit says. Raises OutsideRows."""
    first, image = canvas.patch(spot.top, spot.bottom)
    width, height = spot.right - spot.left, spot.bottom - spot.top
    pixels, left, top = _fitted(clean_image(value).pixels, width, height, place)
    mask = _rounded(width, height, place.radii)
    if mask is not None and (left or top or pixels.size != (width, height)):
        mask = mask.crop((left, top, left + pixels.width, top + pixels.height))
    if pixels.mode == "RGBA":
        alpha = pixels.getchannel("A")
        mask = alpha if mask is None else Image.composite(alpha, Image.new("L", alpha.size), mask)
        pixels = pixels.convert("RGB")
    image.paste(pixels, (spot.left + left, spot.top - first + top), mask)
    canvas.changed.append((spot.left, spot.top, spot.right, spot.bottom))


def _fitted(
    pixels: Image.Image, width: int, height: int, place: PicturePlace
) -> tuple[Image.Image, int, int]:
    """Scale a picture into a frame; returns it with its place in the frame."""
    if place.fit == "fill":
        return _scaled(pixels, (width, height), (0, 0, *pixels.size)), 0, 0
    across, down = width / pixels.width, height / pixels.height
    x, y = place.position
    if place.fit == "contain":
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
    """Draw the first character of a name for a missing portrait. Raises OutsideRows."""
    frame = monogram_frame(name)
    if frame is None:
        raise ValueError(f"no face draws {name[:1]!r}")
    first, image = canvas.patch(spot.top, spot.bottom)
    width, height = spot.right - spot.left, spot.bottom - spot.top
    side = max(width, height) if place.fit == "cover" else min(width, height)
    scale = side / frame.side
    x = (width - side) * place.position[0] + frame.x * scale
    y = (height - side) * place.position[1] + frame.y * scale
    glyph = Glyph(frame.glyph.face, frame.glyph.number, 0.0, 0.0)
    ground = image.crop((spot.left, spot.top - first, spot.right, spot.bottom - first))
    draw_glyphs(ground, (glyph,), x, y, frame.size_px * scale, colour)
    image.paste(ground, (spot.left, spot.top - first), _rounded(width, height, place.radii))
    canvas.changed.append((spot.left, spot.top, spot.right, spot.bottom))


def draw_code(canvas: Canvas, spot: PictureSpot, url: str, colour: Colour) -> None:
    """Draw a QR code on the ground that is there. Raises QrError, OutsideRows."""
    first, image = canvas.patch(spot.top, spot.bottom)
    image.paste(colour, (spot.left, spot.top - first), qr_mask(url, spot.right - spot.left))
    canvas.changed.append((spot.left, spot.top, spot.right, spot.bottom))


def lay_ink(canvas: Canvas, top: int, ink: Image.Image) -> None:
    """Lay ink (premultiplied) that begins at a row of the page over it. Raises OutsideRows."""
    first, image = canvas.patch(top, top + ink.height)
    inked = ink.getchannel("a").getbbox()
    if inked is None:
        return
    whole = ink.crop(inked).convert("RGBA")
    image.paste(whole.convert("RGB"), (inked[0], inked[1] + top - first), whole.getchannel("A"))
    canvas.changed.append((inked[0], inked[1] + top, inked[2], inked[3] + top))


def check_codes(codes: Iterable[tuple[str, PictureSpot]], canvas: Canvas) -> None:
    """Read every code back out of the finished pixels, surroundings and all. Raises QrError."""
    for url, spot in codes:
        first, image = canvas.patch(spot.top, spot.bottom)
        margin = (spot.right - spot.left) // 4
        around = (
            max(0, spot.left - margin),
            max(0, spot.top - first - margin),
            min(image.width, spot.right + margin),
            min(image.height, spot.bottom - first + margin),
        )
        if url not in decode_qr(image.crop(around)):
            raise QrError("成品上的二维码无法识别，图片没有放行")


def rgb(colour: str) -> Colour:
    """Read `#RRGGBB`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
