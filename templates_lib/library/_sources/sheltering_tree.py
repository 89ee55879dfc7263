"""Print the sheltering tree of the insurance poster: a tree that is an umbrella, and who stands under it.

Usage: python sheltering_tree.py OUT.jpg. Same seed, same picture.

Made like a stencil print with few inks. Every shape is a polygon laid on in one flat ink; volume
comes from a second ink sprayed over the side away from the light, as grains. Only the lamplight in
the air is a true gradient.
"""

import sys
from math import cos, hypot, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.float32]
Point = tuple[float, float]
Shape = list[Point]
Ink = str

SEED = 12
WIDTH, HEIGHT = 1080, 1400
SCALE = 2  # picture pixels a unit
FINE = 3  # the edge of a shape is drawn this much finer

NIGHT, DUSK, RAIN = "#1f3350", "#2c4768", "#5f7fa3"
CORAL, RUST, EMBER = "#e8643f", "#b53d2a", "#f5895c"
BUTTER, CREAM = "#f8ca70", "#fdf1dc"
PINE, MOSS = "#1c4a4c", "#3d7463"
SKIN, TAN, HAIR, SILVER = "#f0b48f", "#d99770", "#2a2234", "#cfc8c4"

GROUND = 1300
PANELS = 5
CANOPY = (548, 930, 478, 336)  # centre x, lower edge, half width, height
SLANT = 0.16  # how far rain drifts to the left for every unit it falls


# ── shapes ───────────────────────────────────────────────────────────────────────────────────────


def soft(points: Shape, closed: bool = True, steps: int = 14) -> Shape:
    """A smooth line through the points (Catmull-Rom)."""
    count = len(points)
    padded = [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1]]
    line: Shape = []
    for place in range(count if closed else count - 1):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = padded[place : place + 4]
        for step in range(steps):
            t = step / steps
            line.append(
                tuple(
                    0.5
                    * (
                        2 * b
                        + (c - a) * t
                        + (2 * a - 5 * b + 4 * c - d) * t**2
                        + (3 * b - a - 3 * c + d) * t**3
                    )
                    for a, b, c, d in ((ax, bx, cx, dx), (ay, by, cy, dy))
                )
            )
    if not closed:
        line.append(points[-1])
    return line


def oval(x: float, y: float, across: float, down: float, turn: float = 0) -> Shape:
    return [
        (
            x + across * cos(a) * cos(turn) - down * sin(a) * sin(turn),
            y + across * cos(a) * sin(turn) + down * sin(a) * cos(turn),
        )
        for a in (2 * pi * i / 64 for i in range(64))
    ]


def limb(points: Shape, start: float, end: float) -> Shape:
    """A bent limb that tapers from one width to the other, round at both ends."""
    line = soft(points, closed=False)
    left: Shape = []
    right: Shape = []
    for place, (x, y) in enumerate(line):
        (ax, ay), (bx, by) = line[max(place - 1, 0)], line[min(place + 1, len(line) - 1)]
        length = hypot(bx - ax, by - ay) or 1
        half = (start + (end - start) * place / (len(line) - 1)) / 2
        nx, ny = -(by - ay) / length * half, (bx - ax) / length * half
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return left + cap(line[-1], left[-1]) + right[::-1] + cap(line[0], right[0])


def cap(centre: Point, start: Point) -> Shape:
    """Half a circle from this side of a limb's end round to the other."""
    angle = np.arctan2(start[1] - centre[1], start[0] - centre[0])
    radius = hypot(start[0] - centre[0], start[1] - centre[1])
    return [
        (centre[0] + radius * cos(angle - pi * i / 12), centre[1] + radius * sin(angle - pi * i / 12))
        for i in range(1, 12)
    ]


def box(x: float, y: float, width: float, height: float) -> Shape:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


# ── printing ─────────────────────────────────────────────────────────────────────────────────────


