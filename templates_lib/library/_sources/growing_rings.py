"""Draw the rings of the brand poster: seven years around one centre, each goes further than the last.

Usage: python growing_rings.py OUT.svg. No chance in it.

Every ring is `GROWTH` times as wide as the one inside it and turns 36 degrees further, the
outer ones until the field cuts them off. All begin at twelve o'clock, on the left edge of the
fourth column of the page's grid. The sixth touches the field's lower edge from within: there the
paper of the ring becomes the paper the page goes on with. The first word stands as high as the
outermost ring begins, which settles centre and size.
"""

import sys
from math import cos, radians, sin, tan
from pathlib import Path

WIDTH, HEIGHT = 1080, 1488
GROWTH = 1.46
AIR = 0.36  # share of a ring's width that is left open around it
OUTER = 1 + (GROWTH - 1) * (1 - AIR)  # outer over inner radius
TOP = 183
CENTRE = (552, (TOP + GROWTH * OUTER * HEIGHT) / (1 + GROWTH * OUTER))
LANDING = HEIGHT - CENTRE[1]  # inner radius of the sixth ring
SWEEPS = (36, 72, 108, 144, 180, 180, 90)
PAPER, VERMILION = "#f4efe4", "#f4512c"
MARKED = 4  # the ring that has just come half-way round


def turn(radius: float, start: float, end: float) -> str:
    """Curves along a circle from one bearing to another, 30 degrees at a time: true to 0.01 px.

    Written out because a renderer may draw a half circle by a single curve, which bulges visibly.
    """
    steps = max(1, round(abs(end - start) / 30))
    angle = radians((end - start) / steps)
    pull = 4 / 3 * tan(angle / 4) * radius
    path = []
    for step in range(steps):
        a, b = radians(start) + step * angle, radians(start) + (step + 1) * angle
        (x0, y0), (x1, y1) = place(radius, a), place(radius, b)
        path.append(
            f"C{x0 + pull * cos(a):.2f} {y0 + pull * sin(a):.2f} "
            f"{x1 - pull * cos(b):.2f} {y1 - pull * sin(b):.2f} {x1:.2f} {y1:.2f}"
        )
    return "".join(path)


def place(radius: float, bearing: float) -> tuple[float, float]:
    return CENTRE[0] + radius * sin(bearing), CENTRE[1] - radius * cos(bearing)


def arc(inner: float, outer: float, sweep: float, fill: str) -> str:
    """A ring from twelve o'clock, clockwise for `sweep` degrees, cut off square at both ends."""
    x0, y0 = place(outer, 0)
    x1, y1 = place(inner, radians(sweep))
    return (
        f'<path fill="{fill}" d="M{x0:.2f} {y0:.2f}{turn(outer, 0, sweep)}'
        f'L{x1:.2f} {y1:.2f}{turn(inner, sweep, 0)}Z"/>'
    )


def drawing() -> str:
    parts = []
    for ring, sweep in enumerate(SWEEPS):
        inner = LANDING * GROWTH ** (ring - 5)
        fill = VERMILION if ring == MARKED else PAPER
        parts.append(arc(inner, inner * OUTER, sweep, fill))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
            *parts,
            "</svg>",
        ]
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawing() + "\n", encoding="utf-8")
