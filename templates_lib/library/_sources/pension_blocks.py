"""Build the toy blocks of the pension card: isometric solids, three tones a colour, all vector.

Usage: python pension_blocks.py FOLDER. Writes stairs.svg, pillars.svg, pay.svg, grow.svg,
draw.svg and columns.svg.

A scene is a list of solids, painted from back to front in the order they are written. One unit
is the edge of a small block; x runs down to the right, y down to the left, z upwards.
"""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

COS, SIN = math.cos(math.radians(30)), 0.5

Point = tuple[float, float]
Tones = tuple[str, str, str]  # top, left face, right face

NAVY: Tones = ("#39448f", "#232d6b", "#141b4d")
COBALT: Tones = ("#6c86ff", "#3350e0", "#2237ad")
CORAL: Tones = ("#ff9c85", "#ff6f52", "#d94b30")
BUTTER: Tones = ("#ffe9ae", "#ffd36b", "#eab03a")
WHITE: Tones = ("#ffffff", "#e7ebfa", "#c6cff0")


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def path(points: Iterable[Point], fill: str, more: str = "") -> str:
    line = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path d="M{line}Z" fill="{fill}"{more}/>'


@dataclass(frozen=True, slots=True)
class View:
    """Where the origin of a scene lies on the page, and how long a unit is there."""

    x: float
    y: float
    unit: float

    def at(self, x: float, y: float, z: float = 0) -> Point:
        return self.x + (x - y) * COS * self.unit, self.y + ((x + y) * SIN - z) * self.unit

    # ── solids ───────────────────────────────────────────────────────────────────────────────────

    def box(self, x: float, y: float, z: float, size: tuple[float, float, float], tones: Tones) -> str:
        dx, dy, dz = size
        top, left, right = tones
        x1, y1, z1 = x + dx, y + dy, z + dz
        # a hair of the same colour closes the seams between faces
        return (
            self.face([(x, y1, z), (x1, y1, z), (x1, y1, z1), (x, y1, z1)], left)
            + self.face([(x1, y, z), (x1, y1, z), (x1, y1, z1), (x1, y, z1)], right)
            + self.face([(x, y, z1), (x1, y, z1), (x1, y1, z1), (x, y1, z1)], top)
        )

    def face(self, corners: Sequence[tuple[float, float, float]], fill: str) -> str:
        seam = f' stroke="{fill}" stroke-width="0.8" stroke-linejoin="round"'
        return path([self.at(*corner) for corner in corners], fill, seam)

    def slab(self, x: float, y: float, size: tuple[float, float], fill: str, z: float = 0) -> str:
        """A flat sheet: a shadow, a plot of ground, a tread."""
        dx, dy = size
        return self.face([(x, y, z), (x + dx, y, z), (x + dx, y + dy, z), (x, y + dy, z)], fill)

    def shadow(self, x: float, y: float, size: tuple[float, float, float], fill: str) -> str:
        """What a box keeps from the ground; the light comes from the left, low."""
        dx, dy, dz = size
        reach_x, reach_y = 0.62 * dz, -0.2 * dz
        corners = [
            (x, y + dy),
            (x + dx, y + dy),
            (x + dx + reach_x, y + dy + reach_y),
            (x + dx + reach_x, y + reach_y),
            (x + reach_x, y + reach_y),
            (x, y),
        ]
        return path([self.at(*corner) for corner in corners], fill)

    def drum(self, x: float, y: float, z: float, radius: float, height: float, tones: Tones) -> str:
        """An upright cylinder round (x, y): lit half, shaded half, lid."""
        top, left, right = tones
        rx, ry = radius * math.sqrt(1.5) * self.unit, radius * math.sqrt(0.5) * self.unit
        cx, low = self.at(x, y, z)
        high = self.at(x, y, z + height)[1]
        body = (
            f'<path d="M{number(cx - rx)} {number(high)}V{number(low)}A{number(rx)} {number(ry)} 0 0 0 '
            f'{number(cx + rx)} {number(low)}V{number(high)}Z" fill="{left}"/>'
        )
        edge = cx + rx * 0.18
        foot = low + ry * math.sqrt(1 - 0.18**2)
        shade = (
            f'<path d="M{number(edge)} {number(high)}V{number(foot)}A{number(rx)} {number(ry)} 0 0 0 '
            f'{number(cx + rx)} {number(low)}V{number(high)}Z" fill="{right}"/>'
        )
        lid = (
            f'<ellipse cx="{number(cx)}" cy="{number(high)}" rx="{number(rx)}" ry="{number(ry)}" '
            f'fill="{top}"/>'
        )
        return body + shade + lid

    def ball(self, x: float, y: float, z: float, radius: float, tones: Tones) -> str:
        """A ball resting at z: a disc, and a crescent of shade on its right."""
        _, left, right = tones
        cx, cy = self.at(x, y, z + radius)
        r = radius * 1.2 * self.unit
        bow = 1.34 * r
        return (
            f'<circle cx="{number(cx)}" cy="{number(cy)}" r="{number(r)}" fill="{left}"/>'
            f'<path d="M{number(cx + r * 0.34)} {number(cy - r * 0.94)}A{number(r)} {number(r)} 0 0 1 '
            f"{number(cx - r * 0.5)} {number(cy + r * 0.866)}A{number(bow)} {number(bow)} 0 0 0 "
            f'{number(cx + r * 0.34)} {number(cy - r * 0.94)}Z" fill="{right}"/>'
        )

    def tree(self, x: float, y: float, z: float, size: float, tones: Tones, trunk: Tones = NAVY) -> str:
        return self.drum(x, y, z, 0.09 * size, 0.6 * size, trunk) + self.ball(
            x, y, z + 0.46 * size, 0.42 * size, tones
        )

    def person(self, x: float, y: float, z: float, size: float, coat: Tones, head: Tones = WHITE) -> str:
        """A wooden peg doll: a round-shouldered body and a head, each lit from the left."""
        u = size * self.unit
        cx, foot = self.at(x, y, z)
        low, high, ry, top = 0.27 * u, 0.2 * u, 0.14 * u, foot - 0.8 * u
        r, crown = 0.2 * u, top - 0.12 * u

        def side(to: int, fill: str) -> str:
            sweep = 0 if to > 0 else 1
            return (
                f'<path d="M{number(cx)} {number(top)}H{number(cx + to * high * 0.3)}'
                f"C{number(cx + to * high)} {number(top)} {number(cx + to * high)} {number(top + 0.16 * u)} "
                f"{number(cx + to * low)} {number(foot)}"
                f"A{number(low)} {number(ry)} 0 0 {1 - sweep} {number(cx)} {number(foot + ry)}Z"
                f'" fill="{fill}"/>'
            )

        return (
            side(-1, coat[1])
            + side(1, coat[2])
            + f'<circle cx="{number(cx)}" cy="{number(crown)}" r="{number(r)}" fill="{head[0]}"/>'
            + f'<path d="M{number(cx + r * 0.3)} {number(crown - r * 0.954)}A{number(r)} {number(r)} 0 0 1 '
            f"{number(cx + r * 0.3)} {number(crown + r * 0.954)}A{number(r * 1.6)} {number(r * 1.6)} 0 0 0 "
            f'{number(cx + r * 0.3)} {number(crown - r * 0.954)}Z" fill="{head[2]}"/>'
        )

    def house(self, x: float, y: float, z: float, size: float, walls: Tones, roof: Tones) -> str:
        """A house two units wide: door and window in the gable, one window in the long wall."""
        s, dark = size, NAVY[1]
        wall = self.box(x, y, z, (s, 0.9 * s, 0.72 * s), walls)
        front = y + 0.9 * s
        gable = self.face(
            [(x, front, z + 0.72 * s), (x + s, front, z + 0.72 * s), (x + s / 2, front, z + 1.16 * s)],
            walls[1],
        )
        door = self.face(
            [
                (x + 0.14 * s, front, z),
                (x + 0.4 * s, front, z),
                (x + 0.4 * s, front, z + 0.46 * s),
                (x + 0.14 * s, front, z + 0.46 * s),
            ],
            roof[2],
        )
        pane = self.face(
            [
                (x + 0.58 * s, front, z + 0.26 * s),
                (x + 0.84 * s, front, z + 0.26 * s),
                (x + 0.84 * s, front, z + 0.52 * s),
                (x + 0.58 * s, front, z + 0.52 * s),
            ],
            dark,
        )
        side = x + s
        long_pane = self.face(
            [
                (side, y + 0.3 * s, z + 0.26 * s),
                (side, y + 0.6 * s, z + 0.26 * s),
                (side, y + 0.6 * s, z + 0.52 * s),
                (side, y + 0.3 * s, z + 0.52 * s),
            ],
            dark,
        )
        lift = 0.06 * s
        eaves, over, ridge = 0.62 * s + lift, 0.12 * s, 1.16 * s + lift
        back, fore, middle = y - 0.06 * s, front + 0.1 * s, x + s / 2
        far = self.face(
            [
                (x - over, back, z + eaves),
                (middle, back, z + ridge),
                (middle, fore, z + ridge),
                (x - over, fore, z + eaves),
            ],
            roof[0],
        )
        near = self.face(
            [
                (side + over, back, z + eaves),
                (middle, back, z + ridge),
                (middle, fore, z + ridge),
                (side + over, fore, z + eaves),
            ],
            roof[2],
        )
        thick = 0.1 * s
        barge = "".join(
            self.face(
                [
                    (edge, fore, z + eaves),
                    (middle, fore, z + ridge),
                    (middle, fore, z + ridge - thick),
                    (edge, fore, z + eaves - thick),
                ],
                roof[1],
            )
            for edge in (x - over, side + over)
        )
        return far + wall + gable + door + pane + long_pane + near + barge


