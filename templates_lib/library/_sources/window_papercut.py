"""Cut the window flower of the spring greeting: one eighth is drawn, folding and turning do the rest.

Usage: python window_papercut.py FOLDER. Writes flower.svg, lattice.svg and fringe.svg.

As with scissors, there is paper and there are cuts: a cut is painted in the colour of what lies
behind. A motif is written on a strip whose x runs along the ring and whose y is the distance from
the centre; `Ring` bends the strip round. The two old marks of the craft are here as functions:
saw teeth (锯齿纹) and crescents (月牙纹).
"""

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RED, DEEP, PAPER, GOLD = "#c2181d", "#9d0f17", "#fff0d2", "#f4b23c"
LEAD = "#b31319"  # the lattice, tone on tone
PALE = "#fff4df"  # the sheet below
CENTRE = (560.0, 560.0)

_TOKEN = re.compile(r"[A-Z]|-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Ring:
    """Bends a strip round the centre: `radius` is where its lengths are true, `turn` in degrees."""

    radius: float
    turn: float
    mirrored: bool = False

    def at(self, x: float, y: float) -> tuple[float, float]:
        angle = math.radians(self.turn) + (-x if self.mirrored else x) / self.radius
        return CENTRE[0] + y * math.sin(angle), CENTRE[1] - y * math.cos(angle)

    def path(self, drawn: str) -> str:
        """Bend a path of absolute M, L, C, Q and Z."""
        out, pending = [], []
        for token in _TOKEN.findall(drawn):
            if token.isalpha():
                out.append(token)
                continue
            pending.append(float(token))
            if len(pending) == 2:
                x, y = self.at(*pending)
                out.append(f"{x:.1f} {y:.1f} ")
                pending.clear()
        return "".join(out).replace(" Z", "Z")


def shape(drawn: str, fill: str) -> str:
    return f'<path d="{drawn}" fill="{fill}"/>'


def dot(at: tuple[float, float], radius: float, fill: str) -> str:
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}" fill="{fill}"/>'


def disc(radius: float, fill: str) -> str:
    return dot(CENTRE, radius, fill)


def crescent(x: float, y: float, long: float, thick: float, lean: float = 0) -> str:
    """A crescent standing at (x, y), its belly towards +x; `lean` tips its ends."""
    top, low = y + long / 2, y - long / 2
    return (
        f"M{x + lean:.1f} {top:.1f}Q{x + thick * 1.5:.1f} {y:.1f} {x - lean:.1f} {low:.1f}"
        f"Q{x + thick * 0.25:.1f} {y:.1f} {x + lean:.1f} {top:.1f}Z"
    )


def smile(x: float, y: float, wide: float, thick: float) -> str:
    """A crescent lying at (x, y), its belly outwards."""
    return (
        f"M{x - wide / 2:.1f} {y:.1f}Q{x:.1f} {y + thick * 2:.1f} {x + wide / 2:.1f} {y:.1f}"
        f"Q{x:.1f} {y + thick * 0.5:.1f} {x - wide / 2:.1f} {y:.1f}Z"
    )


def teeth(ring: Ring, count: int, foot: float, tip: float, fill: str, *, wide: float = 0.62) -> Iterator[str]:
    """Saw teeth all round, from `foot` to `tip`."""
    step = math.tau * ring.radius / count
    for place in range(count):
        x = place * step
        half = step * wide / 2
        yield shape(ring.path(f"M{x - half:.2f} {foot}L{x:.2f} {tip}L{x + half:.2f} {foot}Z"), fill)


# ── motifs ───────────────────────────────────────────────────────────────────────────────────────


