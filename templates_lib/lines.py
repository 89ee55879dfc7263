"""Words become set lines: where they break and which glyph stands where, as WeasyPrint decides it.

Breaking Chinese well (避头尾, digits and Latin words kept whole, 破折号 never alone) is not redone
here. The very function that lays out the whole page is asked, so a line set alone and the same line
inside the page cannot differ. What comes back is glyph numbers and positions, ready for FreeType.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from templates_lib import fonts
from templates_lib.layout import ENGINE, font_configuration
from templates_lib.lettering import SHADOW, STROKE, shadow_of, stroke_of

from weasyprint.css.properties import INITIAL_VALUES  # isort: skip  FontConfig was told first
from weasyprint.formatting_structure.boxes import TextBox  # isort: skip
from weasyprint.text import fonts as weasyprint_fonts  # isort: skip
from weasyprint.text.ffi import FROM_UNITS, ffi, harfbuzz, pango  # isort: skip
from weasyprint.text.line_break import create_layout, split_first_line  # isort: skip

_GLYPH: Final = struct.Struct("=IiiiI")  # PangoGlyphInfo: glyph, width, x and y offset, flags
_MOST_LAYOUTS: Final = 1_000
_MOST_STYLES: Final = 4_000
# A face has at most 65,535 glyphs; above come marks for no ink and for no glyph.
_EMPTY: Final = int(pango.PANGO_GLYPH_EMPTY)
_UNKNOWN: Final = int(pango.PANGO_GLYPH_UNKNOWN_FLAG)
_COLLAPSING: Final = ("normal", "nowrap", "pre-line")
_PROCESSED: Final = re.compile(r"  |[\n\t\r]")  # white space that CSS may take away; one space stays

# What a run of set text may differ in. Every other property that touches text must keep its
# initial value, else the words are not set here but with the whole page.
VARIED: Final = (
    "font_family", "font_size", "font_weight", "font_style", "letter_spacing", "white_space",
    "overflow_wrap", "word_break", "lang",
)  # fmt: skip
UNVARIED: Final = (
    "direction", "font_feature_settings", "font_kerning", "font_language_override",
    "font_stretch", "font_variant_alternates", "font_variant_caps", "font_variant_east_asian",
    "font_variant_ligatures", "font_variant_numeric", "font_variant_position",
    "font_variation_settings", "hyphens", "text_decoration_line", "text_indent", "text_overflow",
    "text_transform", "unicode_bidi", "vertical_align", "word_spacing",
)  # fmt: skip


class _Style(dict[str, Any]):
    """The computed style WeasyPrint's text functions read."""

    font_config: Any = None


@dataclass(frozen=True, slots=True)
class TextStyle:
    """The properties a slot's words are set in; sizes in CSS pixels."""

    values: tuple[tuple[str, Any], ...]
    size_px: float = field(init=False, compare=False, repr=False)
    # the letter spacing that follows the last glyph and draws nothing
    trailing_px: float = field(init=False, compare=False, repr=False)
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        values = dict(self.values)
        spacing = values["letter_spacing"]
        object.__setattr__(self, "size_px", float(values["font_size"]))
        trailing = max(float(spacing), 0.0) if isinstance(spacing, (int, float)) else 0.0
        object.__setattr__(self, "trailing_px", trailing)
        object.__setattr__(self, "_hash", hash(self.values))

    def __hash__(self) -> int:
        return self._hash

    def sized(self, size_px: float) -> "TextStyle":
        """The same style in another size."""
        return TextStyle(tuple((k, size_px if k == "font_size" else v) for k, v in self.values))


def style_of(computed: Mapping[str, Any]) -> TextStyle:
    """Take what setting needs from a computed style."""
    values = []
    for name in VARIED:
        value = computed[name]
        values.append((name, tuple(value) if isinstance(value, (list, tuple)) else value))
    return TextStyle(tuple(values))


