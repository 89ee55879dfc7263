"""Draw the moon gate of the salon invitation as an architect would: one line, one ground, one light.

Usage: python moon_gate.py OUT.svg. Same seed, same drawing.

The wall of a garden stands in elevation; its round gate is the moon. Through it one sees a tea
table, two chairs and the hills. Behind the wall grow bamboo and a pine.
"""

import math
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

WIDTH, HEIGHT = 1080, 704
GREEN, WALL, BRASS, IVORY, CINNABAR = "#12352d", "#173f36", "#cfa968", "#f6efdf", "#b5482f"
HILL_FAR, HILL_NEAR = "#e6d9bb", "#d3c093"
GROUND, COPING = 702.0, 168.0
GATE, RADIUS = (668.0, 480.0), 200.0

Point = tuple[float, float]


def line(drawn: str, width: float = 2, ink: str = BRASS, fill: str = "none") -> str:
    return (
        f'<path d="{drawn}" fill="{fill}" stroke="{ink}" stroke-width="{width:g}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def run(points: Iterable[Point], *, closed: bool = False) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")


def block(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}Z"


# ── the wall ─────────────────────────────────────────────────────────────────────────────────────


def coping() -> Iterator[str]:
    """Ridge, roll tiles and drip tiles, seen from the front."""
    top, eaves, step = COPING, COPING + 46, 27.0
    yield line(block(-10, top, WIDTH + 20, 10), 2, fill=WALL)
    yield line(f"M-10 {top + 10}L-10 {eaves}H{WIDTH + 10}V{top + 10}", 2, fill=WALL)
    count = int(WIDTH / step) + 2
    for place in range(count):
        x = place * step
        # a roll tile is two lines and a round end; between two of them hangs a drip tile
        yield line(f"M{x - 5:.1f} {top + 10}V{eaves - 2}M{x + 5:.1f} {top + 10}V{eaves - 2}", 1.4)
        middle = x + step / 2
        yield line(
            f"M{middle - 8:.1f} {eaves}C{middle - 8:.1f} {eaves + 9} {middle - 4:.1f} {eaves + 13} {middle:.1f} "
            f"{eaves + 17}C{middle + 4:.1f} {eaves + 13} {middle + 8:.1f} {eaves + 9} {middle + 8:.1f} {eaves}",
            1.4,
            fill=WALL,
        )
        yield (
            f'<circle cx="{x:.1f}" cy="{eaves + 3}" r="7.5" fill="{WALL}" stroke="{BRASS}" stroke-width="1.6"/>'
            f'<circle cx="{x:.1f}" cy="{eaves + 3}" r="2.4" fill="{BRASS}"/>'
        )


def wall() -> Iterator[str]:
    yield f'<path d="{block(0, COPING + 40, WIDTH, GROUND - COPING - 40)}" fill="{WALL}"/>'
    yield line(f"M0 {COPING + 78}H{WIDTH}", 1.2)
    # a footing of dressed stone
    foot = GROUND - 54
    yield line(f"M0 {foot}H{WIDTH}M0 {foot + 27}H{WIDTH}", 1.4)
    for row, shift in ((0, 40), (1, 100)):
        for x in range(shift, WIDTH, 120):
            if abs(x - GATE[0]) > 150:
                yield line(f"M{x} {foot + 27 * row}v27", 1.4)
    yield line(f"M0 {GROUND}H{WIDTH}", 3)


def split(polygon: list[Point], chance: random.Random, smallest: float) -> Iterator[list[Point]]:
    """Crack a convex pane across its longer side, again and again, like ice."""
    area = (
        abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True)))
        / 2
    )
    if area < smallest * chance.uniform(1.0, 2.2):
        yield polygon
        return
    sides = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    order = sorted(range(len(sides)), key=lambda i: -math.dist(*sides[i]))
    first = order[0]
    second = max(
        (i for i in range(len(sides)) if i != first),
        key=lambda i: min((i - first) % len(sides), (first - i) % len(sides)) + math.dist(*sides[i]) / 200,
    )
    ends = []
    for i in (first, second):
        (x0, y0), (x1, y1) = sides[i]
        t = chance.uniform(0.36, 0.64)
        ends.append((x0 + (x1 - x0) * t, y0 + (y1 - y0) * t))
    low, high = sorted((first, second))
    at_low, at_high = (ends[0], ends[1]) if first == low else (ends[1], ends[0])
    yield from split([at_low, *polygon[low + 1 : high + 1], at_high], chance, smallest)
    yield from split([at_high, *polygon[high + 1 :], *polygon[: low + 1], at_low], chance, smallest)


