"""Deliberate faults of the gate, each a plausible slip of ours, to prove that the machine sees them.

A fault changes the production code or a trigger in one way. `tests/integration/test_gate_faults.py` lets
the random hands loose on each of them and expects its alarm: an invariant that does not hold, or the
guard in the database that stops what the service let through. Any other end is a broken test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain.piece import TRANSITIONS, PieceAction, PieceState
from app.domain.publication import Standing
from app.models.review import Review
from app.services import independence, review, serving, submission
from app.services.unit_of_work import UnitOfWork
from app.web import links
from templates_lib.twin import TwinLine
from tests.factories import House


@dataclass(frozen=True)
class Fault:
    """One slip: what is wrong with the gate, how the alarm begins, and how to make it so."""

    name: str
    alarm: str
    seed: Callable[[House, pytest.MonkeyPatch], None]
    soon: bool = False  # met within seconds: tried with every run of the suite


def _accounts_for_people(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(independence, "persons_of", lambda _uow, user_ids: {one: one for one in user_ids})


def _submitter_forgotten(_house: House, patch: pytest.MonkeyPatch) -> None:
    hands_in = independence.hands_in

    def without_submitter(uow: UnitOfWork, round_: Review) -> dict[UUID, independence.Hand]:
        hands = hands_in(uow, round_)
        return {one: hand for one, hand in hands.items() if hand is not independence.Hand.SUBMITTED}

    patch.setattr(independence, "hands_in", without_submitter)


def _stale_content_accepted(_house: House, patch: pytest.MonkeyPatch) -> None:
    real = review.decide

    def decide(uow: UnitOfWork, review_id: UUID, outcome: Any, **seen: Any) -> Any:
        found = uow.session.get_one(Review, review_id)
        content = uow.session.get_one(review.PieceRevision, found.revision_id).content_hash
        return real(uow, review_id, outcome, **{**seen, "content_hash": content})

    _everywhere(patch, decide)


def _step_not_compared(_house: House, patch: pytest.MonkeyPatch) -> None:
    real = review.decide

    def decide(uow: UnitOfWork, review_id: UUID, outcome: Any, **seen: Any) -> Any:
        found = uow.session.get_one(Review, review_id)
        here = review.open_step_of(uow, found)
        return real(uow, review_id, outcome, **{**seen, "step": here.position if here else seen["step"]})

    _everywhere(patch, decide)


def _first_approval_is_final(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_has_quorum", lambda _step, _votes: True)
    patch.setattr(review, "_following", lambda _step, _steps: None)


def _edit_keeps_the_approval(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(TRANSITIONS, (PieceState.APPROVED, PieceAction.EDIT), PieceState.APPROVED)


def _new_rules_not_asked(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_check_again", lambda *_all: None)


def _withdrawn_round_stays_open(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(submission, "end_round", lambda *_all, **_more: None)


def _licence_not_asked(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(serving, "is_qualified", lambda *_all, **_more: True)


def _seats_not_asked(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_is_seated", lambda *_all: True)


def _time_not_asked(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(serving, "standing_of", lambda _uow, found: found.end_reason or Standing.LIVE)


def _other_words_drawn(_house: House, patch: pytest.MonkeyPatch) -> None:
    real = serving.edition_spec

    def spec(uow: UnitOfWork, found: Any, *all_: Any, **more: Any) -> Any:
        drawn = real(uow, found, *all_, **more)
        return replace(drawn, values={**drawn.values, "headline": "早安"})

    patch.setattr(serving, "edition_spec", spec)


def _other_words_on_the_page(_house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(links, "twin_of", lambda *_all: (TwinLine("headline", "标题", "另一句话"),))


def _votes_without_an_entry(_house: House, patch: pytest.MonkeyPatch) -> None:
    from app.services.audit import AuditTrail

    record = AuditTrail.record

    def forgetful(self: AuditTrail, tag: str, subject_id: UUID | str, **details: Any) -> None:
        if tag != "piece:approve":
            record(self, tag, subject_id, **details)

    patch.setattr(AuditTrail, "record", forgetful)


def _blind_trigger(statement: str) -> Callable[[House, pytest.MonkeyPatch], None]:
    def seed(house: House, _patch: pytest.MonkeyPatch) -> None:
        with house.platform.engine.begin() as connection:
            connection.execute(text(statement))

    return seed


def _everywhere(patch: pytest.MonkeyPatch, decide: Callable[..., Any]) -> None:
    from app.web import review as pages
    from app.web.api import reviews
    from tests.gate import machine

    for module in (review, reviews, pages, machine):
        patch.setattr(module, "decide", decide)


FAULTS = (
    Fault(
        "four eyes by account instead of by person",
        "another person than its proposer|on their own work|has one vote",
        _accounts_for_people,
    ),
    Fault("whoever sent it for review may decide", "on their own work", _submitter_forgotten),
    Fault(
        "a decision on content nobody looked at",
        "I2/I3/I5/I11: .* was let through|I10: ",
        _stale_content_accepted,
    ),
    Fault(
        "a decision counts in whatever step is open",
        "I2/I3/I5/I11: .* was let through|I10: ",
        _step_not_compared,
    ),
    Fault(
        "the first approval completes the route",
        "the route is not completed",
        _first_approval_is_final,
        soon=True,
    ),
    Fault("an edit keeps the approval", "I6: it is approved, not draft", _edit_keeps_the_approval),
    Fault(
        "new rules are not asked before an approval",
        "I2/I3/I5/I11: .* was let through|I10: ",
        _new_rules_not_asked,
    ),
    Fault(
        "a round stays open when its piece is taken back", "I3: a round outlives", _withdrawn_round_stays_open
    ),
    Fault("a lapsed licence stays public", "I7: ", _licence_not_asked),
    Fault("what is over stays public", "I7: ", _time_not_asked),
    Fault(
        "other words are drawn than were approved",
        "I1: other words were served",
        _other_words_drawn,
    ),
    Fault("the page says other words", "I1: the page says", _other_words_on_the_page),
    Fault(
        "whoever may review decides in anybody's seat",
        "I2/I3/I5/I11: .* was let through|no active reviewer for this part|I10: ",
        _seats_not_asked,
        soon=True,
    ),
    Fault(
        "an approval without an entry in the record",
        "I8: |without an audit entry|entries say so",
        _votes_without_an_entry,
        soon=True,
    ),
    Fault(
        "the database no longer asks whose hand is in it",
        "I2: the database let .* forge vote",
        _blind_trigger(
            "CREATE OR REPLACE FUNCTION people_with_a_hand_in(wanted uuid) RETURNS SETOF uuid"
            " LANGUAGE sql STABLE AS $$ SELECT NULL::uuid WHERE false $$"
        ),
    ),
    Fault(
        "the database opens the gate on any old approval",
        "I1: the database let .* forge publication",
        _blind_trigger("DROP TRIGGER publication_rests_on_a_final_approval ON publication"),
    ),
)
