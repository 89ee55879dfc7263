"""Colours as numbers: how readable one is on another, and the nearest that is readable.

Source: WCAG 2.2, relative luminance and contrast ratio.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

READABLE: Final = 4.5
# below this share of full, sRGB is linear
_SRGB_KNEE: Final = 0.04045
_HEX: Final = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Colour:
    """An opaque sRGB colour; each part runs from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `#rrggbb`. Raises ValueError."""
        parts = _HEX.fullmatch(text)
        if parts is None:
            raise ValueError(f"a colour is written #rrggbb, not {text!r}")
        return cls(*(int(part, 16) for part in parts.groups()))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """How bright it appears, from 0 (black) to 1 (white)."""
        red, green, blue = (_linear(part) for part in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def mixed(self, other: "Colour", share: float) -> "Colour":
        """Give this colour with `share` (0 to 1) of another in it."""
        return Colour(
            round(self.red + (other.red - self.red) * share),
            round(self.green + (other.green - self.green) * share),
            round(self.blue + (other.blue - self.blue) * share),
        )


BLACK: Final = Colour(0, 0, 0)
WHITE: Final = Colour(255, 255, 255)


def contrast(one: Colour, other: Colour) -> float:
    """Tell the contrast ratio of two colours, from 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((one.luminance, other.luminance))
    return (lighter + 0.05) / (darker + 0.05)


def darkened_until_readable(colour: Colour, on: Colour, ratio: float = READABLE) -> Colour:
    """Find the first darker shade that reads on a light ground; the colour itself if it does.

    Where even black would not do, black is the answer.
    """
    for percent in range(101):
        shade = colour.mixed(BLACK, percent / 100)
        if contrast(shade, on) >= ratio:
            return shade
    return BLACK


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= _SRGB_KNEE else ((share + 0.055) / 1.055) ** 2.4
