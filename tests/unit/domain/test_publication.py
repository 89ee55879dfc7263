"""Validity is settled once and then read off the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.distribution import AudienceRule
from app.domain.errors import InvalidInput
from app.domain.publication import EndReason, Standing, Validity, new_approval_no, validity

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def test_without_dates_a_piece_is_valid_from_now_for_thirty_days() -> None:
    period = validity(valid_from=None, valid_until=None, at=NOW)
    assert (period.valid_from, period.valid_until) == (NOW, NOW + 30 * DAY)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (None, NOW - DAY, "in_the_past"),
        (NOW - timedelta(hours=1), NOW + DAY, "in_the_past"),
        (NOW + 2 * DAY, NOW + DAY, "before_start"),
        (datetime.max.replace(tzinfo=UTC), None, "too_far"),
        (None, NOW + 400 * DAY, "too_long"),
        (None, datetime(2027, 1, 1), "no_time_zone"),
    ],
)
def test_an_impossible_period_is_refused(start: datetime | None, end: datetime | None, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        validity(valid_from=start, valid_until=end, at=NOW)
    assert refused.value.faults[0].code == code


def test_from_now_by_a_clock_that_is_a_little_slow_is_now() -> None:
    period = validity(valid_from=NOW - timedelta(minutes=4), valid_until=None, at=NOW)
    assert period.valid_from == NOW


@given(st.integers(-1000, 1000))
def test_a_publication_is_live_exactly_within_its_period(minutes: int) -> None:
    period = Validity(NOW, NOW + timedelta(minutes=500))
    standing = period.standing(ended=None, at=NOW + timedelta(minutes=minutes))
    expected = Standing.NOT_YET if minutes < 0 else Standing.LIVE if minutes < 500 else Standing.EXPIRED
    assert standing is expected


@pytest.mark.parametrize("reason", EndReason)
def test_an_ended_publication_never_stands_live(reason: EndReason) -> None:
    assert Validity(NOW, NOW + DAY).standing(ended=reason, at=NOW) == reason.value


def test_an_approval_number_can_be_read_out() -> None:
    numbers = {new_approval_no(NOW) for _ in range(200)}
    assert len(numbers) == 200
    assert all(re.fullmatch(r"YX202611-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", one) for one in numbers)


def test_an_audience_is_a_subtree_and_all_of_its_tags() -> None:
    rule = AudienceRule("/HQ/SZ/", ("理财经理",))
    assert rule.includes(path="/HQ/SZ/01/", tags=["理财经理", "新人"])
    assert not rule.includes(path="/HQ/SZ/01/", tags=["新人"])
    assert not rule.includes(path="/HQ/SH/01/", tags=["理财经理"])
    assert not AudienceRule("/HQ/S/").includes(path="/HQ/SZ/", tags=[])
