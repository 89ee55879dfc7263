"""How a design behaves when values change: what stays, what moves, which way each slot may go.

Before a poster is put together from parts, the design is asked. Values are made short, wide and
long, the page is laid out anew each time, and every box that moved is noted. A slot whose words
only ever move themselves is set alone on the still page. One whose *number of lines* moves others
is set alone too, on a plate of its own for each number. Whatever behaves otherwise goes a slower
way, where the whole page is laid out for each picture.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import Any, Final

from templates_lib.fill import Filled
from templates_lib.lines import SetLine, TextStyle, set_lines, style_of, unusual_properties
from templates_lib.manifest import Slot, SlotKind, TemplateManifest
from templates_lib.parts import SlotElement, asked_slots, slot_elements
from templates_lib.survey import Edges, LaidOut, Mark

FILLER: Final = "永"  # as wide and as high as a character gets
_DATES: Final = ("2026-05-01", "2026-09-23", "2027-12-28")  # the narrowest words, and wide ones
_MOST_PROBES: Final = 6  # numbers of lines tried for one slot
_STEADY_PX: Final = 0.05
_UNBROKEN: Final = ("nowrap", "pre")


class Way(StrEnum):
    """How the ink of a slot comes onto the page."""

    FAST = "fast"  # set alone, drawn by FreeType
    SLOW = "slow"  # the page laid out, the slot's ink alone drawn and laid over the still page
    FULL = "full"  # the page laid out and drawn whole


@dataclass(frozen=True, slots=True)
class TextPlace:
    """An element of words, as far as values do not change it.

    `limit_px` is the width its lines break at. `single` means it stands behind fixed words and may
    take one line only. `flows` means that its number of lines moves what stands around it.
    `pitch_px` is the distance of baselines, 0 where it has one line. `height` and `baseline` are
    those of a line in its own face: a line of another face lies differently. `bounded` says that
    the element has a size of its own, which its words must not leave.
    """

    element: SlotElement
    page: int
    style: TextStyle
    colour: tuple[int, int, int]
    alpha: float
    align: str
    limit_px: float
    single: bool
    height: float
    baseline: float
    pitch_px: float = 0.0
    flows: bool = False
    bounded: bool = True
    way: Way = Way.FAST
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """An element that shows a photograph or a code; radii are of its four corners, in pixels."""

    element: SlotElement
    page: int
    fit: str
    position: tuple[float, float]
    radii: tuple[float, float, float, float]
    way: Way = Way.FAST
    reason: str = ""


Place = TextPlace | PicturePlace
Counts = tuple[tuple[int, int], ...]  # of each flowing element, its number of lines


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A design with some of its optional slots present: its places in the order of the body."""

    present: frozenset[str]
    places: tuple[Place, ...]
    texts: tuple[TextPlace, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        texts = tuple(place for place in self.places if isinstance(place, TextPlace))
        object.__setattr__(self, "texts", texts)

    @property
    def live(self) -> frozenset[int]:
        """The elements whose ink depends on values, numbered as in the document."""
        return frozenset(place.element.ordinal for place in self.places)

    def counts(self, lines: Mapping[int, tuple[SetLine, ...]]) -> Counts:
        """The numbers of lines that decide where everything lies."""
        return tuple(
            (place.element.ordinal, len(lines[place.element.ordinal])) for place in self.texts if place.flows
        )


def is_live(element: SlotElement, manifest: TemplateManifest) -> bool:
    """Say whether an element's ink depends on values: a locked slot and the disclosure do not."""
    names = {element.slot} if element.parts is None else element.slots - {element.slot}
    if element.parts is not None and not names and not any(not isinstance(p, str) for p in element.parts):
        return False
    known = {slot.name: slot for slot in manifest.slots}
    return any(name in known and not known[name].locked for name in names | {element.slot})


Layouts = Callable[[Mapping[str, str]], LaidOut]


@dataclass(slots=True)
class _Probe:
    """One design under examination. `lay_out` takes the values that differ from the base."""

    manifest: TemplateManifest
    lay_out: Layouts
    base: dict[str, str]
    asked: frozenset[str]
    places: dict[int, Place] = field(default_factory=dict)

    def text_slots(self) -> Iterator[Slot]:
        for slot in self.manifest.slots:
            words = slot.kind in (SlotKind.TEXT, SlotKind.PHRASE)
            if words and not slot.locked and self.base[slot.name]:
                yield slot

    def dates(self) -> Iterator[Slot]:
        for slot in self.manifest.slots:
            if slot.kind is SlotKind.DATE and not slot.locked and self.base[slot.name]:
                yield slot

    def shown(self, slot: str) -> list[TextPlace]:
        return [
            place
            for place in self.places.values()
            if isinstance(place, TextPlace) and slot in place.element.slots
        ]

    def vector(self, slot: str, text: str) -> tuple[int, ...]:
        """How many lines each place of a slot takes for a text."""
        return tuple(len(set_in(place, self.words(place, {slot: text}))) for place in self.shown(slot))

    def words(self, place: TextPlace, values: Mapping[str, str]) -> str:
        return place.element.words(Filled(self.manifest, {**self.base, **values}, {}))

    def mark_way(self, slot: str, way: Way, reason: str) -> None:
        for ordinal, place in self.places.items():
            if slot in place.element.slots and place.way is not Way.FULL:
                self.places[ordinal] = replace(place, way=way, reason=reason)


def set_in(place: TextPlace, words: str, size_px: float | None = None) -> tuple[SetLine, ...]:
    """Set words in the width of a place, in its own size or another."""
    style = place.style if size_px is None else place.style.sized(size_px)
    return set_lines(words, style, place.limit_px)


def fitting_size(place: TextPlace, words: str, max_lines: int | None, least_px: float) -> float:
    """Find the largest size, in whole pixels below the design's, that words fit their place in.

    Words that fit in none keep the design's size, so that the overflow is told of what was asked.
    """
    most = 1 if place.single else max_lines
    size = place.style.size_px
    while size >= least_px:
        lines = set_in(place, words, size)
        narrow = all(line.width - place.style.trailing_px <= place.limit_px for line in lines)
        if narrow and (most is None or len(lines) <= most):
            return size
        size = float(ceil(size) - 1)
    return place.style.size_px


def examine(
    manifest: TemplateManifest,
    body: str,
    present: frozenset[str],
    base: Mapping[str, str],
    lay_out: Layouts,
) -> Skeleton:
    """Find the places of a body and how each behaves.

    `base` holds a short value for every slot that is present and an empty one for every other.
    """
    probe = _Probe(manifest, lay_out, dict(base), asked_slots(body))
    laid_out = lay_out({})
    here = {slot.name: slot.name in present for slot in manifest.slots}
    for element in slot_elements(body, manifest, here):
        if is_live(element, manifest):
            mark = laid_out.marks.get(element.ordinal)
            probe.places[element.ordinal] = _place(element, mark)
    _probe_widths(probe, laid_out)
    for slot in list(probe.text_slots()):
        _probe_lines(probe, slot, laid_out)
    return Skeleton(present, tuple(probe.places.values()))


def _place(element: SlotElement, mark: Mark | None) -> Place:
    if element.picture:
        return _picture_place(element, mark)
    if mark is None or not mark.lines or mark.block is None or element.parts is None:
        reason = "holds other elements" if element.parts is None else "is not drawn as lines of a block"
        page = mark.page if mark is not None else 0
        return _unset(element, page, Way.FULL, reason)
    computed = mark.computed[0]
    first = mark.lines[0]
    style = style_of(computed)
    own = set_lines(FILLER, style, None)[0]
    left, _, right, _ = mark.block
    inline = not mark.own_block or mark.before
    colour = computed["color"].to("srgb")
    place = TextPlace(
        element=element,
        page=mark.page,
        style=style,
        colour=tuple(round(max(0.0, min(1.0, part)) * 255) for part in colour.coordinates),
        alpha=float(colour.alpha),
        align=_alignment(mark.align),
        limit_px=right - (first.x if inline else left),
        single=inline,
        height=own.height,
        baseline=own.baseline,
    )
    for way, reason in _faults(mark, computed, inline=inline):
        return replace(place, way=way, reason=reason)
    return place


def _unset(element: SlotElement, page: int, way: Way, reason: str) -> TextPlace:
    style = TextStyle((("font_size", 0.0), ("letter_spacing", "normal")))
    return TextPlace(
        element,
        page,
        style,
        (0, 0, 0),
        1.0,
        "start",
        0.0,
        False,
        0.0,
        0.0,
        way=way,
        reason=reason,
    )


def _alignment(align: tuple[str, str]) -> str:
    first, last = align
    if last not in ("auto", first):
        return "mixed"
    return {"left": "start", "right": "end"}.get(first, first)


def _faults(mark: Mark, computed: Any, *, inline: bool) -> Iterator[tuple[Way, str]]:
    """Say why words cannot be set alone, the gravest reason first."""
    if mark.after:
        yield Way.FULL, "other words follow on its line"
    if inline and _alignment(mark.align) != "start":
        yield Way.FULL, "stands behind fixed words that are not aligned left"
    if any(line.parts > 1 for line in mark.lines):
        yield Way.FULL, "its words are not of one style"
    if mark.effects:
        yield Way.SLOW, f"painted with {', '.join(sorted(set(mark.effects)))}"
    if odd := unusual_properties(computed):
        yield Way.SLOW, f"set with {', '.join(odd)}"
    if _alignment(mark.align) not in ("start", "center", "end"):
        yield Way.SLOW, f"aligned {'/'.join(mark.align)}"


def _picture_place(element: SlotElement, mark: Mark | None) -> PicturePlace:
    if mark is None or mark.picture is None:
        return PicturePlace(
            element, 0, "fill", (0.5, 0.5), (0, 0, 0, 0), Way.FULL, "is not drawn as a picture"
        )
    style = mark.picture_computed
    place = PicturePlace(
        element,
        mark.page,
        style["object_fit"],
        _position(style["object_position"]),
        _radii(style, mark.picture),
    )
    if mark.effects:
        return replace(place, way=Way.FULL, reason=f"painted with {', '.join(sorted(set(mark.effects)))}")
    if mark.painted:
        return replace(place, way=Way.FULL, reason="has a background or a border of its own")
    if any(abs(edge - round(edge)) > _STEADY_PX for edge in mark.picture):
        return replace(place, way=Way.FULL, reason="does not lie on whole pixels")
    if place.fit not in ("cover", "contain", "fill") or min(place.position) < 0:
        return replace(place, way=Way.FULL, reason=f"object-fit {place.fit}")
    return place


def _position(value: Any) -> tuple[float, float]:
    """Read object-position as shares of the free room; -1 for what is no share."""
    horizontal, x, vertical, y = value[0] if isinstance(value[0], tuple) else value
    share = [
        (part.value / 100 if part.unit == "%" else (0.0 if part.value == 0 else -1.0)) for part in (x, y)
    ]
    across = share[0] if horizontal == "left" or share[0] < 0 else 1 - share[0]
    down = share[1] if vertical == "top" or share[1] < 0 else 1 - share[1]
    return across, down


def _radii(style: Any, edges: Edges) -> tuple[float, float, float, float]:
    width = edges[2] - edges[0]
    corners = ("top_left", "top_right", "bottom_right", "bottom_left")
    radii = []
    for corner in corners:
        across = style[f"border_{corner}_radius"][0]
        radii.append(across.value * width / 100 if across.unit == "%" else across.value)
    return tuple(float(radius) for radius in radii)  # type: ignore[return-value]


# ── what moves ───────────────────────────────────────────────────────────────────────────────────


def _moved(before: LaidOut, after: LaidOut, own: frozenset[int]) -> bool:
    """Say whether anything but the elements named moved or changed its size."""
    if before.pages != after.pages or before.still != after.still:
        return True
    return any(
        ordinal not in own and not _lies_alike(mark, after.marks.get(ordinal))
        for ordinal, mark in before.marks.items()
    )


def _lies_alike(before: Mark, after: Mark | None) -> bool:
    if after is None or len(before.lines) != len(after.lines) or before.picture != after.picture:
        return False
    return all(
        abs(one.baseline - two.baseline) < _STEADY_PX and abs(one.x - two.x) < _STEADY_PX
        for one, two in zip(before.lines, after.lines, strict=True)
    )


def _first_stays(before: LaidOut, after: LaidOut, places: list[TextPlace]) -> bool:
    """Say whether the first lines of a slot itself stay where they are."""
    for place in places:
        one, two = (laid.marks.get(place.element.ordinal) for laid in (before, after))
        if one is None or two is None or not one.lines or not two.lines:
            return False
        if abs(one.lines[0].baseline - two.lines[0].baseline) > _STEADY_PX:
            return False
        if place.align == "start" and abs(one.lines[0].x - two.lines[0].x) > _STEADY_PX:
            return False
    return True


def _ordinals(places: list[TextPlace]) -> frozenset[int]:
    return frozenset(place.element.ordinal for place in places)


def _probe_widths(probe: _Probe, base: LaidOut) -> None:
    """Make every value as wide as its first line allows; nothing else may move."""
    wide = {slot.name: _widest(probe, slot) for slot in probe.text_slots()}
    trials = [{**wide, **{slot.name: day for slot in probe.dates()}} for day in _DATES]
    everything = frozenset(
        place.element.ordinal for place in probe.places.values() if isinstance(place, TextPlace)
    )
    laid = [probe.lay_out(values) for values in (trials if any(probe.dates()) else trials[:1])]
    texts = [place for place in probe.places.values() if isinstance(place, TextPlace)]
    drawn = [place for place in texts if place.way is not Way.FULL]
    for each in laid:
        _note_elastic(probe, base, each)
    if all(not _moved(base, each, everything) and _first_stays(base, each, drawn) for each in laid):
        return
    for slot in [*probe.text_slots(), *probe.dates()]:
        places = probe.shown(slot.name)
        values = _DATES if slot.kind is SlotKind.DATE else (wide[slot.name],)
        for value in values:
            after = probe.lay_out({slot.name: value})
            if _moved(base, after, _ordinals(places)) or not _first_stays(base, after, places):
                probe.mark_way(slot.name, Way.FULL, "its width moves what stands beside it")
                break


def _note_elastic(probe: _Probe, before: LaidOut, after: LaidOut) -> None:
    """Note which elements fit themselves to their words instead of holding them."""
    for ordinal, place in probe.places.items():
        one, two = before.marks.get(ordinal), after.marks.get(ordinal)
        if not isinstance(place, TextPlace) or one is None or two is None or one.own == two.own:
            continue
        place = replace(place, bounded=False)  # noqa: PLW2901
        wider = one.own is None or two.own is None or one.own[2] - one.own[0] != two.own[2] - two.own[0]
        if wider and not place.single and dict(place.style.values).get("white_space") not in _UNBROKEN:
            place = replace(place, way=Way.FULL, reason="is as wide as its words")  # noqa: PLW2901
        probe.places[ordinal] = place


def _widest(probe: _Probe, slot: Slot) -> str:
    """The longest filler that takes as many lines as the shortest does."""
    least = probe.vector(slot.name, FILLER)
    low, high = 1, slot.max_chars or 40
    while low < high:
        middle = (low + high + 1) // 2
        if probe.vector(slot.name, FILLER * middle) == least:
            low = middle
        else:
            high = middle - 1
    return FILLER * low


def _probe_lines(probe: _Probe, slot: Slot, base: LaidOut) -> None:
    """Make a value longer until it takes another number of lines, and see what that moves."""
    places = probe.shown(slot.name)
    if not places or all(place.way is Way.FULL for place in places):
        return
    for text in _trials(probe, slot, probe.vector(slot.name, FILLER)):
        after = probe.lay_out({slot.name: text})
        moved = _moved(base, after, _ordinals(places))
        if text:
            _note_elastic(probe, base, after)
        for place in places:
            now = probe.places[place.element.ordinal]
            if isinstance(now, TextPlace):
                probe.places[place.element.ordinal] = _with_lines(now, base, after, moved=moved)


def _trials(probe: _Probe, slot: Slot, seen_first: tuple[int, ...]) -> list[str]:
    """Fillers that take every number of lines the slot may take."""
    seen = {seen_first}
    trials: list[str] = []
    for length in range(2, (slot.max_chars or 40) + 1) if slot.max_lines != 1 else ():
        vector = probe.vector(slot.name, FILLER * length)
        if vector not in seen and (slot.max_lines is None or max(vector) <= slot.max_lines):
            seen.add(vector)
            trials.append(FILLER * length)
    if not slot.required and slot.name not in probe.asked:
        trials.append("")
    return trials[:_MOST_PROBES]


def _with_lines(place: TextPlace, base: LaidOut, after: LaidOut, *, moved: bool) -> TextPlace:
    """Note how a place lay with another number of lines."""
    mark = after.marks.get(place.element.ordinal)
    lines = mark.lines if mark is not None else []
    if len(lines) > 1:
        pitches = [two.baseline - one.baseline for one, two in pairwise(lines)]
        known = place.pitch_px or pitches[0]
        if any(abs(pitch - known) > _STEADY_PX for pitch in pitches):
            return replace(place, way=Way.FULL, reason="its lines are not evenly spaced")
        place = replace(place, pitch_px=pitches[0])
    if moved or (lines and not _first_stays(base, after, [place])):
        place = replace(place, flows=True)
    return place