def lattice_window(x: float, y: float, size: float) -> Iterator[str]:
    """A pierced window: an eight-sided frame filled with cracked ice (冰裂纹)."""

    def octagon(h: float) -> list[Point]:
        c = h * 0.5858
        corners = [
            (c - h, -h),
            (h - c, -h),
            (h, c - h),
            (h, h - c),
            (h - c, h),
            (c - h, h),
            (-h, h - c),
            (-h, c - h),
        ]
        return [(x + dx, y + dy) for dx, dy in corners]

    half = size / 2
    yield line(run(octagon(half), closed=True), 2.4, fill=GREEN)
    inner = octagon(half - 12)
    for pane in split(inner, random.Random(23), 820):
        yield line(run(pane, closed=True), 2)
    yield line(run(inner, closed=True), 2.4)


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────


def gate() -> Iterator[str]:
    x, y = GATE
    yield f'<defs><clipPath id="gate"><circle cx="{x}" cy="{y}" r="{RADIUS - 1}"/></clipPath></defs>'
    yield f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{IVORY}"/>'
    yield '<g clip-path="url(#gate)">'
    yield from hills()
    yield from tea_table()
    yield from plum()
    yield "</g>"
    # two courses of brick round the opening, jointed to the centre
    yield f'<circle cx="{x}" cy="{y}" r="{RADIUS + 9}" fill="none" stroke="{WALL}" stroke-width="18"/>'
    for radius, width in ((RADIUS, 2.4), (RADIUS + 18, 2.4)):
        yield f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{BRASS}" stroke-width="{width}"/>'
    joints = 56
    for place in range(joints):
        angle = math.tau * place / joints
        dx, dy = math.cos(angle), math.sin(angle)
        yield line(
            f"M{x + dx * RADIUS:.1f} {y + dy * RADIUS:.1f}L{x + dx * (RADIUS + 18):.1f} {y + dy * (RADIUS + 18):.1f}",
            1.4,
        )


def hills() -> Iterator[str]:
    x, y = GATE
    left, right = x - RADIUS - 4, x + RADIUS + 4
    yield (
        f'<path d="M{left} {y + 54}C{x - 150} {y + 6} {x - 96} {y - 6} {x - 46} {y + 34}C{x - 10} {y + 12} {x + 40} {y - 22} '
        f'{x + 92} {y + 22}C{x + 130} {y + 2} {x + 170} {y + 18} {right} {y + 46}V{y + 220}H{left}Z" fill="{HILL_FAR}"/>'
    )
    yield (
        f'<path d="M{left} {y + 78}C{x - 140} {y + 50} {x - 90} {y + 84} {x - 30} {y + 74}C{x + 30} {y + 44} {x + 80} {y + 66} '
        f'{x + 120} {y + 60}C{x + 160} {y + 52} {x + 180} {y + 66} {right} {y + 72}V{y + 220}H{left}Z" fill="{HILL_NEAR}"/>'
    )
    floor = y + 128
    yield f'<path d="{block(left, floor, right - left, 120)}" fill="{IVORY}"/>'
    yield line(f"M{left} {floor}H{right}", 2, GREEN)
    for place in range(-4, 5):
        yield line(f"M{x + place * 40} {floor}L{x + place * 92} {floor + 90}", 1.2, GREEN)
    yield line(f"M{left} {floor + 30}H{right}", 1.2, GREEN)


