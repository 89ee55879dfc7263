"""The text twin: every word on the picture, in reading order, as plain lines.

It is read from the same filled page the picture is drawn from, so the two cannot drift apart.
The landing page shows it, the checker judges it, a screen reader speaks it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import jinja2

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
    tree = document.parse_tree(document.fill_body(_template(body, manifest), filled))
    labels = {slot.name: slot.label for slot in manifest.slots} | {DISCLOSURE: "风险提示"}
    pictures = {s.name for s in manifest.slots if s.kind in (SlotKind.IMAGE, SlotKind.QR)}
    collector = _Collector()
    collector.visit(tree, None)
    collector.close_line()
    return tuple(
        TwinLine(slot, labels[slot] if slot else "", text)
        for slot, text in collector.lines
        if slot not in pictures
    )


class _Collector:
    """Gathers text as it flows: a block or a slot's edge ends the line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str | None, str]] = []
        self._slot: str | None = None
        self._parts: list[str] = []

    def close_line(self) -> None:
        words = _HAN_BREAK.sub("", "".join(self._parts)).replace(_BREAK, " ")
        text = "\n".join(" ".join(row.split()) for row in words.strip().split("\n"))
        if text.strip():
            self.lines.append((self._slot, text.strip()))
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
            self._parts.append("\n" if own else _BREAK)
        self._add(element.text, own)
        for child in element:
            self.visit(child, own)
            self._slot = own
            self._add(child.tail, own)
        if edge:
            self.close_line()

    def _add(self, text: str | None, slot: str | None) -> None:
        if text:
            # line breaks are the author's in a slot and mere indentation in the design
            self._parts.append(text if slot else text.replace("\n", " "))


@lru_cache(maxsize=128)
def _template(body: str, manifest: TemplateManifest) -> jinja2.Template:
    return document.parse_body(body, manifest)
