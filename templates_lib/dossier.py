"""A page of words and tables as a PDF, in the registered fonts, with pictures from memory alone."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import weasyprint
from PIL import Image
from weasyprint.text.fonts import FontConfiguration

from templates_lib import layout
from templates_lib.layout import SlotPicture

_QUALITY: Final = 80


def dossier_pdf(html: str, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF of an HTML page whose pictures are named `asset:@slot/NAME`; it reaches nothing else."""
    held = {name: SlotPicture(data, "image/jpeg") for name, data in (pictures or {}).items()}
    fetcher = layout.AssetFetcher(Path(__file__).parent / "nothing", held)
    with layout.ENGINE:
        document = weasyprint.HTML(string=html, base_url="asset:", url_fetcher=fetcher)
        return bytes(document.write_pdf(font_config=FontConfiguration()))


def reduced(picture: bytes, *, most_px: int) -> bytes:
    """A JPEG made small for a report; the picture itself lies beside it, whole."""
    with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP")) as opened:
        small = opened.convert("RGB")
        small.thumbnail((most_px, most_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
