"""A drawing of a template: an SVG of shapes, and of shapes only.

Words in a drawing would be missing from the twin, an address in it would be fetched, and a part
used by parts that are used again can be a million shapes in a kilobyte.
"""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from templates_lib.fault import TemplateError

MOST_BYTES: Final = 2 * 1024 * 1024
_MOST_ELEMENTS: Final = 20_000
_DEEPEST: Final = 24
_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = frozenset({
    "circle", "clipPath", "defs", "desc", "ellipse", "g", "line", "linearGradient", "path",
    "polygon", "polyline", "radialGradient", "rect", "stop", "svg", "title",
})  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    "clip-path", "clip-rule", "clipPathUnits", "color", "cx", "cy", "d", "display", "fill",
    "fill-opacity", "fill-rule", "fr", "fx", "fy", "gradientTransform", "gradientUnits",
    "height", "id", "offset", "opacity", "paint-order", "pathLength", "points",
    "preserveAspectRatio", "r", "rx", "ry", "shape-rendering", "spreadMethod", "stop-color",
    "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "transform",
    "vector-effect", "version", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
})  # fmt: skip
_OWN_PART: Final = re.compile(r"url\(#[\w.-]+\)")
_ENCODING: Final = re.compile(r"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)


def check_drawing(file: Path) -> None:
    """Refuse an SVG that holds anything but shapes. Raises TemplateError."""
    root = _parsed(file)
    waiting = [(root, 0, False)]
    seen = 0
    while waiting:
        element, depth, clips = waiting.pop()
        seen += 1
        name = str(element.tag).removeprefix(_NAMESPACE)
        if name not in _SHAPES:
            raise TemplateError(file.name, None, f"<{name}> is not allowed in a drawing")
        if depth > _DEEPEST or seen > _MOST_ELEMENTS:
            raise TemplateError(
                file.name, None, f"has more than {_MOST_ELEMENTS} shapes, or nests too deeply"
            )
        _check_attributes(file, name, element.attrib, clips)
        clips = clips or name == "clipPath"
        waiting.extend((child, depth + 1, clips) for child in element)


def _parsed(file: Path) -> ET.Element:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(file.name, None, "is not UTF-8") from error
    if len(text) > MOST_BYTES or "<!" in text.replace("<!--", "") or "<?xml-" in text:
        raise TemplateError(file.name, None, "is too large or declares entities or style sheets")
    if _ENCODING.search(text):
        raise TemplateError(file.name, 1, "must be UTF-8 and say so")
    try:
        return ET.fromstring(text)  # noqa: S314  without declarations there is nothing to expand
    except ET.ParseError as error:
        raise TemplateError(file.name, error.position[0], "is not a well-formed drawing") from error


def _check_attributes(file: Path, name: str, attributes: dict[str, str], clips: bool) -> None:
    for attribute, value in attributes.items():
        # a clip inside a clip multiplies: ten levels of ten are ten thousand million
        nested = attribute == "clip-path" and (clips or name == "clipPath")
        addressed = ("url" in value.lower() or "\\" in value) and not _OWN_PART.fullmatch(value)
        if attribute not in _ATTRIBUTES or nested or addressed:
            raise TemplateError(file.name, None, f"{attribute}= is not allowed on <{name}> as {value[:40]!r}")
