"""Other ways to make the same poster, each used as its makers advise and warmed up.

What a peer is given was made before the clock starts: the filled HTML of the design, the portrait
as its file, and the code as a PNG of exactly the pixels it takes on the page. Ours fills, makes the
code and reads it back within the clock. All use the fonts of `templates_lib/fonts`.

Takumi draws a subset of CSS, so its style differs in three rules: `@page` is left out, what `body`
says is said of the outermost element, and a background begins under its border (beginning inside
it, Takumi tiles a gradient over the surroundings). Everything else is the design's own file.
"""

from __future__ import annotations

import base64
import io
import os
import re
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np
import psutil
from PIL import Image

from benchmarks.advisors import Advisor
from templates_lib import document, fonts
from templates_lib.catalog import TemplateSource
from templates_lib.fill import Value, fill
from templates_lib.manifest import SlotKind
from templates_lib.qr import qr_modules

QUALITY: Final = 90
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_CHROMIUM_ARGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--allow-file-access-from-files",
)
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Subject:
    """One advisor as every route is given them."""

    advisor: Advisor
    values: Mapping[str, Value]
    # the filled body, its pictures addressed by their names
    body: str
    # what every element that shows a slot holds, in the order of the page: a text or a `data:` picture
    fields: tuple[str, ...]
    # the pictures of this advisor alone, by name
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a picture, and what has been spent on it: user seconds of all its processes."""

    draw: Callable[[Subject], bytes]
    user_s: Callable[[], float]
    # done for each subject before the clock starts
    ready: Callable[[Subject], object] = lambda _subject: None


class Design:
    """A template of the library, ready to be filled for a peer."""

    def __init__(self, source: TemplateSource, sides: Mapping[str, int]) -> None:
        """`sides` has the pixels a side of each code."""
        self.source, self.manifest, self.style, self._sides = source, source.manifest, source.style, sides
        self.width_px, self.height_px = source.manifest.size.width_px, source.manifest.size.height_px
        self._body: jinja2.Template = document.parse_body(source.body, source.manifest)
        self.pictures = {
            path.name: path.read_bytes()
            for path in source.directory.iterdir()
            if path.suffix in {".jpg", ".png", ".svg", ".webp"}
        }

    def subject(self, advisor: Advisor) -> Subject:
        values = advisor.values(self.manifest)
        body = document.fill_body(self._body, fill(self.manifest, values))
        inks = document.inks(document.parse_tree(body))
        pictures: dict[str, bytes] = {}
        for slot in self.manifest.slots:
            if slot.kind is SlotKind.QR:
                name = f"{advisor.staff_no}.png"
                data = code_png(advisor.address, self._sides[slot.name], inks[slot.name])
            elif slot.kind is SlotKind.IMAGE and slot.name in values:
                name, data = f"{advisor.staff_no}.jpg", advisor.portrait
            else:
                continue
            body = body.replace(document.slot_address(slot.name), name)
            pictures[name] = data
        body = body.replace("asset:", "")
        fields = tuple(
            _data_address(element.get("src", ""), pictures) or "".join(element.itertext())
            for element in document.parse_tree(body).iter()
            if element.get(document.FIELD) is not None
        )
        return Subject(advisor, values, body, fields, pictures)

    def page(self, subject: Subject) -> str:
        return document.page_html(subject.body, self.style)


def code_png(address: str, side_px: int, ink: str) -> bytes:
    """The code at the size it has on the page, in whole pixels, so that no peer need scale it."""
    rows = qr_modules(address)
    count = len(rows)
    module_px = side_px // count
    dark = Image.frombytes("L", (count, count), b"".join(rows)).point(lambda value: 255 * value)
    start = (side_px - count * module_px) // 2
    picture = Image.new("RGBA", (side_px, side_px))
    picture.paste(ink, (start, start), dark.resize((count * module_px,) * 2, Image.Resampling.NEAREST))
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def _data_address(name: str, pictures: Mapping[str, bytes]) -> str:
    if name not in pictures:
        return ""
    kind = "png" if name.endswith(".png") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(pictures[name]).decode()}"


def own_user_s() -> float:
    """User seconds of this process with all its threads."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


# ── takumi ───────────────────────────────────────────────────────────────────────────────────────


