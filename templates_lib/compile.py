"""A template made ready: judged, laid out once with its own sample values, found sound."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import jinja2

from templates_lib import document, layout
from templates_lib.catalog import TemplateSource
from templates_lib.fill import Filled, SlotError, SlotErrorCode, SlotErrors, Value
from templates_lib.ink import rgb, stays_inside
from templates_lib.layout import Ink
from templates_lib.lines import SetLine
from templates_lib.manifest import DISCLOSURE, Slot, SlotKind, TemplateManifest
from templates_lib.parts import asked_slots
from templates_lib.pictures import clean_image, monogram_svg
from templates_lib.plate import Arrangement, Plate, PlateSet, arrange, base_values, make_plate
from templates_lib.qr import qr_svg
from templates_lib.skeleton import FILLER, Counts, Skeleton, Way, examine, fitting_size, set_in
from templates_lib.survey import LaidOut

_SVG = "image/svg+xml"
_BLANK = "https://example.com/"
_MOST_ARRANGEMENTS: Final = 32

Sizes = tuple[tuple[str, float], ...]  # of slots whose words were made smaller to fit


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Slots whose values stay the same from picture to picture, those values, and what follows.

    `given` has the values as they were before `fill`. `lines` has the set words of places;
    `settled` the places of a page that are known to fit and to go the fast way.
    """

    filled: Filled
    names: frozenset[str]
    given: Mapping[str, Value | None]
    lines: dict[tuple[frozenset[str], Sizes], dict[int, tuple[SetLine, ...]]] = field(default_factory=dict)
    settled: dict[tuple[Arrangement, int, Sizes], frozenset[int]] = field(default_factory=dict)

    def agrees(self, filled: Filled) -> bool:
        """Say whether these values are those that are held."""
        return all(
            filled.texts.get(name) == self.filled.texts.get(name)
            and filled.images.get(name) == self.filled.images.get(name)
            for name in self.names
        )


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """What `compose` needs of one template version. Safe to share between threads.

    What was found out about the design is kept and grows with use: how it behaves (`skeleton`) and
    its still pages (`plates`). Both follow from the template's files alone.
    """

    manifest: TemplateManifest
    digest: str
    inks: Mapping[str, str]
    source: TemplateSource
    style: str
    body: jinja2.Template
    asked: frozenset[str]
    # pixels a side of each QR code, which its modules are fitted to
    sides: Mapping[str, int] = field(default_factory=dict)
    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    # values drawn on the still page already, for a run of pictures
    held: Held | None = None
    # pictures of the design itself, decoded once
    _images: Mapping[str, Any] = field(default_factory=dict)
    kept_skeletons: dict[frozenset[str], Skeleton] = field(default_factory=dict)
    kept_plates: dict[Arrangement, PlateSet | None] = field(default_factory=dict)

    def lay_out(
        self,
        filled: Filled,
        *,
        ink: Ink = Ink.ALL,
        named: Collection[int] = (),
        sizes: Mapping[str, float] = MappingProxyType({}),
    ) -> LaidOut:
        """Lay the filled page out, whatever may be wrong with it."""
        fetcher = layout.AssetFetcher(self.source.directory, self._pictures(filled))
        body = document.fill_body(self.body, filled)
        document.check_body(body, self.manifest)
        html = document.page_html(body, self.style + _sized(sizes))
        # a copy: a slot's picture keeps its address from one advisor to the next, and must not stay
        return layout.lay_out(html, fetcher, dict(self._images), ink=ink, named=named)

    def first_layout(self, filled: Filled) -> tuple[LaidOut, Mapping[str, Any]]:
        """Lay out, and keep what was decoded of the design's own pictures."""
        images: dict[str, Any] = {}
        fetcher = layout.AssetFetcher(self.source.directory, self._pictures(filled))
        html = document.page_html(document.fill_body(self.body, filled), self.style)
        laid_out = layout.lay_out(html, fetcher, images)
        return laid_out, layout.without_slot_pictures(images)

    def is_known(self, filled: Filled) -> bool:
        """Say whether these values can be measured at once, with nothing to be found out first."""
        skeleton = self.kept_skeletons.get(self._present(filled))
        if skeleton is None or any(place.way is Way.FULL for place in skeleton.places):
            return False
        return Arrangement(skeleton.present, self.counts(skeleton, filled)) in self.kept_plates

    def counts(self, skeleton: Skeleton, filled: Filled) -> Counts:
        """The numbers of lines that decide where everything lies, for these values."""
        sizes = self.sizes(filled)
        return skeleton.counts(
            {
                place.element.ordinal: set_in(
                    place, place.element.words(filled), sizes.get(place.element.slot)
                )
                for place in skeleton.texts
                if place.flows
            }
        )

    def _present(self, filled: Filled) -> frozenset[str]:
        return frozenset(
            slot.name
            for slot in self.manifest.slots
            if slot.name not in self.asked or filled.texts.get(slot.name)
        )

    def skeleton(self, filled: Filled) -> Skeleton:
        """How the design behaves with the optional slots that these values have."""
        present = self._present(filled)
        with layout.ENGINE:
            known = self.kept_skeletons.get(present)
            if known is None:
                base = base_values(self.manifest, present, _BLANK)
                known = self.kept_skeletons[present] = examine(
                    self.manifest,
                    self.source.body,
                    present,
                    base.texts,
                    lambda values: self.lay_out(Filled(self.manifest, {**base.texts, **values}, {})),
                )
            return known

    def sizes(self, filled: Filled) -> dict[str, float]:
        """The type sizes, by slot, of words that were made smaller to fit."""
        if not any(slot.min_font_px for slot in self.manifest.slots):
            return {}
        sizes = {}
        for place in self.skeleton(filled).texts:
            slot = self.manifest.slot(place.element.slot)
            if slot.min_font_px is None or place.way is Way.FULL:
                continue
            size = fitting_size(place, place.element.words(filled), slot.max_lines, slot.min_font_px)
            if size != place.style.size_px:
                sizes[slot.name] = size
        return sizes

    def plates(self, skeleton: Skeleton, counts: Counts) -> PlateSet | None:
        """The still pages for these numbers of lines; `None` where they cannot be had."""
        arrangement = Arrangement(skeleton.present, counts)
        with layout.ENGINE:
            if arrangement not in self.kept_plates:
                while len(self.kept_plates) >= _MOST_ARRANGEMENTS:
                    self.kept_plates.pop(next(iter(self.kept_plates)))
                base = base_values(self.manifest, skeleton.present, _BLANK)
                self.kept_plates[arrangement] = arrange(
                    skeleton, counts, base, self._draw, crowded=self.is_crowded
                )
            return self.kept_plates[arrangement]

    def plate(self, plates: PlateSet, page: int, skeleton: Skeleton) -> Plate:
        """One still page."""
        with layout.ENGINE:
            if page not in plates.plates and plates.drawn is None:
                # read from an artefact that was written before this page was asked for
                base = base_values(self.manifest, skeleton.present, _BLANK)
                counts = plates.arrangement.counts
                again = arrange(skeleton, counts, base, self._draw, crowded=self.is_crowded)
                plates.drawn = again.drawn if again is not None else None
            return plates.plates.get(page) or make_plate(
                plates, page, skeleton, self.colours, dict.fromkeys(self.inks, FILLER)
            )

    def _draw(self, filled: Filled, ink: Ink, named: frozenset[int]) -> tuple[LaidOut, bytes]:
        laid_out = self.lay_out(filled, ink=ink, named=named)
        return laid_out, layout.write_pdf(laid_out, compressed=False)

    def place(self, filled: Filled) -> LaidOut:
        """Lay the filled page out. Raises SlotErrors when words leave their frame."""
        if overlong := self._overlong(filled):
            raise SlotErrors(tuple(self._with_what_fits(error, filled) for error in overlong))
        laid_out = self.lay_out(filled, sizes=self.sizes(filled))
        errors = self._overflows(laid_out)
        if errors:
            raise SlotErrors(tuple(self._with_what_fits(error, filled) for error in errors))
        return laid_out

    def is_crowded(self, laid_out: LaidOut) -> bool:
        """Say whether fixed words were pushed out of where they belong."""
        disclosure = laid_out.slots.get(DISCLOSURE)
        astray = bool(laid_out.stray) or laid_out.pages != self.manifest.pages
        return astray or (disclosure is not None and not disclosure.inside)

    def _overlong(self, filled: Filled) -> list[SlotError]:
        """The slots whose words take too many lines, where setting them alone is enough to say so.

        A page need not be laid out for that, which takes a hundred times as long.
        """
        skeleton = self.kept_skeletons.get(self._present(filled))
        if skeleton is None:
            return []
        sizes = self.sizes(filled)
        errors: dict[str, SlotError] = {}
        for place in skeleton.texts:
            slot = self.manifest.slot(place.element.slot)
            if slot.max_lines is None or place.way is not Way.FAST:
                continue
            lines = set_in(place, place.element.words(filled), sizes.get(slot.name))
            if len(lines) > slot.max_lines:
                errors.setdefault(slot.name, _too_many_lines(slot, len(lines)))
        return [errors[slot.name] for slot in self.manifest.slots if slot.name in errors]

    def _overflows(self, laid_out: LaidOut) -> list[SlotError]:
        errors: list[SlotError] = []
        for slot in self.manifest.slots:
            placed = laid_out.slots.get(slot.name)
            if placed is None:
                continue
            if slot.max_lines is not None and len(placed.lines) > slot.max_lines:
                errors.append(_too_many_lines(slot, len(placed.lines)))
            elif not placed.inside:
                errors.append(SlotError(slot.name, SlotErrorCode.OVERFLOW, f"「{slot.label}」超出了版面"))
        if errors:
            return errors
        if self.is_crowded(laid_out):
            # fixed words were pushed out: the fullest of the slots beside them is the cause
            names = {name for frame in laid_out.stray for name in frame} or set(laid_out.slots)
            slot = self._fullest(names - {DISCLOSURE}, laid_out)
            errors.append(
                SlotError(slot.name, SlotErrorCode.OVERFLOW, f"「{slot.label}」把其他内容挤出了版面")
            )
        return errors

    def _fullest(self, names: set[str], laid_out: LaidOut) -> Slot:
        def area(slot: Slot) -> float:
            placed = laid_out.slots.get(slot.name)
            return sum(line.width * line.height for line in placed.lines) if placed else 0.0

        texts = [s for s in self.manifest.slots if s.kind in (SlotKind.TEXT, SlotKind.PHRASE)]
        return max([s for s in texts if s.name in names] or texts, key=area)

    def _with_what_fits(self, error: SlotError, filled: Filled) -> SlotError:
        if self.manifest.slot(error.slot).kind is not SlotKind.TEXT:
            return error  # the beginning of a phrase or a date is neither

        def trial(text: str) -> Filled:
            return Filled(filled.manifest, {**filled.texts, error.slot: text}, filled.images)

        def seems_to_fit(text: str) -> bool:
            return self._is_measured_inside(error.slot, trial(text))

        def accepts(text: str) -> bool:
            laid_out = self.lay_out(trial(text), sizes=self.sizes(trial(text)))
            return all(other.slot != error.slot for other in self._overflows(laid_out))

        text = filled.texts[error.slot]
        # words measured alone nearly always decide; where they cannot, the page has the last word
        fits = layout.find_longest(text, seems_to_fit)
        if fits is None or not (self.is_known(trial(fits)) or accepts(fits)):
            fits = layout.find_longest(text, accepts)
        return SlotError(error.slot, error.code, error.reason, fits)

    def _is_measured_inside(self, slot: str, filled: Filled) -> bool:
        """Say whether a slot's words are few enough lines, and lie inside where that is known already."""
        if any(error.slot == slot for error in self._overlong(filled)):
            return False
        if not self.is_known(filled):
            return True
        skeleton, sizes = self.skeleton(filled), self.sizes(filled)
        plates = self.plates(skeleton, self.counts(skeleton, filled))
        if plates is None or plates.crowded:
            return False
        most = self.manifest.slot(slot).max_lines
        return all(
            stays_inside(place, plates.spots.get(place.element.ordinal), lines, most)
            for place in skeleton.texts
            if place.element.slot == slot
            and (lines := set_in(place, place.element.words(filled), sizes.get(slot))) is not None
        )

    def _pictures(self, filled: Filled) -> dict[str, layout.SlotPicture]:
        pictures: dict[str, layout.SlotPicture] = {}
        for slot in self.manifest.slots:
            ink = self.inks.get(slot.name, "#000000")
            if slot.kind is SlotKind.QR:
                url = filled.texts[slot.name] or _BLANK
                pictures[slot.name] = layout.SlotPicture(qr_svg(url, ink, self.sides.get(slot.name)), _SVG)
            elif slot.kind is SlotKind.IMAGE:
                value = filled.images.get(slot.name)
                if value is not None:
                    clean = clean_image(value)
                    pictures[slot.name] = layout.SlotPicture(clean.data, clean.content_type)
                else:
                    name = name_beside(slot, filled)
                    pictures[slot.name] = layout.SlotPicture(monogram_svg(name, ink), _SVG)
        return pictures


