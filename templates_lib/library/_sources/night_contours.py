"""Draw the night map of the wealth poster: a made-up massif, its relief and its contour lines.

Usage: python night_contours.py OUT_FOLDER. Writes relief.jpg and contours.svg; same seed, same map.

The ground is a sum of hills bent by slow noise. Relief is what a low light from the north-west
leaves on it, kept so dark that words stay readable. The lines follow the same ground every
`INTERVAL` of height; each fifth is an index line, drawn heavier, and the higher, the brighter.
Nothing here rises from left to right: a map beside figures must not look like their future.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float64]
Point = tuple[float, float]

SEED = 21
WIDTH, HEIGHT = 1080, 880
CELL = 3.0  # px between the samples the lines are traced through
INTERVAL = 0.0215
LOWEST, HIGHEST = 0.08, 1.30
NIGHT = (14, 21, 25)

# x, y, reach across, reach down, turn in degrees, height
HILLS = (
    (770, 292, 208, 150, -24, 0.80),
    (905, 420, 250, 130, 38, 0.42),
    (600, 214, 190, 92, 12, 0.38),
    (1010, 130, 170, 120, -40, 0.34),
    (220, 96, 260, 110, -8, 0.34),
    (372, 520, 220, 86, -30, 0.20),
    (60, 402, 170, 120, 20, 0.24),
    (1040, 720, 260, 140, -14, 0.30),
)


def noise(rng: np.random.Generator, x: Field, y: Field, feature: float) -> Field:
    """Smooth noise in about -1…1 with features of `feature` px."""
    total = np.zeros_like(x)
    for _ in range(14):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        pitch = 2 * np.pi / (feature * rng.uniform(0.7, 1.6))
        total += np.sin((x * np.cos(angle) + y * np.sin(angle)) * pitch + phase)
    return total / 14**0.5


def ground(x: Field, y: Field) -> Field:
    """Height above the map's lowest plain, 0…about 1: hills, and gullies that run down them."""
    rng = np.random.default_rng(SEED)
    bent_x = x + 40 * noise(rng, x, y, 360) + 13 * noise(rng, x, y, 130)
    bent_y = y + 40 * noise(rng, x, y, 360) + 13 * noise(rng, x, y, 130)
    height = 0.15 + 0.04 * noise(rng, x, y, 460)
    for hill_x, hill_y, across, down, turn, top in HILLS:
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        u = ((bent_x - hill_x) * c + (bent_y - hill_y) * s) / across
        v = ((bent_y - hill_y) * c - (bent_x - hill_x) * s) / down
        height = height + top * np.exp(-((u * u + v * v + 0.004) ** 0.66) * 1.2)
    ridges = 1 - np.sqrt(noise(rng, bent_x, bent_y, 340) ** 2 + 0.03)
    spurs = 1 - np.sqrt(noise(rng, bent_x, bent_y, 150) ** 2 + 0.06)
    return height * (0.80 + 0.24 * ridges + 0.07 * spurs)


