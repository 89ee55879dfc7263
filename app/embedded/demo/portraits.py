"""Twenty-four drawn portraits of nobody, so that no real face is in the demo.

Each is a few shapes put together: a wall, a coat, a head, hair. All are laid out as the pages of one
document, which costs hardly more than one of them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from templates_lib import layout

WIDTH_PX: Final = 480
HEIGHT_PX: Final = 600
CONTENT_TYPE: Final = "image/jpeg"
RIGHTS: Final = "演示数据：项目自绘的矢量人像，不对应任何真人，可自由使用。"

_OVERSAMPLED: Final = 2
_QUALITY: Final = 86


@dataclass(frozen=True, slots=True)
class _Look:
    wall: tuple[str, str]
    skin: tuple[str, str, str]  # light, shade, neck
    hair: tuple[str, str]
    coat: tuple[str, str, str]  # light, shade, lapel
    shirt: str
    cut: str
    accent: str | None  # a tie, or a brooch
    glasses: bool
    woman: bool


_WALLS: Final = (
    ("#dfe5e8", "#b7c3ca"),
    ("#e9e2d8", "#cbbfae"),
    ("#dbe4dd", "#b2c2b7"),
    ("#e4dfe8", "#c0b7c9"),
    ("#d9e2ee", "#aebed2"),
    ("#ece6e1", "#d2c5bb"),
)
_SKINS: Final = (
    ("#f6d7c0", "#eabd9f", "#dfae91"),
    ("#f1cbab", "#e0ad8a", "#d09c78"),
    ("#e8bb97", "#d39d76", "#c28c66"),
)
_HAIRS: Final = (
    ("#3a2d29", "#211917"),
    ("#2b2627", "#161314"),
    ("#5b4034", "#3a2820"),
    ("#77716d", "#54504d"),
)
_COATS: Final = (
    ("#2f4257", "#1f2d3d", "#3a5068"),
    ("#3b3f46", "#23262b", "#4a4f57"),
    ("#5a2f36", "#3e1f25", "#6b3b43"),
    ("#33514b", "#203631", "#416159"),
    ("#4a4663", "#302d45", "#5a5676"),
    ("#6a5a49", "#4b3f33", "#7b6a57"),
)
_SHIRTS: Final = ("#fbfaf7", "#eef3f8", "#f7efe9", "#f3f1f8")
_ACCENTS: Final = ("#8a2f2b", "#27456b", "#b08a3e", "#4c6b57", "#6d4a7c")

# Hair behind the head and over the forehead; the head itself stands between the two.
_LONG_BACK: Final = (
    "M208 350C196 190 268 108 366 108c104 0 166 78 158 226-4 84 14 150 34 190-40 26-92 30-132 14H290"
    "c-34 14-82 8-112-18 22-42 34-100 30-170z"
)
_BOB_BACK: Final = (
    "M212 356C200 192 270 110 364 110c100 0 164 78 154 240-3 58 6 110 12 150-24 30-58 42-92 40H288"
    "c-34 2-66-10-90-40 8-46 16-92 14-144z"
)
_GATHERED_BACK: Final = (
    "M228 380C214 200 276 118 364 118c96 0 148 76 136 264-6 44-18 62-30 82H258c-16-22-26-44-30-84z"
)
_SWEPT: Final = (
    "M240 372c-10-130 40-206 126-206 82 0 122 62 116 196-20-30-34-70-38-112-60 34-136 40-172 30"
    "-10 34-18 66-32 92z"
)
_FRINGE: Final = (
    "M238 380c-12-140 44-214 124-214s132 74 120 214c-10-34-16-62-20-96-58 18-142 18-200 0-6 34-12 62-24 96z"
)
_PARTED: Final = (
    "M238 384c-14-142 44-218 124-218s130 76 118 218c-14-26-34-60-46-104-28-14-50-34-66-62"
    "-18 34-46 58-82 70-12 42-32 70-48 96z"
)
_SIDE_PART: Final = (
    "M232 344c-16-132 40-206 132-206 88 0 138 66 124 204-12-22-22-46-26-78-44-14-92-18-128-44"
    "-16 34-48 54-74 60-8 22-18 42-28 64z"
)
_CROP: Final = (
    "M236 338c-14-124 46-192 126-192s134 68 122 192c-10-20-18-44-22-70-28-24-64-34-100-34"
    "s-74 10-102 34c-4 26-14 50-24 70z"
)
_BRUSHED_UP: Final = (
    "M234 344c-20-126 34-222 142-216 94 4 126 84 112 216-12-20-20-42-24-68-22-34-58-48-92-44"
    "-46 4-84 10-108 46-4 26-16 46-30 66z"
)
_WOMENS: Final = {
    "long": (_LONG_BACK, _SWEPT),
    "long-parted": (_LONG_BACK, _PARTED),
    "bob": (_BOB_BACK, _FRINGE),
    "bob-swept": (_BOB_BACK, _SWEPT),
    "gathered": (_GATHERED_BACK, _PARTED),
    "gathered-swept": (_GATHERED_BACK, _SWEPT),
}
_MENS: Final = {
    "side-part": ("", _SIDE_PART),
    "crop": ("", _CROP),
    "brushed-up": ("", _BRUSHED_UP),
}


def draw_portraits() -> tuple[bytes, ...]:
    """Every portrait as a JPEG, women's and men's in turn; the same bytes each time."""
    width, height = WIDTH_PX * _OVERSAMPLED, HEIGHT_PX * _OVERSAMPLED
    drawings = {
        f"portrait-{place}": layout.SlotPicture(_svg(look).encode(), "image/svg+xml")
        for place, look in enumerate(_looks())
    }
    page = (
        f"<style>@page{{size:{width}px {height}px;margin:0}}body{{margin:0}}img{{display:block;"
        f"width:{width}px;height:{height}px}}</style>"
        + "".join(f'<img src="asset:@slot/{name}">' for name in drawings)
    )
    pdf = layout.write_pdf(layout.lay_out(page, layout.AssetFetcher(Path(), drawings)))
    return tuple(_jpeg(layout.rasterise(pdf, number, width, height)) for number in range(len(drawings)))


def _jpeg(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS).save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()


def _looks() -> list[_Look]:
    """Steps of different lengths through the lists, so that no two neighbours look alike."""
    womens, mens = list(_WOMENS), list(_MENS)
    looks = []
    for place in range(24):
        woman = place % 2 == 0
        turn = place // 2
        coat = (turn * 5 + (0 if woman else 1)) % len(_COATS)
        looks.append(
            _Look(
                wall=_WALLS[(place * 5 + turn) % len(_WALLS)],
                skin=_SKINS[(turn * 2 + place) % len(_SKINS)],
                hair=_HAIRS[3 if turn in {6, 9} else (turn // 2 + place) % 3],
                coat=_COATS[coat],
                shirt=_SHIRTS[(turn + place) % len(_SHIRTS)],
                cut=womens[turn % len(womens)] if woman else mens[turn % len(mens)],
                accent=_ACCENTS[turn % len(_ACCENTS)] if turn % 3 else None,
                glasses=turn % 4 == (1 if woman else 2),
                woman=woman,
            )
        )
    return looks


def _svg(look: _Look) -> str:
    back, front = (_WOMENS if look.woman else _MENS)[look.cut]
    bun = (
        f'<ellipse cx="364" cy="122" rx="60" ry="44" fill="{look.hair[1]}"/>'
        if look.cut.startswith("gathered")
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{HEIGHT_PX}" '
        'viewBox="0 0 720 900"><defs>'
        + _gradient("wall", look.wall, "0.5", "1")
        + _gradient("coat", look.coat[:2], "0.3", "1")
        + _gradient("skin", look.skin[:2], "1", "0.4")
        + _gradient("hair", look.hair, "1", "1")
        + '</defs><rect width="720" height="900" fill="url(#wall)"/>'
        '<circle cx="580" cy="180" r="260" fill="#fff" opacity="0.2"/>'
        + bun
        + (f'<path d="{back}" fill="url(#hair)"/>' if back else "")
        + (_woman_below(look) if look.woman else _man_below(look))
        + _head(look)
        + f'<path d="{front}" fill="url(#hair)"/>'
        + _face(look)
        + "</svg>"
    )


def _gradient(name: str, colours: tuple[str, ...], x2: str, y2: str) -> str:
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" x2="{x2}" y2="{y2}">'
        f'<stop offset="0" stop-color="{colours[0]}"/>'
        f'<stop offset="1" stop-color="{colours[1]}"/></linearGradient>'
    )


def _woman_below(look: _Look) -> str:
    brooch = f'<circle cx="500" cy="770" r="10" fill="{look.accent}"/>' if look.accent else ""
    return (
        '<path d="M58 900c6-150 74-214 190-246l112-34 112 34c116 32 184 96 190 246z" fill="url(#coat)"/>'
        f'<path d="M268 640l92-40 92 40-50 130-42 130-42-130z" fill="{look.shirt}"/>'
        f'<path d="M300 520h120v92c0 36-26 74-60 74s-60-38-60-74z" fill="{look.skin[2]}"/>'
        '<path d="M246 646l-46 26 88 150 72-40-60-62zM474 646l46 26-88 150-72-40 60-62z" '
        f'fill="{look.coat[2]}"/>{brooch}'
    )


def _man_below(look: _Look) -> str:
    tie = f'<path d="M342 664h36l14 40-32 170-32-170z" fill="{look.accent}"/>' if look.accent else ""
    return (
        '<path d="M34 900c8-160 84-222 206-254l120-30 120 30c122 32 198 94 206 254z" fill="url(#coat)"/>'
        f'<path d="M262 636l98-36 98 36-54 132-44 132-44-132z" fill="{look.shirt}"/>'
        f'<path d="M298 520h124v92c0 40-28 66-62 66s-62-26-62-66z" fill="{look.skin[2]}"/>{tie}'
        '<path d="M240 640l-54 26 100 160 74-52-66-56zM480 640l54 26-100 160-74-52 66-56z" '
        f'fill="{look.coat[2]}"/>'
    )


def _head(look: _Look) -> str:
    ears = (
        ""
        if look.woman
        else f'<ellipse cx="238" cy="388" rx="18" ry="34" fill="{look.skin[1]}"/>'
        f'<ellipse cx="482" cy="388" rx="18" ry="34" fill="{look.skin[1]}"/>'
    )
    chin = (
        "M246 330c0-96 46-150 114-150s114 54 114 150c0 128-56 214-114 214s-114-86-114-214z"
        if look.woman
        else "M240 330c0-100 48-154 120-154s120 54 120 154c0 126-58 216-120 216S240 456 240 330z"
    )
    return f'{ears}<path d="{chin}" fill="url(#skin)"/>'


def _face(look: _Look) -> str:
    ink = look.hair[1]
    brow, eye = (7, 8) if look.woman else (10, 9)
    mouth = (
        '<path d="M326 474c22 18 50 18 72 0-8 26-24 36-36 36s-28-10-36-36z" fill="#bd5f58"/>'
        if look.woman
        else '<path d="M322 482c24 16 52 16 76 0" stroke="#a85a4c" stroke-width="8" fill="none" '
        'stroke-linecap="round"/>'
    )
    glasses = (
        '<g fill="none" stroke="#2b2b2e" stroke-width="6">'
        '<rect x="268" y="354" width="80" height="56" rx="24"/>'
        '<rect x="372" y="354" width="80" height="56" rx="24"/><path d="M348 376c8-6 16-6 24 0"/></g>'
        if look.glasses
        else ""
    )
    return (
        f'<path d="M284 344c14-10 36-12 52-4M384 340c16-8 38-6 52 4" stroke="{ink}" '
        f'stroke-width="{brow}" fill="none" stroke-linecap="round"/>'
        '<path d="M290 384c12-11 32-11 42 2M388 386c10-13 30-13 42-2" stroke="#241a18" '
        f'stroke-width="{eye}" fill="none" stroke-linecap="round"/>'
        f'<path d="M362 388c2 24 6 38 9 50-8 8-19 8-27 4" stroke="{look.skin[2]}" stroke-width="6" '
        f'fill="none" stroke-linecap="round"/>{mouth}{glasses}'
    )
