"""Pages that are drawn once for everybody, with gaps for what is each reader's own.

A page is kept under all that it says, and looked for only after the database was asked what that is at
this moment: being kept spares the drawing and nothing else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable
from typing import Final

from flask import Flask, Response, current_app

from app.services.remembered import Remembered
from app.services.unit_of_work import UnitOfWork
from app.web.i18n import locale

_EXTENSION: Final = "imprimatur-kept-pages"
_MOST_SIGNS: Final = 16 * 1024 * 1024
# What stands in a gap while a page is drawn; nobody outside this process can have written it.
_GAP: Final = secrets.token_hex(16)
# What reads the same in an address, an attribute and a text, so that it needs no escaping.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]*")


def register_kept_pages(app: Flask) -> None:
    """Let the application remember the pages it has drawn."""
    app.extensions[_EXTENSION] = Remembered[Hashable, str](capacity=_MOST_SIGNS, size=len)


def kept_page(uow: UnitOfWork, says: Hashable, draw: Callable[..., str], **own: str) -> Response:
    """The page that says this in the reader's language, drawn at first use, with their own in its gaps.

    `draw` is called with the names in `own`. What a page shows for the first time may have to be noted,
    so it is kept only once this work is committed.
    """
    pages: Remembered[Hashable, str] = current_app.extensions[_EXTENSION]
    key = (says, locale())
    gaps = {name: f"{_GAP}{number}" for number, name in enumerate(own)}
    page = pages.get(key)
    if page is None:
        page = drawn = draw(**gaps)
        uow.once_committed(lambda: pages.keep(key, drawn))
    for name, gap in gaps.items():
        if not _PLAIN.fullmatch(own[name]):
            raise ValueError(f"{name} would have to be escaped")
        page = page.replace(gap, own[name])
    return Response(page, content_type="text/html; charset=utf-8")
