"""Draw the morning bay of the daily greeting: cut paper in layers, all of it vector.

Usage: python morning_bay.py OUT.svg. Same seed, same drawing.
"""

import random
import sys
from pathlib import Path

WIDTH, HEIGHT = 1080, 1240
HORIZON = 800
SUN = (700, 742)

Point = tuple[float, float]


def ridge(seed: int, level: float, swing: float, step: int) -> list[Point]:
    """A calm line of hills from edge to edge: two slow waves and a little chance."""
    chance = random.Random(seed)
    points: list[Point] = []
    height = 0.0
    for x in range(-step, WIDTH + 2 * step, step):
        height = 0.45 * height + chance.uniform(-swing, swing)
        points.append((x, level + height))
    return points


def curve(points: list[Point]) -> str:
    """A smooth line through the points (Catmull-Rom as cubic Bézier)."""
    path = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    padded = [points[0], *points, points[-1]]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        c1 = start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6
        c2 = end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6
        path.append(f"C{c1[0]:.0f} {c1[1]:.0f} {c2[0]:.0f} {c2[1]:.0f} {end[0]:.0f} {end[1]:.0f}")
    return "".join(path)


def land(points: list[Point], fill: str, foot: float = HEIGHT) -> str:
    return f'<path d="{curve(points)}V{foot:.0f}H{points[0][0]:.0f}Z" fill="{fill}"/>'


def pine(x: float, y: float, size: float, fill: str) -> str:
    tiers = "".join(
        f"M{x - size * w:.1f} {y - size * low:.1f}Q{x:.1f} {y - size * (low + 0.08):.1f} "
        f"{x + size * w:.1f} {y - size * low:.1f}L{x:.1f} {y - size * top:.1f}Z"
        for w, low, top in ((0.30, 0.12, 0.72), (0.24, 0.42, 0.95), (0.17, 0.70, 1.20))
    )
    trunk = f"M{x - size * 0.03:.1f} {y:.1f}h{size * 0.06:.1f}v{-size * 0.2:.1f}h{-size * 0.06:.1f}z"
    return f'<path d="{tiers}{trunk}" fill="{fill}"/>'


def on(points: list[Point], x: float) -> float:
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def pill(x: float, y: float, width: float, height: float, fill: str, opacity: float) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'rx="{height / 2:.1f}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'
    )


def bird(x: float, y: float, size: float) -> str:
    return (
        f'<path d="M{x - size:.1f} {y - size * 0.28:.1f}Q{x - size * 0.45:.1f} {y - size * 0.62:.1f} '
        f'{x:.1f} {y:.1f}Q{x + size * 0.45:.1f} {y - size * 0.62:.1f} {x + size:.1f} {y - size * 0.28:.1f}" '
        'fill="none" stroke="#fff6e4" stroke-width="4" stroke-linecap="round"/>'
    )


def sky() -> list[str]:
    sun_x, sun_y = SUN
    parts = ['<rect width="1080" height="820" fill="url(#sky)"/>']
    parts += [
        f'<circle cx="{sun_x}" cy="{sun_y}" r="{radius}" fill="#fff0cf" fill-opacity="{opacity}"/>'
        for radius, opacity in ((420, 0.10), (310, 0.13), (220, 0.20))
    ]
    parts.append(f'<circle cx="{sun_x}" cy="{sun_y}" r="138" fill="#fff3d6"/>')
    for x, y, width in (
        (-60, 556, 330),
        (60, 584, 300),
        (720, 488, 300),
        (820, 516, 340),
        (560, 604, 190),
    ):
        parts.append(pill(x, y, width, 26, "#fff8ea", 0.42))
    parts += [
        bird(x, y, size) for x, y, size in ((420, 470, 26), (478, 442, 20), (524, 474, 16), (372, 508, 17))
    ]
    return parts


def sea() -> list[str]:
    chance = random.Random(11)
    parts = [f'<rect y="{HORIZON}" width="1080" height="{HEIGHT - HORIZON}" fill="url(#sea)"/>']
    for row in range(15):
        y = HORIZON + 14 + row * 15 + row * row * 0.35
        spread = 110 + row * 9
        for _ in range(2):
            width = chance.uniform(40, spread)
            x = SUN[0] + chance.uniform(-spread, spread) * 0.72 - width / 2
            parts.append(pill(x, y, width, 5 + row * 0.25, "#fff0cf", 0.72 - row * 0.032))
    return parts


def boat() -> str:
    return (
        '<g transform="translate(452 868)"><path d="M-46 0h92q-10 22-30 22h-36q-20 0-26-22z" fill="#1d4a55"/>'
        '<path d="M-2-8V-104Q40-70 46-8z" fill="#fff6e4"/><path d="M-10-8V-88Q-42-50-42-8z" fill="#f2c48f"/></g>'
    )


def shore() -> list[str]:
    chance = random.Random(5)
    middle = [
        (-60, 930),
        (90, 918),
        (240, 952),
        (400, 1010),
        (560, 1052),
        (760, 1078),
        (1140, 1090),
    ]
    near = [
        (-60, 1120),
        (160, 1096),
        (360, 1122),
        (560, 1128),
        (740, 1064),
        (900, 1000),
        (1140, 952),
    ]
    parts = [land(middle, "#2c6a70")]
    for _ in range(13):
        x = chance.uniform(-10, 330)
        parts.append(pine(x, on(middle, x) + 6, chance.uniform(42, 78), "#235b63"))
    # a small house with its lamp still on
    parts.append(
        '<g transform="translate(318 934)"><path d="M0 0h74v54H0z" fill="#fbe9cb"/>'
        '<path d="M-12 4L37-34L86 4z" fill="#c9694a"/><path d="M48-24v-22h12v32z" fill="#a9543a"/>'
        '<rect x="14" y="18" width="18" height="20" fill="#f4b860"/><rect x="44" y="16" width="16" height="38" fill="#8c4a35"/></g>'
    )
    parts.append(
        land([(-60, 1062), (120, 1014), (330, 984), (470, 1026), (640, 1074), (760, 1110)], "#24606a")
    )
    parts.append(land(near, "#174650"))
    for _ in range(11):
        x = chance.uniform(760, 1090)
        parts.append(pine(x, on(near, x) + 8, chance.uniform(88, 150), "#123b45"))
    return parts


def drawing() -> str:
    far = ridge(3, 762, 34, 150)
    mid = ridge(9, 790, 26, 120)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
            '<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
            '<stop offset="0" stop-color="#1e5765"/><stop offset="0.42" stop-color="#5b969b"/>'
            '<stop offset="0.74" stop-color="#e9c9a0"/><stop offset="1" stop-color="#f7dcae"/></linearGradient>'
            '<linearGradient id="sea" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#e6c9a2"/>'
            '<stop offset="0.34" stop-color="#86b0ab"/><stop offset="1" stop-color="#3a7a80"/></linearGradient></defs>',
            *sky(),
            land(far, "#a9bcae", HORIZON),
            land(mid, "#7fa5a1", HORIZON),
            *sea(),
            boat(),
            *shore(),
            "</svg>",
        ]
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawing(), encoding="utf-8")
