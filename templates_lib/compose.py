"""A compiled template and values become a picture. Same values, same bytes, on every machine.

The fast way sets the words of the slots alone, draws them onto copies of the rows they touch and
splices those into a file coded before. Where a slot cannot go that way, its ink alone is drawn from
the page laid out anew; where even that could be wrong, the page is drawn whole. Which way is taken
follows from the template and the values, so the bytes do too.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from PIL import Image

from templates_lib import ink, layout, png_splice, splice
from templates_lib.compile import CompiledTemplate, Held, Sizes, name_beside
from templates_lib.fill import Filled, Value, fill
from templates_lib.ink import Canvas, OutsideAreas, PictureSpot, TextSpot
from templates_lib.layout import Ink
from templates_lib.lines import SetLine
from templates_lib.manifest import Slot, SlotKind, TemplateManifest
from templates_lib.pdf import Raster, print_pdf, screen_pdf
from templates_lib.plate import Arrangement, PlateSet, Sheet, draw_picture
from templates_lib.skeleton import PicturePlace, Place, Skeleton, TextPlace, Way, set_in
from templates_lib.splice import JpegSettings, Rectangle
from templates_lib.survey import LaidOut

_MOST_STAGES: Final = 24
_SAME_FACE_PX: Final = 0.02
_WATCHED_PX: Final = 48  # more than any shadow or outline reaches


class PictureFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    PDF = "pdf"  # for the screen: the page as it is
    PRINT = "print"  # a PDF for the press: bleed, crop marks, its size on paper


JPEG = PictureFormat.JPEG
PNG = PictureFormat.PNG
PDF = PictureFormat.PDF
PRINT = PictureFormat.PRINT
DOCUMENTS: Final = frozenset({PDF, PRINT})  # all pages in one file


@dataclass(frozen=True)
class Picture:
    """The bytes of a finished picture; of a document the size is that of a page, in design pixels.

    `way` is the way its ink came onto the page and `reason` why it was not the fast one. `rasters`
    says of a sheet for the press how dense the pictures in it lie.
    """

    data: bytes
    format: PictureFormat
    width_px: int
    height_px: int
    way: Way = Way.FULL
    reason: str = ""
    rasters: tuple[Raster, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """The name a rendition is kept under."""
        return hashlib.sha256(self.data).hexdigest()


# Told of every page drawn: the design's slug and the picture, with its way and the reason for it.
watchers: Final[list[Callable[[str, Picture], None]]] = []


def compose(
    compiled: CompiledTemplate,
    values: Mapping[str, Value],
    *,
    format: PictureFormat = JPEG,  # noqa: A002  the word of the trade
    page: int = 0,
    quality: int = 90,
    chroma: str = "4:2:0",
) -> Picture:
    """Draw one page (JPEG, PNG, WEBP) or all pages (PDF, PRINT).

    Raises SlotErrors when values do not fit, QrError when a code does not read back, IndexError
    for a page the template does not have.
    """
    filled = _fill(compiled, values)
    return compose_filled(compiled, filled, format=format, page=page, quality=quality, chroma=chroma)


def _fill(compiled: CompiledTemplate, values: Mapping[str, Value]) -> Filled:
    held = compiled.held
    if held is None:
        return fill(compiled.manifest, values)
    return fill(compiled.manifest, values, given=held.given, checked=held.filled)


def compose_filled(
    compiled: CompiledTemplate,
    filled: Filled,
    *,
    format: PictureFormat = JPEG,  # noqa: A002
    page: int = 0,
    quality: int = 90,
    chroma: str = "4:2:0",
    least: Way = Way.FAST,
    spliced: bool = True,
) -> Picture:
    """As `compose`, for values that were checked before.

    `least` keeps from faster ways and `spliced` from splicing: for measuring and for tests.
    """
    if not 0 <= page < compiled.manifest.pages:
        raise IndexError(f"{compiled.manifest.slug} has pages 0 to {compiled.manifest.pages - 1}, not {page}")
    if compiled.held is not None and not compiled.held.agrees(filled):
        raise ValueError("the values of slots that are held differ from those they are held at")
    with layout.ENGINE:
        if format in DOCUMENTS:
            return _document(compiled, filled, format)
        return _Press(compiled, filled, page, least).picture(format, JpegSettings(quality, chroma), spliced)


def require_fit(compiled: CompiledTemplate, filled: Filled) -> None:
    """Raise SlotErrors where words do not fit, without drawing anything."""
    with layout.ENGINE:
        _Press(compiled, filled, 0, Way.FAST).require_fit()


def ready_pictures(compiled: CompiledTemplate, values: Mapping[str, Value]) -> Arrangement:
    """Decode and cut the pictures of these values ahead of the first poster that shows them.

    Returns the arrangement that the values take, which may have a still page of its own.
    """
    filled = fill(compiled.manifest, values)
    with layout.ENGINE:
        skeleton = compiled.skeleton(filled)
        lines = {
            place.element.ordinal: set_in(place, place.element.words(filled)) for place in skeleton.texts
        }
        plates = compiled.plates(skeleton, skeleton.counts(lines))
        for place in skeleton.places:
            spot = plates.spots.get(place.element.ordinal) if plates else None
            value = filled.images.get(place.element.slot)
            if value is not None and isinstance(place, PicturePlace) and isinstance(spot, PictureSpot):
                ink.frame_photo(place, spot, value)
        return Arrangement(skeleton.present, skeleton.counts(lines))


def compose_pages(
    compiled: CompiledTemplate,
    values: Mapping[str, Value],
    *,
    format: PictureFormat = JPEG,  # noqa: A002
    quality: int = 90,
) -> tuple[Picture, ...]:
    """Every page of a template as a picture of its own."""
    filled = _fill(compiled, values)
    pages = (0,) if format in DOCUMENTS else range(compiled.manifest.pages)
    return tuple(
        compose_filled(compiled, filled, format=format, page=page, quality=quality) for page in pages
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is drawn on one page: where, with which lines, and which places go the slow way."""

    skeleton: Skeleton
    plates: PlateSet
    lines: Mapping[int, tuple[SetLine, ...]]
    slow: Mapping[int, str]
    sizes: Mapping[str, float]

    def key(self, page: int) -> tuple[Arrangement, int, Sizes]:
        """What decides how a page with held slots is put together, besides them."""
        return self.plates.arrangement, page, tuple(self.sizes.items())


