"""The page a template describes: judged before it is trusted, then filled, as a tree.

Three allow-lists stand between a template's author and the machine. Jinja may print slots through
the filters below and ask whether a slot is empty: nothing is called, indexed or looped over. HTML
has the elements of a page and no address but `asset:` and `data:`. CSS has no import, no foreign
address and no text of its own. What passes here can be drawn; what is drawn can be read out,
because all words of a picture stand in its HTML.
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import jinja2
import tinycss2
import tinyhtml5
from jinja2 import nodes
from markupsafe import Markup

from templates_lib.catalog import BODY_NAME, STYLE_NAME, TemplateSource
from templates_lib.fill import Filled
from templates_lib.manifest import DISCLOSURE, SlotKind, TemplateManifest

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
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_PICTURE_DATA: Final = ("data:image/png;base64,", "data:image/jpeg;base64,")


class TemplateError(ValueError):
    """A template's own files cannot be used: which file, which line (`None` if unknown), why."""

    code = "template"

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")
        self.file, self.line, self.reason = file, line, reason


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


# ── Jinja ────────────────────────────────────────────────────────────────────────────────────────

_ENVIRONMENT: Final = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True, extensions=()
)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.tests.clear()
_ENVIRONMENT.filters = dict(FILTERS)


def parse_body(body: str, manifest: TemplateManifest) -> jinja2.Template:
    """Parse the body and refuse every construct off the list. Raises TemplateError."""
    names = {slot.name for slot in manifest.slots} | {DISCLOSURE}
    try:
        tree = _ENVIRONMENT.parse(body)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(BODY_NAME, error.lineno, str(error.message)) from error
    for node in _walk(tree):
        _judge_node(node, names)
    return _ENVIRONMENT.from_string(tree)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        if isinstance(node, nodes.If) and child is node.test and isinstance(child, nodes.Not):
            yield from _walk(child.node)  # "not" stands in a condition and nowhere else
        else:
            yield from _walk(child)


def _judge_node(node: nodes.Node, names: set[str]) -> None:
    match node:
        case nodes.Template() | nodes.Output() | nodes.TemplateData():
            return
        case nodes.Name(name=name, ctx="load"):
            if name not in names:
                raise TemplateError(BODY_NAME, node.lineno, f"{name} is not a slot")
        case nodes.Filter(node=inner, name=name, args=[], kwargs=[], dyn_args=None, dyn_kwargs=None):
            if name not in FILTERS or not isinstance(inner, nodes.Name):
                raise TemplateError(BODY_NAME, node.lineno, f"filter {name} is not allowed here")
        case nodes.If(test=nodes.Name() | nodes.Not(node=nodes.Name()), elif_=[]):
            return
        case _:
            kind = type(node).__name__
            raise TemplateError(BODY_NAME, node.lineno, f"{kind} is not allowed in a template")


# ── CSS ──────────────────────────────────────────────────────────────────────────────────────────

_HIDING: Final = {"display": {"none"}, "visibility": {"hidden", "collapse"}}
_REFUSED_PROPERTIES: Final = frozenset({"bookmark-label", "string-set", "appearance", "behavior"})
_REFUSED_FUNCTIONS: Final = frozenset(
    {
        "attr",
        "content",
        "counter",
        "counters",
        "element",
        "env",
        "expression",
        "image-set",
        "leader",
        "running",
        "string",
        "target-counter",
        "target-counters",
        "target-text",
    }
)


def check_style(style: str) -> None:
    """Refuse what a template's style must not do. Raises TemplateError."""
    if "<" in style:
        line = style[: style.index("<")].count("\n") + 1
        raise TemplateError(STYLE_NAME, line, "'<' could end the style element it stands in")
    for rule in tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True):
        if rule.type == "error":
            raise TemplateError(STYLE_NAME, rule.source_line, str(rule.message))
        if rule.type == "at-rule" and rule.lower_at_keyword != "page":
            raise TemplateError(STYLE_NAME, rule.source_line, f"@{rule.at_keyword} is not allowed")
        if rule.content is None:
            raise TemplateError(STYLE_NAME, rule.source_line, "a rule without a block")
        for declaration in tinycss2.parse_blocks_contents(
            rule.content, skip_comments=True, skip_whitespace=True
        ):
            if declaration.type != "declaration":
                raise TemplateError(STYLE_NAME, declaration.source_line, "only declarations stand in a rule")
            _check_declaration(declaration)


def _check_declaration(declaration: tinycss2.ast.Declaration) -> None:
    name, line = declaration.lower_name, declaration.source_line
    if name in _REFUSED_PROPERTIES:
        raise TemplateError(STYLE_NAME, line, f"{name} is not allowed")
    for token in _tokens(declaration.value):
        reason = _token_fault(name, token)
        if reason is not None:
            raise TemplateError(STYLE_NAME, line, reason)