def drawing(width: int, height: int, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


# ── scenes ───────────────────────────────────────────────────────────────────────────────────────


def stairs() -> str:
    """The cover: a block a year makes a stair, and where it ends stands a house."""
    view = View(822, 842, 79)
    wide, run, rise, steps = 2.5, 1.15, 0.6, 7
    shade = "#f2bb45"
    parts = [
        view.shadow(0, run * (steps - 1 - step), (wide, run, rise * (step + 1)), shade)
        for step in range(steps)
    ]
    # from the back, which is the highest, to the front
    for step in reversed(range(steps)):
        y, floor = run * (steps - 1 - step), rise * (step + 1)
        for level in range(step + 1):
            tones = COBALT if (level + step) % 2 == 0 else WHITE
            if level == step == 3:
                tones = CORAL
            parts.append(view.box(0, y, rise * level, (wide, run, rise), tones))
        if step == steps - 1:
            parts.append(view.house(0.98, 0.06, floor, 1.12, WHITE, CORAL))
            parts.append(view.tree(0.44, 0.66, floor, 0.9, WHITE))
        if step == 4:
            parts.append(view.person(0.78, y + 0.56, floor, 1.2, CORAL))
            parts.append(view.person(1.5, y + 0.56, floor, 1.12, NAVY))
        if step == 1:
            parts.append(view.person(1.2, y + 0.62, floor, 1.2, NAVY))
    parts.append(view.shadow(3.45, 4.75, (1.15, 1.15, 0.6), shade))
    parts.append(view.box(3.45, 4.75, 0, (1.15, 1.15, 0.6), CORAL))
    return drawing(1080, 1440, parts)


def pillars() -> str:
    """Three pillars carry one floor to live on; the nearest is the broadest, the last is stacked."""
    view = View(790, 396, 89)
    shade = "#d3daf4"
    deep, long, foot, high = 2.5, 6.9, 0.28, 2.15
    middle = deep / 2
    parts = [
        view.shadow(0, 0, (deep, long, foot + high), shade),
        view.box(0, 0, 0, (deep, long, foot), ("#ffffff", "#cfd8f4", "#b4c1ec")),
        view.slab(0.2, 0.2, (deep - 0.4, long - 0.4), "#dbe1f7", foot),
    ]
    blocks = 5
    for level in range(blocks):
        tones = CORAL if level % 2 == 0 else WHITE
        parts.append(view.drum(middle, 1.1, foot + high / blocks * level, 0.72, high / blocks, tones))
    parts.append(view.drum(middle, 3.35, foot, 0.78, high, BUTTER))
    parts.append(view.drum(middle, 5.7, foot, 0.9, high, COBALT))
    floor = foot + high
    parts.append(view.box(0, 0, floor, (deep, long, 0.34), NAVY))
    top = floor + 0.34
    parts.append(view.slab(0.14, 0.14, (deep - 0.28, long - 0.28), "#4a56a6", top))
    parts.append(view.tree(0.55, 0.6, top, 1.5, COBALT))
    parts.append(view.tree(1.7, 0.75, top, 1.15, COBALT))
    parts.append(view.house(0.5, 1.7, top, 1.5, WHITE, CORAL))
    parts.append(view.person(1.1, 4.0, top, 1.3, CORAL))
    parts.append(view.person(1.5, 4.75, top, 1.2, BUTTER))
    parts.append(view.tree(0.55, 5.4, top, 1.3, COBALT))
    parts.append(view.tree(1.9, 6.4, top, 0.95, COBALT))
    return drawing(1080, 980, parts)


def pay() -> str:
    """Paying in: a block is about to drop into the open box."""
    view = View(190, 128, 92)
    top, left, _ = WHITE
    parts = [view.shadow(0, 0, (1.7, 1.7, 1.1), "#2a43c4"), view.box(0, 0, 0, (1.7, 1.7, 1.1), WHITE)]
    parts.append(view.slab(0.3, 0.3, (1.1, 1.1), NAVY[2], 1.1))
    parts.append(view.face([(0.3, 0.3, 0.86), (1.4, 0.3, 0.86), (1.4, 0.3, 1.1), (0.3, 0.3, 1.1)], NAVY[0]))
    parts.append(view.face([(0.3, 0.3, 0.86), (0.3, 1.4, 0.86), (0.3, 1.4, 1.1), (0.3, 0.3, 1.1)], NAVY[1]))
    parts.append(view.box(0.38, 0.38, 0.94, (0.94, 0.94, 0.62), CORAL))
    # the near rims of the opening stand before the block
    parts.append(view.face([(0, 1.7, 0.9), (1.7, 1.7, 0.9), (1.7, 1.7, 1.1), (0, 1.7, 1.1)], left))
    parts.append(view.slab(0.3, 1.4, (1.4, 0.3), top, 1.1))
    parts.append(view.slab(1.4, 0.3, (0.3, 1.1), top, 1.1))
    return drawing(428, 340, parts)


def grow() -> str:
    """Investing: four stacks of uneven height, for results rise and fall."""
    view = View(106, 152, 61)
    heights = (1.0, 1.9, 1.45, 2.5)
    parts = []
    for place, height in enumerate(heights):
        x = 1.02 * place
        parts.append(view.shadow(x, 0.3, (0.9, 0.9, height * 0.6), "#f0b944"))
        tones = COBALT if place % 2 == 0 else WHITE
        parts.append(view.box(x, 0.3, 0, (0.9, 0.9, height), tones))
    parts.append(view.tree(1.02 * 3 + 0.45, 0.75, heights[3], 0.9, CORAL, NAVY))
    return drawing(428, 340, parts)


def draw() -> str:
    """Drawing: of a hundred parts three are set aside, to scale."""
    view = View(186, 122, 82)
    size, gap = 2.0, 0.42
    cut = size * 0.03
    parts = [
        view.shadow(0, 0, (size, 1.5, 1.1), "#e2573b"),
        view.shadow(0, 1.5 + gap, (size, cut, 1.1), "#e2573b"),
        view.box(0, 0, 0, (size, 1.5, 1.1), BUTTER),
        view.box(0, 1.5 + gap, 0, (size, cut, 1.1), NAVY),
    ]
    return drawing(428, 340, parts)


RATES = (3, 10, 20, 25, 30, 35, 45)
YEARLY = 12_000
COLUMN_STEP, COLUMN_LEFT, COLUMN_FOOT, COLUMN_UNIT = 130.0, 78.0, 560.0, 52.0


def columns() -> str:
    """What a full year's payment leaves untaxed, by tax rate; heights are to scale."""
    parts = []
    tallest = 440.0
    for place, rate in enumerate(RATES):
        view = View(COLUMN_LEFT + COLUMN_STEP * place, COLUMN_FOOT - COLUMN_UNIT, COLUMN_UNIT)
        height = tallest * rate / RATES[-1] / COLUMN_UNIT
        tones = CORAL if rate == RATES[0] else BUTTER
        parts.append(view.shadow(0, 0, (1, 1, min(height, 0.62)), "#0e1438"))
        parts.append(view.box(0, 0, 0, (1, 1, height), tones))
    return drawing(936, 640, parts)


SCENES = {
    "stairs": stairs,
    "pillars": pillars,
    "pay": pay,
    "grow": grow,
    "draw": draw,
    "columns": columns,
}

if __name__ == "__main__":
    for name, scene in SCENES.items():
        Path(sys.argv[1], f"{name}.svg").write_text(scene(), encoding="utf-8")
