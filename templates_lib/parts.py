"""What each slot element of a body prints: fixed words and slots in turn, found once.

A body is filled with marks in place of values and parsed as it will be later. What stands between
two marks is the design's own. After that, the words of an element for other values need no
template engine and no parser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jinja2

from templates_lib import document
from templates_lib.document import FIELD, FILTERS, Element, TemplateError
from templates_lib.fill import Filled
from templates_lib.manifest import DISCLOSURE, SlotKind, TemplateManifest

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: neither a value nor a design may hold them
_MARK: Final = re.compile(f"{_OPEN}([a-z0-9_]+)(?:\\|([a-z_]+))?{_CLOSE}")


@dataclass(frozen=True, slots=True)
class Print:
    """A slot printed, through a filter or as it is."""

    slot: str
    filter: str | None


Part = str | Print


@dataclass(frozen=True, slots=True)
class SlotElement:
    """One element that shows a slot.

    `parts` is `None` where the element holds other elements: its words are not of one style.
    """

    ordinal: int
    slot: str
    parts: tuple[Part, ...] | None
    picture: bool
    # every slot its words depend on
    slots: frozenset[str]

    def words(self, filled: Filled) -> str:
        """The words it shows for these values."""
        return "".join(part if isinstance(part, str) else _printed(part, filled) for part in self.parts or ())


def _printed(part: Print, filled: Filled) -> str:
    slot = filled.manifest.slot(part.slot)
    value: object = filled.date(part.slot) or "" if slot.kind is SlotKind.DATE else filled.texts[part.slot]
    return FILTERS[part.filter](value) if part.filter else str(value)


class _Mark(str):
    """A value that prints as a mark of its slot."""

    __slots__ = ()


def _marking_filter(name: str) -> object:
    return lambda value: f"{value[:-1]}|{name}{_CLOSE}" if value else ""


_MARKING: Final = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)  # noqa: S701
_MARKING.globals.clear()
_MARKING.tests.clear()
_MARKING.filters = {name: _marking_filter(name) for name in FILTERS}


def asked_slots(body: str) -> frozenset[str]:
    """Name the slots a body asks about with `if`: the layout depends on their being there."""
    tree = _MARKING.parse(body)
    tests = [branch.test for branch in tree.find_all(jinja2.nodes.If)]
    return frozenset(name.name for test in tests for name in [test, *test.find_all(jinja2.nodes.Name)]
                     if isinstance(name, jinja2.nodes.Name))  # fmt: skip


def slot_elements(
    body: str, manifest: TemplateManifest, present: Mapping[str, bool]
) -> tuple[SlotElement, ...]:
    """Find the slot elements of a body in order; `present` says which slots have a value.

    Raises TemplateError where a slot is printed outside an element that shows it.
    """
    context: dict[str, object] = {DISCLOSURE: manifest.disclosure or ""}
    for slot in manifest.slots:
        here = present.get(slot.name, True)
        context[slot.name] = _Mark(f"{_OPEN}{slot.name}{_CLOSE}") if here else ""
    tree = document.parse_tree(_MARKING.from_string(body).render(context))
    found: list[SlotElement] = []
    _visit(tree, inside=False, found=found, file=manifest.body_name)
    return tuple(found)


def _visit(element: Element, *, inside: bool, found: list[SlotElement], file: str) -> None:
    if document.is_comment(element):
        return
    slot = element.get(FIELD)
    if slot:
        found.append(_slot_element(element, slot, len(found)))
        inside = True
    loose = [element.text or "", *(child.tail or "" for child in element)]
    if not inside and any(_OPEN in text for text in loose):
        printed = _MARK.search("".join(loose))
        name = printed[1] if printed else "a slot"
        raise TemplateError(file, None, f"{name} is printed outside an element with {FIELD}")
    for child in element:
        _visit(child, inside=inside, found=found, file=file)


def _slot_element(element: Element, slot: str, ordinal: int) -> SlotElement:
    if element.tag == "img":
        return SlotElement(ordinal, slot, None, True, frozenset({slot}))
    if any(not document.is_comment(child) for child in element):
        return SlotElement(ordinal, slot, None, False, frozenset({slot}))
    parts = tuple(_parts((element.text or "") + "".join(child.tail or "" for child in element)))
    printed = {part.slot for part in parts if isinstance(part, Print)}
    return SlotElement(ordinal, slot, parts, False, frozenset(printed | {slot}))


def _parts(text: str) -> list[Part]:
    parts: list[Part] = []
    end = 0
    for mark in _MARK.finditer(text):
        if mark.start() > end:
            parts.append(text[end : mark.start()])
        parts.append(Print(mark[1], mark[2]))
        end = mark.end()
    if end < len(text):
        parts.append(text[end:])
    return parts