def unusual_properties(computed: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the text properties of a computed style that lines set alone would not honour."""
    odd = [name for name in UNVARIED if computed[name] != INITIAL_VALUES[name]]
    odd += [name for name, drawn in ((SHADOW, shadow_of), (STROKE, stroke_of)) if drawn(computed)]
    return tuple(name.replace("_", "-") for name in odd)


# One glyph of a line: its face (which stands for a file, see `face_path`) and number, and where its
# origin lies from the line's start, across and down.
Glyph = tuple[int, int, float, float]


@dataclass(frozen=True, slots=True)
class SetLine:
    """One line of set text.

    `width` includes trailing letter spacing. `height` and `baseline` are of the text itself, not of
    its line box. `whole` is False where a character has no glyph.
    """

    glyphs: tuple[Glyph, ...]
    width: float
    height: float
    baseline: float
    whole: bool


class _Context:
    """As much of a layout context as breaking a line asks for."""

    dictionaries: Final[dict[Any, Any]] = {}

    @property
    def font_config(self) -> Any:
        return font_configuration()


_CONTEXT: Final = _Context()
_extents: Final = ffi.new("PangoRectangle *")
_styles: dict[TextStyle, _Style] = {}
_layouts: dict[tuple[TextStyle, float | None], Any] = {}
_faces: dict[int, tuple[int, Any]] = {}


def set_lines(text: str, style: TextStyle, width_px: float | None) -> tuple[SetLine, ...]:
    """Set text in lines of at most `width_px` (`None`: no limit). Empty text makes no line."""
    with ENGINE:
        computed = _computed(style)
        collapsing = computed["white_space"] in _COLLAPSING
        if _PROCESSED.search(text):
            box = SimpleNamespace(text=text, style=computed, leading_collapsible_space=False)
            TextBox.process_whitespace(box)
            text = box.text
        rest = text.rstrip(" ") if collapsing else text
        lines: list[SetLine] = []
        while rest:
            if collapsing:
                rest = rest.lstrip(" ")
            if (line := _only_line(rest, style, computed, width_px)) is not None:
                lines.append(line)
                break
            layout, length, resume, width, height, baseline = split_first_line(
                rest, computed, _CONTEXT, width_px, 0
            )
            if length:
                glyphs, whole = _glyphs(layout.text, style, computed)
            else:
                glyphs, whole = (), True  # an empty line between two breaks
            lines.append(SetLine(glyphs, width, height, baseline, whole))
            if resume is None:
                break
            rest = rest.encode()[resume:].decode()
        return tuple(lines)


def _only_line(text: str, style: TextStyle, computed: _Style, width_px: float | None) -> SetLine | None:
    """Set text that needs no second line; `None` where it does.

    The second step of `split_first_line`, on a layout that is kept: nearly every slot ends here.
    """
    if "\n" in text or "\t" in text:
        return None
    layout = _layout(style, computed, width_px)
    pointer = layout.layout
    if computed["letter_spacing"] == "normal" and computed["overflow_wrap"] == "normal":
        # all that `set_text` does for such a style
        data = text.encode()
        pango.pango_layout_set_text(pointer, data, len(data))
    else:
        layout.set_text(text)
    line = pango.pango_layout_get_line_readonly(pointer, 0)
    if pango.pango_layout_get_line_readonly(pointer, 1) != ffi.NULL:
        return None
    pango.pango_layout_line_get_extents(line, ffi.NULL, _extents)
    width, height = _extents.width * FROM_UNITS, _extents.height * FROM_UNITS
    if (spacing := computed["letter_spacing"]) != "normal":
        width += spacing
    if width_px is not None and width > width_px:
        return None
    baseline = pango.pango_layout_get_baseline(pointer) * FROM_UNITS
    glyphs, whole = _read(line)
    return SetLine(glyphs, width, height, baseline, whole)


def _computed(style: TextStyle) -> _Style:
    computed = _styles.get(style)
    if computed is None:
        computed = _Style(INITIAL_VALUES)
        computed.update(style.values)
        computed["lang"] = dict(style.values)["lang"]
        computed.font_config = font_configuration()
        if len(_styles) >= _MOST_STYLES:  # shrinking to fit makes a style a size
            _styles.clear()
        _styles[style] = computed
    return computed


def _glyphs(text: str, style: TextStyle, computed: _Style) -> tuple[tuple[Glyph, ...], bool]:
    """Read the glyphs of a line that was split off, as they are drawn: without a width."""
    layout = _layout(style, computed, None)
    pango.pango_layout_set_single_paragraph_mode(layout.layout, True)
    layout.set_text(text)
    line, _ = layout.get_first_line()
    return _read(line)


def _layout(style: TextStyle, computed: _Style, width_px: float | None) -> Any:
    key = style, width_px
    layout = _layouts.get(key)
    if layout is None:
        if len(_layouts) >= _MOST_LAYOUTS:
            _layouts.clear()
        layout = _layouts[key] = create_layout("", computed, _CONTEXT, width_px, 0)
    return layout


def _read(line: Any) -> tuple[tuple[Glyph, ...], bool]:
    glyphs: list[Glyph] = []
    whole, x, run = True, 0, line.runs[0]
    while run != ffi.NULL:
        item, run = run.data, run.next
        face = _face(item.item.analysis.font)
        string = item.glyphs
        buffer = ffi.buffer(string.glyphs, string.num_glyphs * _GLYPH.size)
        for number, width, x_offset, y_offset, _flags in _GLYPH.iter_unpack(buffer):
            if number < _EMPTY:
                place = (x + x_offset) * FROM_UNITS
                glyphs.append((face, number, place, y_offset * FROM_UNITS))
            elif number & _UNKNOWN:
                whole = False
            x += width
    return tuple(glyphs), whole


def face_path(face: int) -> Path:
    """The file a face stands for."""
    return fonts.registered_fonts()[face].path


def face_of(path: Path) -> int:
    """The face of a registered file."""
    return [font.path for font in fonts.registered_fonts()].index(path)


def _face(pango_font: Any) -> int:
    """Find the face behind a Pango font."""
    hb_font = pango.pango_font_get_hb_font(pango_font)
    key = int(ffi.cast("intptr_t", harfbuzz.hb_font_get_face(hb_font)))
    known = _faces.get(key)
    if known is None:
        # the reference keeps the face alive, so its address stays its own
        face = weasyprint_fonts.get_pango_font_hb_face(pango_font)
        digest = sha256(weasyprint_fonts.get_hb_object_data(face)).digest()
        known = _faces[key] = (face_of(fonts.path_with_digest(digest)), face)
    return known[0]
