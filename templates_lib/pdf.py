"""A laid-out page as a PDF: for the screen as it is, for the press with bleed and crop marks.

Nothing is drawn again for the press. The page is laid out as for the screen, made so large that
it reaches past the cut on every side, and the cut is marked inside it: so any design may be
printed, words stay words, and no edge can stay white. What is lost is a strip of the page as wide
as the bleed; a design keeps its words further in than that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final

import pydyf

from templates_lib import layout
from templates_lib.ink import Canvas, PictureSpot, check_codes
from templates_lib.manifest import SlotKind, TemplateManifest
from templates_lib.pdf_content import inverted, matrix_of, multiplied, operations_of, pages_of
from templates_lib.survey import Box, LaidOut

BLEED_MM: Final = 3.0
LOW_DPI: Final = 200

_MARK_MM: Final = 5.0
_MARGIN_MM: Final = BLEED_MM + _MARK_MM + 1.0  # from the cut to the edge of the sheet
_MARK_WIDTH_PT: Final = 0.25
_BEYOND_MM: Final = BLEED_MM + 0.25  # a page ends in blurred edges: they are cut off with the rest
_PT_PER_MM: Final = 72 / 25.4
_PT_PER_PX: Final = 72 / 96
_READING_DPI: Final = 200
_NOTHING_PX: Final = 0.01

Code = tuple[str, Box]


@dataclass(frozen=True, slots=True)
class Paper:
    """How a page lies on its sheet.

    Lengths are in points and the origin is the page's own lower left corner, so that everything
    WeasyPrint wrote stays where it is; the sheet begins left of it and below.
    """

    trim_width_mm: float
    trim_height_mm: float
    px_pt: float  # how large one pixel of the design is printed
    page_width: float
    page_height: float

    @classmethod
    def of(cls, manifest: TemplateManifest) -> "Paper":
        size = manifest.size
        width_mm = manifest.print_width_mm
        height_mm = width_mm * size.height_px / size.width_px
        # uniformly, so that a circle stays one: the shorter side decides
        px_mm = max(
            (width_mm + 2 * _BEYOND_MM) / size.width_px,
            (height_mm + 2 * _BEYOND_MM) / size.height_px,
        )
        px_pt = px_mm * _PT_PER_MM
        return cls(width_mm, height_mm, px_pt, size.width_px * px_pt, size.height_px * px_pt)

    @property
    def zoom(self) -> float:
        return self.px_pt / _PT_PER_PX

    def box(self, beyond_mm: float = 0.0) -> tuple[float, float, float, float]:
        """The cut, or a rectangle that far beyond it: left, bottom, right, top."""
        half_width = (self.trim_width_mm / 2 + beyond_mm) * _PT_PER_MM
        half_height = (self.trim_height_mm / 2 + beyond_mm) * _PT_PER_MM
        x, y = self.page_width / 2, self.page_height / 2
        return x - half_width, y - half_height, x + half_width, y + half_height

    def spot(self, box: Box, dpi: float) -> PictureSpot:
        """Where a box of the page lies when the whole sheet is drawn."""
        left, _, _, top = self.box(_MARGIN_MM)
        scale, down = dpi / 72, top - self.page_height
        return PictureSpot(
            round((box.x * self.px_pt - left) * scale),
            round((box.y * self.px_pt + down) * scale),
            round(((box.x + box.width) * self.px_pt - left) * scale),
            round(((box.y + box.height) * self.px_pt + down) * scale),
        )


@dataclass(frozen=True, slots=True)
class Raster:
    """A picture of pixels on a printed page: what it is, how many pixels, how dense they lie.

    `name` is its slot, or its file in the design.
    """

    page: int
    name: str
    width_px: int
    height_px: int
    dpi: int

    @property
    def low_dpi(self) -> bool:
        return self.dpi < LOW_DPI


@dataclass(frozen=True, slots=True)
class PdfFile:
    """All pages in one file; of one for the press, how dense every picture in it lies."""

    data: bytes
    rasters: tuple[Raster, ...] = ()


def screen_pdf(laid_out: LaidOut, manifest: TemplateManifest, codes: Iterable[Code]) -> PdfFile:
    """Every page at the design's own size. Raises QrError."""
    data, size = layout.write_pdf(laid_out), manifest.size
    for number, on_page in _by_page(codes).items():
        image = layout.rasterise(data, number, size.width_px, size.height_px)
        spots = [(url, _spot(box)) for url, box in on_page]
        check_codes(spots, Canvas.whole(image))
    return PdfFile(data)


def print_pdf(laid_out: LaidOut, manifest: TemplateManifest, codes: Iterable[Code]) -> PdfFile:
    """Every page at its printed size, with bleed, crop marks and the boxes a press asks for.

    Raises QrError. A picture of too few pixels is reported, never refused.
    """
    paper = Paper.of(manifest)
    found: list[Raster] = []
    names = _names(manifest)

    def finish(_document: object, pdf: pydyf.PDF) -> None:
        pages = pages_of(pdf)
        for number, page in enumerate(pages):
            found.extend(_rasters(pdf, page, number, names))
            _part_tiles(pdf, page)
        _trim(pdf, pages, paper)

    data = layout.write_pdf(laid_out, zoom=paper.zoom, finisher=finish)
    for number, on_page in _by_page(codes).items():
        image = layout.draw_page(data, number, _READING_DPI)
        spots = [(url, paper.spot(box, _READING_DPI)) for url, box in on_page]
        check_codes(spots, Canvas.whole(image))
    return PdfFile(data, tuple(found))


