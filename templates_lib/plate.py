"""The still page of a design, drawn once, and the places on it where ink comes.

A plate belongs to one arrangement: which optional slots are present, and how many lines each slot
takes whose lines move others. It is made from the page itself, laid out with words that take just
those lines, and it is tried before it is used: the same words are drawn both ways and compared.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageStat

from templates_lib import ink, layout
from templates_lib.fill import Filled
from templates_lib.ink import (
    ABOVE,
    BELOW,
    BESIDE,
    Canvas,
    Colour,
    OutsideAreas,
    Patch,
    PictureSpot,
    TextSpot,
)
from templates_lib.layout import Ink
from templates_lib.manifest import SlotKind, TemplateManifest
from templates_lib.png_splice import PngSplice, encode_png, encode_still, live_bands
from templates_lib.skeleton import FILLER, Counts, PicturePlace, Place, Skeleton, TextPlace, Way, set_in
from templates_lib.splice import JpegSettings, JpegSplice, Rectangle
from templates_lib.survey import LaidOut

Spot = TextSpot | PictureSpot
DrawWhole = Callable[[Filled, Ink, frozenset[int]], tuple[LaidOut, bytes]]

# How far the two ways may differ, as a share of the ink of the place: edges of letters do, a shift
# by half a pixel or a wrong weight does more.
_ALIKE: Final = 0.22
_ALIKE_PICTURE: Final = 12.0  # mean difference of grey levels
_ALIKE_GROUND: Final = 0.05

_ROWS_PX: Final = 32  # copies are made of so many rows at a time
_GAP_PX: Final = 128  # what is not worth leaving out between copies


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which plate: the optional slots that are present, and the numbers of lines that matter."""

    present: frozenset[str]
    counts: Counts


@dataclass(slots=True)
class Plate:
    """One page of an arrangement.

    `still` is the page without the ink of its slots, a lossless PNG. `ways` overrides the way of
    places that came out differently when tried; `full` says why the whole page must be drawn.
    """

    page: int
    still: bytes
    ways: dict[int, tuple[Way, str]] = field(default_factory=dict)
    full: str = ""


@dataclass(slots=True)
class PlateSet:
    """All pages of an arrangement; a page is drawn when it is first asked for."""

    arrangement: Arrangement
    spots: dict[int, Spot]
    crowded: str = ""
    plates: dict[int, Plate] = field(default_factory=dict)
    drawn: "tuple[bytes, bytes, Filled] | None" = None  # the PDF without and with ink, and its words


def arrange(
    skeleton: Skeleton,
    counts: Counts,
    base: Filled,
    draw: DrawWhole,
    *,
    crowded: Callable[[LaidOut], bool],
) -> PlateSet | None:
    """Lay out an arrangement; `None` where no words of ours take those numbers of lines."""
    words = _words_for(skeleton, counts, base)
    if words is None:
        return None
    filled = Filled(base.manifest, {**base.texts, **words}, base.images)
    laid_out, still = draw(filled, Ink.STILL, skeleton.live)
    _, whole = draw(filled, Ink.ALL, frozenset())
    plates = PlateSet(Arrangement(skeleton.present, counts), _spots(skeleton, laid_out))
    plates.drawn = still, whole, filled
    if crowded(laid_out):
        plates.crowded = "fixed words leave their frame"
    return plates


def _words_for(skeleton: Skeleton, counts: Counts, base: Filled) -> dict[str, str] | None:
    """Find filler that takes exactly these numbers of lines, as much of it as does."""
    wanted = dict(counts)
    words: dict[str, str] = {}
    flexible = [place for place in skeleton.texts if place.element.ordinal in wanted]
    for slot in base.manifest.slots:
        places = [place for place in flexible if slot.name in place.element.slots]
        if not places or slot.kind not in (SlotKind.TEXT, SlotKind.PHRASE):
            continue
        for length in range(slot.max_chars or 40, -1, -1):
            trial = Filled(base.manifest, {**base.texts, slot.name: FILLER * length}, {})
            if all(
                len(set_in(place, place.element.words(trial))) == wanted[place.element.ordinal]
                for place in places
            ):
                words[slot.name] = FILLER * length
                break
        else:
            return None
    for slot in base.manifest.slots:  # the rest as wide as it goes, to be tried at its edges
        if slot.name in words or slot.kind is not SlotKind.TEXT or slot.locked or not base.texts[slot.name]:
            continue
        shown = [place for place in skeleton.texts if slot.name in place.element.slots]
        for length in range(min(slot.max_chars or 12, 12), 0, -1):
            trial = Filled(base.manifest, {**base.texts, slot.name: FILLER * length}, {})
            if all(_fits_on_one_line(place, trial) for place in shown):
                words[slot.name] = FILLER * length
                break
    return words


