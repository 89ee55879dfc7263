"""The only user of WeasyPrint and PDFium, and of WeasyPrint's private parts.

WeasyPrint lays the page out, we look at where each slot's words came to lie, PDFium draws the
PDF. Neither library may be entered by two threads at once (PDFium has global state, a Pango font
map is not shared), so one lock covers both. Threads of a web process queue here; use several
processes for throughput.
"""

import ctypes
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageFile

from templates_lib import fonts
from templates_lib.document import FIELD, TemplateError
from templates_lib.manifest import DISCLOSURE

fonts.isolate()

import pypdfium2  # noqa: E402  FontConfig is told first where the fonts are
import weasyprint  # noqa: E402
import weasyprint.draw  # noqa: E402
from weasyprint.text.fonts import FontConfiguration  # noqa: E402
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse  # noqa: E402

from templates_lib.lettering import draw_lettered  # noqa: E402
from templates_lib.survey import LaidOut, survey  # noqa: E402

weasyprint.draw.draw_text = partial(draw_lettered, weasyprint.draw.draw_text)

# half a picture drawn is worse than none: WeasyPrint asks Pillow to be forgiving, we do not
ImageFile.LOAD_TRUNCATED_IMAGES = False

PX_PER_PT: Final = 96 / 72
FINER: Final = 2  # drawn so many times finer across and down, then averaged
STRIP_PX: Final = 640  # rows drawn at a time: a whole fine page and its pictures would take 70 MB
MAX_ASSET_BYTES: Final = 24 * 1024 * 1024

ENGINE = threading.RLock()
_CONTENT_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class SlotPicture:
    """A picture made for one slot of one rendering."""

    data: bytes
    content_type: str


class AssetFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint is untyped
    """Serves `asset:` from the template's folder and from memory, and `data:`. Nothing else.

    A refusal is fatal: a picture with a hole in it is not a picture.
    """

    def __init__(self, directory: Path, pictures: Mapping[str, SlotPicture] | None = None) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False, fail_on_errors=True)
        self._directory = directory.resolve()
        self._pictures = pictures or {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        scheme, _, path = url.partition(":")
        if scheme.lower() == "data":
            return super().fetch(url, headers)
        if scheme.lower() != "asset":
            raise FatalURLFetchingError(f"{url[:80]} is neither asset: nor data:")
        if path.startswith("@slot/"):
            picture = self._pictures.get(path.removeprefix("@slot/"))
            if picture is None:
                raise FatalURLFetchingError(f"no picture for {path}")
            return _response(url, picture.data, picture.content_type)
        target = self.locate(path)
        return _response(url, target.read_bytes(), _CONTENT_TYPES[target.suffix.lower()])

    def locate(self, path: str) -> Path:
        """Find the file behind an `asset:` path, strictly inside the template's folder."""
        if not path or "%" in path or "\\" in path or "\0" in path or path.startswith("/"):
            raise FatalURLFetchingError(f"{path[:80]!r} is not a plain name inside the template")
        target = (self._directory / path).resolve()
        if not target.is_relative_to(self._directory) or not target.is_file():
            raise FatalURLFetchingError(f"{path[:80]!r} is not a file of the template")
        if target.suffix.lower() not in _CONTENT_TYPES:
            raise FatalURLFetchingError(f"{path[:80]!r} is not a picture")
        if target.stat().st_size > MAX_ASSET_BYTES:
            raise FatalURLFetchingError(f"{path[:80]!r} is too large")
        return target


def _response(url: str, data: bytes, content_type: str) -> URLFetcherResponse:
    return URLFetcherResponse(url, data, {"Content-Type": content_type})


class _Warnings(logging.Handler):
    """Collects what WeasyPrint only grumbles about: an unknown property, a bad picture."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


_font_configuration: Any = None


def font_configuration() -> Any:
    """The one font configuration of this process; to be used under the lock."""
    global _font_configuration  # noqa: PLW0603  one Pango font map a process, made under the lock
    if _font_configuration is None:
        _font_configuration = FontConfiguration()
    return _font_configuration


class Ink(StrEnum):
    """What of a page is drawn; all of it takes part in the layout."""

    ALL = "all"
    STILL = "still"  # all but what the named slots show
    MARKS = "marks"  # nothing but the named elements


def lay_out(
    html: str,
    fetcher: AssetFetcher,
    image_cache: dict[str, Any] | None = None,
    *,
    ink: Ink = Ink.ALL,
    named: Collection[int] = (),
) -> LaidOut:
    """Lay a page out and find its slots. Raises TemplateError when a picture cannot be had.

    `named` numbers slot elements in document order: those left out (STILL), or alone drawn (MARKS).
    """
    with ENGINE:
        logger = logging.getLogger("weasyprint")
        handler = _Warnings()
        propagate, logger.propagate = logger.propagate, False
        logger.addHandler(handler)
        try:
            page = weasyprint.HTML(string=html, base_url="asset:", url_fetcher=fetcher)
            ordinals = _number(page.etree_element, named)
            styles = [weasyprint.CSS(string=_INK[ink])] if ink is not Ink.ALL else None
            document = page.render(font_config=font_configuration(), cache=image_cache, stylesheets=styles)
        except FatalURLFetchingError as error:
            raise TemplateError("page", None, str(error.__cause__ or error)) from error
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagate
        return survey(document, ordinals, tuple(handler.messages))


_NAMED: Final = "data-named"
_INK: Final = {
    Ink.STILL: f"""
        [{_NAMED}], [{_NAMED}] * {{
            color: transparent !important;
            --text-shadow: none !important; --text-stroke: none !important
        }}
        img[{_NAMED}] {{ visibility: hidden !important }}
    """,
    Ink.MARKS: f"""
        html, body {{ background: none !important }}
        body, body * {{ visibility: hidden !important }}
        [{_NAMED}], [{_NAMED}] * {{ visibility: visible !important }}
    """,
}


def _number(root: Any, named: Collection[int]) -> dict[int, int]:
    """Number the slot elements in the order of the document, and mark the named ones."""
    ordinals: dict[int, int] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and element.get(FIELD):
            if len(ordinals) in named:
                element.set(_NAMED, "")
            ordinals[id(element)] = len(ordinals)
    return ordinals


def without_slot_pictures(cache: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the design's own pictures of an image cache; a slot's belong to one rendering only."""
    theirs = {address: image for address, image in cache.items() if "@slot/" in address}
    ids = {str(image.id) for image in theirs.values() if hasattr(image, "id")}
    return {
        key: value
        for key, value in cache.items()
        if key not in theirs and not any(name in key for name in ids)
    }


def write_pdf(
    laid_out: LaidOut,
    *,
    compressed: bool = True,
    zoom: float = 1.0,
    finisher: Callable[[Any, Any], None] | None = None,
) -> bytes:
    """Write the pages as a PDF with vector text. Same layout, same bytes: no dates in it.

    One that is only made to be drawn need not be compressed, which is a third of the work. `zoom`
    makes the pages larger; `finisher` is given the document and its `pydyf.PDF` before it is written.
    """
    with ENGINE:
        document = laid_out._document  # noqa: SLF001  the handle is this module's own
        pdf = document.write_pdf(
            zoom=zoom, finisher=finisher, pdf_identifier=b"imprimatur", uncompressed_pdf=not compressed
        )
        return bytes(pdf)


def draw_page(pdf: bytes, page: int, dpi: float) -> Image.Image:
    """One whole page of a PDF as pixels, as a press or a viewer would draw it."""
    with ENGINE:
        document = pypdfium2.PdfDocument(pdf)
        try:
            sheet = document[page]
            try:
                bitmap = sheet.render(scale=dpi / 72, rev_byteorder=True, optimize_mode=None)
                image: Image.Image = bitmap.to_pil().convert("RGB").copy()
                bitmap.close()
            finally:
                sheet.close()
        finally:
            document.close()
    return image


def rasterise(pdf: bytes, page: int, width_px: int, height_px: int) -> Image.Image:
    """One page of a PDF as pixels, on white."""
    image = Image.new("RGB", (width_px, height_px), "white")
    for top, strip in _strips(pdf, page, width_px, (0, height_px), clear=False):
        image.paste(strip, (0, top))
    return image


def rasterise_ink(pdf: bytes, page: int, width_px: int, rows: tuple[int, int]) -> Image.Image:
    """Some rows of a page as ink on nothing: colours multiplied by their alpha."""
    top, bottom = rows
    image = Image.new("RGBa", (width_px, bottom - top))
    for place, strip in _strips(pdf, page, width_px, rows, clear=True):
        image.paste(strip, (0, place - top))
    return image


def give_back_memory() -> None:
    """Return to the system what laying out and drawing whole pages took, where the C library can.

    glibc keeps freed memory in as many pools as there are threads; a web process would hold
    hundreds of megabytes of pages it drew once.
    """
    if _TRIM is not None:
        _TRIM(0)


_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def _strips(
    pdf: bytes, page: int, width_px: int, rows: tuple[int, int], *, clear: bool
) -> Iterator[tuple[int, Image.Image]]:
    """Draw rows of a page, some at a time, finer than asked for and reduced.

    PDFium puts glyphs on whole pixels. Drawn finer and averaged, letters keep their distances and
    their weight, which is what makes small Chinese text look set rather than stamped.
    """
    with ENGINE:
        document = pypdfium2.PdfDocument(pdf)
        try:
            sheet = document[page]
            try:
                height_pt = sheet.get_height()
                for top in range(rows[0], rows[1], STRIP_PX):
                    bottom = min(top + STRIP_PX, rows[1])
                    # PDFium rounds a page up to whole pixels; a strip asks for one row more
                    crop = (0, max(0.0, height_pt - (bottom + 1) / PX_PER_PT), 0, top / PX_PER_PT)
                    bitmap = sheet.render(
                        scale=PX_PER_PT * FINER,
                        crop=crop,
                        fill_color=(0, 0, 0, 0) if clear else (255, 255, 255, 255),
                        rev_byteorder=True,
                        optimize_mode=None,
                        force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGRA if clear else None,
                    )
                    wanted = (0, 0, width_px * FINER, (bottom - top) * FINER)
                    fine = bitmap.to_pil()
                    if clear:  # a mean of colours is one of what shines through, too
                        yield top, fine.convert("RGBa").reduce(FINER, wanted)
                    else:
                        yield top, fine.reduce(FINER, wanted).convert("RGB")
                    bitmap.close()
            finally:
                sheet.close()
        finally:
            document.close()


def find_longest(text: str, accepts: Callable[[str], bool]) -> str | None:
    """Find the longest beginning of `text` that `accepts` takes, by bisection; `None` if none."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if accepts(text[:middle].rstrip()):
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() or None


def disclosure_font_px(laid_out: LaidOut) -> float | None:
    """Measure the smallest size the obligatory text is drawn in; `None` if it is not drawn."""
    placed = laid_out.slots.get(DISCLOSURE)
    if placed is None or not placed.lines:
        return None
    return min(line.font_px for line in placed.lines)