def rgb(ink: Ink) -> Field:
    return np.array([int(ink[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


class Sheet:
    """The paper the inks go on, one shape after the other."""

    def __init__(self, ink: Ink) -> None:
        self.size = (WIDTH * SCALE, HEIGHT * SCALE)
        self.paper = np.empty((self.size[1], self.size[0], 3), np.float32)
        self.paper[:] = rgb(ink)
        chance = np.random.default_rng(SEED)
        noise = Image.fromarray(chance.normal(0, 40, self.paper.shape[:2]).astype(np.float32) + 128)
        blurred = np.asarray(noise.convert("L").filter(ImageFilter.GaussianBlur(0.9)), np.float32)
        order = np.searchsorted(np.sort(blurred.ravel()[::97]), blurred.ravel())
        self.grain = (order.reshape(blurred.shape) / (order.max() + 1)).astype(np.float32)

    def mask(self, shapes: list[Shape]) -> tuple[slice, slice, Field]:
        """How much of each pixel the shapes cover, and where on the sheet."""
        points = [point for shape in shapes for point in shape]
        margin = 2
        x0 = max(int(min(x for x, _ in points) * SCALE) - margin, 0)
        y0 = max(int(min(y for _, y in points) * SCALE) - margin, 0)
        x1 = min(int(max(x for x, _ in points) * SCALE) + margin + 1, self.size[0])
        y1 = min(int(max(y for _, y in points) * SCALE) + margin + 1, self.size[1])
        canvas = Image.new("L", ((x1 - x0) * FINE, (y1 - y0) * FINE))
        pen = ImageDraw.Draw(canvas)
        for shape in shapes:
            pen.polygon([((x * SCALE - x0) * FINE, (y * SCALE - y0) * FINE) for x, y in shape], fill=255)
        small = canvas.resize((x1 - x0, y1 - y0), Image.Resampling.BOX)
        return slice(y0, y1), slice(x0, x1), np.asarray(small, np.float32) / 255

    def lay(self, *shapes: Shape, ink: Ink, cover: float = 1) -> None:
        rows, columns, mask = self.mask(list(shapes))
        self.paper[rows, columns] += (rgb(ink) - self.paper[rows, columns]) * (mask * cover)[..., None]

    def spray(self, where: Field, ink: Ink, rows: slice = slice(None), columns: slice = slice(None)) -> None:
        """Grains of an ink, as dense as `where` says (0…1)."""
        grains = np.clip((where - self.grain[rows, columns]) / 0.22 + 0.5, 0, 1) * (where > 0.004)
        self.paper[rows, columns] += (rgb(ink) - self.paper[rows, columns]) * grains[..., None]

    def shade(self, *shapes: Shape, ink: Ink, towards: Point, reach: float, strength: float = 0.9) -> None:
        """Spray the rim of a shape on the side it has in the direction `towards`."""
        rows, columns, mask = self.mask(list(shapes))
        pad = int(reach * SCALE * 1.5) + 4
        wide = np.pad(mask, pad)
        blurred = Image.fromarray((wide * 255).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(reach * SCALE / 2)
        )
        moved = np.roll(
            np.asarray(blurred, np.float32) / 255,
            (round(-towards[1] * reach * SCALE * 0.6), round(-towards[0] * reach * SCALE * 0.6)),
            (0, 1),
        )[pad:-pad, pad:-pad]
        self.spray(np.clip(1 - moved, 0, 1) ** 1.5 * strength * mask, ink, rows, columns)

    def picture(self) -> Image.Image:
        return Image.fromarray(np.clip(self.paper + 0.5, 0, 255).astype(np.uint8))


def units() -> tuple[Field, Field]:
    """The coordinates of every pixel, in the units the shapes are drawn in."""
    y, x = np.mgrid[0 : HEIGHT * SCALE, 0 : WIDTH * SCALE].astype(np.float32)
    return x / SCALE, y / SCALE


# ── the night ────────────────────────────────────────────────────────────────────────────────────


def sheltered(x: float, y: float) -> bool:
    """Whether rain that would reach this place meets the tree first."""
    centre, edge, half, tall = CANOPY
    if y > edge:
        x, y = x + (y - edge) * SLANT, edge
    return ((x - centre) / (half + 10)) ** 2 + ((y - edge) / (tall + 14)) ** 2 < 1


def night(sheet: Sheet) -> None:
    x, y = units()
    far = np.hypot((x - 540) / 600, (y - 1180) / 400)
    stops = (0.30, 0.62, 0.84, 1.0)
    inks = np.stack([rgb(ink) for ink in (BUTTER, "#eda95f", "#94655a", NIGHT)])
    for channel in range(3):
        sheet.paper[..., channel] = np.interp(far, stops, inks[:, channel])
    ring = np.clip(1 - np.abs(far - 0.80) / 0.20, 0, 1)
    sheet.spray(ring * 0.34, NIGHT)
    sheet.spray(np.clip(1 - np.abs(far - 0.60) / 0.22, 0, 1) * 0.24, BUTTER)


def rain(sheet: Sheet) -> None:
    chance = np.random.default_rng(SEED + 1)
    for _ in range(430):
        x, y = chance.uniform(0, WIDTH), chance.uniform(4, GROUND + 20)
        long = chance.uniform(22, 66)
        ends = ((x, y), (x - long * SLANT, y + long))
        if any(sheltered(*end) or not 0 < end[0] < WIDTH for end in ends) or ends[1][1] > GROUND + 20:
            continue
        # thinner where the poster's words stand
        heavy = 0.45 if y < 560 and x < 740 else 1
        cover = float(chance.uniform(0.35, 0.9)) * heavy
        sheet.lay(limb([ends[0], ends[1]], 1.2, 2.6), ink=RAIN, cover=cover)


def tree(sheet: Sheet) -> None:
    centre, edge, half, tall = CANOPY
    step = 2 * half / PANELS
    joints = [(centre - half + i * step, edge - 8 * (2 - abs(2 * i / PANELS - 1))) for i in range(PANELS + 1)]
    trunk = soft(
        [
            (448, GROUND + 16), (500, GROUND + 2), (524, GROUND - 44), (530, 1180), (534, 1060), (538, 880),
            (566, 880), (568, 1060), (572, 1180), (580, GROUND - 44), (604, GROUND + 2), (652, GROUND + 16), (550, GROUND + 22),
        ]
    )  # fmt: skip
    branches = [
        limb([(550, 1150), (520, 1050), (joints[2][0] + 14, edge - 40)], 24, 12),
        limb([(552, 1150), (584, 1050), (joints[3][0] - 14, edge - 40)], 24, 12),
        limb([(548, 1110), (450, 1000), (joints[1][0] + 20, edge - 30)], 18, 9),
        limb([(554, 1110), (650, 1000), (joints[4][0] - 20, edge - 30)], 18, 9),
    ]
    sheet.lay(trunk, *branches, ink=NIGHT)
    sheet.shade(trunk, ink=RUST, towards=(-1, 0), reach=26, strength=0.5)
    # the crown is an umbrella of panels that meet at its top
    crown: Shape = []
    panels = []
    for place in range(PANELS):
        left, right = joints[place], joints[place + 1]
        hem = [
            (
                left[0] + (right[0] - left[0]) * t / 16,
                left[1] + (right[1] - left[1]) * t / 16 - 34 * sin(pi * t / 16),
            )
            for t in range(17)
        ]
        panels.append(hem + rib(right[0])[::-1] + rib(left[0]))
        crown += hem
    crown = crown + [
        (centre + half * cos(a), edge - 8 - (tall - 8) * sin(a)) for a in (pi * i / 80 for i in range(81))
    ]
    sheet.lay(crown, ink=CORAL)
    for place, panel in enumerate(panels):
        sheet.shade(panel, ink=RUST, towards=(0.9, 0.25), reach=58 + 10 * place, strength=0.62 + 0.09 * place)
        if place < 3:
            sheet.shade(panel, ink=EMBER, towards=(-0.9, -0.3), reach=54, strength=0.8 - 0.2 * place)
    leaves(sheet, centre, edge, half, tall)


def rib(x: float) -> Shape:
    """The seam from the top of the crown down to its hem at `x`."""
    centre, edge, half, tall = CANOPY
    out = (x - centre) / half
    foot = edge - 8 * (2 - abs(out))
    return [
        (centre + half * out * sin(a), foot - (foot - edge + tall) * cos(a))
        for a in (pi / 2 * i / 30 for i in range(31))
    ]


def leaves(sheet: Sheet, centre: float, edge: float, half: float, tall: float) -> None:
    """Twigs of three leaves, strewn over the crown and turned with it."""
    chance = np.random.default_rng(SEED + 4)
    placed: list[Point] = []
    for _ in range(3000):
        a, r = chance.uniform(0.1, pi - 0.1), chance.uniform(0.1, 0.88)
        x, y = centre + half * r * cos(a), edge - 66 - (tall - 76) * r * sin(a)
        if not all(hypot(x - px, y - py) > 78 for px, py in placed):
            continue
        placed.append((x, y))
        turn = float(np.arctan2(y - edge - 300, x - centre)) + chance.uniform(-0.3, 0.3)
        lit = (x - centre) / half * 0.7 - (edge - y) / tall * 0.5 < -0.18
        ink = BUTTER if lit and chance.random() < 0.22 else (EMBER if lit else RUST)
        sheet.lay(
            *(leaf(x, y, turn + bend, long) for bend, long in ((-0.75, 24), (0, 31), (0.75, 24))), ink=ink
        )


def leaf(x: float, y: float, turn: float, long: float) -> Shape:
    outline = ((0, 0), (0.35, 0.2), (0.68, 0.17), (1, 0), (0.68, -0.17), (0.35, -0.2))
    c, s = cos(turn), sin(turn)
    return soft([(x + long * (u * c - v * s), y + long * (u * s + v * c)) for u, v in outline], steps=6)


# ── the ground and the house ─────────────────────────────────────────────────────────────────────


def ground(sheet: Sheet) -> None:
    hill = soft(
        [
            (-40, 1330),
            (160, 1306),
            (420, 1296),
            (700, 1298),
            (940, 1312),
            (1120, 1334),
            (1120, 1500),
            (-40, 1500),
        ],
        steps=20,
    )
    sheet.lay(hill, ink=PINE)
    x, y = units()
    rows, columns, mask = sheet.mask([hill])
    pool = np.clip(1 - np.hypot((x - 545) / 470, (y - 1300) / 92), 0, 1)[rows, columns]
    sheet.spray(pool**0.8 * 0.9 * mask, MOSS, rows, columns)
    sheet.spray(np.clip(pool - 0.35, 0, 1) * 1.1 * mask, BUTTER, rows, columns)


def splashes(sheet: Sheet) -> None:
    chance = np.random.default_rng(SEED + 9)
    for _ in range(60):
        x, y = chance.uniform(10, WIDTH - 10), chance.uniform(1326, 1390)
        if sheltered(x, y) or sheltered(x, 1300):
            continue
        wide = chance.uniform(7, 15)
        ring = oval(x, y, wide, wide * 0.3)
        inside = oval(x, y, wide - 2.4, wide * 0.3 - 1.5)
        sheet.lay(ring, ink=RAIN, cover=0.75)
        sheet.lay(inside, ink=PINE)


def house(sheet: Sheet) -> None:
    left, base, wide, wall = 128, 1306, 228, 170
    top = base - wall
    roof = [(left - 30, top + 8), (left + wide / 2, top - 112), (left + wide + 30, top + 8)]
    chimney = box(left + wide * 0.68, top - 108, 30, 46)
    sheet.lay(chimney, ink=RUST)
    front = box(left, top, wide, wall)
    gable = [(left, top + 2), (left + wide / 2, top - 100), (left + wide, top + 2)]
    sheet.lay(front, gable, ink=CREAM)
    sheet.shade(front, gable, ink=EMBER, towards=(-0.9, 0.1), reach=90, strength=0.55)
    eaves = [limb([roof[0], roof[1]], 20, 20), limb([roof[1], roof[2]], 20, 20)]
    sheet.lay(*eaves, ink=NIGHT)
    # door, window, a round light in the gable
    sheet.lay(box(left + 140, base - 112, 62, 112), ink=CORAL)
    sheet.shade(box(left + 140, base - 112, 62, 112), ink=RUST, towards=(-1, 0), reach=40)
    sheet.lay(oval(left + 192, base - 54, 3.6, 3.6), ink=CREAM)
    pane = box(left + 34, base - 118, 78, 66)
    sheet.lay(pane, ink=BUTTER)
    sheet.shade(pane, ink=EMBER, towards=(0, 1), reach=34, strength=0.7)
    sheet.lay(box(left + 71, base - 118, 4, 66), box(left + 34, base - 87, 78, 4), ink=NIGHT)
    sheet.lay(box(left + 28, base - 52, 90, 7), ink=NIGHT)
    sheet.lay(oval(left + wide / 2, top - 34, 17, 17), ink=BUTTER)


# ── the family ───────────────────────────────────────────────────────────────────────────────────


def head(sheet: Sheet, x: float, y: float, size: float) -> None:
    """Neck and face, without features: anybody's."""
    sheet.lay(limb([(x, y + size * 0.5), (x, y + size * 1.35)], size * 0.62, size * 0.7), ink=TAN)
    sheet.lay(oval(x, y, size * 0.86, size), ink=SKIN)


def father(sheet: Sheet, x: float, base: float) -> None:
    """A man with a child on his shoulders."""
    hip, neck = base - 112, base - 206
    sheet.lay(
        limb([(x - 15, hip), (x - 20, base - 56), (x - 22, base - 6)], 34, 22),
        limb([(x + 15, hip), (x + 20, base - 56), (x + 24, base - 6)], 34, 22),
        ink=NIGHT,
    )
    sheet.lay(
        limb([(x - 24, base - 3), (x - 38, base - 1)], 13, 11),
        limb([(x + 26, base - 3), (x + 40, base - 1)], 13, 11),
        ink=HAIR,
    )
    body = soft(
        [
            (x - 36, neck + 12),
            (x, neck),
            (x + 36, neck + 12),
            (x + 39, hip - 40),
            (x + 34, hip + 8),
            (x, hip + 14),
            (x - 34, hip + 8),
            (x - 39, hip - 40),
        ]
    )
    head_y = neck - 30
    # the child sits behind the head: its body first
    child_y = head_y - 30
    sheet.lay(
        soft(
            [
                (x - 24, child_y + 18),
                (x - 20, child_y - 30),
                (x, child_y - 40),
                (x + 20, child_y - 30),
                (x + 24, child_y + 18),
                (x, child_y + 26),
            ]
        ),
        ink=CORAL,
    )
    sheet.lay(body, ink=PINE)
    sheet.shade(body, ink=NIGHT, towards=(1, 0.2), reach=36, strength=0.9)
    for side in (-1, 1):
        sheet.lay(
            limb(
                [(x + side * 10, head_y - 6), (x + side * 24, neck + 2), (x + side * 22, neck + 40)], 19, 14
            ),
            ink=NIGHT,
        )
    head(sheet, x, head_y, 23)
    sheet.lay(
        soft(
            [
                (x - 21, head_y - 2),
                (x - 19, head_y - 20),
                (x, head_y - 27),
                (x + 19, head_y - 20),
                (x + 21, head_y - 2),
                (x + 14, head_y - 11),
                (x, head_y - 13),
                (x - 14, head_y - 11),
            ]
        ),
        ink=HAIR,
    )
    # his hands hold the child's feet
    for side in (-1, 1):
        sheet.lay(limb([(x + side * 22, neck + 42), (x + side * 16, neck + 48)], 12, 11), ink=CREAM)
        sheet.lay(
            limb(
                [(x + side * 33, neck + 18), (x + side * 52, neck + 56), (x + side * 26, neck + 46)], 20, 13
            ),
            ink=PINE,
        )
        sheet.lay(oval(x + side * 25, neck + 45, 7.5, 7), ink=SKIN)
    # child: one arm up, pointing into the tree
    sheet.lay(
        limb([(x + 17, child_y - 24), (x + 34, child_y - 44), (x + 46, child_y - 72)], 14, 10), ink=CORAL
    )
    sheet.lay(oval(x + 48, child_y - 78, 6.5, 7), ink=SKIN)
    sheet.lay(limb([(x - 17, child_y - 24), (x - 25, child_y - 4), (x - 16, head_y - 16)], 14, 10), ink=CORAL)
    sheet.lay(oval(x - 14, head_y - 15, 6.5, 6), ink=SKIN)
    top = child_y - 58
    head(sheet, x + 2, top, 19)
    sheet.lay(
        soft(
            [
                (x - 17, top + 2),
                (x - 17, top - 13),
                (x - 2, top - 23),
                (x + 16, top - 18),
                (x + 21, top - 2),
                (x + 12, top - 10),
                (x - 6, top - 8),
            ]
        ),
        ink=HAIR,
    )


def mother(sheet: Sheet, x: float, base: float) -> None:
    """A woman in a long coat; her right hand holds a girl's."""
    neck, hip = base - 196, base - 110
    sheet.lay(
        limb([(x - 10, base - 60), (x - 11, base - 6)], 16, 13),
        limb([(x + 10, base - 60), (x + 11, base - 6)], 16, 13),
        ink=TAN,
    )
    sheet.lay(
        limb([(x - 12, base - 3), (x - 21, base - 1)], 12, 9),
        limb([(x + 12, base - 3), (x + 21, base - 1)], 12, 9),
        ink=HAIR,
    )
    top = neck - 28
    sheet.lay(
        soft(
            [
                (x - 25, top - 4),
                (x - 14, top - 26),
                (x + 12, top - 27),
                (x + 25, top - 6),
                (x + 27, top + 30),
                (x + 18, top + 44),
                (x - 18, top + 44),
                (x - 27, top + 30),
            ]
        ),
        ink=HAIR,
    )
    coat = soft(
        [
            (x - 28, neck + 12),
            (x, neck + 2),
            (x + 28, neck + 12),
            (x + 30, hip - 34),
            (x + 44, base - 48),
            (x + 30, base - 42),
            (x, base - 40),
            (x - 30, base - 42),
            (x - 44, base - 48),
            (x - 30, hip - 34),
        ]
    )
    sheet.lay(coat, ink=RUST)
    sheet.shade(coat, ink=NIGHT, towards=(1, 0.2), reach=34, strength=0.6)
    sheet.lay(limb([(x - 26, neck + 18), (x - 38, neck + 56), (x - 46, neck + 92)], 19, 13), ink=RUST)
    sheet.lay(limb([(x + 26, neck + 18), (x + 42, neck + 58), (x + 62, neck + 90)], 19, 13), ink=RUST)
    sheet.lay(oval(x - 47, neck + 97, 7, 8), oval(x + 65, neck + 95, 7, 8), ink=SKIN)
    head(sheet, x, top, 22)
    sheet.lay(limb([(x - 16, neck + 3), (x, neck + 9), (x + 16, neck + 3)], 15, 15), ink=CREAM)
    sheet.lay(
        soft(
            [
                (x - 22, top + 4),
                (x - 20, top - 17),
                (x, top - 26),
                (x + 20, top - 17),
                (x + 23, top + 6),
                (x + 12, top - 12),
                (x - 4, top - 14),
            ]
        ),
        ink=HAIR,
    )


def girl(sheet: Sheet, x: float, base: float) -> None:
    neck = base - 104
    sheet.lay(
        limb([(x - 9, base - 44), (x - 10, base - 6)], 13, 11),
        limb([(x + 9, base - 44), (x + 10, base - 6)], 13, 11),
        ink=SKIN,
    )
    sheet.lay(
        limb([(x - 11, base - 3), (x - 18, base - 1)], 11, 9),
        limb([(x + 11, base - 3), (x + 18, base - 1)], 11, 9),
        ink=NIGHT,
    )
    sheet.lay(limb([(x - 14, neck + 12), (x - 26, neck), (x - 34, neck - 4)], 13, 10), ink=CREAM)
    sheet.lay(oval(x - 36, neck - 7, 7, 7.5), ink=SKIN)
    sheet.lay(limb([(x + 14, neck + 12), (x + 24, neck + 34), (x + 30, neck + 52)], 13, 9), ink=CREAM)
    sheet.lay(oval(x + 31, neck + 57, 6, 6.5), ink=SKIN)
    dress = soft(
        [
            (x - 17, neck + 7),
            (x, neck + 1),
            (x + 17, neck + 7),
            (x + 19, neck + 34),
            (x + 34, base - 34),
            (x, base - 28),
            (x - 34, base - 34),
            (x - 19, neck + 34),
        ]
    )
    sheet.lay(dress, ink=CREAM)
    sheet.shade(dress, ink=EMBER, towards=(1, 0.3), reach=28, strength=0.7)
    top = neck - 20
    sheet.lay(oval(x - 20, top - 8, 9, 11), oval(x + 21, top - 8, 9, 11), ink=HAIR)
    head(sheet, x, top, 19)
    sheet.lay(
        soft(
            [
                (x - 18, top + 2),
                (x - 16, top - 14),
                (x, top - 22),
                (x + 16, top - 14),
                (x + 18, top + 2),
                (x + 9, top - 8),
                (x - 8, top - 8),
            ]
        ),
        ink=HAIR,
    )


def grandmother(sheet: Sheet, x: float, base: float) -> None:
    """An old woman by the door, one hand raised."""
    neck = base - 168
    sheet.lay(
        limb([(x - 9, base - 50), (x - 9, base - 6)], 17, 14),
        limb([(x + 9, base - 50), (x + 9, base - 6)], 17, 14),
        ink=HAIR,
    )
    sheet.lay(
        limb([(x - 10, base - 3), (x - 18, base - 1)], 12, 10),
        limb([(x + 10, base - 3), (x + 18, base - 1)], 12, 10),
        ink=NIGHT,
    )
    coat = soft(
        [
            (x - 27, neck + 12),
            (x, neck + 2),
            (x + 27, neck + 12),
            (x + 34, neck + 60),
            (x + 33, base - 44),
            (x, base - 38),
            (x - 33, base - 44),
            (x - 34, neck + 60),
        ]
    )
    sheet.lay(limb([(x + 24, neck + 20), (x + 48, neck + 22), (x + 58, neck - 12)], 18, 12), ink=PINE)
    sheet.lay(oval(x + 60, neck - 20, 7, 8), ink=SKIN)
    sheet.lay(coat, ink=PINE)
    sheet.shade(coat, ink=NIGHT, towards=(-1, 0.2), reach=34, strength=0.85)
    sheet.lay(limb([(x - 24, neck + 20), (x - 34, neck + 58), (x - 12, neck + 76)], 18, 13), ink=PINE)
    sheet.lay(oval(x - 8, neck + 77, 7.5, 6.5), ink=SKIN)
    top = neck - 22
    sheet.lay(oval(x - 5, top - 26, 11, 10), ink=SILVER)
    head(sheet, x, top, 21)
    sheet.lay(
        soft(
            [
                (x - 21, top + 8),
                (x - 20, top - 14),
                (x, top - 25),
                (x + 20, top - 14),
                (x + 20, top + 4),
                (x + 10, top - 10),
                (x - 8, top - 8),
            ]
        ),
        ink=SILVER,
    )


def dog(sheet: Sheet, x: float, base: float) -> None:
    """A small dog that sits and looks up."""
    sheet.lay(limb([(x + 22, base - 10), (x + 35, base - 22), (x + 34, base - 40)], 9, 6), ink=HAIR)
    body = soft(
        [
            (x - 14, base - 52),
            (x + 2, base - 56),
            (x + 20, base - 36),
            (x + 28, base - 6),
            (x + 8, base),
            (x - 12, base),
            (x - 16, base - 26),
        ]
    )
    sheet.lay(body, limb([(x - 12, base - 34), (x - 14, base - 4)], 12, 10), ink=HAIR)
    sheet.lay(
        oval(x - 9, base - 66, 16, 14, -0.2),
        limb([(x - 16, base - 66), (x - 32, base - 66)], 15, 9),
        ink=HAIR,
    )
    sheet.lay(
        soft([(x - 4, base - 76), (x + 10, base - 72), (x + 8, base - 52), (x - 1, base - 58)]), ink=NIGHT
    )
    sheet.lay(limb([(x - 14, base - 50), (x + 4, base - 52)], 5, 5), ink=CORAL)


def shadow(sheet: Sheet, x: float, base: float, wide: float) -> None:
    sheet.lay(oval(x, base + 2, wide, wide * 0.12), ink=NIGHT, cover=0.55)


def draw() -> Image.Image:
    sheet = Sheet(NIGHT)
    night(sheet)
    rain(sheet)
    ground(sheet)
    house(sheet)
    tree(sheet)
    splashes(sheet)
    for x, base, wide in (
        (424, 1312, 44),
        (664, 1320, 54),
        (808, 1326, 54),
        (909, 1332, 34),
        (733, 1334, 36),
    ):
        shadow(sheet, x, base, wide)
    grandmother(sheet, 424, 1312)
    father(sheet, 664, 1320)
    dog(sheet, 733, 1336)
    mother(sheet, 808, 1326)
    girl(sheet, 909, 1332)
    return sheet.picture()


if __name__ == "__main__":
    draw().save(Path(sys.argv[1]), quality=85, optimize=True, progressive=True)
