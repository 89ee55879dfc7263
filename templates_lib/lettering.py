"""Shadows and outlines of letters, which WeasyPrint does not draw: drawn by it all the same.

A style says `text-shadow: 0 4px #00000080` or `-webkit-text-stroke: 2px #ffffff` as on the web.
WeasyPrint hands custom properties down the page like any inherited one, so the two travel as such;
where words are drawn, they are drawn once more for the shadow, and with their outline. Both are
vectors, in the PDF as on the screen. A blurred shadow is not: it is refused.
"""

import re
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import tinycss2
import tinycss2.color4

SHADOW: Final = "text-shadow"
STROKE: Final = "-webkit-text-stroke"
_CARRIED: Final = {SHADOW: "--text-shadow", STROKE: "--text-stroke"}
_DECLARED: Final = re.compile(rf"(?<![\w-])({'|'.join(_CARRIED)})(?=\s*:)", re.IGNORECASE)
_FILL_AND_OUTLINE: Final = 2  # PDF 32000-1, table 106
_MOST_PX: Final = 40


class Shadow(NamedTuple):
    """How far right and down, in CSS pixels, and of which colour."""

    right_px: float
    down_px: float
    colour: Any


class Stroke(NamedTuple):
    """How wide, in CSS pixels, half of it outside the letter; and of which colour."""

    width_px: float
    colour: Any


def lettering_fault(name: str, tokens: Sequence[Any]) -> str | None:
    """Say what is wrong with a declared shadow or outline, `None` where nothing is."""
    if name not in _CARRIED or _is_none(tokens):
        return None
    if _read(name, tokens) is None:
        form = "none or two lengths and a colour" if name == SHADOW else "none or a width and a colour"
        return f"{name} must be {form}, each at most {_MOST_PX} px"
    return None


def carried(style: str) -> str:
    """Rewrite a checked style so that WeasyPrint hands shadows and outlines down."""
    return _DECLARED.sub(lambda match: _CARRIED[match[1].lower()], style)


def shadow_of(computed: Any) -> Shadow | None:
    """The shadow of words with this computed style."""
    found = _read(SHADOW, computed["__text_shadow"])
    return found if isinstance(found, Shadow) else None


def stroke_of(computed: Any) -> Stroke | None:
    """The outline of words with this computed style."""
    found = _read(STROKE, computed["__text_stroke"])
    return found if isinstance(found, Stroke) else None


def _is_none(tokens: Sequence[Any]) -> bool:
    words = [token for token in tokens if token.type not in ("whitespace", "comment")]
    return len(words) == 1 and words[0].type == "ident" and words[0].lower_value == "none"


def _read(name: str, tokens: Sequence[Any]) -> Shadow | Stroke | None:
    parts = [token for token in tokens or () if token.type not in ("whitespace", "comment")]
    lengths = [
        float(token.value)
        for token in parts
        if (token.type == "dimension" and token.lower_unit == "px")
        or (token.type == "number" and not token.value)
    ]
    colours = [colour for token in parts if (colour := tinycss2.color4.parse_color(token)) is not None]
    if len(colours) != 1 or colours[0] == "currentcolor" or len(lengths) + 1 != len(parts):
        return None
    if any(abs(length) > _MOST_PX for length in lengths):
        return None
    if name == SHADOW and len(lengths) == 2:  # noqa: PLR2004  across and down
        return Shadow(lengths[0], lengths[1], colours[0])
    if name == STROKE and len(lengths) == 1 and lengths[0] >= 0:
        return Stroke(lengths[0], colours[0])
    return None


def draw_lettered(draw: Any, stream: Any, box: Any, *rest: Any) -> None:
    """Draw the words of a box with what WeasyPrint draws them with, shadow first."""
    shadow, stroke = shadow_of(box.style), stroke_of(box.style)
    if shadow is not None:
        with _moved(box, shadow):
            draw(stream, box, *rest)
    if stroke is None or not stroke.width_px:
        draw(stream, box, *rest)
        return
    with stream.stacked():
        stream.set_text_rendering(_FILL_AND_OUTLINE)
        stream.set_line_width(stroke.width_px)
        stream.set_color(stroke.colour, stroke=True)
        draw(stream, box, *rest)


@contextmanager
def _moved(box: Any, shadow: Shadow) -> Any:
    """The box as its own shadow."""
    style, x, y = box.style, box.position_x, box.position_y
    box.style = style.copy()
    # what was asked for before is not looked up again
    box.style["color"] = shadow.colour
    box.position_x, box.position_y = x + shadow.right_px, y + shadow.down_px
    try:
        yield
    finally:
        box.style, box.position_x, box.position_y = style, x, y
