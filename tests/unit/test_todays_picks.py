"""The few things worth sending today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.domain.distribution import Offered, todays_picks

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def offer(number: int, *, age_days: float = 1, left_days: float = 20) -> Offered:
    return Offered(UUID(int=number), NOW - timedelta(days=age_days), NOW + timedelta(days=left_days))


def test_never_more_than_three():
    assert len(todays_picks([offer(number) for number in range(9)], at=NOW)) == 3


def test_the_newest_comes_first():
    picks = todays_picks([offer(1, age_days=3), offer(2, age_days=1)], at=NOW)
    assert picks == [UUID(int=2), UUID(int=1)]


def test_what_ends_within_three_days_goes_before_what_is_new():
    picks = todays_picks(
        [offer(1, age_days=0), offer(2, age_days=9, left_days=3), offer(3, age_days=9, left_days=1)], at=NOW
    )
    assert picks == [UUID(int=3), UUID(int=2), UUID(int=1)]


def test_the_same_offers_in_another_order_give_the_same_picks():
    offers = [offer(number) for number in range(6)]
    assert todays_picks(offers, at=NOW) == todays_picks(reversed(offers), at=NOW)
