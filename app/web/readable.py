"""Refuse at the door what no part of the platform can hold: NUL and halves of surrogates."""

from __future__ import annotations

from flask import Flask, request

from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.text import unstorable
from app.web.i18n import translate


def register_readable(app: Flask) -> None:
    """Judge every text of a request once, so that no view has to: path, query and form.

    JSON is read in one place alone, app/web/api/reading.py, and judged there.
    """

    @app.before_request
    def _require_readable() -> None:
        if unstorable(request.path):
            raise Missing(noun="page")
        sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
        faults = [
            Fault(_shown(name), "unprintable", translate("含有不能显示的字符，请删除。"))
            for name, text in sent
            if unstorable(name) or unstorable(text)
        ]
        if faults:
            raise InvalidInput(*faults)


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")[:64]
