"""The page a template describes: judged before it is trusted, then filled, as a tree.

Allow-lists stand between a template's author and the machine. Jinja may print slots through the
filters below and ask whether a slot is empty: nothing is called, indexed or looped over. HTML has
the elements of a page and no address but `asset:` and `data:`. CSS (`stylesheet`) has no import,
no foreign address and no text of its own; a drawing (`drawing`) has shapes. What passes here can
be drawn; what is drawn can be read out, because all words of a picture stand in its HTML.

A body is judged with all its conditions open at once: values and conditions stand between
elements and words, never inside a tag, so no choice of values makes a tag that was not judged.
One thing may be chosen inside a tag: which names stand in a quoted `class`.
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Final, TypeVar

import jinja2
import tinyhtml5
from jinja2 import nodes
from markupsafe import Markup

from templates_lib.catalog import TemplateSource
from templates_lib.embedded_picture import check_address
from templates_lib.fault import TemplateError as TemplateError  # noqa: PLC0414  its old and public name
from templates_lib.fill import Filled
from templates_lib.folder import check_folder
from templates_lib.lettering import carried
from templates_lib.manifest import BODY_NAME, DISCLOSURE, SlotKind, TemplateManifest
from templates_lib.stylesheet import check_style

Element = ET.Element

FIELD: Final = "data-field"
FRAME: Final = "data-frame"
INK: Final = "data-ink"
PAGE_CLASS: Final = "page"

_ELEMENTS: Final = frozenset(
    {
        "article",
        "b",
        "br",
        "div",
        "em",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "header",
        "hr",
        "i",
        "img",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    }
)
_ATTRIBUTES: Final = frozenset({"class", "id", "alt", "src", "lang", "colspan", "rowspan", FIELD, FRAME, INK})
_BLOCKS: Final = _ELEMENTS - {"b", "br", "em", "i", "img", "small", "span", "strong", "sub", "sup"}
_CLASS_NAMES: Final = re.compile(r"[A-Za-z0-9_ -]*")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_SPANS: Final = frozenset({"colspan", "rowspan"})
_WIDEST_SPAN: Final = 50
_MOST_ELEMENTS: Final = 3_000
_DEEPEST: Final = 48
_DEEPEST_CONDITION: Final = 4
# Marks in a trial body, from an area no font of ours draws: an edge of a condition, then the slots.
# A letter goes before each, as a value may start with one: after a "<" it makes a tag.
_LETTER: Final = "x"
_EDGE: Final = "\U000f0000"
# Before a choice of class names. With a blank in it, it is whole in a text or in quotes only.
_CHOICE: Final = "\U000f0001"
_FIRST_MARK: Final = 0xF0002
_LAST_MARK: Final = 0xFFFFD


# ── filters ──────────────────────────────────────────────────────────────────────────────────────

_WEEKDAYS: Final = "一二三四五六日"
_MONTHS_EN: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS_EN: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TENS: Final = ("", "十", "二十", "三十")
_DIGITS: Final = "〇一二三四五六七八九"


def _han_number(number: int) -> str:
    tens, units = divmod(number, 10)
    return _TENS[tens] + (_DIGITS[units] if units else "")


def _of_date(write: Callable[[dt.date], str]) -> Callable[[object], str]:
    return lambda value: write(value) if isinstance(value, dt.date) else ""


def _grouped(value: object) -> str:
    """Group a mobile number the way people read it: 138 0000 0000."""
    text = str(value)
    return f"{text[:3]} {text[3:7]} {text[7:]}" if re.fullmatch(r"1\d{10}", text) else text


FILTERS: Final[Mapping[str, Callable[[object], str]]] = {
    "day": _of_date(lambda day: str(day.day)),
    "day_padded": _of_date(lambda day: f"{day.day:02d}"),
    "day_han": _of_date(lambda day: _han_number(day.day)),
    "month": _of_date(lambda day: str(day.month)),
    "month_padded": _of_date(lambda day: f"{day.month:02d}"),
    "month_han": _of_date(lambda day: _han_number(day.month)),
    "month_en": _of_date(lambda day: _MONTHS_EN[day.month - 1]),
    "year": _of_date(lambda day: str(day.year)),
    "year_han": _of_date(lambda day: "".join(_DIGITS[int(digit)] for digit in str(day.year))),
    "weekday_han": _of_date(lambda day: _WEEKDAYS[day.weekday()]),
    "weekday_en": _of_date(lambda day: _WEEKDAYS_EN[day.weekday()]),
    "date_han": _of_date(lambda day: f"{day.year}年{day.month}月{day.day}日"),
    "grouped": _grouped,
}


def _marked(name: str) -> Callable[[object], str]:
    """A filter that notes on a mark that it is to be used there."""

    def note(value: object) -> str:
        if isinstance(value, Mark):
            return value.sheet.mark(value.name, (*value.filters, name))
        return FILTERS[name](value)

    return note


# ── Jinja ────────────────────────────────────────────────────────────────────────────────────────

_ENVIRONMENT: Final = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True, extensions=()
)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.tests.clear()
_ENVIRONMENT.filters = dict(FILTERS)
_MARKING: Final = _ENVIRONMENT.overlay()
_MARKING.filters = {name: _marked(name) for name in FILTERS}


_T = TypeVar("_T")


def _told_of_its_file(
    judge: Callable[[str, TemplateManifest], _T],
) -> Callable[[str, TemplateManifest], _T]:
    """Let a fault of a body name the file it was read from: each size of a design may have one."""

    @wraps(judge)
    def judged(body: str, manifest: TemplateManifest) -> _T:
        try:
            return judge(body, manifest)
        except TemplateError as fault:
            if fault.file == manifest.body_name:
                raise
            raise TemplateError(manifest.body_name, fault.line, fault.reason) from fault.__cause__

    return judged


@_told_of_its_file
def parse_body(body: str, manifest: TemplateManifest) -> jinja2.Template:
    """Parse the body and refuse every construct off the list. Raises TemplateError."""
    return _ENVIRONMENT.from_string(_judged(body, manifest))


def _judged(body: str, manifest: TemplateManifest) -> nodes.Template:
    names = {slot.name for slot in manifest.slots} | {DISCLOSURE}
    try:
        tree = _ENVIRONMENT.parse(body)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(BODY_NAME, error.lineno, str(error.message)) from error
    except (RecursionError, ValueError) as error:
        # nested beyond the parser, or a number beyond Python
        raise TemplateError(BODY_NAME, 1, "cannot be parsed as a template") from error
    for node in tree.body:
        _judge(node, names, 0)
    return tree


def _judge(node: nodes.Node, names: set[str], depth: int) -> None:
    """Refuse a statement or a printed value off the list, by its line."""
    match node:
        case nodes.Output():
            for part in node.nodes:
                if not isinstance(part, nodes.TemplateData):
                    _judge_value(part, names)
        case (
            nodes.If(test=nodes.Name() as test, elif_=[])
            | nodes.If(test=nodes.Not(node=nodes.Name() as test), elif_=[])
        ):
            if depth >= _DEEPEST_CONDITION:
                raise TemplateError(BODY_NAME, node.lineno, "conditions are nested too deeply")
            _judge_value(test, names)
            for inner in (*node.body, *node.else_):
                _judge(inner, names, depth + 1)
        case _:
            raise _not_allowed(node)


def _judge_value(node: nodes.Node, names: set[str]) -> None:
    match node:
        case nodes.Name(name=name, ctx="load"):
            if name not in names:
                raise TemplateError(BODY_NAME, node.lineno, f"{name} is not a slot")
        case nodes.Filter(
            node=nodes.Name() as inner, name=name, args=[], kwargs=[], dyn_args=None, dyn_kwargs=None
        ) if name in FILTERS:
            _judge_value(inner, names)
        case nodes.Filter(name=name):
            raise TemplateError(BODY_NAME, node.lineno, f"filter {name} is not allowed here")
        case _:
            raise _not_allowed(node)


def _not_allowed(node: nodes.Node) -> TemplateError:
    # a scope has no line of its own, what it holds has
    lines = [inner.lineno for inner in (node, *node.find_all(nodes.Node)) if inner.lineno]
    kind = type(node).__name__
    return TemplateError(BODY_NAME, lines[0] if lines else 1, f"{kind} is not allowed in a template")


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────


def page_html(body: str, style: str) -> str:
    """Put the whole document around a filled body; the style stands in it, nothing is fetched."""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>.</title>'
        f"<style>{carried(style)}</style></head><body>{body}</body></html>"
    )


def slot_address(name: str) -> str:
    """Where the page finds the picture of a slot; served from memory, never from a file."""
    return f"asset:@slot/{name}"


def fill_body(template: jinja2.Template, filled: Filled) -> str:
    """Write the values into the body, escaped."""
    return template.render(context_of(filled))


def context_of(filled: Filled) -> dict[str, object]:
    """What a body knows, by the names it says."""
    context: dict[str, object] = {DISCLOSURE: filled.manifest.disclosure or ""}
    for slot in filled.manifest.slots:
        match slot.kind:
            case SlotKind.IMAGE | SlotKind.QR:
                context[slot.name] = Markup(slot_address(slot.name))  # noqa: S704  name is an identifier
            case SlotKind.DATE:
                context[slot.name] = filled.date(slot.name) or ""
            case SlotKind.TEXT | SlotKind.PHRASE:
                context[slot.name] = filled.texts[slot.name]
    return context


class Mark(str):
    """Stands in a body for what will be printed there: one sign of its own, of a slot and its filters."""

    __slots__ = ("filters", "name", "sheet")
    name: str
    filters: tuple[str, ...]
    sheet: "MarkSheet"


class MarkSheet:
    """The marks of one body, by their sign."""

    def __init__(self, body: str) -> None:
        self.marks: dict[str, Mark] = {}
        self._free = (chr(code) for code in range(_FIRST_MARK, _LAST_MARK + 1) if chr(code) not in body)

    def mark(self, name: str, filters: tuple[str, ...] = ()) -> Mark:
        made = Mark(next(self._free))
        made.name, made.filters, made.sheet = name, filters, self
        self.marks[made] = made
        return made

    def printed(self, context: Mapping[str, object]) -> dict[str, str]:
        """What comes in the place of each sign."""
        words = {}
        for sign, mark in self.marks.items():
            value = context[mark.name]
            for name in mark.filters:
                value = FILTERS[name](value)
            words[str(sign)] = str(value)
        return words


def parse_marked(
    body: str, manifest: TemplateManifest, present: Collection[str]
) -> tuple[Element, MarkSheet]:
    """Parse a body with a mark wherever the value of a slot that is present would be printed.

    A body asks of a slot only whether it has a value, so its tree is the same for all values of the
    same slots.
    """
    sheet = MarkSheet(body)
    names = (DISCLOSURE, *(slot.name for slot in manifest.slots))
    context = {name: sheet.mark(name) if name in present else "" for name in names}
    return parse_tree(_MARKING.from_string(_judged(body, manifest)).render(context)), sheet


def parse_tree(body: str) -> Element:
    """Parse a filled body into its `<body>` element."""
    root: Element = tinyhtml5.parse(page_html(body, ""), namespace_html_elements=False)
    found = root.find("body")
    if found is None:  # the parser always makes one
        raise TemplateError(BODY_NAME, None, "has no content")
    return found


def refuse_document_tags(html: str) -> None:
    """Refuse the tags a parser obeys wherever they stand, leaving nothing of them in the tree."""
    if re.search(
        r"<\s*/?\s*(html|head|body|frameset|style|script|link|meta|base|svg)\b", html, re.IGNORECASE
    ):
        raise TemplateError(BODY_NAME, None, "holds only what stands inside the page")


@_told_of_its_file
def check_body(body: str, manifest: TemplateManifest) -> Element:
    """Refuse elements, attributes and addresses off the list, else return the tree.

    Judges a filled body, every time one is filled: the branches of a template combine in more
    ways than a trial can show. Raises TemplateError.
    """
    tree = parse_tree(body)
    refuse_document_tags(body)
    names = {slot.name for slot in manifest.slots} | {DISCLOSURE}
    shown: set[str] = set()
    for element in tree.iter():
        if element is tree:
            continue
        _check_element(element)
        field = element.get(FIELD)
        if field is not None:
            if field not in names:
                raise TemplateError(BODY_NAME, None, f"{FIELD}={field!r} is not a slot")
            shown.add(field)
    absent = {slot.name for slot in manifest.slots if slot.required} - shown
    if manifest.disclosure and DISCLOSURE not in shown:
        absent.add(DISCLOSURE)
    if absent:
        raise TemplateError(BODY_NAME, None, f"has no {FIELD} for {', '.join(sorted(absent))}")
    children = [child for child in tree if not is_comment(child)]
    pages = sum(PAGE_CLASS in child.get("class", "").split() for child in children)
    if pages != manifest.pages or pages != len(children):
        raise TemplateError(
            BODY_NAME,
            None,
            f"has {pages} elements of class {PAGE_CLASS}, the manifest says {manifest.pages}",
        )
    return tree


def _check_element(element: Element) -> None:
    tag = element.tag
    if is_comment(element):
        return
    if tag not in _ELEMENTS:
        raise TemplateError(BODY_NAME, None, f"<{tag}> is not allowed")
    for name, value in element.attrib.items():
        if name not in _ATTRIBUTES:
            raise TemplateError(BODY_NAME, None, f"{name}= is not allowed on <{tag}>")
        if name == "src" and (reason := check_address(value)):
            raise TemplateError(BODY_NAME, None, f"src=: {reason}")
        if name == INK and not _COLOUR.fullmatch(value):
            raise TemplateError(BODY_NAME, None, f"{INK}= must be a colour such as #1B2A3A")
        if name in _SPANS and not (value.isdecimal() and value.isascii() and int(value[:9]) <= _WIDEST_SPAN):
            raise TemplateError(BODY_NAME, None, f"{name}= must be a number up to {_WIDEST_SPAN}")


@_told_of_its_file
def _check_every_branch(body: str, manifest: TemplateManifest) -> None:
    """Judge the body with all conditions open and a mark for every value. Raises TemplateError.

    A mark that is found in the text of an element stood between tags, and so did the edges of
    the conditions around it: leaving a branch out then leaves out whole tags, and the rest is
    read as it is here. A value in an attribute could change what a tag says or asks for.
    """
    if any(ord(_EDGE) <= ord(character) <= _LAST_MARK for character in body):
        raise TemplateError(BODY_NAME, None, "holds a character of private use")
    if body.count("<") > 2 * _MOST_ELEMENTS:  # before a parser opens them all inside each other
        raise TemplateError(BODY_NAME, None, f"has more than {_MOST_ELEMENTS} elements")
    trial = _Trial(manifest)
    trial.write(_judged(body, manifest).body, always=True)
    html = "".join(trial.parts)
    refuse_document_tags(html)
    wanted = {mark: html.count(mark) for mark in (_EDGE, _CHOICE, *trial.marks)}
    waiting: list[tuple[Element, str | None, int]] = [(parse_tree(html), None, 0)]
    seen = 0
    while waiting:
        element, field, depth = waiting.pop()
        seen += 1
        if seen > _MOST_ELEMENTS or depth > _DEEPEST:
            reason = f"has more than {_MOST_ELEMENTS} elements, or more than {_DEEPEST} inside each other"
            raise TemplateError(BODY_NAME, None, reason)
        if depth and not is_comment(element):
            _check_element(element)
            field = element.get(FIELD, field)
            wanted[_CHOICE] -= element.get("class", "").count(_CHOICE)
            trial.check_picture(element)
        for child in element:
            waiting.append((child, field, depth + 1))
            trial.read(child.tail, field, wanted)
        if not is_comment(element):
            trial.read(element.text, field, wanted)
    if any(wanted.values()):
        raise TemplateError(BODY_NAME, None, "a value or a condition stands inside a tag or a comment")
    trial.check_shown()


def _chooses_names(node: nodes.If) -> bool:
    """Whether all a condition decides is names such as a class may have."""
    for inner in (*node.body, *node.else_):
        match inner:
            case nodes.If() if _chooses_names(inner):
                continue
            case nodes.Output(nodes=parts) if all(
                isinstance(part, nodes.TemplateData) and _CLASS_NAMES.fullmatch(part.data) for part in parts
            ):
                continue
            case _:
                return False
    return True


class _Trial:
    """A body with every branch written out: where each value comes to stand."""

    def __init__(self, manifest: TemplateManifest) -> None:
        self.parts: list[str] = []
        self._manifest = manifest
        self._pictures = {s.name for s in manifest.slots if s.kind in (SlotKind.IMAGE, SlotKind.QR)}
        names = [slot.name for slot in manifest.slots if slot.name not in self._pictures] + [DISCLOSURE]
        self.marks = {chr(_FIRST_MARK + place): name for place, name in enumerate(names)}
        self._mark_of = {name: mark for mark, name in self.marks.items()}
        self._always: set[str] = set()
        self._shown: set[str] = set()

    def write(self, body: list[nodes.Node], *, always: bool) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        self._print(part, always=always)
                case nodes.If() if _chooses_names(node):
                    names = " ".join(data.data for data in node.find_all(nodes.TemplateData))
                    self.parts.append(f"{_LETTER} {_LETTER}{_CHOICE} {names}")
                case nodes.If():
                    for branch in (node.body, node.else_):
                        self.parts.append(_LETTER + _EDGE)
                        self.write(branch, always=False)
                    self.parts.append(_LETTER + _EDGE)

    def _print(self, part: nodes.Node, *, always: bool) -> None:
        if isinstance(part, nodes.TemplateData):
            self.parts.append(part.data)
            return
        inner = part.node if isinstance(part, nodes.Filter) else part
        name = inner.name if isinstance(inner, nodes.Name) else ""
        if always:
            self._always.add(name)
        shown = slot_address(name) if name in self._pictures else _LETTER + self._mark_of[name]
        self.parts.append(shown)

    def read(self, text: str | None, field: str | None, wanted: dict[str, int]) -> None:
        """Note the marks in a text, and whether each stands where its own slot is shown."""
        for character in text or "":
            if character in wanted:
                wanted[character] -= 1
                if self.marks.get(character) == field and field is not None:
                    self._shown.add(field)

    def check_picture(self, element: Element) -> None:
        """The picture of a slot stands in the `src` of the image that shows it, and nowhere else."""
        prefix = slot_address("")
        for name, value in element.attrib.items():
            if prefix in value and (name != "src" or element.tag != "img"):
                raise TemplateError(BODY_NAME, None, f"{name}= cannot hold a picture of a slot")
        name = element.get("src", "").removeprefix(prefix)
        if name in self._pictures and element.get(FIELD) == name:
            self._shown.add(name)

    def check_shown(self) -> None:
        needed = {slot.name for slot in self._manifest.slots if slot.required}
        if self._manifest.disclosure:
            needed.add(DISCLOSURE)
            if DISCLOSURE not in self._always:
                raise TemplateError(BODY_NAME, None, "prints the disclosure under a condition only")
        if absent := needed - self._shown:
            listed = ", ".join(sorted(absent))
            raise TemplateError(BODY_NAME, None, f"does not print {listed} inside its own {FIELD}")


def is_comment(element: Element) -> bool:
    """Say whether this is a comment, which is neither drawn nor read."""
    return not isinstance(element.tag, str)


def is_block(element: Element) -> bool:
    return element.tag in _BLOCKS


def inks(tree: Element) -> dict[str, str]:
    """Collect the colour each picture slot's own drawing (code, monogram) is made in."""
    return {
        element.get(FIELD, ""): element.get(INK, "#000000")
        for element in tree.iter("img")
        if element.get(FIELD)
    }


def open_document(source: TemplateSource) -> jinja2.Template:
    """Judge a template's files, style and body. Raises TemplateError."""
    check_folder(source.directory)
    check_style(source.style, source.manifest.style_name)
    template = parse_body(source.body, source.manifest)
    _check_every_branch(source.body, source.manifest)
    return template
