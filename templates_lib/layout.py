"""The only user of WeasyPrint and PDFium, and of WeasyPrint's private parts.

WeasyPrint lays the page out, we look at where each slot's words came to lie, PDFium draws the
PDF. Neither library may be entered by two threads at once (PDFium has global state, a Pango font
map is not shared), so one lock covers both. Threads of a web process queue here; use several
processes for throughput.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageFile

from templates_lib import fonts
from templates_lib.document import FIELD, FRAME, TemplateError
from templates_lib.manifest import DISCLOSURE

fonts.isolate()

import pypdfium2  # noqa: E402  FontConfig is told first where the fonts are
import weasyprint  # noqa: E402
from weasyprint.formatting_structure import boxes  # noqa: E402
from weasyprint.text.fonts import FontConfiguration  # noqa: E402
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse  # noqa: E402

# half a picture drawn is worse than none: WeasyPrint asks Pillow to be forgiving, we do not
ImageFile.LOAD_TRUNCATED_IMAGES = False

PX_PER_PT: Final = 96 / 72
TOLERANCE_PX: Final = 0.6
MAX_ASSET_BYTES: Final = 24 * 1024 * 1024

_ENGINE = threading.RLock()
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


@dataclass(frozen=True, slots=True)
class Line:
    """One laid-out line of a slot's words, in CSS pixels of its page."""

    page: int
    text: str
    x: float
    y: float
    width: float
    height: float
    font_px: float


