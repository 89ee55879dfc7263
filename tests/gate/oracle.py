"""What may be public, worked out from what was done and from nothing of the production code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from app.domain.review import Outcome

DEFAULT_TEXT: Final = "早安"
BLOCKED_WORD: Final = "慢慢来"  # under the stricter rules
PERSON: Final = {"operator_too": "operator", "reviewer_too": "reviewer"}
# A seat in a branch: over its own advisors' pieces, and over nothing else.
BRANCH_SEATS: Final = {"reviewer_sh": True, "reviewer_sz": False}
REVIEWERS: Final = ("reviewer", "reviewer_b", "both", "operator_too", "reviewer_too", *BRANCH_SEATS)
TERM: Final = timedelta(hours=24)
OWN_TERM: Final = timedelta(days=30)  # of an advisor's own piece, for which nobody names an end
RESTS: Final = {"checking": 3, "changes_requested": 30, "approved": 30}
EDITABLE: Final = {"none", "draft", "changes_requested", "rejected", "withdrawn", "approved"}
EDGES: Final = {
    ("draft", "edit", "draft"), ("draft", "submit", "checking"), ("checking", "pass_check", "in_review"),
    ("checking", "fail_check", "draft"), ("checking", "withdraw", "withdrawn"),
    ("in_review", "approve", "approved"), ("in_review", "request_changes", "changes_requested"),
    ("in_review", "reject", "rejected"), ("in_review", "withdraw", "withdrawn"),
    ("changes_requested", "edit", "changes_requested"), ("changes_requested", "submit", "checking"),
    ("changes_requested", "withdraw", "withdrawn"), ("rejected", "edit", "draft"),
    ("withdrawn", "edit", "draft"), ("approved", "edit", "draft"), ("approved", "publish", "published"),
    ("approved", "withdraw", "withdrawn"), ("published", "expire", "expired"),
    ("published", "take_down", "taken_down"), ("published", "recall", "recalled"),
    ("published", "correct", "draft"),
    *((state, "drop_correction", "published") for state in (
        "draft", "checking", "in_review", "changes_requested", "rejected", "withdrawn", "approved",
    )),
}  # fmt: skip
# What an entry of the record does to the state of a piece; every other entry does nothing to it.
REPLAY: Final = {
    "piece:create": "draft", "piece:submit": "checking", "review:open": "in_review",
    "piece:approve": "approved", "piece:request_changes": "changes_requested", "piece:reject": "rejected",
    "piece:withdraw": "withdrawn", "review:lapse": "withdrawn", "piece:lapse": "withdrawn",
    "piece:correct": "draft", "piece:drop_correction": "published",
    "publication:publish": "published", "publication:expired": "expired",
    "publication:taken_down": "taken_down", "publication:recalled": "recalled",
}  # fmt: skip

Steps: TypeAlias = tuple[tuple[str, int], ...]  # role and quorum of each
ONE: Final[Steps] = (("reviewer", 1),)
ROUTES: Final[tuple[Steps, ...]] = (
    ONE,
    (("reviewer", 1), ("reviewer", 1)),
    (("reviewer", 2),),
    (("reviewer", 1), ("legal", 1)),
)


class Violation(AssertionError):
    """An invariant of the gate did not hold; it says which."""


def hold(invariant: str, holds: object, told: str) -> None:
    """Raise the alarm in the invariant's name unless it holds."""
    if not holds:
        raise Violation(f"{invariant}: {told}")


