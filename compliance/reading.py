"""What stands in a picture: lines seen by a reader, put into the order of a person who reads.

A reader (any OCR) gives lines with boxes and in no order. Here they become one text: lines side by
side are a row, rows under each other a paragraph, upright lines columns from right to left. Every
character keeps its way back to the picture, so what is found in the text is shown on it.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from statistics import median
from typing import Any, Final, Self

from compliance.document import FieldKind, Lettering, TextField

# Below this a reader guesses; of one or two characters it must be surer, folds of a sleeve look like them.
_LEAST_CERTAIN: Final = 0.5
_LEAST_CERTAIN_SHORT: Final = 0.75
_SHORT: Final = 2
_WHOLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in its pixels, from its top left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    @property
    def size(self) -> float:
        """The size of the characters in it, as far as the box of one line tells."""
        return min(self.width, self.height)

    def clipped(self, width: float, height: float) -> "Box":
        """Return what of it lies inside a picture of that size."""
        left, top = max(0.0, self.left), max(0.0, self.top)
        right, bottom = min(self.right, width), min(self.bottom, height)
        return Box(left, top, max(0.0, right - left), max(0.0, bottom - top))

    def to_list(self) -> list[float]:
        """Return left, top, width and height to a tenth of a pixel."""
        return [round(side, 1) for side in (self.left, self.top, self.width, self.height)]


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One line as a reader saw it.

    `ink` is the height of its characters in pixels and `contrast` how they stand out from their ground,
    1 for not at all to 21 for black on white (the ratio of WCAG 2).
    """

    text: str
    box: Box
    certainty: float
    ink: float
    contrast: float

    @property
    def is_upright(self) -> bool:
        """Whether it runs from top to bottom."""
        return len(self.text) > 1 and self.box.height > 1.5 * self.box.width

    @property
    def is_legible(self) -> bool:
        """Whether it is words at all, and not folds and leaves a reader took for some."""
        least = _LEAST_CERTAIN_SHORT if len(self.text.strip()) <= _SHORT else _LEAST_CERTAIN
        return self.certainty >= least and any(char.isalnum() for char in self.text)

    def part(self, start: int, end: int) -> Box:
        """Return where `text[start:end]` stands: exact for Chinese, near enough for Latin letters."""
        widths = [_share(char) for char in self.text]
        whole = sum(widths) or 1
        begin, length = sum(widths[:start]) / whole, sum(widths[start:end]) / whole
        box = self.box
        if self.is_upright:
            return Box(box.left, box.top + begin * box.height, box.width, length * box.height)
        return Box(box.left + begin * box.width, box.top, length * box.width, box.height)


