"""The colours of the house are readable, in the house's own brand and in any tenant's."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.colour import READABLE, Colour, contrast
from app.web.brand_sheet import DARKEST_GROUND, HOUSE, brand_sheet
from tests.unit.page_environment import WEB

CSS: Final = WEB / "static" / "css"
TOKEN: Final = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;")
GROUNDS: Final = ("surface", "paper", "sunken")
STATES: Final = ("good", "info", "attention", "stop", "neutral")

# shapes and the borders of controls need less than words do (WCAG 1.4.11)
VISIBLE: Final = 3.0


def colours_in(sheet: str) -> dict[str, Colour]:
    return {name: Colour.parse(value) for name, value in TOKEN.findall(sheet)}


TOKENS: Final = colours_in((CSS / "tokens.css").read_text(encoding="utf-8"))


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("words", ["ink", "ink-soft", "brand", "brand-strong", "stop"])
def test_words_are_readable_on_every_ground(words: str, ground: str) -> None:
    assert contrast(TOKENS[words], TOKENS[ground]) >= READABLE


@pytest.mark.parametrize("ground", GROUNDS)
def test_even_faint_words_are_readable(ground: str) -> None:
    assert contrast(TOKENS["ink-faint"], TOKENS[ground]) >= READABLE


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_readable_on_its_own_ground_and_on_paper(state: str) -> None:
    assert contrast(TOKENS[state], TOKENS[f"{state}-soft"]) >= READABLE
    assert contrast(TOKENS[state], TOKENS["paper"]) >= READABLE


@pytest.mark.parametrize("state", STATES)
def test_ordinary_words_are_readable_on_the_ground_of_a_state(state: str) -> None:
    assert contrast(TOKENS["ink"], TOKENS[f"{state}-soft"]) >= READABLE
    assert contrast(TOKENS["ink-soft"], TOKENS[f"{state}-soft"]) >= READABLE


def test_words_are_readable_on_the_brand() -> None:
    assert contrast(TOKENS["on-brand"], TOKENS["brand"]) >= READABLE
    assert contrast(TOKENS["on-brand"], TOKENS["brand-strong"]) >= READABLE


def test_the_border_of_a_control_can_be_seen() -> None:
    assert contrast(TOKENS["line-control"], TOKENS["surface"]) >= VISIBLE


@pytest.mark.parametrize("step", range(1, 6))
def test_a_series_of_a_chart_can_be_seen(step: int) -> None:
    assert contrast(TOKENS[f"series-{step}"], TOKENS["surface"]) >= VISIBLE


def test_the_brand_sheet_knows_the_colour_and_the_darkest_ground_of_the_house() -> None:
    assert TOKENS["brand"] == HOUSE
    assert min((TOKENS[ground] for ground in GROUNDS), key=lambda c: c.luminance) == DARKEST_GROUND


part = st.integers(0, 255)


@given(st.builds(Colour, part, part, part))
def test_any_brand_a_tenant_chooses_is_readable(primary: Colour) -> None:
    brand = colours_in(brand_sheet(primary))

    assert contrast(brand["brand"], DARKEST_GROUND) >= READABLE
    assert contrast(brand["on-brand"], brand["brand"]) >= READABLE
    assert contrast(brand["brand-strong"], brand["brand-soft"]) >= READABLE


def test_the_public_sheets_stay_small() -> None:
    size_bytes = sum((CSS / name).stat().st_size for name in ("tokens.css", "public.css"))

    assert size_bytes < 15_000
