"""Pictures with words in them, painted with the fonts of the designs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

import templates_lib

_FONTS: Final = Path(templates_lib.__file__).parent / "fonts"
SANS: Final = "NotoSansCJKsc-Bold.otf"
SERIF: Final = "NotoSerifCJKsc-SemiBold.otf"


class Painting:
    """A ground to write on."""

    def __init__(self, width: int = 540, height: int = 540, ground: str = "#fbf3e0") -> None:
        self.image = Image.new("RGB", (width, height), ground)
        self._draw = ImageDraw.Draw(self.image)

    def write(
        self, text: str, at: tuple[int, int], size: int = 40, *, ink: str = "#301010", font: str = SANS
    ) -> Painting:
        self._draw.text(at, text, font=ImageFont.truetype(_FONTS / font, size), fill=ink)
        return self

    def column(self, text: str, at: tuple[int, int], size: int = 48, *, step: float = 1.15) -> Painting:
        """Write from top to bottom."""
        for place, char in enumerate(text):
            self.write(char, (at[0], round(at[1] + place * size * step)), size)
        return self

    @property
    def jpeg(self) -> bytes:
        return self._saved("JPEG", quality=90)

    @property
    def png(self) -> bytes:
        return self._saved("PNG")

    def _saved(self, kind: str, **options: int) -> bytes:
        target = io.BytesIO()
        self.image.save(target, kind, **options)
        return target.getvalue()
