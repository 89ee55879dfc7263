"""Daily figures: folded from the events, as often as you like, with the same result."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.domain.organisation import Actor
from app.domain.tracking import EventFacts, EventKind, HitClass, LinkChannel, day_of, fold_day
from app.models.tracking import DailyRollup, Event, VisitorKey
from app.services.rollup import fold_one_day, fold_stale_days, prepare_event_days, stale_days
from tests.factories import House
from tests.fakes import FixedClock
from tests.visitors import code_of, keep_event


def folding(house: House) -> Any:
    return house.platform.unit_of_work(Actor.system("fold", house.tenant_id))


def figures(house: House) -> list[tuple[Any, ...]]:
    with house.platform.sessions() as session:
        rows = session.execute(
            select(*(column for column in DailyRollup.__table__.columns if column.name != "tenant_id"))
        ).all()
    return sorted(tuple(map(str, row)) for row in rows)


def some_events(house: House, piece_id: UUID, *, seed: int, days: int = 5, count: int = 60) -> None:
    chosen = random.Random(seed)
    now = house.platform.clock.now()
    for _ in range(count):
        at = now - timedelta(days=chosen.randrange(days), seconds=chosen.randrange(86_400))
        keep_event(
            house,
            piece_id,
            chosen.choice(["advisor", "advisor_b"]),
            at,
            kind=chosen.choice(list(EventKind)),
            hit_class=chosen.choice(list(HitClass)),
            channel=chosen.choice(list(LinkChannel)),
        )


@pytest.fixture
def piece_id(house: House) -> UUID:
    """A master piece with an edition of each of two advisors in two branches."""
    found = house.draft("operator")
    for who in ("advisor", "advisor_b"):
        code_of(house, found, who=who)
    return found


def test_a_day_folded_twice_is_as_folded_once(house: House, piece_id: UUID) -> None:
    some_events(house, piece_id, seed=1)
    day = day_of(house.platform.clock.now()) - timedelta(days=1)
    with folding(house) as uow:
        fold_one_day(uow, day)
    once = figures(house)
    with folding(house) as uow:
        fold_one_day(uow, day)
    assert figures(house) == once != []


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_equal_a_recount_of_the_events(house: House, piece_id: UUID, seed: int) -> None:
    some_events(house, piece_id, seed=seed, count=150)
    with folding(house) as uow:
        fold_stale_days(uow)
    with house.platform.sessions() as session:
        recounted = fold_day(
            EventFacts(*row)
            for row in session.execute(
                select(
                    Event.kind,
                    Event.hit_class,
                    Event.piece_id,
                    Event.advisor_id,
                    Event.org_unit_id,
                    Event.channel,
                    Event.occurred_at,
                )
            )
        )
    expected = [
        (k.day, k.piece_id, k.advisor_id, k.org_unit_id, k.channel.value, k.kind.value, n.human, n.raw)
        for k, n in recounted.items()
    ]
    assert figures(house) == sorted(tuple(map(str, row)) for row in expected)


def test_only_days_with_something_new_are_folded(house: House, piece_id: UUID) -> None:
    some_events(house, piece_id, seed=3)
    with folding(house) as uow:
        assert fold_stale_days(uow) > 1
    keep_event(house, piece_id, "advisor", house.platform.clock.now() - timedelta(days=2))
    with folding(house) as uow:
        assert stale_days(uow) == [day_of(house.platform.clock.now()) - timedelta(days=2)]
        assert fold_stale_days(uow) == 1
        assert stale_days(uow) == []


def test_days_missed_while_no_worker_ran_are_made_good(
    house: House, piece_id: UUID, clock: FixedClock
) -> None:
    keep_event(house, piece_id, "advisor", clock.now())
    with folding(house) as uow:
        fold_stale_days(uow)
    keep_event(house, piece_id, "advisor", clock.now() + timedelta(minutes=1))
    clock.advance(timedelta(days=9))
    with folding(house) as uow:
        fold_stale_days(uow)
    with house.platform.sessions() as session:
        assert session.scalar(select(func.sum(DailyRollup.raw))) == 2


def test_one_tenants_fold_leaves_anothers_figures_alone(house: House, piece_id: UUID) -> None:
    other = House.build(house.platform, slug="other")
    other_piece = other.draft("operator")
    for one, piece in ((house, piece_id), (other, other_piece)):
        code_of(one, piece)
        keep_event(one, piece, "advisor", house.platform.clock.now())
        with folding(one) as uow:
            fold_stale_days(uow)
    with folding(house) as uow:
        fold_one_day(uow, day_of(house.platform.clock.now()))
    with house.platform.sessions() as session:
        owners = session.scalars(select(DailyRollup.tenant_id)).all()
    assert sorted(owners) == sorted([house.tenant_id, other.tenant_id])


def test_the_key_of_a_day_is_destroyed_when_the_day_is_over(house: House, clock: FixedClock) -> None:
    with house.platform.sessions.begin() as session:
        session.add(VisitorKey(day=day_of(clock.now()), key=b"k" * 32))
    with house.platform.unit_of_work(Actor.system("partitions")) as uow:
        prepare_event_days(uow)
    clock.advance(timedelta(days=1))
    with house.platform.unit_of_work(Actor.system("partitions")) as uow:
        prepare_event_days(uow)
    with house.platform.sessions() as session:
        assert session.scalars(select(VisitorKey.day)).all() == []
