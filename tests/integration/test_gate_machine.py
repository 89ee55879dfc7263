"""The gate under random hands: whatever is done in whatever order, the invariants hold.

The oracle below knows nothing of the production code. It remembers what was approved by whom and
says, after every step, whether the piece may be public; the platform must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.domain.errors import DomainError, Ended
from app.domain.organisation import Actor
from app.domain.review import Outcome
from app.models.advisor import Advisor
from app.models.piece import PieceRevision
from app.services.audit import verify_audit
from app.services.piece import save_piece
from app.services.publication import expire_due, publish_piece, require_public, take_down
from app.services.review import decide
from app.services.submission import submit_for_review, withdraw_piece
from tests.factories import House

TEXTS = st.sampled_from(["早安", "午安", "晚安", "慢慢来"])
EDITORS = ("operator", "brand", "both")
REVIEWERS = ("reviewer", "reviewer_b", "both")
OUTCOMES = st.sampled_from(list(Outcome))


@dataclass
class Oracle:
    """What may be public, worked out from what was done and nothing else."""

    state: str = "none"
    content: str = ""
    hands: set[str] = field(default_factory=set)
    submitter: str = ""
    approved: str | None = None
    public: str | None = None
    public_until: datetime | None = None

    def may_edit(self) -> bool:
        return self.state in {"none", "draft", "changes", "rejected", "withdrawn", "approved"}

    def edit(self, who: str, text: str) -> None:
        if text == self.content and self.state != "none":
            return  # the same content is the same revision: nothing is voided, nobody joins in
        self.hands.add(who)
        self.content = text
        self.approved = None
        self.state = "changes" if self.state == "changes" else "draft"

    def is_public(self, at: datetime) -> bool:
        return self.public is not None and self.public_until is not None and at < self.public_until


class GateMachine(RuleBasedStateMachine):
    house: House

    @initialize(text=TEXTS)
    def begin(self, text: str) -> None:
        self.oracle = Oracle()
        with self.house.by("operator") as uow:
            self.piece_id: UUID = save_piece(uow, "note", {"headline": text}).id
        self.oracle.edit("operator", text)

    @precondition(lambda self: self.oracle.state in {"taken_down", "expired"})
    @rule(text=TEXTS)
    def begin_another(self, text: str) -> None:
        self.begin(text)

    def attempt(self, who: str, act, *, allowed: bool) -> bool:  # type: ignore[no-untyped-def]
        """Do it as somebody; it must succeed exactly when the oracle says so."""
        try:
            with self.house.by(who) as uow:
                act(uow)
        except DomainError as error:
            refused: DomainError | None = error
        else:
            refused = None
        assert (refused is None) == allowed, f"{who}: {refused.code if refused else 'let through'}"
        return allowed

    @rule(who=st.sampled_from(EDITORS), text=TEXTS)
    def edit(self, who: str, text: str) -> None:
        same = text == self.oracle.content
        if self.attempt(
            who,
            lambda uow: save_piece(uow, "note", {"headline": text}, piece_id=self.piece_id),
            allowed=same or self.oracle.may_edit(),
        ):
            self.oracle.edit(who, text)

    @rule(who=st.sampled_from(EDITORS))
    def submit(self, who: str) -> None:
        if self.attempt(
            who,
            lambda uow: submit_for_review(uow, self.piece_id),
            allowed=self.oracle.state in {"draft", "changes"},
        ):
            self.oracle.state, self.oracle.submitter = "in_review", who
            self.house.run_checks()

    @rule(who=st.sampled_from(EDITORS))
    def withdraw(self, who: str) -> None:
        if self.attempt(
            who,
            lambda uow: withdraw_piece(uow, self.piece_id),
            allowed=self.oracle.state in {"in_review", "changes", "approved"},
        ):
            self.oracle.state, self.oracle.approved = "withdrawn", None

    @rule(who=st.sampled_from(REVIEWERS), outcome=OUTCOMES, stale=st.booleans())
    def decide(self, who: str, outcome: Outcome, stale: bool) -> None:
        if self.oracle.state in {"none", "draft"}:
            return
        review = self.house.review_of(self.piece_id)
        seen = "0" * 64 if stale else review.revision.content_hash
        if self.attempt(
            who,
            lambda uow: decide(uow, review.id, outcome, content_hash=seen, reason="见批注"),
            allowed=self.oracle.state == "in_review"
            and not stale
            and who not in {*self.oracle.hands, self.oracle.submitter},
        ):
            match outcome:
                case Outcome.APPROVE:
                    self.oracle.state, self.oracle.approved = "approved", self.oracle.content
                case Outcome.REQUEST_CHANGES:
                    self.oracle.state = "changes"
                case Outcome.REJECT:
                    self.oracle.state = "rejected"

    @rule(days=st.integers(1, 3))
    def publish(self, days: int) -> None:
        until = self.house.platform.clock.now() + timedelta(days=days)
        if self.attempt(
            "operator",
            lambda uow: publish_piece(uow, self.piece_id, path="/HQ/", valid_until=until),
            allowed=self.oracle.state == "approved",
        ):
            self.oracle.state = "published"
            self.oracle.public, self.oracle.public_until = self.oracle.approved, until

    @rule(steps=st.integers(1, 3))
    def carry_on(self, steps: int) -> None:
        """Go on towards the public, as people mostly do; random steps alone seldom get there."""
        for _ in range(steps):
            match self.oracle.state:
                case "draft" | "changes":
                    self.submit("operator")
                case "in_review":
                    self.decide("reviewer", Outcome.APPROVE, stale=False)
                case "approved":
                    self.publish(2)
                case "rejected" | "withdrawn":
                    self.edit("brand", "慢慢来" if self.oracle.content != "慢慢来" else "早安")

    @rule(who=st.sampled_from(["operator", "reviewer"]))
    def take_down(self, who: str) -> None:
        if self.attempt(
            who,
            lambda uow: take_down(uow, self.piece_id, note="不再使用"),
            allowed=self.oracle.state == "published",
        ):
            self.oracle.state, self.oracle.public = "taken_down", None

    @rule(hours=st.integers(1, 40))
    def let_time_pass(self, hours: int) -> None:
        self.house.platform.clock.advance(timedelta(hours=hours))  # type: ignore[attr-defined]

    @rule()
    def close_the_books(self) -> None:
        with self.house.platform.unit_of_work(Actor.system("expire", self.house.tenant_id)) as uow:
            expire_due(uow)
        if self.oracle.state == "published" and not self.oracle.is_public(self.house.platform.clock.now()):
            self.oracle.state, self.oracle.public = "expired", None

    @invariant()
    def public_is_exactly_what_was_approved(self) -> None:
        if not hasattr(self, "piece_id"):
            return
        shown: str | None = None
        with self.house.by("operator") as uow:
            advisor = uow.session.get_one(Advisor, self.house.people["advisor"].advisor_id)
            try:
                publication = require_public(uow, self.piece_id, advisor)
                revision = uow.session.get_one(PieceRevision, publication.revision_id)
                shown = revision.values["headline"]
            except Ended:
                pass
        at = self.house.platform.clock.now()
        assert shown == (self.oracle.public if self.oracle.is_public(at) else None)

    @invariant()
    def the_record_is_whole(self) -> None:
        with self.house.platform.sessions() as session:
            _, fault = verify_audit(session, self.house.tenant_id)
        assert fault is None


def test_nothing_is_public_but_what_an_independent_reviewer_approved(small_house: House) -> None:
    machine = type("Machine", (GateMachine,), {"house": small_house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
