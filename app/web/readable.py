"""Refuse at the door what no part of the platform can hold: NUL and halves of surrogates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask, request

from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.text import unstorable
from app.web.i18n import translate


def register_readable(app: Flask) -> None:
    """Judge every text of a request once, so that no view has to: path, query, form and JSON."""

    @app.before_request
    def _require_readable() -> None:
        if unstorable(request.path):
            raise Missing(noun="page")
        sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
        if request.is_json:
            # what is no JSON at all is refused by the view that wants some
            sent += _texts("", request.get_json(silent=True))
        faults = [
            Fault(_shown(name), "unprintable", translate("含有不能显示的字符，请删除。"))
            for name, text in sent
            if unstorable(name) or unstorable(text)
        ]
        if faults:
            raise InvalidInput(*faults)


def _texts(name: str, found: Any) -> Iterator[tuple[str, str]]:
    """Every text of a JSON document with the path to it."""
    match found:
        case str():
            yield name, found
        case dict():
            for key, inner in found.items():
                yield from _texts(f"{name}.{key}" if name else key, inner)
        case list():
            for inner in found:
                yield from _texts(name, inner)
        case _:
            return


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")[:64]