def relief(scale: int) -> Image.Image:
    """The ground under a low light, no lighter than deep dusk."""
    y, x = np.mgrid[0 : HEIGHT * scale, 0 : WIDTH * scale] / scale
    height = ground(x, y)
    slope_y, slope_x = np.gradient(height, 1 / scale)
    steep = 150.0
    length = np.sqrt(1 + (steep * slope_x) ** 2 + (steep * slope_y) ** 2)
    light = (0.56 * steep * slope_x + 0.56 * steep * slope_y + 0.61) / length
    lit = np.clip(light, 0, 1)[..., None]
    shade, glow = np.array([7, 12, 15.0]), np.array([66, 76, 74.0])
    tall = np.clip(height, 0, 1.1)[..., None]
    colour = shade + (glow - shade) * lit**1.5 * (0.42 + 0.5 * tall)
    warmth = np.array([34, 24, 6.0]) * (lit**3 * tall**1.4)
    colour = colour + warmth
    # the foot of the map dissolves into the page
    fade = np.clip((y[..., None] - 470) / 380, 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    colour = colour * (1 - fade) + np.array(NIGHT) * fade
    grain = np.random.default_rng(SEED).normal(0, 1.1, colour.shape[:2])[..., None]
    return Image.fromarray(np.clip(colour + grain + 0.5, 0, 255).astype(np.uint8))


def traced(height: Field, level: float) -> list[list[Point]]:
    """Lines of one height through a grid of samples (marching squares), joined end to end."""
    above = height > level

    def crossing(a: tuple[int, int], b: tuple[int, int]) -> Point:
        t = (level - height[a]) / (height[b] - height[a])
        return ((a[1] + t * (b[1] - a[1])) * CELL, (a[0] + t * (b[0] - a[0])) * CELL)

    links: dict[Point, list[Point]] = {}
    mixed = (
        above[:-1, :-1] ^ above[1:, 1:] | above[:-1, 1:] ^ above[1:, :-1] | above[:-1, :-1] ^ above[:-1, 1:]
    )
    for row, column in zip(*np.nonzero(mixed), strict=True):
        corners = ((row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column))
        cuts = [
            crossing(*sorted((a, b)))
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
            if above[a] != above[b]
        ]
        for start, end in zip(cuts[::2], cuts[1::2], strict=True):
            links.setdefault(start, []).append(end)
            links.setdefault(end, []).append(start)
    lines = []
    while links:
        ends = [point for point, beyond in links.items() if len(beyond) == 1]
        point = ends[0] if ends else next(iter(links))
        line = [point]
        while links.get(point):
            following = links[point].pop()
            links[following].remove(point)
            if not links[point]:
                del links[point]
            line.append(following)
            point = following
        links = {point: beyond for point, beyond in links.items() if beyond}
        lines.append(line)
    return lines


def thinned(line: list[Point], tolerance: float) -> list[Point]:
    """The same line through fewer points (Douglas and Peucker)."""
    if len(line) < 3:
        return line
    points = np.array(line)
    keep = np.zeros(len(line), bool)
    keep[[0, len(line) // 2, -1]] = True
    spans = [(0, len(line) // 2), (len(line) // 2, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        way = points[last] - points[first]
        offset = points[first + 1 : last] - points[first]
        distance = np.abs(way[0] * offset[:, 1] - way[1] * offset[:, 0]) / max(np.hypot(*way), 1e-9)
        middle = int(distance.argmax()) + first + 1
        if distance.max() > tolerance:
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return [tuple(point) for point in points[keep]]


def smooth(line: list[Point]) -> str:
    """A soft curve through the points (Catmull-Rom as cubic Bézier), closed if the line is."""
    closed = line[0] == line[-1]
    before, after = (line[-2], line[1]) if closed else (line[0], line[-1])
    padded = [before, *line, after]
    path = [f"M{line[0][0]:.1f} {line[0][1]:.1f}"]
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        path.append(
            f"C{b[0] + (c[0] - a[0]) / 6:.1f} {b[1] + (c[1] - a[1]) / 6:.1f} "
            f"{c[0] - (d[0] - b[0]) / 6:.1f} {c[1] - (d[1] - b[1]) / 6:.1f} {c[0]:.1f} {c[1]:.1f}"
        )
    return "".join(path) + ("Z" if closed else "")


def mixed_colour(low: tuple[int, ...], high: tuple[int, ...], t: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * t):02x}" for a, b in zip(low, high, strict=True))


def contours() -> str:
    edge = 4  # samples beyond the map, so that lines leave it instead of ending in it
    y, x = np.mgrid[-edge : HEIGHT / CELL + edge, -edge : WIDTH / CELL + edge] * CELL
    height = ground(x, y)
    parts = []
    levels = np.arange(LOWEST, HIGHEST, INTERVAL)
    for number, level in enumerate(levels):
        lines = [line for line in traced(height, float(level)) if len(line) > 30]
        if not lines:
            continue
        rise = number / (len(levels) - 1)
        index = number % 5 == 0
        colour = mixed_colour((88, 83, 68), (236, 204, 142), rise**0.8 * 0.85 + (0.15 if index else 0))
        paths = "".join(
            smooth([(px - edge * CELL, py - edge * CELL) for px, py in thinned(line, 0.12)]) for line in lines
        )
        parts.append(
            f'<path d="{paths}" fill="none" stroke="{colour}" '
            f'stroke-width="{1.9 if index else 0.9}" stroke-linejoin="round"/>'
        )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
            *parts,
            "</svg>",
        ]
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    relief(2).save(folder / "relief.jpg", quality=88, subsampling=0, optimize=True)
    (folder / "contours.svg").write_text(contours() + "\n", encoding="utf-8")