def takumi_routes(design: Design, subsampling: str) -> dict[str, Route]:
    """Takumi as it is shipped, and as somebody would use it who knows that its encoders are slow."""
    import pytakumi
    import simplejpeg

    pytakumi.set_glyph_cache_max_bytes(128 * _MIB)
    renderer = pytakumi.Renderer(cache_max_bytes=256 * _MIB)
    for face in fonts.registered_fonts():
        renderer.register_font(face.path.read_bytes())
    style = re.sub(r"@page\s*\{[^}]*\}", "", design.style)
    style = re.sub(r"(?m)^body\b", ".root", style) + "\n* { background-origin: border-box !important }"

    def draw(subject: Subject, picture_format: pytakumi.Format) -> bytes:
        drawn: bytes = renderer.render_html(
            f'<div class="root">{subject.body}</div>',
            stylesheets=[style],
            # the design's own pictures stay decoded in the cache of the renderer
            images={**design.pictures, **subject.pictures},
            width=design.width_px,
            height=design.height_px,
            format=picture_format,
            quality=QUALITY,
            lang="zh-CN",
        )
        return drawn

    def expert(subject: Subject) -> bytes:
        pixels = np.frombuffer(draw(subject, "raw"), np.uint8)
        frame = pixels.reshape(design.height_px, design.width_px, 4)
        jpeg: bytes = simplejpeg.encode_jpeg(frame, QUALITY, colorspace="RGBA", colorsubsampling=subsampling)
        return jpeg

    return {
        "takumi-jpeg": Route(partial(draw, picture_format="jpeg"), own_user_s),
        "takumi-png": Route(partial(draw, picture_format="png"), own_user_s),
        "takumi-expert-jpeg": Route(expert, own_user_s),
    }


# ── Chromium ─────────────────────────────────────────────────────────────────────────────────────

_REPLACE: Final = """async fields => {
  const shown = [...document.querySelectorAll('[data-field]')], loading = [];
  shown.forEach((element, place) => {
    if (element.tagName === 'IMG') {
      element.src = fields[place];
      loading.push(element.decode());
    } else if (element.textContent !== fields[place]) {
      element.textContent = fields[place];
    }
  });
  await Promise.all(loading);
}"""


@contextmanager
def chromium_routes(design: Design, folder: Path, first: Subject) -> Iterator[dict[str, Route]]:
    """A browser that is kept: as one would begin, and with everything that is known to be faster.

    `folder` holds the pictures as files, so the browser keeps those of the design decoded too;
    `first` is who stands on the page whose words are then exchanged.
    """
    from playwright.sync_api import Page, sync_playwright

    fonts.isolate()
    blank = folder / "blank.html"
    blank.write_text("<!doctype html>", encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_CHROMIUM_ARGS)

        def open_page(subject: Subject) -> Page:
            page = browser.new_page(viewport={"width": design.width_px, "height": design.height_px})
            page.goto(blank.as_uri())
            page.set_content(design.page(subject), wait_until="load")
            return page

        fresh, kept = open_page(first), open_page(first)
        devtools = kept.context.new_cdp_session(kept)

        def set_content(subject: Subject, options: dict[str, Any]) -> bytes:
            fresh.set_content(design.page(subject), wait_until="load")
            return fresh.screenshot(**options)

        def fastest(subject: Subject, options: dict[str, Any]) -> bytes:
            kept.evaluate(_REPLACE, subject.fields)
            shot = devtools.send("Page.captureScreenshot", {"optimizeForSpeed": True, **options})
            return base64.b64decode(shot["data"])

        jpeg = {"quality": QUALITY}
        yield {
            "chromium-setcontent-jpeg": Route(
                partial(set_content, options={"type": "jpeg", **jpeg}), tree_user_s
            ),
            "chromium-setcontent-png": Route(partial(set_content, options={"type": "png"}), tree_user_s),
            "chromium-fastest-jpeg": Route(partial(fastest, options={"format": "jpeg", **jpeg}), tree_user_s),
            "chromium-fastest-png": Route(partial(fastest, options={"format": "png"}), tree_user_s),
        }
        browser.close()


def tree_user_s() -> float:
    """User seconds of this process, of the browser's driver and of all of the browser."""
    total = own_user_s()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += process.cpu_times().user
    return total


# ── WeasyPrint ───────────────────────────────────────────────────────────────────────────────────


def weasyprint_routes(design: Design, folder: Path, subsampling: str) -> dict[str, Route]:
    """The whole page to PDF, PDFium draws it: the right way without a template made ready."""
    fonts.isolate()
    import pypdfium2
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    known_fonts, decoded = FontConfiguration(), dict[str, Any]()

    def draw(subject: Subject) -> bytes:
        page = weasyprint.HTML(string=design.page(subject), base_url=f"{folder.as_uri()}/")
        pdf = page.write_pdf(font_config=known_fonts, cache=decoded, uncompressed_pdf=True)
        sheet = pypdfium2.PdfDocument(pdf)
        try:
            image = sheet[0].render(scale=96 / 72, rev_byteorder=True).to_pil().convert("RGB")
        finally:
            sheet.close()
        target = io.BytesIO()
        image.crop((0, 0, design.width_px, design.height_px)).save(
            target, "JPEG", quality=QUALITY, subsampling=f"{subsampling[0]}:{subsampling[1]}:{subsampling[2]}"
        )
        return target.getvalue()

    return {"weasyprint-jpeg": Route(draw, own_user_s)}
