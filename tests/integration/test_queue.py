"""The queue of a reviewer: its order, one's place in it, and whose items it leads to."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.domain.organisation import Permission, Role
from app.domain.route import StepPlan
from app.models.review import Review
from app.queries.next_item import Neighbours, alike_items, neighbours, reader_of
from app.queries.queue import QueueFilter, review_queue
from app.services.handover import transfer
from app.services.review import claim_review
from tests.factories import House
from tests.fakes import FixedClock

LEGAL = StepPlan("法务", role=Role.LEGAL)


def wait(house: House, clock: FixedClock, headline: str, who: str = "advisor") -> UUID:
    """A piece in review, a minute after the one before; the id of its round."""
    clock.advance(timedelta(minutes=1))
    return house.review_of(house.in_review(who, "note", headline=headline)).id


def listed(house: House, who: str = "reviewer") -> list[UUID]:
    with house.by(who) as uow:
        scope = uow.actor.scope_for(Permission.REVIEW_VIEW)
        queue = review_queue(uow.session, scope, QueueFilter(), by=uow.actor.user_id, at=uow.clock.now())
        assert queue.page.total == len(queue.page.rows)
        return [row.id for row in queue.page.rows]


def round_about(
    house: House,
    here: UUID | None,
    who: str = "reviewer",
    wanted: QueueFilter = QueueFilter(),  # noqa: B008 - frozen
    more: int = 0,
) -> Neighbours:
    with house.by(who) as uow:
        reader = reader_of(uow.session, uow.actor.user_id, uow.actor.grants, at=uow.clock.now())
        scope = uow.actor.scope_for(Permission.REVIEW_VIEW)
        return neighbours(uow.session, scope, wanted, here, by=reader, more=more)


@pytest.fixture
def interleaved(small_house: House, clock: FixedClock) -> list[UUID]:
    """Nine items of three changes that came in by turns, in the order of the queue."""
    came = [wait(small_house, clock, f"改动{number % 3}") for number in range(9)]
    return [*came[0::3], *came[1::3], *came[2::3]]


def test_what_is_alike_stands_together_and_the_longest_waiting_change_first(
    small_house: House, interleaved: list[UUID]
) -> None:
    assert listed(small_house) == interleaved
    with small_house.by("reviewer") as uow:
        scope = uow.actor.scope_for(Permission.REVIEW_VIEW)
        found = review_queue(uow.session, scope, QueueFilter(), by=None, at=uow.clock.now())
    assert {row.alike for row in found.page.rows} == {3}
    assert [group.total for group in found.groups] == [9]


def test_one_goes_round_the_queue_in_its_order(small_house: House, interleaved: list[UUID]) -> None:
    for place, here in enumerate(interleaved, 1):
        turned = [*interleaved[place:], *interleaved[: place - 1]]
        before = interleaved[place - 2] if place > 1 else None

        assert round_about(small_house, here) == Neighbours(before, tuple(turned[:6]), 9)
        assert round_about(small_house, here, more=9).following == tuple(turned)


def test_without_an_item_one_begins_where_the_queue_does(small_house: House, interleaved: list[UUID]) -> None:
    assert round_about(small_house, None) == Neighbours(None, tuple(interleaved[:6]), 9)


def test_a_search_narrows_the_way_round(small_house: House, clock: FixedClock) -> None:
    mine = [wait(small_house, clock, headline) for headline in ("早安", "晚安")]
    wait(small_house, clock, "早安", who="advisor_b")

    assert round_about(small_house, mine[0], wanted=QueueFilter(text="李知遥")) == Neighbours(
        None, (mine[1],), 2
    )


def test_what_is_alike_keeps_the_rank_of_the_first_of_its_kind(small_house: House, clock: FixedClock) -> None:
    first = small_house.in_review("advisor", "note", headline="早安")
    second, third, fourth = (wait(small_house, clock, words) for words in ("晚安", "早安", "午安"))
    small_house.decide(first)

    assert listed(small_house) == [third, second, fourth]


def test_a_stream_of_one_change_keeps_the_others_waiting_no_longer_than_a_day(
    small_house: House, clock: FixedClock
) -> None:
    first = wait(small_house, clock, "早安")
    clock.advance(timedelta(hours=23))
    other = wait(small_house, clock, "晚安")
    soon = wait(small_house, clock, "早安")
    clock.advance(timedelta(days=1))
    late = wait(small_house, clock, "早安")

    assert listed(small_house) == [first, soon, other, late]


def test_nobody_is_led_to_what_they_made_or_what_a_colleague_is_on(
    small_house: House, clock: FixedClock
) -> None:
    own = wait(small_house, clock, "早安", who="both")
    taken, free = wait(small_house, clock, "早安"), wait(small_house, clock, "早安")
    with small_house.by("reviewer_b") as uow:
        claim_review(uow, taken)

    assert round_about(small_house, None, who="both").following == (free,)
    assert round_about(small_house, None).following == (own, free)
    assert listed(small_house, who="both") == [own, taken, free]


def test_an_item_leads_those_on_who_may_take_the_step_it_waits_in(
    small_house: House, clock: FixedClock
) -> None:
    small_house.route(StepPlan("初审"), StepPlan("复审"), LEGAL)
    piece_id = small_house.in_review("advisor", "note")
    item = small_house.review_of(piece_id).id

    def led() -> dict[str, bool]:
        people = ("reviewer", "reviewer_b", "legal")
        return {who: item in round_about(small_house, None, who=who).following for who in people}

    assert led() == {"reviewer": True, "reviewer_b": True, "legal": False}
    small_house.decide(piece_id, who="reviewer")
    assert led() == {"reviewer": False, "reviewer_b": True, "legal": False}
    small_house.decide(piece_id, who="reviewer_b")
    assert led() == {"reviewer": False, "reviewer_b": False, "legal": True}


def test_an_item_goes_along_where_its_maker_moves(small_house: House, clock: FixedClock) -> None:
    house = small_house
    for place in ("SH", "SZ"):
        house.people[place] = house.person(f"reviewer-{place}", Role.REVIEWER, f"/HQ/{place}/")
    item = wait(house, clock, "早安")
    assert (listed(house, "SH"), listed(house, "SZ")) == ([item], [])

    advisor_id = house.people["advisor"].advisor_id
    assert advisor_id is not None
    with house.by("administrator") as uow:
        transfer(uow, advisor_id, house.units["/HQ/SZ/01/"])

    assert (listed(house, "SH"), listed(house, "SZ")) == ([], [item])
    assert round_about(house, None, who="SZ").following == (item,)


def test_only_what_one_may_decide_oneself_is_decided_together(small_house: House, clock: FixedClock) -> None:
    here, own, other = (wait(small_house, clock, "早安", who=who) for who in ("operator", "both", "operator"))

    def alike(who: str) -> list[UUID]:
        with small_house.by(who) as uow:
            digest = uow.session.get_one(Review, here).change_digest
            reader = reader_of(uow.session, uow.actor.user_id, uow.actor.grants, at=uow.clock.now())
            scope = uow.actor.scope_for(Permission.REVIEW_DECIDE)
            found = alike_items(uow.session, scope, here, digest, by=reader)
            return [one.id for one in found]

    assert alike("reviewer") == [own, other]
    assert alike("both") == [other]