@dataclass(frozen=True, slots=True)
class _Live:
    """The places of a page that are drawn anew on each copy."""

    words: tuple[tuple[TextPlace, TextSpot], ...]
    pictures: tuple[tuple[PicturePlace, PictureSpot, Slot], ...]

    @classmethod
    def of(cls, plan: _Plan, manifest: TemplateManifest, page: int, without: Collection[int]) -> "_Live":
        words: list[tuple[TextPlace, TextSpot]] = []
        pictures: list[tuple[PicturePlace, PictureSpot, Slot]] = []
        for place in plan.skeleton.places:
            spot = plan.plates.spots.get(place.element.ordinal)
            if place.page != page or place.element.ordinal in without:
                continue
            if isinstance(place, TextPlace) and isinstance(spot, TextSpot):
                words.append((place, spot))
            elif isinstance(place, PicturePlace) and isinstance(spot, PictureSpot):
                pictures.append((place, spot, manifest.slot(place.element.slot)))
        return cls(tuple(words), tuple(pictures))


@dataclass(frozen=True, slots=True)
class _Stage:
    """What all copies of a page have in common that hold the same."""

    sheet: Sheet
    live: _Live


@dataclass(frozen=True, slots=True)
class _Whole:
    """The page must be drawn whole, for this reason."""

    reason: str


