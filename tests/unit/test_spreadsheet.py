"""A cell of ours stays a text, whichever spreadsheet opens it."""

from __future__ import annotations

import pytest

from app.domain.spreadsheet import plain_cell


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(1)",
        "+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "  =1",
        "\u00a0=1",
        "\u3000=1",
        "\ufeff=1",
        "好\n=1",
        "好\r\n  @x",
        "＝1+1",
    ],
)
def test_what_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["李知遥", "a=b", "2026-11-22", "", "1 + 1", "S0000-1"])
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert plain_cell(text) == text


def test_a_number_stays_a_number() -> None:
    assert plain_cell(-3) == "-3"


def test_nothing_is_an_empty_cell() -> None:
    assert plain_cell(None) == ""
