"""The fonts a picture may use: those in this folder, on every machine the same.

Import this module before WeasyPrint. FontConfig reads its settings once, when Pango is loaded;
`isolate()` hands it a file of ours that knows this folder and nothing else, so a render neither
finds nor misses a font because of the machine it runs on.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import freetype
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).resolve().parent

SANS = "Noto Sans CJK SC"
SERIF = "Noto Serif CJK SC"
KAI = "Imprimatur Kai"

# The order in which a missing glyph is looked for. The sans carries the rare characters of names.
FALLBACK = (SANS, SERIF, KAI)

# A joiner or variation selector asks for a shape; it draws nothing of its own.
_DRAWS_NOTHING = frozenset({0x0A, 0x0D, 0x20, 0xA0, 0x3000, *range(0x2000, 0x200B)})

_SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{cache}</cachedir>
  <match target="font">
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
  </match>
  <match target="pattern">
    <edit name="family" mode="append_last">{families}</edit>
  </match>
</fontconfig>
"""


class FontsNotIsolatedError(RuntimeError):
    """WeasyPrint was loaded first, so FontConfig already knows the machine's own fonts."""


class CodePoints:
    """Code points as one bit each: a set of thirty thousand numbers takes a hundred times the room."""

    __slots__ = ("_bits",)

    def __init__(self, points: Iterable[int]) -> None:
        bits = bytearray()
        for point in points:
            if point >> 3 >= len(bits):
                bits.extend(bytes((point >> 3) + 1 - len(bits)))
            bits[point >> 3] |= 1 << (point & 7)
        self._bits = bytes(bits)

    def __contains__(self, point: int) -> bool:
        return point >> 3 < len(self._bits) and bool(self._bits[point >> 3] >> (point & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        return (
            at * 8 + bit for at, byte in enumerate(self._bits) if byte for bit in range(8) if byte >> bit & 1
        )


@dataclass(frozen=True, slots=True)
class FontFile:
    """One registered face: where it lies and which characters it draws."""

    path: Path
    family: str
    weight: int
    characters: CodePoints


@dataclass(frozen=True, slots=True)
class GlyphOutline:
    """The outline of one character as an SVG path, y up, with its ink box in font units.

    `face` and `number` say which glyph of which file it is.
    """

    face: Path
    number: int
    units_per_em: int
    path: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float


def isolate() -> Path:
    """Point FontConfig at this folder alone; return the settings file in use.

    Raises FontsNotIsolatedError when WeasyPrint came first.
    """
    ours = _settings_file()
    if os.environ.get("FONTCONFIG_FILE") == str(ours):
        return ours
    if "weasyprint" in sys.modules:
        raise FontsNotIsolatedError("import templates_lib before weasyprint")
    os.environ["FONTCONFIG_FILE"] = str(ours)
    return ours


@cache
def _settings_file() -> Path:
    """Write the settings once a machine and user; the name carries their digest."""
    private = Path(tempfile.gettempdir()) / f"imprimatur-fonts-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.is_symlink() or private.stat().st_uid != os.getuid():
        # somebody else owns the shared name: take a folder nobody can prepare for us
        private = Path(tempfile.mkdtemp(prefix="imprimatur-fonts-"))
    families = "".join(f"<string>{family}</string>" for family in FALLBACK)
    text = _SETTINGS.format(
        folder=escape(str(FOLDER)), cache=escape(str(private / "cache")), families=families
    )
    target = private / f"fonts-{hashlib.sha256(text.encode()).hexdigest()[:16]}.conf"
    if not target.exists():
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    return target


@cache
def registered_fonts() -> tuple[FontFile, ...]:
    """Every face in this folder, in the order of their file names."""
    return tuple(_read(path) for path in _font_paths())


@dataclass(frozen=True, slots=True)
class Face:
    """One registered face as a record names it."""

    file: str
    family: str
    weight: int
    version: str
    sha256: str


@cache
def faces() -> tuple[Face, ...]:
    """Every registered face with its own version and the digest of its file."""
    digests = {path: digest.hex() for digest, path in _paths_by_digest().items()}
    return tuple(
        Face(face.path.name, face.family, face.weight, _version_of(face.path), digests[face.path])
        for face in registered_fonts()
    )


def _version_of(path: Path) -> str:
    with TTFont(path, lazy=True) as font:
        return str(font["name"].getDebugName(5) or "")


def digest() -> str:
    """SHA-256 over all registered font files: a render depends on exactly these."""
    return _digest_of(_font_paths())


@cache
def _digest_of(paths: tuple[Path, ...]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def path_with_digest(digest: bytes) -> Path:
    """Find the registered file with that SHA-256. Raises KeyError."""
    return _paths_by_digest()[digest]


@cache
def _paths_by_digest() -> dict[bytes, Path]:
    return {hashlib.sha256(path.read_bytes()).digest(): path for path in _font_paths()}


def _font_paths() -> tuple[Path, ...]:
    return tuple(sorted(path for path in FOLDER.iterdir() if path.suffix in {".otf", ".ttf"}))


def _read(path: Path) -> FontFile:
    with TTFont(path, lazy=True) as font:
        return FontFile(
            path=path,
            family=str(font["name"].getDebugName(16) or font["name"].getDebugName(1)),
            weight=int(font["OS/2"].usWeightClass),
            # fontTools names every glyph on the way, which takes 10 MB a face
            characters=CodePoints(point for point, glyph in freetype.Face(str(path)).get_chars() if glyph),
        )


@cache
def covered_characters() -> frozenset[int]:
    """Every code point some registered face can draw."""
    return frozenset[int]().union(*(font.characters for font in registered_fonts()))


def missing_glyphs(text: str) -> tuple[str, ...]:
    """List the characters of `text` no registered face draws, each once, as they appear."""
    covered = covered_characters()
    if covered.issuperset(map(ord, text)):
        return ()
    return tuple(
        dict.fromkeys(
            character
            for character in text
            if ord(character) not in covered and ord(character) not in _DRAWS_NOTHING
        )
    )


def glyph_outline(character: str, family: str = SERIF) -> GlyphOutline | None:
    """Trace a character in the boldest face of `family`, else of a fallback; `None` if in none."""
    for font in _preferring(family):
        if ord(character) in font.characters:
            glyphs, name = _glyphs(font.path), _cmap(font.path)[ord(character)]
            pen, bounds = SVGPathPen(glyphs), BoundsPen(glyphs)
            glyphs[name].draw(pen)
            glyphs[name].draw(bounds)
            if bounds.bounds is None:
                return None
            opened = _open(font.path)
            return GlyphOutline(
                font.path,
                opened.getGlyphID(name),
                opened["head"].unitsPerEm,
                str(pen.getCommands()),
                *(float(edge) for edge in bounds.bounds),
            )
    return None


def _preferring(family: str) -> Iterator[FontFile]:
    order = (family, *(name for name in FALLBACK if name != family))
    yield from sorted(registered_fonts(), key=lambda font: (order.index(font.family), -font.weight))


@cache
def _open(path: Path) -> TTFont:
    return TTFont(path, lazy=True)


@cache
def _glyphs(path: Path) -> Any:
    return _open(path).getGlyphSet()


@cache
def _cmap(path: Path) -> dict[int, str]:
    return dict(_open(path).getBestCmap())