@dataclass
class Oracle:
    """Where a piece stands, whose hands are in it, and what of it is public."""

    own: bool = False  # an advisor's own piece, else one for everybody
    state: str = "none"
    since: datetime | None = None
    content: str = ""
    hands: frozenset[str] = frozenset()
    submitter: str = ""
    approved: str | None = None
    public: str | None = None
    public_until: datetime | None = None
    public_hands: frozenset[str] = frozenset()
    correcting: bool = False
    route: Steps = ONE  # what an administrator has configured now
    steps: Steps = ()  # what the round in review started with
    at_step: int = 0
    in_step: int = 0  # approvals in the open step
    voters: set[str] = field(default_factory=set)
    due: datetime | None = None
    strict: bool = False  # the stricter rules hold
    cleared: bool = False
    licensed: bool = True
    revoked: bool = False  # "reviewer" has lost the role

    def go(self, state: str, at: datetime) -> None:
        self.state, self.since = state, at

    def may_edit(self) -> bool:
        return self.state in EDITABLE and (self.licensed or not self.own)

    def may_submit(self) -> bool:
        begun = self.state in {"draft", "changes_requested"}
        return begun and not self.is_blocked() and (self.licensed or not self.own)

    def is_blocked(self) -> bool:
        return self.strict and BLOCKED_WORD in self.content

    def passes_by_itself(self) -> bool:
        return self.own and self.cleared and self.licensed and self.content == DEFAULT_TEXT

    def edit(self, who: str, words: str, at: datetime) -> None:
        if words == self.content and self.state != "none":
            return  # the same content is the same revision: nothing is voided, nobody joins in
        self.hands |= {who}
        self.content, self.approved = words, None
        self.go("changes_requested" if self.state == "changes_requested" else "draft", at)

    def open_round(self, at: datetime) -> None:
        self.go("in_review", at)
        self.steps, self.at_step, self.in_step, self.voters = self.route, 0, 0, set()
        self.due = at + TERM

    def has_seat(self, who: str) -> bool:
        """Whether somebody holds the open step's role on the piece's unit or above it, now."""
        if who == "reviewer" and self.revoked:
            return False
        role = self.steps[self.at_step][0]
        if role != "reviewer":
            return who == role
        return who in REVIEWERS and (who not in BRANCH_SEATS or (BRANCH_SEATS[who] and self.own))

    def may_decide(self, who: str, outcome: Outcome, *, step: int, stale: bool) -> bool:
        if self.state != "in_review" or stale or step != self.at_step + 1:
            return False
        person = PERSON.get(who, who)
        # whoever released the design has a hand in it as well
        hands = {PERSON.get(one, one) for one in {*self.hands, self.submitter, "brand"}}
        if person in hands or person in self.voters or not self.has_seat(who):
            return False
        if outcome is not Outcome.APPROVE:
            return True
        return not self.is_blocked() and (self.licensed or not (self.own and self.lacks_one_vote()))

    def who_may_approve(self) -> str | None:
        """Somebody who had no hand in it and holds a seat in the open step."""
        step = self.at_step + 1
        able = (
            who
            for who in ("reviewer_b", "reviewer", "both", "legal")
            if self.may_decide(who, Outcome.APPROVE, step=step, stale=False)
        )
        return next(able, None)

    def lacks_one_vote(self) -> bool:
        """Whether the next approval completes the route of what is in review."""
        in_last = self.state == "in_review" and self.at_step + 1 == len(self.steps)
        return in_last and self.in_step + 1 >= self.steps[self.at_step][1]

    def decide(self, who: str, outcome: Outcome, at: datetime) -> None:
        self.voters.add(PERSON.get(who, who))
        if outcome is Outcome.REQUEST_CHANGES:
            return self.go("changes_requested", at)
        if outcome is Outcome.REJECT:
            return self.go("rejected", at)
        self.in_step += 1
        if self.in_step < self.steps[self.at_step][1]:
            return None
        self.at_step, self.in_step = self.at_step + 1, 0
        if self.at_step < len(self.steps):
            self.due = at + TERM
            return None
        return self.approve(at)

    def approve(self, at: datetime) -> None:
        self.approved = self.content
        self.go("approved", at)
        if self.correcting and self.public_until is not None and self.public_until > at:
            self.publish(at, self.public_until)  # nobody approved a longer time than the first had
        elif self.own:
            self.publish(at, at + OWN_TERM)

    def publish(self, at: datetime, until: datetime) -> None:
        self.go("published", at)
        self.public, self.public_until, self.public_hands = self.approved, until, self.hands
        self.correcting = False

    def drop_correction(self, at: datetime) -> None:
        """The piece is again what is public of it."""
        self.correcting, self.approved = False, self.public
        self.content, self.hands = self.public or "", self.public_hands
        self.go("published", at)

    def end(self, state: str, at: datetime) -> None:
        """What is public ends, and a correction that was under way ends with it."""
        if self.correcting:
            self.drop_correction(at)
        self.public = None
        self.go(state, at)

    def turn(self, at: datetime) -> None:
        """What time does by itself: first the end of what is public, then of what waits."""
        if (self.state == "published" or self.correcting) and self.is_over(at):
            self.end("expired", at)
        late = self.state == "in_review" and self.due is not None and at >= self.due
        rest = RESTS.get(self.state)
        left = rest is not None and self.since is not None and at >= self.since + timedelta(days=rest)
        if late or left:
            self.approved = None
            self.go("withdrawn", at)

    def is_over(self, at: datetime) -> bool:
        return self.public_until is None or at >= self.public_until

    def is_public(self, at: datetime) -> bool:
        return self.licensed and self.public is not None and not self.is_over(at)