class _Press:
    """One page being printed."""

    def __init__(self, compiled: CompiledTemplate, filled: Filled, page: int, least: Way) -> None:
        self._compiled, self._filled, self._page, self._least = compiled, filled, page, least

    def picture(self, format: PictureFormat, settings: JpegSettings, spliced: bool) -> Picture:  # noqa: A002
        plan = self._plan()
        if isinstance(plan, _Whole):
            image = self._whole_page()
            return self._finished(_encode(image, format, settings), format, Way.FULL, plan.reason)
        stage = _stage(self._compiled, self._filled, plan, self._page)
        data = self._printed(stage, plan, format, settings, spliced)
        if not plan.slow:
            return self._finished(data, format, Way.FAST, "")
        reasons = sorted({f"{name}: {why}" for name, why in self._slow_names(plan)})
        return self._finished(data, format, Way.SLOW, "; ".join(reasons))

    def _finished(self, data: bytes, format: PictureFormat, way: Way, reason: str) -> Picture:  # noqa: A002
        size = self._compiled.manifest.size
        picture = Picture(data, format, size.width_px, size.height_px, way, reason)
        for watch in watchers:
            watch(self._compiled.manifest.slug, picture)
        return picture

    def _slow_names(self, plan: _Plan) -> Iterable[tuple[str, str]]:
        for place in plan.skeleton.places:
            if place.element.ordinal in plan.slow:
                yield place.element.slot, plan.slow[place.element.ordinal]

    # ── what goes which way ──────────────────────────────────────────────────────────────────────

    def require_fit(self) -> None:
        """Measure the words alone; lay the page out where that says no, or cannot say yet."""
        if self._compiled.is_known(self._filled):
            self._measured()
        else:
            self._compiled.place(self._filled)

    def _plan(self) -> _Plan | _Whole:
        """Decide. Raises SlotErrors where words do not fit."""
        if self._least is Way.FULL:
            return self._laid_whole("asked for")
        measured = self._measured()
        return measured if isinstance(measured, _Whole) else self._ways(*measured)

    def _measured(self) -> tuple[Skeleton, PlateSet, Mapping[int, tuple[SetLine, ...]]] | _Whole:
        """Set the words of all pages. Raises SlotErrors where they do not fit."""
        compiled, filled = self._compiled, self._filled
        skeleton = compiled.skeleton(filled)
        self._sizes = compiled.sizes(filled)
        held = compiled.held
        key = skeleton.present, tuple(self._sizes.items())
        known = held.lines.setdefault(key, {}) if held is not None else {}
        lines = dict(known)
        for place in skeleton.texts:
            ordinal = place.element.ordinal
            if ordinal in lines:
                continue
            if place.way is Way.FULL:
                if place.page == self._page:
                    return self._laid_whole(f"{place.element.slot}: {place.reason}")
                compiled.place(filled)  # elsewhere, but it may not fit
                continue
            words = place.element.words(filled)
            lines[ordinal] = set_in(place, words, self._sizes.get(place.element.slot))
            if held is not None and place.element.slots <= held.names:
                known[ordinal] = lines[ordinal]
        plates = compiled.plates(skeleton, skeleton.counts(lines))
        if plates is None or plates.crowded:
            return self._laid_whole(plates.crowded if plates else "an arrangement that filler cannot take")
        settled = self._settled(plates)
        for place in skeleton.texts:
            ordinal = place.element.ordinal
            if ordinal in settled or ordinal not in lines:
                continue
            most = compiled.manifest.slot(place.element.slot).max_lines
            if not ink.stays_inside(place, plates.spots.get(ordinal), lines[ordinal], most):
                return self._laid_whole(f"{place.element.slot}: measured apart from the page it overflows")
        return skeleton, plates, lines

    def _settled(self, plates: PlateSet) -> frozenset[int]:
        """The held places of this page of which it is known that they fit and go the fast way."""
        held = self._compiled.held
        if held is None or self._least is not Way.FAST:
            return frozenset()
        key = plates.arrangement, self._page, tuple(self._sizes.items())
        return held.settled.get(key, frozenset())

    def _ways(
        self, skeleton: Skeleton, plates: PlateSet, lines: Mapping[int, tuple[SetLine, ...]]
    ) -> _Plan | _Whole:
        plate = self._compiled.plate(plates, self._page, skeleton)
        if plate.full:
            return self._laid_whole(plate.full)
        slow: dict[int, str] = {}
        settled = self._settled(plates)
        for place in skeleton.places:
            ordinal = place.element.ordinal
            if place.page != self._page or ordinal in settled:
                continue
            way, reason = plate.ways.get(ordinal, (place.way, place.reason))
            if way is Way.FAST and self._least is Way.SLOW:
                way, reason = Way.SLOW, "asked for"
            if way is Way.FAST:
                way, reason = self._way_of_value(place, lines)
            if way is Way.FULL:
                return self._laid_whole(f"{place.element.slot}: {reason}")
            if way is Way.SLOW:
                slow[ordinal] = reason
        plan = _Plan(skeleton, plates, lines, slow, self._sizes)
        held = self._compiled.held
        if held is not None and not settled and not slow and self._least is Way.FAST:
            held.settled[plan.key(self._page)] = _held(self._compiled, plan, self._page)
        return plan

    def _way_of_value(self, place: Place, lines: Mapping[int, tuple[SetLine, ...]]) -> tuple[Way, str]:
        if isinstance(place, TextPlace):
            scale = self._sizes.get(place.element.slot, place.style.size_px) / place.style.size_px
            for line in lines[place.element.ordinal]:
                if not line.whole:
                    return Way.FULL, "a character without a glyph"
                if line.glyphs and (
                    abs(line.height - place.height * scale) > _SAME_FACE_PX
                    or abs(line.baseline - place.baseline * scale) > _SAME_FACE_PX
                ):
                    return Way.SLOW, "a character of another face"
            return Way.FAST, ""
        slot = self._filled.manifest.slot(place.element.slot)
        bare = slot.kind is SlotKind.IMAGE and slot.name not in self._filled.images
        if bare and not ink.can_draw_monogram(name_beside(slot, self._filled)):
            return Way.SLOW, "a silhouette in place of a monogram"
        return Way.FAST, ""

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def _printed(
        self,
        stage: _Stage,
        plan: _Plan,
        format: PictureFormat,  # noqa: A002
        settings: JpegSettings,
        spliced: bool,
    ) -> bytes:
        sheet, live = stage.sheet, stage.live

        def draw(canvas: Canvas) -> None:
            self.draw(canvas, plan, live)
            codes = [
                (self._filled.texts[slot.name], spot)
                for _, spot, slot in live.pictures
                if slot.kind is SlotKind.QR
            ]
            ink.check_codes(codes, canvas)

        if spliced and format in (JPEG, PNG):
            expected = None if plan.slow else self._expected(plan, live)
            with suppress(OutsideAreas):
                return sheet.spliced(settings if format is JPEG else None, expected, draw)
        image = sheet.drawn(draw)
        return sheet.encode_png(image) if format is PNG else _encode(image, format, settings)

    def _expected(self, plan: _Plan, live: _Live) -> dict[int, Rectangle]:
        """Where the ink of each place comes, before it is drawn."""
        expected = {place.element.ordinal: spot.area for place, spot, _ in live.pictures}
        for place, spot in live.words:
            ordinal = place.element.ordinal
            size_px = plan.sizes.get(place.element.slot, place.style.size_px)
            area = ink.words_area(place, spot, plan.lines[ordinal], size_px)
            if area is not None:
                expected[ordinal] = area
        return expected

    def draw(self, canvas: Canvas, plan: _Plan, live: _Live) -> None:
        """Draw these places of the page, and what goes the slow way. Raises OutsideAreas, QrError."""
        for place, spot in live.words:
            size_px = plan.sizes.get(place.element.slot, place.style.size_px)
            ink.draw_words(canvas, place, spot, plan.lines[place.element.ordinal], size_px)
        for picture, area, slot in live.pictures:
            names = {slot.name: name_beside(slot, self._filled)}
            draw_picture(canvas, picture, area, self._filled, self._compiled.colours, names)
        if plan.slow:
            laid_out = self._compiled.lay_out(self._filled, ink=Ink.MARKS, named=plan.slow, sizes=plan.sizes)
            pdf = layout.write_pdf(laid_out, compressed=False)
            size = self._compiled.manifest.size
            for patch in canvas.patches:
                left, top = patch.left, patch.top
                # shadows reach farther than letters: what lies just outside is looked at, too
                rows = max(0, top - _WATCHED_PX), min(size.height_px, patch.bottom + _WATCHED_PX)
                drawn = layout.rasterise_ink(pdf, self._page, size.width_px, rows)
                inside = (left, top - rows[0], patch.right, patch.bottom - rows[0])
                inked = drawn.getchannel("a").getbbox()
                if inked is not None and (inked[1] < inside[1] or inked[3] > inside[3]):
                    raise OutsideAreas
                ink.lay_ink(canvas, left, top, drawn.crop(inside))

    def _laid_whole(self, reason: str) -> _Whole:
        self._laid_out = self._compiled.place(self._filled)
        return _Whole(reason)

    def _whole_page(self) -> Image.Image:
        size = self._compiled.manifest.size
        pdf = layout.write_pdf(self._laid_out, compressed=False)
        image = layout.rasterise(pdf, self._page, size.width_px, size.height_px)
        ink.check_codes(_codes_on(self._laid_out, self._filled, self._page), Canvas.whole(image))
        return image


