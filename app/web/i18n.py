"""Words of the interface: Chinese is the source, catalogues in app/web/locale translate it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request

LOCALE_DIR: Final = Path(__file__).parent / "locale"
SOURCE: Final = "zh-CN"


@cache
def available() -> tuple[str, ...]:
    """Locales with a catalogue, the source first."""
    found = (path.parent.parent.name for path in LOCALE_DIR.glob("*/LC_MESSAGES/messages.mo"))
    return (SOURCE, *sorted(name.replace("_", "-") for name in found))


def locale() -> str:
    if not has_request_context():
        return SOURCE
    return request.accept_languages.best_match(available()) or SOURCE


def translate(message: str) -> str:
    """One sentence in the reader's language, or as it is where there is no translation."""
    return _catalogue(locale()).ugettext(message)


@cache
def _catalogue(name: str) -> NullTranslations:
    if name == SOURCE:
        return NullTranslations()
    return Translations.load(LOCALE_DIR, [name.replace("-", "_")])


def register_i18n(app: Flask) -> None:
    """Give templates `_()`, `ngettext` and the reader's locale."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        translate,
        lambda one, many, number: _catalogue(locale()).ungettext(one, many, number),
        newstyle=True,
    )
    app.context_processor(lambda: {"locale": locale()})
