"""Engrave the guilloches of the business card: the lace of a banknote, in circles.

Usage: python guilloche.py OUT_FOLDER. Writes rosette.svg (back) and lace.svg (front); no chance in it.

A ring of lace is one wave wound round a circle, drawn many times over, each time turned a little;
where the turned waves cross, the eye sees petals nobody drew.
"""

import sys
from collections.abc import Callable
from math import cos, pi, sin
from pathlib import Path

Radius = Callable[[float], float]


def closed(radius: Radius, centre: tuple[float, float], waves: int) -> str:
    """A closed curve around the centre, smooth through eight points a wave (Catmull-Rom)."""
    count = max(120, waves * 8)
    points = []
    for place in range(count):
        a = 2 * pi * place / count
        points.append((centre[0] + radius(a) * sin(a), centre[1] - radius(a) * cos(a)))
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for place in range(count):
        a, b, c, d = (points[(place + step) % count] for step in (-1, 0, 1, 2))
        path.append(
            f"C{b[0] + (c[0] - a[0]) / 6:.1f} {b[1] + (c[1] - a[1]) / 6:.1f} "
            f"{c[0] - (d[0] - b[0]) / 6:.1f} {c[1] - (d[1] - b[1]) / 6:.1f} {c[0]:.1f} {c[1]:.1f}"
        )
    return "".join(path) + "Z"


def lace(
    centre: tuple[float, float],
    middle: float,
    swing: float,
    waves: int,
    turns: int,
    beat: int,
    ink: str,
    width: float,
) -> str:
    """A ring of lace `swing` wide on both sides of `middle`; it breathes `beat` times round."""

    def turned(phase: float) -> Radius:
        def radius(a: float) -> float:
            breath = 0.72 + 0.28 * cos(beat * a)
            return middle + swing * breath * sin(waves * a + phase)

        return radius

    paths = "".join(closed(turned(2 * pi * turn / turns), centre, waves) for turn in range(turns))
    return f'<path d="{paths}" fill="none" stroke="{ink}" stroke-width="{width}"/>'


def ring(centre: tuple[float, float], radius: float, ink: str, width: float) -> str:
    return (
        f'<circle cx="{centre[0]}" cy="{centre[1]}" r="{radius}" fill="none" '
        f'stroke="{ink}" stroke-width="{width}"/>'
    )


def drawing(width: int, height: int, parts: list[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            *parts,
            "</svg>\n",
        ]
    )


def rosette() -> str:
    """The back: around the portrait, cut off by the card's upper and lower edge."""
    centre = (308, 324)
    brass, sage, deep = "#c2a468", "#7f9d83", "#3f6a5c"
    return drawing(
        760,
        648,
        [
            lace(centre, 340, 36, 36, 6, 12, deep, 0.9),
            lace(centre, 282, 50, 24, 10, 12, sage, 0.8),
            lace(centre, 204, 42, 18, 12, 6, brass, 0.8),
            ring(centre, 152, brass, 1.6),
            ring(centre, 158, brass, 0.7),
        ],
    )


def corner() -> str:
    """The front: the same lace as a blind stamp in the upper right corner."""
    centre = (300, 0)
    return drawing(
        420,
        340,
        [
            lace(centre, 232, 48, 24, 10, 12, "#d8ccb0", 0.8),
            lace(centre, 150, 40, 18, 12, 6, "#c9b98f", 0.8),
            lace(centre, 84, 24, 12, 8, 6, "#c9b98f", 0.8),
        ],
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "rosette.svg").write_text(rosette(), encoding="utf-8")
    (folder / "lace.svg").write_text(corner(), encoding="utf-8")
