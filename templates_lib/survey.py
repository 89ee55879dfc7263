"""Where everything came to lie: one walk over the boxes of a page WeasyPrint laid out.

The box tree has no public door. What is read from it is read here, in CSS pixels of the page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weasyprint.formatting_structure import boxes
from weasyprint.layout.replaced import replacedbox_layout

from templates_lib.document import FIELD, FRAME

TOLERANCE_PX: Final = 0.6

Edges = tuple[float, float, float, float]  # left, top, right, bottom

# Properties that change how an element and all inside it are painted.
_EFFECTS: Final = {"opacity": 1, "transform": (), "clip": ()}


@dataclass(frozen=True, slots=True)
class Line:
    """One laid-out line of a slot's words, in CSS pixels of its page."""

    page: int
    text: str
    x: float
    y: float
    width: float
    height: float
    font_px: float


@dataclass(frozen=True, slots=True)
class PlacedSlot:
    """Where the words of a slot came to lie; `inside` is False if any left its frame or page."""

    name: str
    lines: tuple[Line, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in CSS pixels of its page."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class MarkLine:
    """One line of an element's words; `parts` counts the text boxes it is made of."""

    x: float
    top: float
    baseline: float
    width: float
    height: float
    parts: int


@dataclass(slots=True)
class Mark:
    """One element that shows a slot, found in the boxes of a page.

    `ordinal` counts such elements in the order of the document. `block` holds the edges of the
    block its lines stand in; `own_block` says that the block is the element itself. `before` and
    `after` say whether something else stands on its lines. `own` holds the edges of the element as
    a block, `bounds` those of what it must not leave. `effects` names what repaints it.
    """

    ordinal: int
    slot: str
    page: int
    block: Edges | None = None
    own_block: bool = False
    before: bool = False
    after: bool = False
    lines: list[MarkLine] = field(default_factory=list)
    computed: list[Any] = field(default_factory=list)
    align: tuple[str, str] = ("start", "auto")
    picture: Edges | None = None
    picture_computed: Any = None
    painted: bool = False
    own: Edges | None = None
    bounds: tuple[Edges, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A laid-out document: its slots, and the handle the PDF is made from.

    `stray` holds fixed words that left their frame because a slot pushed them out; each entry
    names the slots that share the frame. `still` lists every box that shows no slot, to see what
    moves when a value changes. `pictures` are the frames; `drawn` is where the whole of each picture
    lies, also what its frame cuts off.
    """

    pages: int
    slots: Mapping[str, PlacedSlot]
    pictures: Mapping[str, Box]
    drawn: Mapping[str, Box]
    stray: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]
    marks: Mapping[int, Mark]
    still: tuple[tuple[Any, ...], ...]
    _document: Any


def survey(document: Any, ordinals: Mapping[int, int], warnings: tuple[str, ...]) -> LaidOut:
    """Walk a rendered document; `ordinals` numbers the slot elements by their identity."""
    return _Survey(document, ordinals).result(warnings)


class _Survey:
    """Walks the box tree once and notes where every slot's words and pictures lie."""

    def __init__(self, document: Any, ordinals: Mapping[int, int]) -> None:
        self._document = document
        self._ordinals = ordinals
        self._lines: dict[str, dict[int, list[Line]]] = {}
        self._inside: dict[str, bool] = {}
        self._pictures: dict[str, Box] = {}
        self._drawn: dict[str, Box] = {}
        self._members: dict[int, set[str]] = {}
        self._strays: list[int] = []
        self._keep: list[Any] = []
        self._marks: dict[int, Mark] = {}
        self._on_line: dict[int, list[int | None]] = {}
        self._mark_lines: dict[tuple[int, int], MarkLine] = {}
        self._still: list[tuple[Any, ...]] = []

    def result(self, warnings: tuple[str, ...]) -> LaidOut:
        for number, page in enumerate(self._document.pages):
            box = page._page_box  # noqa: SLF001  the box tree has no public door
            bounds = (0.0, 0.0, float(page.width), float(page.height))
            self._visit(box, _Where(number, None, None, None, None, None, (bounds,), 0, ()))
        self._note_neighbours()
        return LaidOut(
            pages=len(self._document.pages),
            slots={
                name: PlacedSlot(name, tuple(_joined(parts) for parts in lines.values()), self._inside[name])
                for name, lines in self._lines.items()
            },
            pictures=self._pictures,
            drawn=self._drawn,
            stray=tuple(tuple(sorted(self._members.get(frame, ()))) for frame in self._strays),
            warnings=warnings,
            marks=self._marks,
            still=tuple(self._still),
            _document=self._document,
        )

    def _visit(self, box: Any, where: "_Where") -> None:
        box = getattr(box, "_box", box)  # an absolutely placed box hides behind its placeholder
        where = where.inside(box, self._ordinals)
        if where.slot is not None:
            self._members.setdefault(where.frame, set()).add(where.slot)
        self._note_still(box, where)
        if where.mark is not None:
            self._note_mark(box, where)
        if isinstance(box, boxes.TextBox):
            self._note_text(box, where)
        elif isinstance(box, boxes.ReplacedBox):
            self._note_neighbour(where)
            if where.slot is not None:
                self._pictures[where.slot] = Box(
                    where.page, box.content_box_x(), box.content_box_y(), box.width, box.height
                )
                width, height, x, y = replacedbox_layout(box)
                self._drawn[where.slot] = Box(where.page, x, y, width, height)
        for child in getattr(box, "children", None) or ():
            self._visit(child, where)

    def _note_still(self, box: Any, where: "_Where") -> None:
        if where.mark is None and not isinstance(box, boxes.LineBox):
            size = (box.width, box.height)
            shown = tuple(round(edge, 2) if isinstance(edge, (int, float)) else None for edge in size)
            place = (round(box.position_x, 2), round(box.position_y, 2))
            self._still.append((where.page, type(box).__name__, box.element_tag, *place, *shown))

    def _note_mark(self, box: Any, where: "_Where") -> None:
        mark = self._marks.get(where.mark or 0)
        if mark is None:
            mark = self._marks[where.mark or 0] = Mark(where.mark or 0, where.slot or "", where.page)
            mark.effects = where.effects
        if isinstance(box, boxes.ReplacedBox):
            mark.picture = _content_edges(box)
            mark.picture_computed = box.style
        if _is_painted(box):
            mark.painted = True

    def _note_neighbour(self, where: "_Where") -> None:
        if where.line is not None:
            self._keep.append(where.line)
            self._on_line.setdefault(id(where.line), []).append(where.mark)

    def _note_neighbours(self) -> None:
        for shown in self._on_line.values():
            for place, ordinal in enumerate(shown):
                if ordinal is not None:
                    mark = self._marks[ordinal]
                    mark.before |= any(other != ordinal for other in shown[:place])
                    mark.after |= any(other != ordinal for other in shown[place + 1 :])

    def _note_text(self, box: Any, where: "_Where") -> None:
        if not box.text.strip():
            return
        self._note_neighbour(where)
        line = where.line if where.line is not None else box
        spacing = box.style["letter_spacing"]
        trailing = float(spacing) if isinstance(spacing, (int, float)) else 0.0
        left, right = box.position_x, box.position_x + box.width - max(trailing, 0.0)
        top, bottom = line.position_y, line.position_y + line.height
        limits = where.bounds if where.own is None else (*where.bounds, where.own)
        inside = all(holds(edges, left, top, right, bottom) for edges in limits)
        if where.slot is None:
            if not inside:
                self._strays.append(where.frame)
            return
        self._inside[where.slot] = self._inside.get(where.slot, True) and inside
        self._keep.append(line)  # its id() is a key below: it must outlive the walk
        self._lines.setdefault(where.slot, {}).setdefault(id(line), []).append(
            Line(
                where.page,
                box.text,
                left,
                top,
                box.width,
                line.height,
                float(box.style["font_size"]),
            )
        )
        if where.mark is not None:
            self._note_mark_line(box, line, where)

    def _note_mark_line(self, box: Any, line: Any, where: "_Where") -> None:
        mark = self._marks[where.mark or 0]
        mark.computed.append(box.style)
        mark.bounds, mark.own = where.bounds, where.own
        block = where.block
        if block is not None:
            mark.block = _content_edges(block)
            element = getattr(block, "element", None)
            mark.own_block = element is not None and self._ordinals.get(id(element)) == mark.ordinal
            mark.align = (line.style["text_align_all"], line.style["text_align_last"])
        known = self._mark_lines.get((mark.ordinal, id(line)))
        if known is not None:
            known.parts += 1
            return
        noted = MarkLine(
            box.position_x, line.position_y, box.position_y + box.baseline, box.width, line.height, 1
        )
        self._mark_lines[mark.ordinal, id(line)] = noted
        mark.lines.append(noted)


def holds(edges: Edges, left: float, top: float, right: float, bottom: float) -> bool:
    """Say whether a rectangle stays inside `edges`, give or take half a pixel."""
    x0, y0, x1, y1 = edges
    return (
        left >= x0 - TOLERANCE_PX
        and right <= x1 + TOLERANCE_PX
        and top >= y0 - TOLERANCE_PX
        and bottom <= y1 + TOLERANCE_PX
    )


def _content_edges(box: Any) -> Edges:
    x, y = float(box.content_box_x()), float(box.content_box_y())
    return x, y, x + float(box.width), y + float(box.height)


def _is_painted(box: Any) -> bool:
    """Say whether a box draws something of its own besides its words."""
    style = box.style
    if style["background_color"].alpha or any(kind != "none" for kind, _ in style["background_image"]):
        return True
    return any(style[f"border_{side}_width"] for side in ("top", "right", "bottom", "left")) or bool(
        style["outline_width"]
    )


def _joined(parts: list[Line]) -> Line:
    first, last = parts[0], parts[-1]
    return Line(
        first.page,
        "".join(part.text for part in parts),
        first.x,
        first.y,
        last.x + last.width - first.x,
        first.height,
        min(part.font_px for part in parts),
    )


@dataclass(frozen=True, slots=True)
class _Where:
    """What surrounds a box: its page, slot, line, block, the rectangles to stay in, its frame."""

    page: int
    slot: str | None
    mark: int | None
    line: Any
    block: Any
    own: Edges | None
    bounds: tuple[Edges, ...]
    frame: int
    effects: tuple[str, ...]

    def inside(self, box: Any, ordinals: Mapping[int, int]) -> "_Where":
        slot, mark, line, block = self.slot, self.mark, self.line, self.block
        own_edges, bounds, frame = self.own, self.bounds, self.frame
        element: Any = getattr(box, "element", None)
        own = hasattr(element, "get")
        if own and element.get(FIELD):
            slot, mark = element.get(FIELD), ordinals.get(id(element), mark)
        if isinstance(box, boxes.LineBox):
            line = box
        if isinstance(box, boxes.BlockContainerBox):
            block = box
        if isinstance(box, boxes.BlockLevelBox) and not isinstance(box, boxes.ReplacedBox) and _sized(box):
            if own and element.get(FRAME) is not None:
                bounds, frame = (self.bounds[0], _content_edges(box)), id(element)
            elif box.style["overflow"] != "visible":
                bounds = (*bounds, _content_edges(box))
            if own and element.get(FIELD):
                own_edges = _content_edges(box)
        effects = (*self.effects, *_effects(box))
        return _Where(self.page, slot, mark, line, block, own_edges, bounds, frame, effects)


def _sized(box: Any) -> bool:
    return isinstance(box.width, (int, float)) and isinstance(box.height, (int, float))


def _effects(box: Any) -> Iterator[str]:
    for name, plain in _EFFECTS.items():
        if box.style[name] != plain:
            yield name.replace("_", "-")
