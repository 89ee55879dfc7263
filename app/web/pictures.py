"""Hand out a rendition: its own bytes, its mark, and a name a phone can keep."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from typing import Final

from flask import Response, request, send_file

from app.domain.errors import Missing
from app.services.reading import Place
from app.services.rendition import PictureFile
from templates_lib.manifest import PageSize, TemplateManifest

# A thumbnail comes in few widths, so that few are kept; a phone asks for the next larger one.
WIDTHS: Final = (270, 540, 720)
SUFFIXES: Final = {
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "png": "png",
    "webp": "webp",
    "pdf": "pdf",
    "print.pdf": "print",
}
_NOT_IN_A_NAME: Final = re.compile(r"[\\/:*?\"<>|\x00-\x1f]+")


def asked_width() -> int:
    """The width asked for by ?w=, rounded up to one that is kept."""
    asked = request.args.get("w", default=WIDTHS[1], type=int)
    return next((width for width in WIDTHS if width >= asked), WIDTHS[-1])


def asked_page(pages: int) -> int:
    """The page asked for by ?page=, counted from 0. Raises Missing for one that is not there."""
    page = request.args.get("page", default=0, type=int)
    if not 0 <= page < pages:
        raise Missing(noun="page")
    return page


def asked_size(manifest: TemplateManifest) -> str:
    """The size of a design asked for by ?size=, "" for its own. Raises Missing for one it has not."""
    size = request.args.get("size", "")
    if size not in manifest.sizes:
        raise Missing(noun="size")
    return size


def size_words(size: PageSize) -> tuple[str, str]:
    """A size as it is offered: what it is for, and its shape."""
    words, _blank, shape = size.name.partition(" ")
    return words, shape


def in_page(crops: Mapping[Place, bytes]) -> dict[Place, str]:
    """Small pictures as addresses that carry them: nobody else could ask for them."""
    return {
        place: f"data:image/jpeg;base64,{base64.b64encode(data).decode()}" for place, data in crops.items()
    }


def picture_answer(
    picture: PictureFile, *, name: str | None = None, save: bool = False, max_age_s: int = 0
) -> Response:
    """The picture's bytes; the same picture is not sent twice to one browser.

    `name` is what a saved file is called (RFC 6266, any script); `save` asks the browser to keep
    it instead of showing it. A picture is somebody's own, so no shared cache may hold it.
    """
    response = send_file(
        io.BytesIO(picture.data),
        mimetype=picture.content_type,
        as_attachment=save,
        download_name=file_name(name) if name else None,
        etag=picture.sha256,
        conditional=True,
    )
    response.cache_control.clear()
    response.cache_control.private = True
    if max_age_s:
        response.cache_control.max_age = max_age_s
    else:
        response.cache_control.no_cache = True
    return response


def file_name(name: str) -> str:
    """A name every file system takes."""
    return _NOT_IN_A_NAME.sub(" ", name).strip(" .")[:80] or "picture"
