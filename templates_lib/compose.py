"""A compiled template and values become a picture. Same values, same bytes, on every machine."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from templates_lib import layout
from templates_lib.compile import CompiledTemplate
from templates_lib.fill import Filled, Value, fill
from templates_lib.manifest import SlotKind
from templates_lib.qr import QrError, decode_qr


class PictureFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    PDF = "pdf"


JPEG = PictureFormat.JPEG
PNG = PictureFormat.PNG
PDF = PictureFormat.PDF


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a finished picture; for PDF the size is that of a page."""

    data: bytes
    format: PictureFormat
    width_px: int
    height_px: int
    sha256: str


def compose(
    compiled: CompiledTemplate,
    values: Mapping[str, Value],
    *,
    format: PictureFormat = JPEG,  # noqa: A002  the word of the trade
    page: int = 0,
    quality: int = 90,
) -> Picture:
    """Draw one page (JPEG, PNG) or all pages (PDF).

    Raises SlotErrors when values do not fit, QrError when a code does not read back, IndexError
    for a page the template does not have.
    """
    return compose_filled(
        compiled, fill(compiled.manifest, values), format=format, page=page, quality=quality
    )


def compose_filled(
    compiled: CompiledTemplate,
    filled: Filled,
    *,
    format: PictureFormat = JPEG,  # noqa: A002
    page: int = 0,
    quality: int = 90,
) -> Picture:
    """As `compose`, for values that were checked before."""
    if not 0 <= page < compiled.manifest.pages:
        raise IndexError(f"{compiled.manifest.slug} has pages 0 to {compiled.manifest.pages - 1}, not {page}")
    laid_out = compiled.place(filled)
    pdf = layout.write_pdf(laid_out, compressed=format is PDF)
    size = compiled.manifest.size
    pages = range(compiled.manifest.pages) if format is PDF else (page,)
    drawn = {
        number: layout.rasterise(pdf, number, size.width_px, size.height_px)
        for number in pages
        if format is not PDF or _codes_on(laid_out, filled, number)
    }
    for number, image in drawn.items():
        _check_codes(image, _codes_on(laid_out, filled, number))
    data = pdf if format is PDF else encode(drawn[page], format, quality)
    return Picture(data, format, size.width_px, size.height_px, hashlib.sha256(data).hexdigest())


def compose_pages(
    compiled: CompiledTemplate,
    values: Mapping[str, Value],
    *,
    format: PictureFormat = JPEG,  # noqa: A002
    quality: int = 90,
) -> tuple[Picture, ...]:
    """Every page of a template as a picture of its own, laid out once."""
    filled = fill(compiled.manifest, values)
    if format is PDF:
        return (compose_filled(compiled, filled, format=PDF),)
    laid_out = compiled.place(filled)
    pdf = layout.write_pdf(laid_out, compressed=False)
    size = compiled.manifest.size
    pictures = []
    for number in range(compiled.manifest.pages):
        image = layout.rasterise(pdf, number, size.width_px, size.height_px)
        _check_codes(image, _codes_on(laid_out, filled, number))
        data = encode(image, format, quality)
        sha256 = hashlib.sha256(data).hexdigest()
        pictures.append(Picture(data, format, size.width_px, size.height_px, sha256))
    return tuple(pictures)


def encode(image: Image.Image, format: PictureFormat, quality: int) -> bytes:  # noqa: A002
    """Pixels as a file without metadata. Colour is kept whole: small red text must not smear."""
    target = io.BytesIO()
    if format is JPEG:
        image.save(target, "JPEG", quality=quality, subsampling="4:4:4")
    else:
        image.save(target, "PNG", compress_level=4)
    return target.getvalue()


def _codes_on(laid_out: layout.LaidOut, filled: Filled, page: int) -> list[tuple[str, layout.Box]]:
    return [
        (filled.texts[slot.name], laid_out.pictures[slot.name])
        for slot in filled.manifest.slots
        if slot.kind is SlotKind.QR
        and slot.name in laid_out.pictures
        and laid_out.pictures[slot.name].page == page
    ]


def _check_codes(image: Image.Image, codes: Iterable[tuple[str, layout.Box]]) -> None:
    """Read every code back out of the finished pixels, surroundings and all."""
    for url, box in codes:
        margin = box.width * 0.25
        around = image.crop(
            (
                max(0, round(box.x - margin)),
                max(0, round(box.y - margin)),
                min(image.width, round(box.x + box.width + margin)),
                min(image.height, round(box.y + box.height + margin)),
            )
        )
        if url not in decode_qr(around):
            raise QrError("成品上的二维码无法识别，图片没有放行")