def tea_table() -> Iterator[str]:
    """A long-legged table with pot and cups, and a round-backed chair on either side of it."""
    x, y = GATE
    ink, foot = GREEN, y + 150
    top = foot - 96
    for side in (-1, 1):
        chair = x + side * 118
        seat = foot - 58
        back = chair + side * 26
        # the horseshoe rail sweeps from the back down to the arm
        yield line(f"M{back} {foot}V{seat - 64}", 3.4, ink)
        yield line(
            f"M{back} {seat - 64}C{back - side * 4} {seat - 76} {back - side * 20} {seat - 58} {chair - side * 28} {seat - 30}"
            f"C{chair - side * 32} {seat - 24} {chair - side * 34} {seat - 26} {chair - side * 36} {seat - 30}",
            3.4,
            ink,
        )
        yield line(f"M{chair - side * 26} {seat - 32}V{foot}M{chair - side * 2} {seat}V{seat - 50}", 2.4, ink)
        yield line(block(min(back, chair - side * 30), seat, 56, 8), 2.4, ink, IVORY)
        yield line(f"M{back} {foot - 20}H{chair - side * 26}M{back} {foot - 12}H{chair - side * 26}", 2, ink)
    yield line(block(x - 76, top, 152, 8), 2.8, ink, IVORY)
    yield line(f"M{x - 64} {top + 8}V{foot}M{x + 64} {top + 8}V{foot}", 3.4, ink)
    yield line(
        f"M{x - 64} {top + 26}H{x + 64}M{x - 64} {top + 8}C{x - 50} {top + 8} {x - 58} {top + 24} {x - 44} {top + 26}M{x + 64} {top + 8}C{x + 50} {top + 8} {x + 58} {top + 24} {x + 44} {top + 26}",
        2,
        ink,
    )
    # pot, two cups, a book
    pot = x - 12
    yield line(
        f"M{pot - 20} {top}C{pot - 32} {top - 12} {pot - 28} {top - 28} {pot - 12} {top - 30}H{pot + 12}"
        f"C{pot + 28} {top - 28} {pot + 32} {top - 12} {pot + 20} {top}Z",
        2.4,
        ink,
        CINNABAR,
    )
    yield line(
        f"M{pot + 26} {top - 12}C{pot + 36} {top - 14} {pot + 36} {top - 26} {pot + 44} {top - 28}", 3, ink
    )
    yield line(
        f"M{pot - 26} {top - 10}C{pot - 44} {top - 10} {pot - 44} {top - 28} {pot - 24} {top - 24}", 2.4, ink
    )
    yield line(
        f"M{pot - 8} {top - 30}C{pot - 8} {top - 36} {pot + 8} {top - 36} {pot + 8} {top - 30}",
        2.4,
        ink,
        CINNABAR,
    )
    for cup in (x + 44, x - 58):
        yield line(f"M{cup - 8} {top - 12}H{cup + 8}L{cup + 5} {top}H{cup - 5}Z", 2, ink, IVORY)
    yield line(
        f"M{pot + 34} {top - 52}C{pot + 28} {top - 60} {pot + 40} {top - 66} {pot + 34} {top - 76}", 1.6, ink
    )


def plum() -> Iterator[str]:
    """A branch that leans in from the upper right, with a few open flowers."""
    x, y = GATE
    yield line(
        f"M{x + 206} {y - 96}C{x + 160} {y - 92} {x + 140} {y - 120} {x + 104} {y - 116}C{x + 74} {y - 112} {x + 60} {y - 136} {x + 26} {y - 134}",
        5,
        GREEN,
    )
    yield line(
        f"M{x + 150} {y - 108}C{x + 136} {y - 136} {x + 118} {y - 146} {x + 100} {y - 164}M{x + 104} {y - 116}C{x + 88} {y - 94} {x + 70} {y - 92} {x + 52} {y - 78}",
        3,
        GREEN,
    )
    for dx, dy, size in (
        (26, -134, 13),
        (62, -128, 10),
        (100, -164, 12),
        (122, -142, 8),
        (52, -78, 11),
        (86, -98, 8),
        (134, -116, 11),
    ):
        for petal in range(5):
            angle = math.tau * petal / 5 - math.pi / 2
            yield f'<circle cx="{x + dx + math.cos(angle) * size * 0.62:.1f}" cy="{y + dy + math.sin(angle) * size * 0.62:.1f}" r="{size * 0.52:.1f}" fill="{CINNABAR}"/>'
        yield f'<circle cx="{x + dx}" cy="{y + dy}" r="{size * 0.24:.1f}" fill="{IVORY}"/>'


def steps() -> Iterator[str]:
    """Two stone steps before the gate hide the foot of the ring."""
    x = GATE[0]
    for half, top, high in ((118, GROUND - 54, 27), (168, GROUND - 27, 27)):
        yield line(block(x - half, top, half * 2, high), 2.4, fill=WALL)


# ── what grows behind ────────────────────────────────────────────────────────────────────────────


