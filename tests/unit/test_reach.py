"""The definitions of the figures, and the periods they are asked for."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.errors import InvalidInput
from app.domain.reach import DEFINITIONS, Metric, Period
from app.domain.tracking import ARRIVALS

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("metric", Metric)
def test_every_figure_says_what_it_counts(metric: Metric) -> None:
    definition = DEFINITIONS[metric]
    assert definition.kinds
    assert definition.meaning.endswith("。")


def test_every_arrival_is_a_scan_a_click_or_a_forward_and_only_one_of_them() -> None:
    parts = [DEFINITIONS[one].kinds for one in (Metric.SCANS, Metric.CLICKS, Metric.FORWARDS)]
    assert frozenset().union(*parts) == ARRIVALS == DEFINITIONS[Metric.ARRIVALS].kinds
    assert sum(len(part) for part in parts) == len(ARRIVALS)


def test_the_last_seven_days_include_today() -> None:
    assert Period.of_days(7, today=TODAY) == Period(date(2026, 11, 17), TODAY)
    assert len(Period.of_days(7, today=TODAY).days) == 7


def test_a_period_may_be_one_day() -> None:
    assert Period.between(TODAY, TODAY).days == (TODAY,)


@pytest.mark.parametrize(
    ("first", "last"), [(TODAY, date(2026, 11, 22)), (date(2025, 1, 1), TODAY)], ids=["backwards", "endless"]
)
def test_a_period_that_makes_no_sense_is_refused(first: date, last: date) -> None:
    with pytest.raises(InvalidInput):
        Period.between(first, last)
