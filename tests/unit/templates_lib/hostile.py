"""Designs that ask for all there is: each differs from a sound one in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.unit.templates_lib.factories import BODY, MANIFEST, STYLE

_PLACE = "设计里的字"
_SAMPLES = "- {name: only, label: 唯一, values: {headline: 你好, qr: 'https://go.example.com/s/Ab3dE'}}\n"


def _template(
    folder: Path, *, body: str = "", style: str = "", manifest: str = MANIFEST, svg: str = ""
) -> Path:
    if svg:
        folder.mkdir(parents=True)
        text = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300">{svg}</svg>'
        (folder / "drawing.svg").write_text(text, encoding="utf-8")
        body = '<img src="asset:drawing.svg" alt="">'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "samples.yaml").write_text(_SAMPLES, encoding="utf-8")
    (folder / "manifest.yaml").write_text(manifest, encoding="utf-8")
    (folder / "body.html").write_text(BODY.replace(_PLACE, body or _PLACE), encoding="utf-8")
    (folder / "style.css").write_text(STYLE + style, encoding="utf-8")
    return folder


def nested(tag: str, depth: int, attributes: str = "") -> str:
    return f"<{tag}{attributes}>" * depth + "字" + f"</{tag}>" * depth


Make = Callable[[Path], Path]


def _of(**parts: str) -> Make:
    return lambda folder: _template(folder, **parts)


def zigzag(count: int, size: int = 300) -> str:
    return "M0 0" + "".join(f"L{(i * 7919) % size} {(i * 104729) % size}" for i in range(count))


# Refused by what they say, before any of it is laid out.
REFUSED: dict[str, Make] = {
    "letters of 1e9px": _of(style=".fixed { font-size: 1e9px }"),
    "a box of 1e12px": _of(style=".fixed { width: 1e12px; height: 1e12px; background: #f00 }"),
    "a grid of a million columns": _of(
        style=".fixed { display: grid; grid-template-columns: repeat(1000000, 1px) }"
    ),
    "a table of forty thousand cells": _of(
        body="</p><table>" + ("<tr>" + "<td>" * 200) * 220 + "</table><p>"
    ),
    "a cell across a million columns": _of(
        body="</p><table><tr><td colspan=1000000 rowspan=1000000>x</table><p>"
    ),
    "ten thousand elements inside each other": _of(body="</p>" + nested("div", 10_000) + "<p>"),
    "a hundred elements inside each other": _of(body="</p>" + nested("div", 100) + "<p>"),
    "a gradient of thousands of stops": _of(
        style=".fixed { background: linear-gradient(" + "#f00,#00f," * 4000 + "#f00) }"
    ),
    "a million rules": _of(style=".a{}" * 60_000),
    "a page of a hundred thousand pixels a side": _of(
        manifest=MANIFEST.replace("width_px: 400, height_px: 300", "width_px: 100000, height_px: 100000"),
    ),
    "ten thousand pages": _of(manifest=MANIFEST.replace("pages: 1", "pages: 10000")),
    "a slot of a million letters": _of(manifest=MANIFEST.replace("max_chars: 60", "max_chars: 1000000")),
    "a manifest nested without end": _of(manifest=MANIFEST.replace("无图片", "[" * 5_000)),
    "clips in clips": _of(
        svg="".join(
            f'<clipPath id="c{i}">'
            + f'<rect width="9" height="9" clip-path="url(#c{i + 1})"/>' * 10
            + "</clipPath>"
            for i in range(12)
        )
        + '<rect width="9" height="9" clip-path="url(#c0)"/>'
    ),
    "a use of uses": _of(
        svg='<defs><g id="u0"><rect width="9" height="9"/></g>'
        + "".join(f'<g id="u{i}"><use href="#u{i - 1}"/><use href="#u{i - 1}"/></g>' for i in range(1, 21))
        + '</defs><use href="#u20"/>'
    ),
    "groups inside groups": _of(svg="<g>" * 10_000 + "</g>" * 10_000),
}

# Within every list and still without end: only the clock, or the memory, stops these.
ENDLESS: dict[str, Make] = {
    "formatting that multiplies": _of(
        body="".join(f"<b class=c{i}>" for i in range(1200)) + "<p>x" * 1200,
    ),
    "columns in columns": _of(
        style=".many { columns: 40 1px; column-fill: balance }",
        body="</p>" + nested("div", 20, " class=many") + "<p>",
    ),
    "flex in flex": _of(
        style=".f { display: flex; flex-wrap: wrap; flex: 1 1 auto }",
        body="</p>" + nested("div", 40, " class=f") + "<p>",
    ),
    "grid in grid": _of(
        style=".g { display: grid; grid-template-columns: repeat(3, minmax(min-content, auto)) }",
        body="</p>" + nested("div", 40, " class=g") + "<p>",
    ),
    "a gradient that repeats for ever": _of(
        style=".fixed { width: 99999px; height: 99999px; "
        "background: repeating-radial-gradient(#f00 0, #00f 0.0001px) }"
    ),
    "a page for every letter": _of(
        style=".one { break-after: page }", body="</p>" + "<div class=one>x</div>" * 2900 + "<p>"
    ),
    "selectors that look everywhere": _of(
        style="".join(
            f".fixed:not(.a{i}) * + * ~ * * * * * *:nth-child(2n+{i}) {{ color: #000 }}" for i in range(1500)
        ),
        body="</p>" + nested("div", 40) + "<div>x</div>" * 2500 + "<p>",
    ),
    "a clip of all for each of all": _of(
        svg='<clipPath id="c">'
        + '<rect width="9" height="9"/>' * 9000
        + "</clipPath>"
        + '<rect width="9" height="9" clip-path="url(#c)"/>' * 9000
    ),
}

# Large, and yet it comes to an end; whether the words fit is another question.
LARGE: dict[str, Make] = {
    "a grid of a million cells": _of(
        style=".fixed { display: grid; grid-template: repeat(1000, 1px) / repeat(1000, 1px) }"
    ),
}


def sound(folder: Path) -> Path:
    return _template(folder)