def _fits_on_one_line(place: TextPlace, filled: Filled) -> bool:
    lines = set_in(place, place.element.words(filled))
    return len(lines) == 1 and lines[0].width <= place.limit_px


def _spots(skeleton: Skeleton, laid_out: LaidOut) -> dict[int, Spot]:
    spots: dict[int, Spot] = {}
    for place in skeleton.places:
        mark = laid_out.marks.get(place.element.ordinal)
        if mark is None:
            continue
        if isinstance(place, PicturePlace):
            if mark.picture is not None:
                left, top, right, bottom = (round(edge) for edge in mark.picture)
                spots[place.element.ordinal] = PictureSpot(left, top, right, bottom)
        elif mark.lines and mark.block is not None:
            first = mark.lines[0]
            edges = mark.bounds
            if place.bounded and mark.own is not None:
                edges = (*edges, mark.own)
            start = first.x if place.single else mark.block[0]
            spots[place.element.ordinal] = TextSpot(start, first.baseline, first.top, first.height, edges)
    return spots


def make_plate(
    plates: PlateSet, page: int, skeleton: Skeleton, inks: Mapping[str, Colour], names: Mapping[str, str]
) -> Plate:
    """Draw one page of an arrangement and try every place on it."""
    if plates.drawn is None:
        raise ValueError("the arrangement was read from a file that lacks this page")
    still_pdf, whole_pdf, filled = plates.drawn
    size = filled.manifest.size
    still = layout.rasterise(still_pdf, page, size.width_px, size.height_px)
    whole = layout.rasterise(whole_pdf, page, size.width_px, size.height_px)
    plate = Plate(page, encode_still(still))
    places = [place for place in skeleton.places if place.page == page]
    if any(place.way is Way.FULL for place in places):
        plate.full = "; ".join(f"{p.element.slot}: {p.reason}" for p in places if p.way is Way.FULL)
    else:
        _try_places(plate, places, plates.spots, _Trial(still, whole, filled, inks, names))
    plates.plates[page] = plate
    if len(plates.plates) == filled.manifest.pages:
        plates.drawn = None
    layout.give_back_memory()
    return plate


@dataclass(frozen=True, slots=True)
class _Trial:
    """A page drawn without its ink and whole, and what it is drawn with."""

    still: Image.Image
    whole: Image.Image
    filled: Filled
    inks: Mapping[str, Colour]
    names: Mapping[str, str]


def _try_places(plate: Plate, places: list[Place], spots: Mapping[int, Spot], trial: _Trial) -> None:
    """Draw every place the fast way and compare it with the page drawn whole."""
    rest = trial.whole.copy()
    ours = trial.still.copy()
    canvas = Canvas.whole(ours)
    drawn: list[tuple[Place, Rectangle]] = []
    for place in places:
        spot = spots.get(place.element.ordinal)
        if spot is None:
            plate.full = f"{place.element.slot}: is not drawn when it is empty"
            return
        area = _area(place, spot, trial.filled, ours.size)
        rest.paste(trial.still.crop(area), area[:2])
        if place.way is Way.FAST:
            before = len(canvas.changed)
            _draw(canvas, place, spot, trial)
            drawn += ((place, changed) for changed in canvas.changed[before:])
    for place, changed in drawn:
        if reason := _difference(place, _grown(changed, ours.size), trial, ours):
            plate.ways[place.element.ordinal] = (Way.SLOW, reason)
    apart = float(np.mean(ImageStat.Stat(ImageChops.difference(rest, trial.still)).mean))
    if apart > _ALIKE_GROUND:
        plate.full = f"its still parts change with its words ({apart:.2f} levels)"