def petal(ring: Ring) -> Iterator[str]:
    """A broad petal with a notched lip, a row of teeth at its root and a drop in its middle."""
    yield shape(
        ring.path(
            "M0 196C-30 206 -66 250 -60 292C-56 320 -22 332 0 311C22 332 56 320 60 292C66 250 30 206 0 196Z"
        ),
        PAPER,
    )
    for side in (-1, 1):
        yield shape(
            ring.path(
                f"M{side * 48} 284C{side * 49} 306 {side * 24} 316 {side * 8} 302"
                f"C{side * 22} 303 {side * 37} 298 {side * 48} 284Z"
            ),
            RED,
        )
        yield shape(ring.path(crescent(side * 42, 258, 30, side * 5, -side * 3)), RED)
    for x in (-24, -12, 0, 12, 24):
        yield shape(
            ring.path(f"M{x * 0.66 - 3:.1f} 220L{x} {260 - abs(x) * 0.9:.1f}L{x * 0.66 + 3:.1f} 220Z"), RED
        )
    yield shape(ring.path("M0 268C-9 278 -9 290 0 295C9 290 9 278 0 268Z"), GOLD)


def stamen(ring: Ring) -> Iterator[str]:
    yield shape(ring.path("M-7 212C-3 250 -2 280 -1 306L1 306C2 280 3 250 7 212Z"), GOLD)
    yield dot(ring.at(0, 306), 7, GOLD)
    for side in (-1, 1):
        yield dot(ring.at(side * 13, 297), 3.6, GOLD)


def lantern(ring: Ring) -> Iterator[str]:
    """A lantern that hangs from the rim, its tassel towards the centre."""
    yield shape(ring.path("M-27 473L27 473L25 456L-25 456Z"), PAPER)
    yield shape(
        ring.path(
            "M0 460C-54 460 -72 438 -72 416C-72 394 -54 372 0 372C54 372 72 394 72 416C72 438 54 460 0 460Z"
        ),
        GOLD,
    )
    for side in (-1, 1):
        for x, long, thick in ((12, 82, 7), (33, 73, 9), (54, 52, 9)):
            top, low, root = 416 + long / 2, 416 - long / 2, side * x * 0.78
            yield shape(
                ring.path(
                    f"M{root:.1f} {top:.1f}Q{side * (x + thick * 1.9):.1f} 416 {root:.1f} {low:.1f}"
                    f"Q{side * (x + 1):.1f} 416 {root:.1f} {top:.1f}Z"
                ),
                RED,
            )
    yield shape(ring.path("M-25 376L25 376L28 364C12 359 -12 359 -28 364Z"), PAPER)


def fish(ring: Ring) -> Iterator[str]:
    """A carp that swims to the lantern: fins first, then the body, then the cuts."""
    yield shape(ring.path("M130 446C142 468 184 470 210 453C206 448 200 444 194 440Z"), PAPER)
    for place in range(6):
        x = 136 + place * 11
        yield shape(
            ring.path(
                f"M{x} {455 - place * 0.6}L{x + 9} {465 - abs(place - 2) * 1.8}L{x + 5} {454 - place * 0.8}Z"
            ),
            DEEP,
        )
    yield shape(ring.path("M140 368C146 350 168 345 184 352C177 358 174 366 174 374Z"), PAPER)
    yield shape(ring.path("M196 374C203 360 217 356 227 362C221 368 219 378 221 390Z"), PAPER)
    yield shape(
        ring.path(
            "M86 404C96 450 150 470 204 440C217 433 226 425 233 421C245 433 258 450 276 458"
            "C271 440 263 426 256 412C263 398 268 380 270 362C254 372 242 388 231 402"
            "C217 386 194 364 158 361C122 360 97 378 86 404Z"
        ),
        PAPER,
    )
    yield shape(ring.path("M90 396C80 390 77 380 82 372C84 381 90 387 98 390Z"), PAPER)
    yield shape(ring.path("M84 401L100 404L86 408Z"), DEEP)
    yield dot(ring.at(113, 420), 9, DEEP)
    yield dot(ring.at(113, 420), 4, GOLD)
    yield shape(ring.path("M133 452C148 430 148 394 129 368C137 394 138 428 133 452Z"), DEEP)
    for x, rows in (
        (155, (440, 419, 398, 378)),
        (174, (430, 409, 388)),
        (192, (424, 404, 386)),
        (209, (415, 399)),
    ):
        for y in rows:
            yield shape(ring.path(crescent(x, y, 18, 6.5)), DEEP)
    for x, y, tip_x, tip_y in (
        (241, 420, 268, 447),
        (240, 415, 257, 424),
        (240, 408, 257, 399),
        (239, 402, 264, 373),
    ):
        yield shape(ring.path(f"M{x} {y + 2.4}L{tip_x} {tip_y}L{x} {y - 2.4}Z"), DEEP)


