"""Draw the sun of the morning brief: a disc that comes out of the sea in ever finer bars.

Usage: python morning_sun.py OUT.svg.
"""

import math
import sys
from pathlib import Path

WIDTH, HEIGHT = 552, 390
CENTRE, RADIUS = (300, 240), 216
PAPER = "#f3f1ea"
BARS = 9


def disc_above(level: float) -> str:
    """The part of the disc above a level."""
    x, y = CENTRE
    reach = math.sqrt(RADIUS**2 - (level - y) ** 2)
    return (
        f'<path d="M{x - reach:.1f} {level:.1f}A{RADIUS} {RADIUS} 0 1 1 {x + reach:.1f} {level:.1f}Z" '
        f'fill="{PAPER}"/>'
    )


def bar(top: float, bottom: float) -> str:
    """A slice of the disc between two levels, its ends following the rim."""
    x, y = CENTRE
    upper, lower = (math.sqrt(max(RADIUS**2 - (level - y) ** 2, 0)) for level in (top, bottom))
    return (
        f'<path d="M{x - upper:.1f} {top:.1f}H{x + upper:.1f}A{RADIUS} {RADIUS} 0 0 1 {x + lower:.1f} '
        f'{bottom:.1f}H{x - lower:.1f}A{RADIUS} {RADIUS} 0 0 1 {x - upper:.1f} {top:.1f}Z" fill="{PAPER}"/>'
    )


def sun() -> str:
    _, y = CENTRE
    horizon = y + 6.0
    parts = [disc_above(horizon)]
    level = horizon
    for place in range(BARS):
        gap, thick = 5 + place * 1.5, 21 - place * 2.1
        top = level + gap
        bottom = min(top + thick, y + RADIUS - 0.5)
        if top >= bottom:
            break
        parts.append(bar(top, bottom))
        level = bottom
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(sun(), encoding="utf-8")