def _area(place: Place, spot: Spot, filled: Filled, size: tuple[int, int]) -> Rectangle:
    """The pixels the ink of a place may touch, generously."""
    if isinstance(spot, PictureSpot):
        return _grown((spot.left, spot.top, spot.right, spot.bottom), size)
    if isinstance(place, PicturePlace):
        raise TypeError("a picture lies where words should")
    lines = set_in(place, place.element.words(filled))
    font_px = place.style.size_px
    starts = ink.line_starts(place, spot, lines) or [spot.x]
    widest = max((line.width for line in lines), default=0.0)
    tall = max(len(lines) - 1, 0) * place.pitch_px
    return (
        max(0, int(min(starts) - font_px)),
        max(0, int(spot.baseline - font_px * 1.3)),
        min(size[0], int(max(starts) + widest + font_px)),
        min(size[1], int(spot.baseline + tall + font_px * 0.7)),
    )


def _draw(canvas: Canvas, place: Place, spot: Spot, trial: _Trial) -> None:
    if isinstance(place, TextPlace) and isinstance(spot, TextSpot):
        lines = set_in(place, place.element.words(trial.filled))
        ink.draw_words(canvas, place, spot, lines, place.style.size_px)
    elif isinstance(place, PicturePlace) and isinstance(spot, PictureSpot):
        draw_picture(canvas, place, spot, trial.filled, trial.inks, trial.names)


def _grown(area: Rectangle, size: tuple[int, int]) -> Rectangle:
    left, top, right, bottom = area
    return max(0, left - 3), max(0, top - 3), min(size[0], right + 3), min(size[1], bottom + 3)


def _difference(place: Place, area: Rectangle, trial: _Trial, ours: Image.Image) -> str:
    """Say how an area drawn the fast way differs from the whole page, "" where it does not."""
    still, fast, whole = (
        np.asarray(image.crop(area).convert("L"), np.int16) for image in (trial.still, ours, trial.whole)
    )
    apart = np.abs(fast - whole)
    if isinstance(place, PicturePlace):
        return f"differs by {apart.mean():.1f} levels" if apart.mean() > _ALIKE_PICTURE else ""
    inked = max(float(np.abs(whole - still).sum()), 255.0)
    share = float(apart.sum()) / inked
    return f"differs by {share:.0%} of its ink" if share > _ALIKE else ""


def draw_picture(
    canvas: Canvas,
    place: PicturePlace,
    spot: PictureSpot,
    filled: Filled,
    inks: Mapping[str, Colour],
    names: Mapping[str, str],
) -> None:
    """Draw a photograph, its monogram, or a code. Raises OutsideAreas, QrError."""
    slot = filled.manifest.slot(place.element.slot)
    colour = inks.get(slot.name, (0, 0, 0))
    if slot.kind is SlotKind.QR:
        ink.draw_code(canvas, spot, filled.texts[slot.name], colour)
    elif (value := filled.images.get(slot.name)) is not None:
        ink.draw_photo(canvas, place, spot, value)
    else:
        ink.draw_monogram(canvas, place, spot, names.get(slot.name, ""), colour)