def lotus(ring: Ring) -> Iterator[str]:
    """A lotus between two tails."""
    for side in (-1, 1):
        yield shape(
            ring.path(
                f"M0 366C{side * 28} 360 {side * 46} 366 {side * 52} 382C{side * 34} 392 {side * 14} 388 0 366Z"
            ),
            PAPER,
        )
        yield shape(
            ring.path(
                f"M0 364C{side * 30} 376 {side * 38} 404 {side * 33} 432C{side * 15} 420 {side * 4} 396 0 364Z"
            ),
            PAPER,
        )
        yield shape(
            ring.path(
                f"M{side * 27} 416C{side * 27} 402 {side * 22} 390 {side * 12} 380C{side * 17} 392 {side * 20} 404 {side * 27} 416Z"
            ),
            DEEP,
        )
    yield shape(ring.path("M0 364C-17 388 -17 420 0 450C17 420 17 388 0 364Z"), GOLD)
    yield shape(ring.path("M0 380C-6 396 -6 414 0 430C6 414 6 396 0 380Z"), DEEP)


def wave(ring: Ring) -> Iterator[str]:
    """One scale of the water: three arcs, one in the other."""
    for level, fill in ((1.0, PAPER), (0.68, DEEP), (0.38, PAPER)):
        half, top = 21 * level, 332 + 26 * level
        yield shape(
            ring.path(f"M{-half:.1f} 330C{-half:.1f} {top:.1f} {half:.1f} {top:.1f} {half:.1f} 330Z"), fill
        )


def cloud(ring: Ring) -> Iterator[str]:
    """One scallop of the lace: a ruyi head with its curls, and a bead between it and the next."""
    yield shape(ring.path("M-38 490C-43 524 -19 540 0 553C19 540 43 524 38 490Z"), PAPER)
    for side in (-1, 1):
        yield shape(
            ring.path(
                f"M{side * 22} 503C{side * 27} 517 {side * 14} 528 {side * 4} 532"
                f"C{side * 9} 522 {side * 13} 513 {side * 9} 504C{side * 13} 500 {side * 19} 500 {side * 22} 503Z"
            ),
            RED,
        )
    yield shape(ring.path("M65.4 506C59 514 60 524 65.4 530C70.8 524 71.8 514 65.4 506Z"), GOLD)


LACE, BEADS, WATER, PETALS, QUARTERS = 24, 72, 48, 12, 4


def flower() -> str:
    parts: list[str] = []
    for place in range(LACE):
        parts.extend(cloud(Ring(500, 360 / LACE * place)))
    parts.extend((disc(497, PAPER), disc(471, DEEP)))
    for place in range(BEADS):
        ring = Ring(484, 360 / BEADS * place)
        if place % 3 == 0:
            parts.append(shape(ring.path("M0 492L8 484.5L0 477L-8 484.5Z"), RED))
        else:
            parts.append(dot(ring.at(0, 484.5), 3.6, RED))
    parts.extend(teeth(Ring(471, 0), 144, 476.5, 463, PAPER, wide=1.1))
    for place in range(WATER):
        parts.extend(wave(Ring(332, 360 / WATER * (place + 0.5))))
    for quarter in range(QUARTERS):
        turn = 360.0 / QUARTERS * quarter
        for mirrored in (False, True):
            parts.extend(fish(Ring(412, turn, mirrored)))
        parts.extend(lantern(Ring(412, turn)))
        parts.extend(lotus(Ring(412, turn + 180 / QUARTERS)))
    parts.extend((disc(335, PAPER), disc(326, RED)))
    parts.extend(teeth(Ring(326, 0), 120, 331.5, 319, PAPER, wide=1.1))
    for place in range(PETALS):
        parts.extend(stamen(Ring(280, 360 / PETALS * (place + 0.5))))
    for place in range(PETALS):
        parts.extend(petal(Ring(280, 360 / PETALS * place)))
    parts.extend((disc(213, RED), *teeth(Ring(206, 0), 72, 203, 213, PAPER, wide=0.8), disc(206, PAPER)))
    parts.extend((disc(191, RED), disc(185, PAPER)))
    return svg(1120, 1120, parts)


