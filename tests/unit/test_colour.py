import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.colour import (
    BLACK,
    READABLE,
    WHITE,
    Colour,
    contrast,
    darkened_until_readable,
)

part = st.integers(0, 255)
colours = st.builds(Colour, part, part, part)


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)


@given(colours, colours)
def test_contrast_does_not_depend_on_which_colour_is_the_ground(one: Colour, other: Colour) -> None:
    assert contrast(one, other) == contrast(other, one)


@given(colours)
def test_a_colour_is_read_as_it_is_written(colour: Colour) -> None:
    assert Colour.parse(str(colour)) == colour


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567", "#123456;}"])
def test_anything_but_six_hex_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        Colour.parse(text)


@given(colours)
def test_any_colour_becomes_readable_on_white(colour: Colour) -> None:
    assert contrast(darkened_until_readable(colour, on=WHITE), WHITE) >= READABLE


def test_a_readable_colour_stays_as_it_is() -> None:
    navy = Colour.parse("#17456b")

    assert darkened_until_readable(navy, on=WHITE) == navy