def pine() -> Iterator[str]:
    """An old pine on the right: a bent stem, boughs, and needles in fans."""
    chance = random.Random(7)
    left, top = 726.0, 8.0

    def moved(points: Iterable[Point]) -> list[Point]:
        return [(left + x, top + y) for x, y in points]

    def bough(points: list[Point], width: float) -> str:
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = moved(points)
        return line(f"M{x0} {y0}C{x1} {y1} {x2} {y2} {x3} {y3}", width)

    for side in (0, 26):
        yield bough(
            [(120 + side, 170), (104 + side, 130), (150 + side * 0.8, 116), (140 + side * 0.7, 76)], 2.4
        )
        yield bough(
            [(140 + side * 0.7, 76), (136 + side * 0.6, 56), (152 + side * 0.5, 46), (160 + side * 0.2, 30)],
            2.4,
        )
    yield bough([(124, 122), (90, 112), (70, 118), (34, 96)], 2.2)
    yield bough([(158, 104), (200, 92), (226, 98), (268, 78)], 2.2)
    yield bough([(140, 74), (116, 54), (100, 56), (78, 40)], 2.2)
    for along, down, size in (
        (30, 94, 52),
        (82, 106, 44),
        (272, 78, 56),
        (214, 92, 46),
        (76, 40, 46),
        (166, 28, 58),
    ):
        x, y = left + along, top + down
        fans = 17
        yield line(
            f"M{x - size * 0.95:.1f} {y + 5}C{x - size * 0.4:.1f} {y + 12} {x + size * 0.4:.1f} {y + 12} {x + size * 0.95:.1f} {y + 5}",
            1.6,
            fill=GREEN,
        )
        for place in range(fans):
            angle = math.pi * (0.04 + 0.92 * place / (fans - 1))
            reach = size * (0.86 + chance.uniform(-0.07, 0.07))
            root = x + math.cos(angle) * size * 0.34
            yield line(
                f"M{root:.1f} {y + 5}L{x + math.cos(angle) * reach * 1.08:.1f} {y + 5 - math.sin(angle) * reach * 0.58:.1f}",
                1.5,
            )


def bamboo() -> Iterator[str]:
    """Bamboo that looks over the wall on the left, its leaves in the strokes of 个."""
    for x, lean in ((96, 10), (138, -4)):
        top = COPING - 96 + abs(lean) * 2
        for side, end in ((-4.2, -0.4), (4.2, 0.4)):
            yield line(f"M{x + side} {COPING}L{x + lean + end:.1f} {top}", 1.8)
        for level in (0.3, 0.66):
            at, y = x + lean * level, COPING + (top - COPING) * level
            half = 4.2 * (1 - level) + 2.6
            yield line(f"M{at - half:.1f} {y:.1f}H{at + half:.1f}", 1.8)
    for x, y, way in ((106, 74, -1), (99, 112, -1), (134, 82, 1), (137, 118, 1)):
        for turn, long in ((-0.1, 50.0), (0.5, 58.0), (1.05, 52.0)):
            angle = math.pi / 2 - way * turn * 0.95
            thick = 7.5
            dx, dy = math.cos(angle), math.sin(angle)
            tip = (x + dx * long, y + dy * long)
            a = (x + dx * long * 0.4 - dy * thick, y + dy * long * 0.4 + dx * thick)
            b = (x + dx * long * 0.4 + dy * thick, y + dy * long * 0.4 - dx * thick)
            yield line(
                f"M{x} {y}Q{a[0]:.1f} {a[1]:.1f} {tip[0]:.1f} {tip[1]:.1f}Q{b[0]:.1f} {b[1]:.1f} {x} {y}Z",
                1.4,
                fill=GREEN,
            )


def measures() -> Iterator[str]:
    """The draughtsman's lines: axes through the gate, and its width below the coping."""
    x, y = GATE
    ink = "#8f7a4e"
    reach = RADIUS + 64
    dash = 'stroke-dasharray="22 6 4 6"'
    yield f'<path d="M{x} {y - reach + 18}V{y - RADIUS - 20}M{x - reach} {y}H{x - RADIUS - 20}M{x + RADIUS + 20} {y}H{x + reach}" fill="none" stroke="{ink}" stroke-width="1.4" {dash}/>'


def scene() -> str:
    parts = [
        *pine(),
        *bamboo(),
        *wall(),
        *coping(),
        *lattice_window(228, 452, 196),
        *measures(),
        *gate(),
        *steps(),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(scene(), encoding="utf-8")