@dataclass(frozen=True, slots=True)
class PlacedSlot:
    """Where the words of a slot came to lie; `inside` is False if any left its frame or page."""

    name: str
    lines: tuple[Line, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in CSS pixels of its page."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A laid-out document: its slots, and the handle the PDF is made from.

    `stray` holds fixed words that left their frame because a slot pushed them out; each entry
    names the slots that share the frame.
    """

    pages: int
    slots: Mapping[str, PlacedSlot]
    pictures: Mapping[str, Box]
    stray: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]
    _document: Any


class _Warnings(logging.Handler):
    """Collects what WeasyPrint only grumbles about: an unknown property, a bad picture."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


_font_configuration: Any = None


def _fonts() -> Any:
    global _font_configuration  # noqa: PLW0603  one Pango font map a process, made under the lock
    if _font_configuration is None:
        _font_configuration = FontConfiguration()
    return _font_configuration


def lay_out(html: str, fetcher: AssetFetcher, image_cache: dict[str, Any] | None = None) -> LaidOut:
    """Lay a page out and find its slots. Raises TemplateError when a picture cannot be had."""
    with _ENGINE:
        logger = logging.getLogger("weasyprint")
        handler = _Warnings()
        propagate, logger.propagate = logger.propagate, False
        logger.addHandler(handler)
        try:
            page = weasyprint.HTML(string=html, base_url="asset:", url_fetcher=fetcher)
            document = page.render(font_config=_fonts(), cache=image_cache)
        except FatalURLFetchingError as error:
            raise TemplateError("page", None, str(error.__cause__ or error)) from error
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagate
        return _Survey(document).result(tuple(handler.messages))


def without_slot_pictures(cache: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the design's own pictures of an image cache; a slot's belong to one rendering only."""
    theirs = {address: image for address, image in cache.items() if "@slot/" in address}
    ids = {str(image.id) for image in theirs.values() if hasattr(image, "id")}
    return {
        key: value
        for key, value in cache.items()
        if key not in theirs and not any(name in key for name in ids)
    }


def write_pdf(laid_out: LaidOut, *, compressed: bool = True) -> bytes:
    """Write the pages as a PDF with vector text. Same layout, same bytes: no dates in it.

    One that is only made to be drawn need not be compressed, which is a third of the work.
    """
    with _ENGINE:
        document = laid_out._document  # noqa: SLF001  the handle is this module's own
        pdf = document.write_pdf(pdf_identifier=b"imprimatur", uncompressed_pdf=not compressed)
        return bytes(pdf)


def rasterise(pdf: bytes, page: int, width_px: int, height_px: int) -> Image.Image:
    """One page of a PDF as pixels."""
    with _ENGINE:
        document = pypdfium2.PdfDocument(pdf)
        try:
            sheet = document[page]
            try:
                bitmap = sheet.render(scale=PX_PER_PT, rev_byteorder=True, optimize_mode=None)
                image: Image.Image = bitmap.to_pil().convert("RGB").copy()
                bitmap.close()
            finally:
                sheet.close()
        finally:
            document.close()
    if image.size != (width_px, height_px):
        # PDFium rounds the page up to whole pixels; the design's own size is what was promised
        image = image.crop((0, 0, width_px, height_px))
    return image


class _Survey:
    """Walks the box tree once and notes where every slot's words and pictures lie."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._lines: dict[str, dict[int, list[Line]]] = {}
        self._inside: dict[str, bool] = {}
        self._pictures: dict[str, Box] = {}
        self._members: dict[int, set[str]] = {}
        self._strays: list[int] = []
        self._keep: list[Any] = []

    def result(self, warnings: tuple[str, ...]) -> LaidOut:
        for number, page in enumerate(self._document.pages):
            box = page._page_box  # noqa: SLF001  the box tree has no public door
            bounds = (0.0, 0.0, float(page.width), float(page.height))
            self._visit(box, _Where(number, None, None, (bounds,), 0))
        return LaidOut(
            pages=len(self._document.pages),
            slots={
                name: PlacedSlot(name, tuple(_joined(parts) for parts in lines.values()), self._inside[name])
                for name, lines in self._lines.items()
            },
            pictures=self._pictures,
            stray=tuple(tuple(sorted(self._members.get(frame, ()))) for frame in self._strays),
            warnings=warnings,
            _document=self._document,
        )

    def _visit(self, box: Any, where: "_Where") -> None:
        box = getattr(box, "_box", box)  # an absolutely placed box hides behind its placeholder
        where = where.inside(box)
        if where.slot is not None:
            self._members.setdefault(where.frame, set()).add(where.slot)
        if isinstance(box, boxes.TextBox):
            self._note_text(box, where)
        elif isinstance(box, boxes.ReplacedBox) and where.slot is not None:
            self._pictures[where.slot] = Box(
                where.page,
                box.content_box_x(),
                box.content_box_y(),
                box.width,
                box.height,
            )
        for child in getattr(box, "children", None) or ():
            self._visit(child, where)

    def _note_text(self, box: Any, where: "_Where") -> None:
        if not box.text.strip():
            return
        line = where.line if where.line is not None else box
        spacing = box.style["letter_spacing"]
        trailing = float(spacing) if isinstance(spacing, (int, float)) else 0.0
        left, right = box.position_x, box.position_x + box.width - max(trailing, 0.0)
        top, bottom = line.position_y, line.position_y + line.height
        inside = all(
            left >= x0 - TOLERANCE_PX
            and right <= x1 + TOLERANCE_PX
            and top >= y0 - TOLERANCE_PX
            and bottom <= y1 + TOLERANCE_PX
            for x0, y0, x1, y1 in where.bounds
        )
        if where.slot is None:
            if not inside:
                self._strays.append(where.frame)
            return
        self._inside[where.slot] = self._inside.get(where.slot, True) and inside
        self._keep.append(line)  # its id() is a key below: it must outlive the walk
        self._lines.setdefault(where.slot, {}).setdefault(id(line), []).append(
            Line(
                where.page,
                box.text,
                left,
                top,
                box.width,
                line.height,
                float(box.style["font_size"]),
            )
        )


def _joined(parts: list[Line]) -> Line:
    first, last = parts[0], parts[-1]
    return Line(
        first.page,
        "".join(part.text for part in parts),
        first.x,
        first.y,
        last.x + last.width - first.x,
        first.height,
        min(part.font_px for part in parts),
    )


@dataclass(frozen=True, slots=True)
class _Where:
    """What surrounds a box: its page, slot, line, the rectangles to stay in, its frame's id."""

    page: int
    slot: str | None
    line: Any
    bounds: tuple[tuple[float, float, float, float], ...]
    frame: int

    def inside(self, box: Any) -> "_Where":
        slot, line, bounds, frame = self.slot, self.line, self.bounds, self.frame
        element: Any = getattr(box, "element", None)
        own = hasattr(element, "get")
        if own and element.get(FIELD):
            slot = element.get(FIELD)
        if isinstance(box, boxes.LineBox):
            line = box
        block = isinstance(box, boxes.BlockLevelBox) and not isinstance(box, boxes.ReplacedBox)
        if block and own and isinstance(box.width, (int, float)) and isinstance(box.height, (int, float)):
            edges = (
                box.content_box_x(),
                box.content_box_y(),
                box.content_box_x() + box.width,
                box.content_box_y() + box.height,
            )
            if element.get(FRAME) is not None:
                bounds, frame = (self.bounds[0], edges), id(element)
            elif element.get(FIELD):
                bounds = (*self.bounds[:2], edges)
        return _Where(self.page, slot, line, bounds, frame)


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