def _codes_on(laid_out: LaidOut, filled: Filled, page: int) -> list[tuple[str, PictureSpot]]:
    codes = []
    for slot in filled.manifest.slots:
        box = laid_out.pictures.get(slot.name)
        if slot.kind is SlotKind.QR and box is not None and box.page == page:
            left, top = round(box.x), round(box.y)
            spot = PictureSpot(left, top, left + round(box.width), top + round(box.height))
            codes.append((filled.texts[slot.name], spot))
    return codes


def _document(compiled: CompiledTemplate, filled: Filled, format: PictureFormat) -> Picture:  # noqa: A002
    """All pages as one PDF, straight from the layout: words stay words."""
    manifest, size = compiled.manifest, compiled.manifest.size
    laid_out = compiled.place(filled)
    codes = [
        (filled.texts[slot.name], laid_out.pictures[slot.name])
        for slot in manifest.slots
        if slot.kind is SlotKind.QR and slot.name in laid_out.pictures
    ]
    made = (print_pdf if format is PRINT else screen_pdf)(laid_out, manifest, codes)
    return Picture(made.data, format, size.width_px, size.height_px, rasters=made.rasters)


def _encode(image: Image.Image, format: PictureFormat, settings: JpegSettings) -> bytes:  # noqa: A002
    match format:
        case PictureFormat.PNG:
            return png_splice.encode_still(image)
        case PictureFormat.WEBP:
            return splice.encode_webp(image, settings.quality)
        case _:
            return splice.encode_jpeg(image, settings)


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────