def _too_many_lines(slot: Slot, count: int) -> SlotError:
    reason = f"「{slot.label}」排成了 {count} 行，最多 {slot.max_lines} 行"
    return SlotError(slot.name, SlotErrorCode.OVERFLOW, reason)


def name_beside(slot: Slot, filled: Filled) -> str:
    """Find the name whose first character stands in for a missing portrait."""
    if slot.profile_field != "photo":
        return ""
    for other in filled.manifest.slots:
        if other.profile_field == "name":
            return filled.texts[other.name]
    return ""


def compile_template(source: TemplateSource) -> CompiledTemplate:
    """Make a template ready. Raises TemplateError when it cannot be drawn as it is written.

    The trial layout uses the defaults, and a word or a code where a slot has none.
    """
    manifest = source.manifest
    template = document.open_document(source)
    trial = _trial(manifest)
    tree = document.check_body(document.fill_body(template, trial), manifest)
    _check_size(source)
    inks = document.inks(tree)
    compiled = CompiledTemplate(
        manifest=manifest,
        digest=source.digest(),
        inks=inks,
        colours={name: rgb(ink) for name, ink in inks.items()},
        source=source,
        style=source.style,
        body=template,
        asked=asked_slots(source.body),
    )
    laid_out, images = compiled.first_layout(trial)
    if laid_out.warnings:
        raise document.TemplateError(manifest.style_name, None, laid_out.warnings[0])
    if laid_out.pages != manifest.pages:
        raise document.TemplateError(
            manifest.body_name,
            None,
            f"is laid out on {laid_out.pages} pages, the manifest says {manifest.pages}",
        )
    size = layout.disclosure_font_px(laid_out)
    if manifest.disclosure and (size is None or size < manifest.disclosure_min_px):
        drawn = "not drawn" if size is None else f"drawn at {size:g} px"
        reason = f"the disclosure is {drawn}, it must have {manifest.disclosure_min_px:g} px"
        raise document.TemplateError(manifest.style_name, None, reason)
    return replace(compiled, _images=images, sides=_code_sides(manifest, laid_out))


