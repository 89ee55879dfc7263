"""The style of a template: what it may say, property by property.

A style decides how the body looks. It fetches nothing but the template's own pictures, adds no
words to those that stand in the body, takes none away, and asks for no more than a page holds.
"""

from collections.abc import Iterator
from typing import Any, Final

import tinycss2

from templates_lib.embedded_picture import check_address
from templates_lib.fault import TemplateError
from templates_lib.lettering import STROKE, lettering_fault
from templates_lib.manifest import STYLE_NAME

# A property is allowed by its own name, or by the first word of it.
_FAMILIES: Final = frozenset({
    "align", "background", "border", "break", "column", "columns", "flex", "font", "gap",
    "grid", "hyphens", "inset", "justify", "list", "margin", "max", "min", "object", "orphans",
    "outline", "overflow", "padding", "page", "place", "row", "text", "widows", "word",
})  # fmt: skip
_PROPERTIES: Final = frozenset({
    "bleed", "block-size", "bottom", "box-decoration-break", "box-shadow", "box-sizing",
    "caption-side", "clear", "clip", "color", "content", "display", "empty-cells", "float",
    "height", "image-orientation", "image-rendering", "inline-size", "left", "letter-spacing",
    STROKE, "line-height", "marks", "opacity", "order", "position", "right", "size", "tab-size",
    "table-layout", "top", "transform", "transform-origin", "vertical-align", "visibility",
    "white-space", "width", "z-index",
})  # fmt: skip
# These belong to an allowed family and would still cut words off.
_REFUSED_PROPERTIES: Final = frozenset({"max-lines"})
_REFUSED_WORDS: Final = {
    "display": frozenset({"none"}),
    "visibility": frozenset({"hidden", "collapse"}),
    "float": frozenset({"footnote"}),
}
_FUNCTIONS: Final = frozenset({
    "calc", "clamp", "circle", "conic-gradient", "cubic-bezier", "ellipse", "fit-content",
    "hsl", "hsla", "inset", "linear-gradient", "matrix", "max", "min", "minmax", "polygon",
    "radial-gradient", "repeat", "repeating-linear-gradient", "repeating-radial-gradient",
    "rgb", "rgba", "rotate", "scale", "scalex", "scaley", "skew", "skewx", "skewy", "translate",
    "translatex", "translatey",
})  # fmt: skip
# Where a string names something; anywhere else it could be words.
_NAMED_BY_STRING: Final = frozenset({
    "font", "font-family", "font-feature-settings", "font-language-override",
    "font-variation-settings", "grid", "grid-template", "grid-template-areas",
})  # fmt: skip
_WITH_PICTURES: Final = frozenset({
    "background", "background-image", "border-image", "border-image-source", "list-style",
    "list-style-image",
})  # fmt: skip
_MOST_RULES: Final = 2_000
_MOST_TOKENS: Final = 400  # in one selector or one value
_DEEPEST: Final = 12
_LARGEST: Final = 100_000


def check_style(style: str, file: str = STYLE_NAME) -> None:
    """Refuse what a template's style must not do. Raises TemplateError."""
    if "<" in style:
        line = style[: style.index("<")].count("\n") + 1
        raise TemplateError(file, line, "'<' could end the style element it stands in")
    try:
        rules = tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True)
    except ValueError as error:  # more digits than Python reads
        raise TemplateError(file, None, "holds a number that cannot be read") from error
    if len(rules) > _MOST_RULES:
        raise TemplateError(file, rules[_MOST_RULES].source_line, f"more than {_MOST_RULES} rules")
    for rule in rules:
        _check_rule(rule, file)


def _check_rule(rule: Any, file: str) -> None:
    line = rule.source_line
    if rule.type == "error":
        raise TemplateError(file, line, str(rule.message))
    if rule.type == "at-rule" and rule.lower_at_keyword != "page":
        raise TemplateError(file, line, f"@{rule.at_keyword} is not allowed")
    if rule.content is None:
        raise TemplateError(file, line, "a rule without a block")
    _count(rule.prelude, file, line)
    for declaration in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
        if declaration.type != "declaration":
            raise TemplateError(file, declaration.source_line, "only declarations stand in a rule")
        _check_declaration(declaration, file)


def _check_declaration(declaration: Any, file: str) -> None:
    name, line = declaration.lower_name, declaration.source_line
    family = name.partition("-")[0]
    if name in _REFUSED_PROPERTIES or not (name in _PROPERTIES or family in _FAMILIES):
        raise TemplateError(file, line, f"{name} is not allowed")
    _count(declaration.value, file, line)
    if fault := lettering_fault(name, declaration.value):
        raise TemplateError(file, line, fault)
    for token in _tokens(declaration.value, file):
        reason = _token_fault(name, token)
        if reason is not None:
            raise TemplateError(file, line, reason)


def _token_fault(name: str, token: Any) -> str | None:
    match token.type:
        case "url":
            return _address_fault(name, token.value)
        case "function" if token.lower_name == "url":
            return "write url() without quotes: url(asset:…)"
        case "function" if token.lower_name not in _FUNCTIONS:
            return f"{token.name}() is not allowed"
        case "string" if name == "content" and not token.value:
            return None
        case "string" if name not in _NAMED_BY_STRING:
            return "words belong into the body, where they are read"
        case "ident" if name == "content" and token.lower_value not in ("none", "normal"):
            return "words belong into the body, where they are read"
        case "ident" if token.lower_value in _REFUSED_WORDS.get(name, ()):
            return f"{name}: {token.value} would hide words from the reader"
        case "number" | "dimension" | "percentage" if not abs(token.value) <= _LARGEST:
            return f"{token.representation[:40]} is more than any page holds"
        case "error":
            return str(token.message)
        case _:
            return None


def _address_fault(name: str, address: str) -> str | None:
    if name not in _WITH_PICTURES:
        return f"{name} shows no picture"
    return check_address(address)


def _count(values: list[Any], file: str, line: int) -> None:
    for place, _ in enumerate(_tokens(values, file)):
        if place >= _MOST_TOKENS:
            raise TemplateError(file, line, f"more than {_MOST_TOKENS} parts in one place")


def _tokens(values: list[Any], file: str) -> Iterator[Any]:
    """Every token of a value, however deep, in no particular order."""
    waiting = [(values, 0)]
    while waiting:
        tokens, depth = waiting.pop()
        for token in tokens:
            yield token
            inner = token.arguments if token.type == "function" else getattr(token, "content", None)
            if isinstance(inner, list):
                if depth >= _DEEPEST:
                    raise TemplateError(file, token.source_line, "is nested too deeply")
                waiting.append((inner, depth + 1))
