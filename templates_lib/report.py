"""What was found out about a design, told to its designer."""

from templates_lib.compile import CompiledTemplate
from templates_lib.fill import Filled
from templates_lib.skeleton import Place, TextPlace, Way


def compile_report(compiled: CompiledTemplate, filled: Filled) -> tuple[str, ...]:
    """Say of every place a slot is shown at which way its ink comes onto the page, and why."""
    skeleton = compiled.skeleton(filled)
    size = compiled.manifest.size.name
    return tuple(
        f"{size}\tpage {place.page + 1}\t{place.element.slot}\t{place.way.value}\t{_said(place)}"
        for place in skeleton.places
    )


def _said(place: Place) -> str:
    if place.way is not Way.FAST:
        return place.reason
    if not isinstance(place, TextPlace):
        return "drawn on the still page"
    lines = "its lines move what follows: one still page for each number" if place.flows else "moves nothing"
    return f"{place.style.size_px:g} px, {place.limit_px:.0f} px wide; {lines}"