def _code_sides(manifest: TemplateManifest, laid_out: LaidOut) -> dict[str, int]:
    codes = [slot.name for slot in manifest.slots if slot.kind is SlotKind.QR]
    boxes = {name: laid_out.pictures[name] for name in codes if name in laid_out.pictures}
    return {name: round(box.width) for name, box in boxes.items() if abs(box.width - box.height) < 1}


def _sized(sizes: Mapping[str, float]) -> str:
    return "".join(
        f'[{document.FIELD}="{name}"]{{font-size:{size:g}px !important}}' for name, size in sizes.items()
    )


def _check_size(source: TemplateSource) -> None:
    size = source.manifest.size
    wanted = f"size:{size.width_px}px {size.height_px}px"
    if wanted not in source.style.replace("size: ", "size:"):
        raise document.TemplateError(source.manifest.style_name, None, f"@page must say {wanted}")


def _trial(manifest: TemplateManifest) -> Filled:
    texts: dict[str, str] = {}
    for slot in manifest.slots:
        match slot.kind:
            case SlotKind.IMAGE:
                continue
            case SlotKind.QR:
                texts[slot.name] = _BLANK
            case SlotKind.DATE:
                texts[slot.name] = slot.default or "2026-01-01"
            case SlotKind.TEXT | SlotKind.PHRASE:
                texts[slot.name] = slot.default or "印"
    return Filled(manifest, texts, {})