class Sheet:
    """A plate ready for the press: the areas ink comes to, and the coded files it is spliced into.

    `held` are places whose ink is the same on every copy and is drawn on the still page, once.
    """

    def __init__(
        self,
        plate: Plate,
        places: tuple[Place, ...],
        spots: Mapping[int, Spot],
        draw_held: Callable[[Canvas], None],
        held: frozenset[int],
    ) -> None:
        still = Image.open(io.BytesIO(plate.still)).convert("RGB")
        self.size = still.size
        self._reach = {
            place.element.ordinal: _reach(place, spots[place.element.ordinal], still.size)
            for place in places
            if place.element.ordinal in spots
        }
        # before what is held comes onto the page: the file is the same without
        self._bands = live_bands(still, self._reach.values())
        draw_held(Canvas.whole(still))
        self._still = plate.still if not held else encode_still(still)
        self._live = [area for ordinal, area in self._reach.items() if ordinal not in held]
        self._patches = [
            Patch.of(area[0], area[1], still.crop(area)) for area in _rows(self._live, still.size)
        ]
        self._still_rows = Canvas(self._patches)  # never drawn on
        self._jpeg: dict[JpegSettings, JpegSplice] = {}
        self._png: PngSplice | None = None

    def spliced(
        self,
        settings: JpegSettings | None,
        expected: Mapping[int, Rectangle] | None,
        draw: Callable[[Canvas], None],
    ) -> bytes:
        """The JPEG file (PNG without settings) of this page with ink drawn on it. Raises OutsideAreas.

        `expected` says of each place where its ink comes, as far as it is known beforehand.
        """
        splice = self._png_splice() if settings is None else self._jpeg_splice(settings)
        if expected is None:
            canvas = Canvas([one.cut(one[:4]) for one in self._patches])
            draw(canvas)
            areas = splice.areas(canvas.changed)
        else:
            areas = splice.areas(_common(area, self._reach[ordinal]) for ordinal, area in expected.items())
            still = self._still_rows
            canvas = Canvas([still.patch(area).cut(area) for area in areas or ()], self._patches)
            if areas is not None:
                draw(canvas)
        if areas is None or (isinstance(splice, PngSplice) and not splice.edges_stay(areas, canvas.changed)):
            raise OutsideAreas
        return splice.splice(canvas.crop, areas)

    def drawn(self, draw: Callable[[Canvas], None]) -> Image.Image:
        """The whole page with ink drawn on it."""
        page = self._page()
        draw(Canvas.whole(page))
        return page

    def encode_png(self, image: Image.Image) -> bytes:
        """A whole picture of this page as the file the splice would make."""
        return encode_png(image, self._bands)

    def _page(self) -> Image.Image:
        return Image.open(io.BytesIO(self._still)).convert("RGB")

    def _jpeg_splice(self, settings: JpegSettings) -> JpegSplice:
        splice = self._jpeg.get(settings)
        if splice is None:
            splice = self._jpeg[settings] = JpegSplice(self._page(), self._live, settings)
        return splice

    def _png_splice(self) -> PngSplice:
        if self._png is None:
            self._png = PngSplice(self._page(), self._bands)
        return self._png


def _common(one: Rectangle, two: Rectangle) -> Rectangle:
    return max(one[0], two[0]), max(one[1], two[1]), min(one[2], two[2]), min(one[3], two[3])


def _reach(place: Place, spot: Spot, size: tuple[int, int]) -> Rectangle:
    """The pixels the ink of a place may touch whatever its words are."""
    if isinstance(spot, PictureSpot):
        return spot.area
    if isinstance(place, PicturePlace):
        raise TypeError("a picture lies where words should")
    font_px = place.style.size_px
    lowest = min(edges[3] for edges in spot.edges)
    one = spot.baseline + font_px * BELOW
    many = max(one, float(lowest)) if place.pitch_px else one
    right = max(spot.x + place.limit_px, min(edges[2] for edges in spot.edges))
    return (
        max(0, int(spot.x - font_px * BESIDE)),
        max(0, int(spot.baseline - font_px * ABOVE)),
        min(size[0], int(right + font_px * BESIDE) + 1),
        min(size[1], int(many) + 1),
    )


def _rows(areas: list[Rectangle], size: tuple[int, int]) -> Iterator[Rectangle]:
    """Merge areas into stretches of rows, with some above and below."""
    spans = sorted(
        (top // _ROWS_PX * _ROWS_PX, -(-bottom // _ROWS_PX) * _ROWS_PX) for _, top, _, bottom in areas
    )
    merged: list[list[int]] = []
    for top, bottom in spans:
        if merged and top <= merged[-1][1] + _GAP_PX:
            merged[-1][1] = max(merged[-1][1], bottom)
        else:
            merged.append([top, bottom])
    for top, bottom in merged:
        yield 0, max(0, top - _ROWS_PX), size[0], min(size[1], bottom + _ROWS_PX)


def base_values(manifest: TemplateManifest, present: frozenset[str], url: str) -> Filled:
    """A short value for every slot that is there: what a design is examined with."""
    texts: dict[str, str] = {}
    for slot in manifest.slots:
        match slot.kind:
            case SlotKind.IMAGE:
                continue
            case SlotKind.QR:
                texts[slot.name] = url
            case SlotKind.DATE:
                texts[slot.name] = slot.default or "2026-01-01"
            case SlotKind.TEXT | SlotKind.PHRASE:
                texts[slot.name] = (slot.default or "") if slot.locked else FILLER
        if slot.name not in present and not slot.locked:
            texts[slot.name] = ""
    return Filled(manifest, texts, {})
