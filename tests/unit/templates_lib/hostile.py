"""Designs that would never end, or take all there is: each differs from a sound one in one place."""

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


HOSTILE: dict[str, Make] = {
    "font-size 1e9px": _of(style=".fixed { font-size: 1e9px }"),
    "font-size by em on em": _of(
        style=".grow { font-size: 90em }", body="</p>" + nested("div", 30, " class=grow") + "<p>"
    ),
    "width 1e12px": _of(style=".fixed { width: 1e12px; height: 1e12px; background: #f00 }"),
    "a grid of a million cells": _of(
        style=".fixed { display: grid; grid-template: repeat(1000, 1px) / repeat(1000, 1px) }"
    ),
    "a table of a hundred thousand cells": _of(
        body="</p><table>" + ("<tr>" + "<td>" * 200) * 220 + "</table><p>"
    ),
    "a cell spanning a million columns": _of(
        body="</p><table><tr><td colspan=1000000 rowspan=1000000>x</table><p>"
    ),
    "ten thousand elements inside each other": _of(body="</p>" + nested("div", 10_000) + "<p>"),
    "formatting that multiplies": _of(body="".join(f"<b class=c{i}>" for i in range(1200)) + "<p>x" * 1200),
    "a hundred thousand columns": _of(style=".fixed { columns: 100000 1px }"),
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
    "a gradient of thousands of stops": _of(
        style=".fixed { background: linear-gradient(" + ",".join("#f00,#00f" for _ in range(4000)) + ") }"
    ),
    "a gradient that repeats for ever": _of(
        style=".fixed { width: 99999px; height: 99999px; "
        "background: repeating-radial-gradient(#f00 0, #00f 0.0001px) }"
    ),
    "a shadow as wide as the page": _of(
        style="." + ".fixed { box-shadow: 0 0 99999px 99999px #000; border-radius: 99999px }".lstrip(".")
    ),
    "a word of two hundred thousand letters": _of(body="字" * 80_000),
    "a page break after every letter": _of(
        style=".one { break-after: page }", body="</p>" + "<div class=one>x</div>" * 2900 + "<p>"
    ),
    "a selector that looks everywhere": _of(
        style="".join(
            f".fixed:not(.a{i}) * + * ~ * * * * * *:nth-child(2n+{i}) {{ color: #000 }}" for i in range(1500)
        ),
        body="</p>" + nested("div", 40) + "<div>x</div>" * 2500 + "<p>",
    ),
    "a page of ten thousand pixels a side": _of(
        manifest=MANIFEST.replace("width_px: 400, height_px: 300", "width_px: 100000, height_px: 100000"),
    ),
    "ten thousand pages": _of(manifest=MANIFEST.replace("pages: 1", "pages: 10000")),
    "a path of a hundred thousand lines": _of(
        svg=f'<path d="{zigzag(120_000)}" fill="none" stroke="#000" stroke-width="3"/>'
    ),
    "a path of dashes too small to see": _of(
        svg=f'<path d="{zigzag(3000, 100000)}" fill="none" stroke="#000" stroke-dasharray="0.0001 0.0001"/>'
    ),
    "clips in clips": _of(
        svg="".join(
            f'<clipPath id="c{i}">'
            + f'<rect width="9" height="9" clip-path="url(#c{i + 1})"/>' * 10
            + "</clipPath>"
            for i in range(12)
        )
        + '<rect width="9" height="9" clip-path="url(#c0)"/>'
    ),
    "a clip of all for each of all": _of(
        svg='<clipPath id="c">'
        + '<rect width="9" height="9"/>' * 9000
        + "</clipPath>"
        + '<rect width="9" height="9" clip-path="url(#c)"/>' * 9000
    ),
    "a use of uses": _of(
        svg='<defs><g id="u0"><rect width="9" height="9"/></g>'
        + "".join(f'<g id="u{i}"><use href="#u{i - 1}"/><use href="#u{i - 1}"/></g>' for i in range(1, 21))
        + '</defs><use href="#u20"/>'
    ),
    "groups inside groups": _of(svg="<g>" * 10_000 + "</g>" * 10_000),
}