def lattice() -> str:
    """The window behind, tone on tone: nested frames of a stepped lattice."""
    width, height, cell = 1080, 1260, 180
    line = f'fill="none" stroke="{LEAD}" stroke-width="4"'
    parts = []
    for column in range(-1, width // cell + 1):
        for row in range(height // cell + 1):
            x, y = column * cell + 90, row * cell
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" {line}/>')
            if (column + row) % 2:
                parts.append(
                    f'<rect x="{x + 30}" y="{y + 30}" width="{cell - 60}" height="{cell - 60}" {line}/>'
                )
                for dx, dy in ((90, 0), (90, 150), (0, 90), (150, 90)):
                    end = (0, 30) if dx == 90 else (30, 0)
                    parts.append(f'<path d="M{x + dx} {y + dy}l{end[0]} {end[1]}" {line}/>')
            else:
                parts.append(f'<path d="M{x + 90} {y}v{cell}M{x} {y + 90}h{cell}" {line}/>')
                parts.append(
                    f'<rect x="{x + 60}" y="{y + 60}" width="60" height="60" fill="{RED}" stroke="{LEAD}" stroke-width="4"/>'
                )
    return svg(width, height, parts)


TONGUE, MARGIN = 104, 72


def shifted(drawn: str, x: float, y: float = 0) -> str:
    """Move a path of absolute M, L, C and Z."""
    numbers = iter(_TOKEN.findall(drawn))
    return "".join(
        token if token.isalpha() else f"{float(token) + x:g} {float(next(numbers)) + y:g} "
        for token in numbers
    )


def tongue(x: float, y: float = 0) -> Iterator[str]:
    """The pointed end of a slip with its cuts."""
    yield shape(shifted("M2 22L102 22L102 54C92 82 66 90 52 112C38 90 12 82 2 54Z", x, y), RED)
    yield shape(shifted("M52 34C42 43 42 57 52 66C62 57 62 43 52 34Z", x, y), GOLD)
    yield shape(shifted("M15 40C14 58 28 70 43 75C33 64 27 53 29 41C25 36 18 35 15 40Z", x, y), PALE)
    yield shape(shifted("M89 40C90 58 76 70 61 75C71 64 77 53 75 41C79 36 86 35 89 40Z", x, y), PALE)
    yield shape(shifted("M52 77C46 84 46 91 52 98C58 91 58 84 52 77Z", x, y), PALE)


def fringe() -> str:
    """The lower edge of the red paper, cut like the slips that hang from a lintel (挂笺).

    The slips stand on the margins; the last one is long and will carry four characters.
    """
    width, height, long = 1080, 372, 250
    parts = [f'<rect width="{width}" height="26" fill="{RED}"/>']
    left, last = MARGIN - TONGUE, width - MARGIN - TONGUE
    for x in range(left, width, TONGUE):
        if x == last:
            parts.append(f'<rect x="{x + 2}" y="20" width="100" height="{long + 6}" fill="{RED}"/>')
            parts.append(
                f'<rect x="{x + 10}" y="34" width="84" height="{long - 20}" fill="none" stroke="{GOLD}" '
                'stroke-width="2"/>'
            )
            parts.extend(tongue(x, long))
        else:
            parts.extend(tongue(x))
        for tooth in range(10):
            at = x + 4 + tooth * 9.8
            if x != last:
                parts.append(shape(f"M{at:.1f} 12L{at + 4:.1f} 20L{at + 8:.1f} 12Z", PALE))
    return svg(width, height, parts)


def svg(width: int, height: int, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, draw in (("flower", flower), ("lattice", lattice), ("fringe", fringe)):
        (folder / f"{name}.svg").write_text(draw(), encoding="utf-8")
