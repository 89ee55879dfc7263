"""The macros of `pages/components/`, offered to every template as `ui`.

A block that is rendered alone (jinja2-fragments) runs none of the page's top-level imports, so an
imported macro would be missing in exactly the fragment answers. A global is there in both.
"""

from typing import Any, Final

from jinja2 import Environment

SHEETS: Final = (
    "components/button.html",
    "components/field.html",
    "components/figure.html",
    "components/findings.html",
    "components/icon.html",
    "components/listing.html",
    "components/notice.html",
    "components/state.html",
)


class Components:
    """The macros of all sheets by attribute: `ui.button(…)`.

    A sheet is read at first use, when all the globals that macros rely on (`_`, `static_url`,
    `csrf_token`) are in place, and read again when it changes under a debug server.
    """

    __slots__ = ("_environment", "_sheet_of")

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._sheet_of: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for sheet in self._candidates(name):
                module = self._environment.get_template(sheet).module
                if hasattr(module, name):
                    self._sheet_of[name] = sheet
                    return getattr(module, name)
        raise AttributeError(f"no macro {name!r} in pages/components/")

    def _candidates(self, name: str) -> tuple[str, ...]:
        known = self._sheet_of.get(name)
        return SHEETS if known is None else (known,)


def register_components(environment: Environment) -> None:
    """Make `ui` known to every template of this environment."""
    environment.globals["ui"] = Components(environment)