def measured_pdf(laid_out: LaidOut, manifest: TemplateManifest) -> PdfFile:
    """The pages as on the screen, only to be drawn; with how dense their pictures lie on paper."""
    paper = Paper.of(manifest)
    found: list[Raster] = []
    names = _names(manifest)

    def measure(_document: object, pdf: pydyf.PDF) -> None:
        for number, page in enumerate(pages_of(pdf)):
            found.extend(_rasters(pdf, page, number, names, paper.zoom))

    data = layout.write_pdf(laid_out, compressed=False, finisher=measure)
    return PdfFile(data, tuple(found))


def _by_page(codes: Iterable[Code]) -> Mapping[int, list[Code]]:
    pages: dict[int, list[Code]] = {}
    for url, box in codes:
        pages.setdefault(box.page, []).append((url, box))
    return pages


def _spot(box: Box) -> PictureSpot:
    left, top = round(box.x), round(box.y)
    return PictureSpot(left, top, left + round(box.width), top + round(box.height))


# ── the sheet ────────────────────────────────────────────────────────────────────────────────────


def _trim(pdf: pydyf.PDF, pages: Iterable[Any], paper: Paper) -> None:
    """Give every page its boxes, keep the artwork inside the bleed, and mark the cut."""
    before, after = pydyf.Stream(compress=True), pydyf.Stream(compress=True)
    before.push_state()
    left, bottom, right, top = paper.box(BLEED_MM)
    before.rectangle(left, bottom, right - left, top - bottom)
    before.clip()
    before.end()
    after.pop_state()
    after.push_state()
    after.set_line_width(_MARK_WIDTH_PT)
    after.set_color_rgb(0, 0, 0, stroke=True)
    for x0, y0, x1, y1 in _marks(paper):
        after.move_to(x0, y0)
        after.line_to(x1, y1)
    after.stroke()
    after.pop_state()
    pdf.add_object(before)
    pdf.add_object(after)
    for page in pages:
        page["Contents"] = pydyf.Array([before.reference, page["Contents"], after.reference])
        page["MediaBox"] = pydyf.Array(paper.box(_MARGIN_MM))
        page["BleedBox"] = pydyf.Array(paper.box(BLEED_MM))
        page["TrimBox"] = pydyf.Array(paper.box())


def _marks(paper: Paper) -> Iterator[tuple[float, float, float, float]]:
    """Two lines at each corner, on the cut, from the end of the bleed outwards."""
    left, bottom, right, top = paper.box()
    near, far = BLEED_MM * _PT_PER_MM, (BLEED_MM + _MARK_MM) * _PT_PER_MM
    for y, outwards in ((bottom, -1), (top, 1)):
        for x in (left, right):
            yield x, y + outwards * near, x, y + outwards * far
    for x, outwards in ((left, -1), (right, 1)):
        for y in (bottom, top):
            yield x + outwards * near, y, x + outwards * far, y


def _part_tiles(pdf: pydyf.PDF, page: Any) -> None:
    """Move the tiles of a background apart where one of them fills it.

    A CSS background repeats unless told otherwise, so that a gradient is written as a pattern. On
    the screen its tile ends with a pixel; on paper it ends within one, and the next tile would
    begin there: a hairline along the edge.
    """
    pattern = None
    for operation in operations_of(pdf, page):
        match operation.name:
            case b"scn" if operation.operands[-1].startswith(b"/"):
                pattern = operation.named("Pattern", pdf).extra
            case b"re" if pattern is not None:
                x, y, width, height = (float(operand) for operand in operation.operands)
                to_tile = multiplied(operation.matrix, inverted(matrix_of(pattern["Matrix"])))
                x, y = x + to_tile[4], y + to_tile[5]
                left, top, right, bottom = pattern["BBox"]
                if min(x - left, y - top, right - x - width, bottom - y - height) > -_NOTHING_PX:
                    pattern["XStep"], pattern["YStep"] = 2 * (right - left), 2 * (bottom - top)
                pattern = None
            case _:
                pass


# ── the pictures on it ───────────────────────────────────────────────────────────────────────────

_IMAGE_KEY: Final = re.compile(rb"/i([0-9a-f]{32})[01]")


def _names(manifest: TemplateManifest) -> Mapping[str, str]:
    """What each picture is called, by the key WeasyPrint files it under: the hash of its address."""
    addresses = {
        f"asset:{file.relative_to(manifest.directory).as_posix()}": file.name
        for file in manifest.directory.rglob("*")
        if file.is_file()
    }
    addresses |= {f"asset:@slot/{s.name}": s.name for s in manifest.slots if s.kind is SlotKind.IMAGE}
    return {
        md5(address.encode(), usedforsecurity=False).hexdigest(): name for address, name in addresses.items()
    }


def _rasters(
    pdf: pydyf.PDF, page: Any, number: int, names: Mapping[str, str], zoom: float = 1.0
) -> Iterator[Raster]:
    """Every picture of pixels that a page draws, as dense as it ends up on paper.

    `zoom` is how much larger the page is going to be than it is written here.
    """
    for operation in operations_of(pdf, page):
        if operation.name != b"Do":
            continue
        picture = operation.named("XObject", pdf).extra
        if picture["Subtype"] != "/Image":
            continue
        a, b, c, d, _, _ = operation.on_page  # a picture is one unit wide and one high
        across_in = (a * a + b * b) ** 0.5 * zoom / 72
        down_in = (c * c + d * d) ** 0.5 * zoom / 72
        key = _IMAGE_KEY.fullmatch(operation.operands[0])
        yield Raster(
            number,
            names.get(key[1].decode() if key else "", "embedded"),
            picture["Width"],
            picture["Height"],
            round(min(picture["Width"] / across_in, picture["Height"] / down_in)),
        )