@dataclass(frozen=True)
class PictureReading:
    """All a reader saw in one picture."""

    width: int
    height: int
    lines: tuple[SeenLine, ...]

    @property
    def text(self) -> str:
        """What a person reads in the picture, line by line; "" where nothing is written."""
        return "".join(char for char, _ in self._characters)

    def boxes_of(self, start: int, end: int) -> tuple[Box, ...]:
        """Return the boxes of `text[start:end]`, one for each line it stands on."""
        wanted = [place for _, place in self._characters[start:end] if place is not None]
        boxes = []
        for line, places in groupby(wanted, key=lambda place: place[0]):
            at = [position for _, position in places]
            boxes.append(self.lines[line].part(at[0], at[-1] + 1).clipped(self.width, self.height))
        return tuple(boxes)

    def field(self, name: str) -> TextField:
        """Return what the checker reads of the picture."""
        lettering = []
        shorter = min(self.width, self.height) or 1
        at = 0
        for line, run in groupby(self._characters, key=lambda one: None if one[1] is None else one[1][0]):
            length = len(list(run))
            if line is not None:
                seen = self.lines[line]
                lettering.append(
                    Lettering(at, at + length, round(seen.ink * _WHOLE / shorter, 1), round(seen.contrast, 2))
                )
            at += length
        return TextField(name, self.text, FieldKind.PICTURE, tuple(lettering))

    @cached_property
    def _characters(self) -> tuple[tuple[str, tuple[int, int] | None], ...]:
        """Every character of the text with its line and its position there; None for what joins lines."""
        characters: list[tuple[str, tuple[int, int] | None]] = []
        for separator, line in in_reading_order(self.lines):
            characters += ((char, None) for char in separator)
            characters += ((char, (line, at)) for at, char in enumerate(self.lines[line].text))
        return tuple(characters)

    def to_dict(self) -> dict[str, Any]:
        """Return what `of_dict` makes this very reading of again.

        Nothing is rounded: a tenth of a pixel may decide which line is read first, and what was found
        is named by its place in the text.
        """
        return {
            "width": self.width,
            "height": self.height,
            "lines": [
                [
                    line.text,
                    line.box.left,
                    line.box.top,
                    line.box.width,
                    line.box.height,
                    line.certainty,
                    line.ink,
                    line.contrast,
                ]
                for line in self.lines
            ],
        }

    @classmethod
    def of_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises KeyError, TypeError, ValueError for anything else."""
        return cls(
            int(kept["width"]),
            int(kept["height"]),
            tuple(
                SeenLine(
                    str(text),
                    Box(float(left), float(top), float(width), float(height)),
                    float(certainty),
                    float(ink),
                    float(contrast),
                )
                for text, left, top, width, height, certainty, ink, contrast in kept["lines"]
            ),
        )


def unread_field(name: str) -> TextField:
    """Return what the checker reads of a picture that no reader could read."""
    return TextField(name, "（未能读取的图片）", FieldKind.UNREAD)


# ── the order of reading ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Run:
    """Lines that follow each other without a break: a row, or a column."""

    members: tuple[int, ...]
    box: Box
    size: float
    length: int  # in characters
    joint: str = ""


def in_reading_order(lines: Sequence[SeenLine]) -> list[tuple[str, int]]:
    """Return the numbers of the legible lines in the order of reading, each with what joins it on."""
    legible = [(number, line) for number, line in enumerate(lines) if line.is_legible]
    columns = _columns(legible)
    standing = {number for column in columns for number in column.members}
    rows = _rows([(number, line) for number, line in legible if number not in standing])
    blocks = [*_paragraphs(rows), *_sheets(columns)]
    ordered: list[tuple[str, int]] = []
    for block in sorted(blocks, key=lambda block: (block[0].box.top, block[0].box.left)):
        for place, run in enumerate(block):
            for position, number in enumerate(run.members):
                if position:
                    joint = run.joint
                elif place:
                    joint = _joint(block[place - 1], run, block)
                else:
                    joint = "\n" if ordered else ""
                ordered.append((joint, number))
    return ordered


def _columns(legible: Sequence[tuple[int, SeenLine]]) -> list[_Run]:
    """Chain upright lines and single characters that stand under each other."""
    standing = [
        (number, line)
        for number, line in legible
        if line.is_upright or (len(line.text) == 1 and _stands_alone(number, line, legible))
    ]
    chains: list[list[tuple[int, SeenLine]]] = []
    for number, line in sorted(standing, key=lambda one: (one[1].box.top, one[1].box.left)):
        above = [chain for chain in chains if _continues(chain[-1][1], line)]
        if above:
            nearest = max(above, key=lambda chain: chain[-1][1].box.bottom)
            nearest.append((number, line))
        else:
            chains.append([(number, line)])
    return [_run(chain) for chain in chains if len(chain) > 1 or chain[0][1].is_upright]


def _stands_alone(number: int, line: SeenLine, legible: Sequence[tuple[int, SeenLine]]) -> bool:
    """Tell whether nothing is nearer beside a character than what is above or under it."""
    x, y = line.box.middle
    beside, under = [], []
    for other_number, other in legible:
        if other_number == number:
            continue
        far_x = abs(other.box.middle[0] - x) - (other.box.width + line.box.width) / 2
        far_y = abs(other.box.middle[1] - y) - (other.box.height + line.box.height) / 2
        if far_y < 0:
            beside.append(max(far_x, 0.0))
        elif far_x < 0:
            under.append(max(far_y, 0.0))
    return min(under, default=float("inf")) < min(beside, default=float("inf"))


def _continues(above: SeenLine, line: SeenLine) -> bool:
    size = max(above.box.width, line.box.width)
    return (
        _alike(above.box.width, line.box.width)
        and abs(above.box.middle[0] - line.box.middle[0]) < size / 2
        and -size / 2 < line.box.top - above.box.bottom < 1.5 * size
    )


def _sheets(columns: Sequence[_Run]) -> list[list[_Run]]:
    """Gather columns that stand beside each other, the right one first."""
    sheets: list[list[_Run]] = []
    for column in sorted(columns, key=lambda run: -run.box.left):
        for sheet in sheets:
            right = sheet[-1].box
            overlap = min(right.bottom, column.box.bottom) - max(right.top, column.box.top)
            near = right.left - column.box.right < 3 * column.size
            if near and overlap > 0 and _alike(sheet[-1].size, column.size):
                sheet.append(column)
                break
        else:
            sheets.append([column])
    return sheets


def _rows(lying: Sequence[tuple[int, SeenLine]]) -> list[_Run]:
    """Join lines that stand beside each other with no more than a few blanks between."""
    rows: list[list[tuple[int, SeenLine]]] = []
    for number, line in sorted(lying, key=lambda one: (one[1].box.left, one[1].box.top)):
        for row in rows:
            last = row[-1][1].box
            overlap = min(last.bottom, line.box.bottom) - max(last.top, line.box.top)
            size = min(last.height, line.box.height)
            gap = line.box.left - last.right
            if overlap > size / 2 and -size < gap < 2.5 * size and _alike(last.height, line.box.height):
                row.append((number, line))
                break
        else:
            rows.append([(number, line)])
    return [_run(row, joint=" ") for row in rows]


def _paragraphs(rows: Sequence[_Run]) -> list[list[_Run]]:
    """Gather rows that follow each other closely in one size of letters."""
    paragraphs: list[list[_Run]] = []
    for row in sorted(rows, key=lambda run: (run.box.top, run.box.left)):
        for paragraph in paragraphs:
            above = paragraph[-1].box
            gap = row.box.top - above.bottom
            begins_alike = abs(row.box.left - above.left) < 1.5 * row.size
            is_centred = abs(row.box.middle[0] - above.middle[0]) < row.size
            if (
                -row.size / 2 < gap < 1.2 * row.size
                and (begins_alike or is_centred)
                and _alike(paragraph[-1].size, row.size)
            ):
                paragraph.append(row)
                break
        else:
            paragraphs.append([row])
    return paragraphs


# Fewer characters in a row are words set apart, and no sentence that had to go on below.
_LEAST_WRAPPED: Final = 12


def _joint(before: _Run, run: _Run, block: Sequence[_Run]) -> str:
    """Return what stands between two runs: nothing where the first was full and the sentence goes on."""
    if before.box.height > before.box.width:  # columns
        full = before.box.bottom > max(one.box.bottom for one in block) - 1.2 * before.size
    else:
        full = before.box.right > max(one.box.right for one in block) - 1.2 * before.size
    return "" if full and before.length >= _LEAST_WRAPPED and run.length else "\n"


def _run(members: Sequence[tuple[int, SeenLine]], joint: str = "") -> _Run:
    boxes = [line.box for _, line in members]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return _Run(
        tuple(number for number, _ in members),
        Box(left, top, right - left, bottom - top),
        median(box.size for box in boxes),
        sum(len(line.text) for _, line in members),
        joint,
    )


def _alike(one: float, other: float) -> bool:
    return max(one, other) < 1.6 * min(one, other)


def _share(char: str) -> float:
    """Return how wide a character is beside a Chinese one."""
    return 1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.55


def around(boxes: Iterable[Box]) -> Box | None:
    """Return the box round boxes, `None` for none."""
    shown = tuple(boxes)
    if not shown:
        return None
    left, top = min(box.left for box in shown), min(box.top for box in shown)
    right, bottom = max(box.right for box in shown), max(box.bottom for box in shown)
    return Box(left, top, right - left, bottom - top)