def _token_fault(name: str, token: Any) -> str | None:
    match token.type:
        case "url" if not token.value.startswith(("asset:", *_PICTURE_DATA)):
            return "only asset: and data: addresses are allowed"
        case "function" if token.lower_name == "url":
            return "write url() without quotes: url(asset:…)"
        case "function" if token.lower_name in _REFUSED_FUNCTIONS:
            return f"{token.name}() is not allowed"
        case "string" if name == "content" and token.value:
            return "words belong into the body, where they are read"
        case "ident" if token.lower_value in _HIDING.get(name, ()):
            return f"{name}: {token.value} would hide words from the reader"
        case _:
            return None


def _tokens(values: list[tinycss2.ast.Node]) -> Iterator[tinycss2.ast.Node]:
    for token in values:
        yield token
        if token.type == "function":
            yield from _tokens(token.arguments)
        elif token.type.endswith("block"):
            yield from _tokens(token.content)


# ── drawings ─────────────────────────────────────────────────────────────────────────────────────

_SVG_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = frozenset({
    "circle", "clipPath", "defs", "ellipse", "g", "line", "linearGradient", "path", "polygon",
    "polyline", "radialGradient", "rect", "stop", "svg", "title", "desc",
})  # fmt: skip
_MAX_SVG_BYTES: Final = 2 * 1024 * 1024


def check_drawing(file: Path) -> None:
    """Refuse an SVG that holds anything but shapes. Raises TemplateError.

    Words in a drawing would be missing from the twin; an address in it would be fetched.
    """
    text = file.read_text(encoding="utf-8")
    if len(text) > _MAX_SVG_BYTES or "<!" in text.replace("<!--", "") or "<?xml-" in text:
        raise TemplateError(file.name, None, "is too large or declares entities or style sheets")
    try:
        root = ET.fromstring(text)  # noqa: S314  without declarations there is nothing to expand
    except ET.ParseError as error:
        raise TemplateError(file.name, error.position[0], "is not a well-formed drawing") from error
    for element in root.iter():
        name = element.tag.removeprefix(_SVG_NAMESPACE)
        if name not in _SHAPES:
            raise TemplateError(file.name, None, f"<{name}> is not allowed in a drawing")
        for attribute, value in element.attrib.items():
            addressed = "url(" in value and not value.startswith("url(#")
            if "href" in attribute or attribute.startswith("on") or attribute == "style" or addressed:
                raise TemplateError(file.name, None, f"{attribute}= is not allowed on <{name}>")


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────


def page_html(body: str, style: str) -> str:
    """Put the whole document around a filled body; the style stands in it, nothing is fetched."""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>.</title>'
        f"<style>{style}</style></head><body>{body}</body></html>"
    )


def slot_address(name: str) -> str:
    """Where the page finds the picture of a slot; served from memory, never from a file."""
    return f"asset:@slot/{name}"


def fill_body(template: jinja2.Template, filled: Filled) -> str:
    """Write the values into the body, escaped."""
    context: dict[str, object] = {DISCLOSURE: filled.manifest.disclosure or ""}
    for slot in filled.manifest.slots:
        match slot.kind:
            case SlotKind.IMAGE | SlotKind.QR:
                context[slot.name] = Markup(slot_address(slot.name))  # noqa: S704  name is an identifier
            case SlotKind.DATE:
                context[slot.name] = filled.date(slot.name) or ""
            case SlotKind.TEXT | SlotKind.PHRASE:
                context[slot.name] = filled.texts[slot.name]
    return template.render(context)


def parse_tree(body: str) -> Element:
    """Parse a filled body into its `<body>` element."""
    root: Element = tinyhtml5.parse(page_html(body, ""), namespace_html_elements=False)
    found = root.find("body")
    if found is None:  # the parser always makes one
        raise TemplateError(BODY_NAME, None, "has no content")
    return found


def check_body(body: str, manifest: TemplateManifest) -> Element:
    """Refuse elements, attributes and addresses off the list, else return the tree.

    Judges a filled body, every time one is filled: the branches of a template combine in more
    ways than a trial can show. Raises TemplateError.
    """
    tree = parse_tree(body)
    if re.search(r"<\s*/?\s*(html|head|body|style|script|link|meta|base|svg)\b", body, re.IGNORECASE):
        raise TemplateError(BODY_NAME, None, "holds only what stands inside the page")
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
        if name == "src" and not value.startswith(("asset:", *_PICTURE_DATA)):
            raise TemplateError(BODY_NAME, None, "src= must be asset: or an embedded picture")
        if name == INK and not _COLOUR.fullmatch(value):
            raise TemplateError(BODY_NAME, None, f"{INK}= must be a colour such as #1B2A3A")


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
    """Judge a template's style, drawings and body. Raises TemplateError."""
    for file in sorted(source.directory.rglob("*.svg")):
        check_drawing(file)
    check_style(source.style)
    return parse_body(source.body, source.manifest)
