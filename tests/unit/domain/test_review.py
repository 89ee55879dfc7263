"""Who decides, which way a revision goes, and what a seal is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.review import (
    DecisionFacts,
    Outcome,
    Route,
    RouteFacts,
    doubts_of,
    reasons_for,
    route_for,
    seal,
    seal_holds,
)
from app.domain.route import Risk

slots = st.frozensets(st.sampled_from(["headline", "message", "photo", "title"]))
facts = st.builds(
    RouteFacts,
    verdict=st.sampled_from(["pass", "warn", "review"]),
    template_cleared=st.booleans(),
    free_text_slots=slots,
    unverified_slots=slots,
    made_for_everybody=st.booleans(),
)
RISKS = list(Risk)
DECISION = DecisionFacts(
    uuid4(), uuid4(), "c" * 64, Outcome.APPROVE, uuid4(), datetime(2026, 11, 23, tzinfo=UTC), uuid4()
)
KEY = b"k" * 32


def test_untouched_cleared_material_passes_by_itself() -> None:
    assert route_for(RouteFacts("pass", True, [], [], False)) is Route.AUTO


@given(facts, st.sampled_from(["verdict", "template_cleared", "free_text_slots", "unverified_slots"]))
def test_a_further_doubt_never_takes_a_person_out_of_the_way(given_facts: RouteFacts, doubt: str) -> None:
    worse = {
        "verdict": "review",
        "template_cleared": False,
        "free_text_slots": {*given_facts.free_text_slots, "headline"},
        "unverified_slots": {*given_facts.unverified_slots, "title"},
    }
    doubtful = replace(given_facts, **{doubt: worse[doubt]})
    assert route_for(doubtful) is Route.PEOPLE
    assert len(doubts_of(doubtful)) >= len(doubts_of(given_facts))
    assert RISKS.index(doubtful.risk) >= RISKS.index(given_facts.risk)


@given(facts)
def test_whichever_way_it_goes_there_is_a_reason(given_facts: RouteFacts) -> None:
    assert reasons_for(given_facts)
    assert (route_for(given_facts) is Route.AUTO) == (not doubts_of(given_facts))


@pytest.mark.parametrize(
    "changed",
    [
        {"decision_id": uuid4()},
        {"revision_id": uuid4()},
        {"content_hash": "d" * 64},
        {"outcome": Outcome.REJECT},
        {"decided_by": uuid4()},
        {"decided_by": None},
        {"decided_at": datetime(2026, 11, 24, tzinfo=UTC)},
        {"step_id": uuid4()},
        {"step_id": None},
        {"is_final": False},
    ],
)
def test_a_seal_holds_for_exactly_its_decision(changed: dict[str, UUID]) -> None:
    stamp = seal(DECISION, KEY)
    assert seal_holds(DECISION, KEY, stamp)
    assert not seal_holds(replace(DECISION, **changed), KEY, stamp)  # type: ignore[arg-type]


def test_a_seal_holds_in_whatever_zone_its_instant_is_read_back() -> None:
    elsewhere = DECISION.decided_at.astimezone(timezone(timedelta(hours=8)))
    assert seal_holds(replace(DECISION, decided_at=elsewhere), KEY, seal(DECISION, KEY))


def test_a_seal_of_another_key_does_not_hold() -> None:
    assert not seal_holds(DECISION, KEY, seal(DECISION, b"x" * 32))
