"""The life of a piece is one table, and the hash covers all that is decided on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import IllegalTransition
from app.domain.piece import (
    TRANSITIONS,
    PieceAction,
    PieceState,
    RevisionContent,
    changed_slots,
    next_state,
    revision_hash,
)

PUBLIC = PieceState.PUBLISHED
CONTENT = RevisionContent(
    template_slug="poster",
    template_version=1,
    template_digest="d" * 64,
    values={"headline": "山有四季", "photo": "asset:" + "a" * 64},
    asset_hashes=["a" * 64],
    disclosure="基金有风险，投资须谨慎。",
    product_type="fund",
    landing="card/1",
)


@pytest.mark.parametrize("state", PieceState)
@pytest.mark.parametrize("action", PieceAction)
def test_every_pair_of_state_and_action_is_in_the_table_or_refused(
    state: PieceState, action: PieceAction
) -> None:
    if (state, action) in TRANSITIONS:
        assert next_state(state, action) is TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalTransition) as refused:
            next_state(state, action)
        assert refused.value.data == {"state": state.value, "action": action.value}


def test_published_is_reached_only_from_approved() -> None:
    back = PieceAction.DROP_CORRECTION  # to what is public all the while
    assert {s for (s, action), after in TRANSITIONS.items() if after is PUBLIC and action is not back} == {
        PieceState.APPROVED
    }
    assert {after for (_, action), after in TRANSITIONS.items() if action is back} == {PUBLIC}


def test_approved_is_reached_only_from_review() -> None:
    before = {state for (state, _), after in TRANSITIONS.items() if after is PieceState.APPROVED}
    assert before == {PieceState.IN_REVIEW}


def test_no_edit_leads_to_a_state_that_needs_no_new_approval() -> None:
    after_edit = {after for (_, action), after in TRANSITIONS.items() if action is PieceAction.EDIT}
    assert after_edit == {PieceState.DRAFT, PieceState.CHANGES_REQUESTED}


def test_every_state_but_the_first_can_be_reached() -> None:
    assert {PieceState.DRAFT, *TRANSITIONS.values()} == set(PieceState)


def test_archived_is_the_end() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is PieceState.ARCHIVED]


@pytest.mark.parametrize(
    "other",
    [
        {"template_slug": "card"},
        {"template_version": 2},
        {"template_digest": "e" * 64},
        {"values": {"headline": "山有四季"}},
        {"values": {"headline": "山有四时", "photo": "asset:" + "a" * 64}},
        {"asset_hashes": ["b" * 64]},
        {"disclosure": None},
        {"product_type": "none"},
        {"landing": "card/2"},
    ],
)
def test_any_change_of_what_is_decided_on_is_another_content(other: dict[str, object]) -> None:
    assert revision_hash(replace(CONTENT, **other)) != revision_hash(CONTENT)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=8), st.randoms())
def test_the_order_of_slots_does_not_matter_to_the_hash(values: dict[str, str], random) -> None:  # type: ignore[no-untyped-def]
    pairs = [(key, value) for key, value in values.items() if _encodable(key + value)]
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert revision_hash(replace(CONTENT, values=dict(pairs))) == revision_hash(
        replace(CONTENT, values=dict(shuffled))
    )


def _encodable(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def test_only_slots_that_differ_are_shown_and_in_the_templates_order() -> None:
    labels = {"headline": "标题", "message": "正文", "kicker": "栏目"}
    changes = changed_slots(
        labels, {"headline": "甲", "kicker": "旧"}, {"headline": "甲", "message": "新", "kicker": "改"}
    )
    assert [(one.label, one.before, one.after) for one in changes] == [
        ("正文", "", "新"),
        ("栏目", "旧", "改"),
    ]
