"""Words made smaller to fit, with a shadow or with an outline."""

import numpy as np
import pytest

from templates_lib.compile import compile_template
from templates_lib.compose import PDF, PNG, compose, compose_filled
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrorCode, SlotErrors, fill
from templates_lib.skeleton import Way
from tests.unit.templates_lib.factories import MANIFEST, write_template
from tests.unit.templates_lib.test_ways import PLAIN, STYLED, VALUES, drawn, likeness

SHRINKING = MANIFEST.replace(
    "profile_field: name, max_chars: 12,", "profile_field: name, max_chars: 12, min_font_px: 12,"
)
LONG = VALUES | {"name": "阿卜杜热西提买买提明"}  # 180 px wide in 18 px, its place has 150


def design(folder, style="", manifest=MANIFEST):
    source = write_template(folder / "1", manifest=manifest, body=PLAIN, style=STYLED + style)
    return compile_template(source)


def both(compiled, values):
    made = compose(compiled, values, format=PNG)
    whole = compose_filled(compiled, fill(compiled.manifest, values), format=PNG, least=Way.FULL)
    return made, drawn(made), drawn(whole)


def test_a_name_too_wide_is_set_smaller_where_the_design_allows_it(tmp_path):
    compiled = design(tmp_path, manifest=SHRINKING)
    assert compiled.sizes(fill(compiled.manifest, LONG)) == {"name": 15}
    made, fast, whole = both(compiled, LONG)
    assert made.way is Way.FAST
    assert likeness(fast, whole) >= 0.995


def test_a_name_that_fits_keeps_the_size_of_the_design(tmp_path):
    compiled = design(tmp_path, manifest=SHRINKING)
    assert compiled.sizes(fill(compiled.manifest, VALUES)) == {}


def test_a_name_too_wide_even_in_the_smallest_size_is_refused(tmp_path):
    manifest = SHRINKING.replace("min_font_px: 12", "min_font_px: 16")
    with pytest.raises(SlotErrors) as refused:
        compose(design(tmp_path, manifest=manifest), LONG)
    (error,) = refused.value.errors
    assert (error.slot, error.code) == ("name", SlotErrorCode.OVERFLOW)
    assert error.fits == "阿卜杜热西提买买提"  # nine characters of 16 px


def test_a_name_too_wide_is_refused_where_the_design_says_nothing(tmp_path):
    with pytest.raises(SlotErrors):
        compose(design(tmp_path), LONG)


@pytest.mark.parametrize(
    ("style", "reason", "colour", "place"),
    [
        (".name { text-shadow: 3px 5px #ff0000 }", "text-shadow", (255, 0, 0), (3, 5)),
        (".name { -webkit-text-stroke: 2px #00aa00 }", "-webkit-text-stroke", (0, 170, 0), (0, 0)),
    ],
)
def test_shadow_and_outline_are_drawn_the_slow_way_as_in_the_whole_page(
    tmp_path, style, reason, colour, place
):
    compiled = design(tmp_path, style)
    made, slow, whole = both(compiled, VALUES)
    assert made.way is Way.SLOW
    assert reason in made.reason
    assert likeness(slow, whole) >= 0.995
    assert (np.abs(slow - np.array(colour)).sum(2) < 90).sum() > 20


def test_fixed_words_have_their_shadow_too(tmp_path):
    made, fast, whole = both(design(tmp_path, ".fixed { text-shadow: 2px 2px #ff0000 }"), VALUES)
    assert made.way is Way.FAST
    assert (np.abs(fast - np.array((255, 0, 0))).sum(2) < 90).sum() > 20
    assert likeness(fast, whole) >= 0.995


def test_a_shadow_is_in_the_pdf_as_letters_of_its_colour(tmp_path):
    plain = compose(design(tmp_path / "a"), VALUES, format=PDF).data
    shaded = compose(
        design(tmp_path / "b", ".name { text-shadow: 2px 2px #ff0000 }"), VALUES, format=PDF
    ).data
    assert len(shaded) > len(plain)


@pytest.mark.parametrize(
    "style",
    [
        ".name { text-shadow: 2px 2px 4px #000000 }",
        ".name { text-shadow: 2px 2px }",
        ".name { text-shadow: 200px 2px red }",
        ".name { text-shadow: 1px 1px red, 2px 2px blue }",
        ".name { -webkit-text-stroke: -2px red }",
        ".name { -webkit-text-stroke: thin red }",
        ".name { text-shadow: 1em 1em red }",
    ],
)
def test_a_shadow_or_outline_that_would_not_be_drawn_so_is_refused(tmp_path, style):
    with pytest.raises(TemplateError, match="must be none or"):
        design(tmp_path, style)


def test_none_takes_an_inherited_shadow_away(tmp_path):
    compiled = design(tmp_path, "body { text-shadow: 2px 2px #ff0000 } .name { text-shadow: none }")
    assert compose(compiled, VALUES, format=PNG).way is not Way.FULL
    places = {
        place.element.slot: place.way for place in compiled.skeleton(fill(compiled.manifest, VALUES)).places
    }
    assert (places["name"], places["headline"]) == (Way.FAST, Way.SLOW)