# a held set is part of the key itself, not its address: that may come to be another's
_StageKey = tuple[str, Arrangement, int, Held | None, frozenset[int], Sizes]
_stages: OrderedDict[_StageKey, _Stage] = OrderedDict()


def hold(compiled: CompiledTemplate, values: Mapping[str, Value], slots: Iterable[str]) -> CompiledTemplate:
    """Fix some slots for a run of pictures: their ink is drawn once, on the still page.

    Pictures come out byte for byte as without, faster. Composing other values for these slots with
    the result raises ValueError. Raises SlotErrors.
    """
    filled = fill(compiled.manifest, values)
    names = frozenset(slots)
    return replace(compiled, held=Held(filled, names, {name: values.get(name) for name in names}))


def _held(compiled: CompiledTemplate, plan: _Plan, page: int) -> frozenset[int]:
    """The places of a page whose ink is drawn once for a run."""
    fixed = compiled.held
    if fixed is None:
        return frozenset()
    if not plan.slow and (known := fixed.settled.get(plan.key(page))) is not None:
        return known
    return frozenset(
        place.element.ordinal
        for place in plan.skeleton.places
        if place.page == page
        and place.element.ordinal not in plan.slow
        and place.element.slots <= fixed.names
        # a missing photo shows the first character of a name, which may not be held
        and (isinstance(place, TextPlace) or not _is_monogram(place, fixed.filled))
    )


def _is_monogram(place: PicturePlace, filled: Filled) -> bool:
    slot = filled.manifest.slot(place.element.slot)
    return slot.kind is SlotKind.IMAGE and slot.name not in filled.images


def _stage(compiled: CompiledTemplate, filled: Filled, plan: _Plan, page: int) -> _Stage:
    held = _held(compiled, plan, page)
    sizes = tuple(plan.sizes.items()) if held else ()
    key = (compiled.digest, plan.plates.arrangement, page, compiled.held if held else None, held, sizes)
    stage = _stages.get(key)
    if stage is not None:
        _stages.move_to_end(key)
    else:
        sheet = _sheet(compiled, filled, plan, page, held)
        live = _Live.of(plan, compiled.manifest, page, held)
        stage = _stages[key] = _Stage(sheet, live)
        while len(_stages) > _MOST_STAGES:
            _stages.popitem(last=False)
    if not plan.slow:
        return stage
    return _Stage(stage.sheet, _Live.of(plan, compiled.manifest, page, held | plan.slow.keys()))


def _sheet(compiled: CompiledTemplate, filled: Filled, plan: _Plan, page: int, held: frozenset[int]) -> Sheet:
    plate = compiled.plate(plan.plates, page, plan.skeleton)
    places = tuple(
        place for place in plan.skeleton.places if place.page == page and place.way is not Way.FULL
    )
    press, still = _Press(compiled, filled, page, Way.FAST), replace(plan, slow={})
    steady = _Live.of(plan, compiled.manifest, page, plan.skeleton.live - held)
    return Sheet(plate, places, plan.plates.spots, lambda canvas: press.draw(canvas, still, steady), held)
