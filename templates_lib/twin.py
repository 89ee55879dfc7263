"""The text twin: every word on the picture, in reading order, as plain lines.

It is read from the same filled page the picture is drawn from, so the two cannot drift apart.
The landing page shows it, the checker judges it, a screen reader speaks it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from templates_lib import document
from templates_lib.fill import Filled
from templates_lib.manifest import DISCLOSURE, SlotKind, TemplateManifest

# A design breaks a headline where it looks well. Between Chinese characters that is no gap: the
# checker must meet the word whole. "\v" stands for <br> until its neighbours are known.
_BREAK = "\v"
_HAN_BREAK = re.compile(r"(?<=[\u2e80-\U0003ffff]) *\v *(?=[\u2e80-\U0003ffff])")


@dataclass(frozen=True, slots=True)
class TwinLine:
    """One line of the picture's text.

    `slot` names the slot it comes from, `disclosure` for the obligatory text, `None` for words
    that belong to the design. `label` is what a reader is told about the line, "" for the latter.
    """

    slot: str | None
    label: str
    text: str


def text_twin(manifest: TemplateManifest, filled: Filled) -> tuple[TwinLine, ...]:
    """All words of the picture in reading order: slots, the design's own words, the disclosure."""
    # keyed by the words themselves: a design that is edited is read anew
    body = (manifest.directory / manifest.body_name).read_text(encoding="utf-8")
    context = document.context_of(filled)
    outline, marks = _outline(body, manifest, frozenset(name for name, value in context.items() if value))
    printed = str.maketrans(marks.printed(context))
    labels = {slot.name: slot.label for slot in manifest.slots} | {DISCLOSURE: "风险提示"}
    pictures = {s.name for s in manifest.slots if s.kind in (SlotKind.IMAGE, SlotKind.QR)}
    lines = ((slot, _words(parts, printed)) for slot, parts in outline if slot not in pictures)
    return tuple(TwinLine(slot, labels[slot] if slot else "", words) for slot, words in lines if words)


@dataclass(frozen=True, slots=True)
class _Part:
    """A run of text as the page has it, with marks where values are printed."""

    text: str
    in_slot: bool


_Line = tuple[str | None, tuple[_Part, ...]]


@lru_cache(maxsize=512)
def _outline(
    body: str, manifest: TemplateManifest, present: frozenset[str]
) -> tuple[tuple[_Line, ...], document.MarkSheet]:
    """The lines of a design in reading order, the same for all values of the same slots."""
    tree, marks = document.parse_marked(body, manifest, present)
    collector = _Collector()
    collector.visit(tree, None)
    collector.close_line()
    return tuple(collector.lines), marks


def _words(parts: tuple[_Part, ...], printed: Mapping[int, str]) -> str:
    """The words of a line with its values in their places."""
    texts = ((part, part.text.translate(printed)) for part in parts)
    # line breaks are the author's in a slot and mere indentation in the design
    joined = "".join(text if part.in_slot else text.replace("\n", " ") for part, text in texts)
    words = _HAN_BREAK.sub("", joined).replace(_BREAK, " ")
    return "\n".join(" ".join(row.split()) for row in words.strip().split("\n")).strip()


class _Collector:
    """Gathers text as it flows: a block or a slot's edge ends the line."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self._slot: str | None = None
        self._parts: list[_Part] = []

    def close_line(self) -> None:
        if self._parts:
            self.lines.append((self._slot, tuple(self._parts)))
        self._parts.clear()

    def visit(self, element: document.Element, slot: str | None) -> None:
        if document.is_comment(element):
            return
        own = element.get(document.FIELD, slot)
        edge = document.is_block(element) or own != slot
        if edge:
            self.close_line()
        self._slot = own
        if element.tag == "br":
            self._parts.append(_Part("\n" if own else _BREAK, in_slot=bool(own)))
        self._add(element.text, own)
        for child in element:
            self.visit(child, own)
            self._slot = own
            self._add(child.tail, own)
        if edge:
            self.close_line()

    def _add(self, text: str | None, slot: str | None) -> None:
        if text:
            self._parts.append(_Part(text, in_slot=bool(slot)))
