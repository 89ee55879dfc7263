"""Where the words of a picture stand, so that what was found in them can be shown on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from templates_lib import layout
from templates_lib.compile import CompiledTemplate
from templates_lib.fill import Value, fill, without_omitted
from templates_lib.survey import Box, Line

__all__ = ["Box", "Whereabouts", "whereabouts"]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The lines of each slot's words, and the box of each slot's picture, in design pixels."""

    lines: Mapping[str, tuple[Line, ...]]
    pictures: Mapping[str, Box]
    drawn: Mapping[str, Box]  # the whole of each picture, also what its frame cuts off

    def box_of(self, slot: str) -> Box | None:
        """Return what a slot covers on the first page it stands on, `None` where it is not shown."""
        if slot in self.pictures:
            return self.pictures[slot]
        lines = self.lines.get(slot, ())
        return _around([line for line in lines if line.page == lines[0].page]) if lines else None

    def boxes_of(self, slot: str, text: str, start: int, end: int) -> tuple[Box, ...]:
        """Return the boxes of `text[start:end]`, one for each line it stands on.

        `text` is the slot's words as the checker read them. Signs take equal shares of their line:
        exact for Chinese, near enough to point at for Latin letters.
        """
        wanted = {at for at in range(start, min(end, len(text))) if not text[at].isspace()}
        boxes: list[Box] = []
        position = 0
        for line in self.lines.get(slot, ()):
            signs = [sign for sign in line.text if not sign.isspace()]
            places = []
            for sign in signs:
                position = _next(text, position, sign)
                if position < 0:
                    return ()  # the words are not those that were drawn
                places.append(position)
                position += 1
            shown = [number for number, place in enumerate(places) if place in wanted]
            if shown:
                share = line.width / len(signs)
                left = line.x + shown[0] * share
                boxes.append(Box(line.page, left, line.y, (shown[-1] - shown[0] + 1) * share, line.height))
        return tuple(boxes)

    def part_of(self, slot: str, left: float, top: float, width: float, height: float) -> Box | None:
        """Return where a part of a slot's picture, in shares of it, is seen; `None` where it is cut off."""
        if slot not in self.drawn:
            return None
        whole, frame = self.drawn[slot], self.pictures[slot]
        x, y = whole.x + left * whole.width, whole.y + top * whole.height
        right = min(x + width * whole.width, frame.x + frame.width)
        bottom = min(y + height * whole.height, frame.y + frame.height)
        x, y = max(x, frame.x), max(y, frame.y)
        return Box(frame.page, x, y, right - x, bottom - y) if x < right and y < bottom else None

    def slot_at(self, page: int, x: float, y: float) -> str | None:
        """Return the slot that covers a point, the smallest where several do."""
        covering = [
            (box.width * box.height, slot)
            for slot in (*self.lines, *self.pictures)
            if (box := self.box_of(slot)) is not None
            and box.page == page
            and box.x <= x <= box.x + box.width
            and box.y <= y <= box.y + box.height
        ]
        return min(covering)[1] if covering else None


def whereabouts(compiled: CompiledTemplate, values: Mapping[str, Value]) -> Whereabouts:
    """Lay the page out and tell where everything came to lie. Raises SlotErrors."""
    manifest = compiled.manifest
    filled = fill(manifest, without_omitted(manifest, values))
    with layout.ENGINE:
        laid_out = compiled.lay_out(filled, sizes=compiled.sizes(filled))
    return Whereabouts(
        {name: placed.lines for name, placed in laid_out.slots.items() if placed.lines},
        dict(laid_out.pictures),
        dict(laid_out.drawn),
    )


def _next(text: str, position: int, sign: str) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position if text[position : position + 1] == sign else text.find(sign, position)


def _around(lines: Iterable[Line]) -> Box:
    shown = tuple(lines)
    left, top = min(line.x for line in shown), min(line.y for line in shown)
    right = max(line.x + line.width for line in shown)
    bottom = max(line.y + line.height for line in shown)
    return Box(shown[0].page, left, top, right - left, bottom - top)
