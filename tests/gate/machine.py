"""The gate under random hands: whatever is done in whatever order, the invariants hold.

The oracle knows nothing of the production code: it has its own table of edges, its own list of who is
whose second account, its own reading of which words are blocked and which pass by themselves. After
every step the platform must stand where the oracle says, what was refused must have changed
nothing, and the record, replayed from empty, must lead to the same state.

| | holds that | tried by |
|---|---|---|
| I1 | public is exactly what was approved, and the bytes served are its render | every step; `open_link` |
| I2 | nobody decides what they had a hand in, by whatever account | `vote_on_ones_own_work`, `forge` |
| I3 | one effective decision a round; decisions never change | every step; `forge` |
| I4 | other content is another revision, without approval | `edit`; every step |
| I5 | an approval rests on a finished check under today's rules | `check`, `set_rules`; every step |
| I6 | only the listed edges; what is refused changes nothing | every attempt; the end of each run |
| I7 | ended, or without a licence: dark at once | `let_the_licence_lapse`, `let_its_time_run_out` |
| I8 | one entry a step, and the record alone tells the state | the end of each run |
| I9 | an act repeated is done once | `make`, `check`, `turn_of_the_clock`, `do_the_last_thing_again` |
| I10 | page, API, bulk and clock are no other ways | `decide` by each of them |
| I11 | authority is what one holds now, over this unit | `set_role`, `decide_from_another_seat` |
| I12 | another rule never makes anything publishable | `set_rules`: refused before is refused after |
| I13 | approved, first used, last used stand in order, each once | every step; `forge` |
| I14 | records only become more | every step; `forge` |
| I15 | a crash leaves what was before | `check` that dies, `crash` |
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.domain.errors import DomainError, Ended
from app.domain.organisation import Actor, Permission, Role
from app.domain.publication import CorrectionKind
from app.domain.recall import RecallBy, RecallTarget
from app.domain.review import Outcome
from app.domain.route import RouteRule, StepPlan
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.edition import Rendition
from app.models.piece import Piece, PieceRevision
from app.models.user import Membership
from app.services.access import access_template_version, own_advisor
from app.services.correction import drop_correction, start_correction
from app.services.deadline import tend_reviews
from app.services.edition import code_on, link_url
from app.services.piece import save_piece
from app.services.publication import expire_due, publish_piece, take_down
from app.services.recall import confirm_recall, propose_recall
from app.services.rendition import draw, revision_spec
from app.services.review import decide, run_check
from app.services.route import RoutePlan, revise_route
from app.services.serving import open_edition, require_public
from app.services.submission import submit_for_review, withdraw_piece
from app.services.template import clear_template, withdraw_clearance
from compliance.ruleset import Ruleset
from tests.factories import House
from tests.functional.machine import Switchboard
from tests.gate import rows
from tests.gate.oracle import (
    BLOCKED_WORD,
    EDGES,
    REPLAY,
    REVIEWERS,
    ROUTES,
    TERM,
    Oracle,
    Steps,
    Violation,
    hold,
)

TEXTS = st.sampled_from(["早安", "午安", "晚安", BLOCKED_WORD])
MAKERS = ("operator", "brand", "both")
DECIDERS = (*REVIEWERS, "legal")
ON_ITS_WAY = {"draft", "checking", "in_review", "changes_requested", "rejected", "withdrawn"}
OUTCOMES = st.sampled_from([Outcome.APPROVE, Outcome.APPROVE, Outcome.REQUEST_CHANGES, Outcome.REJECT])


class Crash(Exception):
    """The process dies after the work and before the commit."""


def die(uow: Any) -> None:
    uow.session.flush()
    raise Crash


class GateMachine(RuleBasedStateMachine):
    """One piece after another, in an institution that stays."""

    house: ClassVar[House]
    switchboard: ClassVar[Switchboard]
    route_id: ClassVar[UUID]
    lenient: ClassVar[Ruleset]
    strict: ClassVar[Ruleset]
    kept: ClassVar[tuple[int, ...]] = ()
    alarms: ClassVar[list[Exception]]

    piece_id: UUID | None = None
    snapshot: tuple[Any, ...] = ()
    code: str | None = None  # of the advisor's link, once there is one
    last: tuple[str, Callable[[Any], object]] | None = None

    # ── beginnings ──────────────────────────────────────────────────────────────────────────────────
    @initialize(
        text=TEXTS,
        own=st.booleans(),
        route=st.sampled_from(ROUTES),
        cleared=st.booleans(),
        ahead=st.integers(0, 5),
        submitter=st.sampled_from(MAKERS),
    )
    def begin(self, text: str, own: bool, route: Steps, cleared: bool, ahead: int, submitter: str) -> None:
        """A piece anywhere on its way: most of what can go wrong is far from where it starts."""
        self.oracle = Oracle(own=own)
        self.switchboard.forget()  # years go by in a large run, and tokens end
        self.set_rules(strict=False)
        self.set_licence(licensed=True)
        self.set_role(revoked=False)
        self.set_route(route)
        self.set_clearance(cleared=cleared)
        self.make(text)
        self.carry_on(ahead, submitter)

    @precondition(lambda self: self.oracle.state in {"taken_down", "expired", "recalled"})
    @rule(text=TEXTS, own=st.booleans())
    def begin_another(self, text: str, own: bool) -> None:
        before = self.oracle
        self.oracle = Oracle(
            own=own and before.licensed,
            route=before.route,
            strict=before.strict,
            cleared=before.cleared,
            licensed=before.licensed,
            revoked=before.revoked,
        )
        self.make(text)

    def make(self, words: str) -> None:
        """A new piece under a key of the caller's: asked for twice, it is made once (I9)."""
        key, maker = uuid4().hex, self.maker("operator")
        made = []
        for _ in range(2):
            with self.house.by(maker) as uow:
                made.append(save_piece(uow, "note", {"headline": words}, idempotency_key=key).id)
        hold("I9", made[0] == made[1], "one key made two pieces")
        self.piece_id, self.code, self.last = made[0], None, None
        self.oracle.edit(maker, words, self.now)
        self.snapshot = self.look()

    def maker(self, who: str) -> str:
        return "advisor" if self.oracle.own else who

    @property
    def now(self) -> datetime:
        return self.house.platform.clock.now()

    def look(self) -> tuple[Any, ...]:
        with self.house.platform.engine.connect() as connection:
            return tuple(connection.execute(rows.SNAPSHOT, {"piece": self.piece_id}).one())

    # ── how anything is done ────────────────────────────────────────────────────────────────────────
    def actor(self, who: str) -> Actor:
        """Somebody with the roles they have now: an edge reads them afresh with every request (I11)."""
        person = self.house.people[who]
        if who == "reviewer" and self.oracle.revoked:
            return replace(person, grants=())
        return person

    def attempt(
        self, who: str, act: Callable[[Any], object], *, allowed: bool, invariant: str = "I6"
    ) -> bool:
        """Do it as somebody: it succeeds exactly when the oracle says so, or changes nothing (I6)."""
        try:
            with self.house.by(self.actor(who)) as uow:
                act(uow)
        except DomainError as error:
            refused: str | None = error.code
        else:
            refused = None
        hold(invariant, (refused is None) == allowed, f"{who} was {refused or 'let through'}")
        if allowed:
            self.last = (who, act)
            self.snapshot = self.looked_then = self.look()
        else:
            self.nothing_changed()
        return allowed

    def nothing_changed(self, invariant: str = "I6") -> None:
        hold(invariant, self.look() == self.snapshot, "what was refused changed something")

    # ── making ──────────────────────────────────────────────────────────────────────────────────────
    @rule(who=st.sampled_from(MAKERS), words=TEXTS)
    def edit(self, who: str, words: str) -> None:
        who = self.maker(who)
        same = words == self.oracle.content and (self.oracle.licensed or not self.oracle.own)
        if self.attempt(
            who,
            lambda uow: save_piece(uow, "note", {"headline": words}, piece_id=self.piece_id),
            allowed=same or self.oracle.may_edit(),
        ):
            self.oracle.edit(who, words, self.now)

    @precondition(lambda self: not self.oracle.own and self.oracle.state in {*ON_ITS_WAY, "approved"})
    @rule(who=st.sampled_from(MAKERS), words=TEXTS)
    def change_what_is_approved(self, who: str, words: str) -> None:
        """Other words under an approval: it is void (I4)."""
        for _ in self.whenever("approved"):
            self.edit(who, words)

    @rule(who=st.sampled_from(MAKERS))
    def submit(self, who: str) -> None:
        who = self.maker(who)
        if self.attempt(
            who,
            lambda uow: submit_for_review(uow, self.piece_id),
            allowed=self.oracle.may_submit(),
        ):
            self.oracle.submitter = who
            self.oracle.go("checking", self.now)

    @rule(crashes=st.booleans())
    def check(self, crashes: bool) -> None:
        """The worker's turn: it may die on the way, and a message may come twice (I5, I9, I15)."""
        run_id = self.check_of(self.piece_id)
        if run_id is None:
            return
        if crashes:
            with pytest.raises(Crash), self.system("check") as uow:
                run_check(uow, run_id)
                die(uow)
            self.nothing_changed("I15")
            return
        for _ in range(2):
            with self.system("check") as uow:
                run_check(uow, run_id)
        oracle = self.oracle
        if oracle.state != "checking":
            return
        if oracle.is_blocked():
            oracle.go("draft", self.now)
        elif oracle.passes_by_itself():
            oracle.approve(self.now)
        else:
            oracle.open_round(self.now)

    def check_of(self, piece_id: UUID | None) -> UUID | None:
        """The check of a piece's present content: the open one, else the last."""
        with self.house.platform.sessions() as session:
            return session.scalar(
                select(CheckRun.id)
                .join(Piece, Piece.current_revision_id == CheckRun.revision_id)
                .where(Piece.id == piece_id)
                .order_by(CheckRun.completed_at.desc().nulls_first())
                .limit(1)
            )

    @rule(who=st.sampled_from(MAKERS))
    def withdraw(self, who: str) -> None:
        if self.attempt(
            self.maker(who),
            lambda uow: withdraw_piece(uow, self.piece_id),
            allowed=self.oracle.state in {"checking", "in_review", "changes_requested", "approved"},
        ):
            self.oracle.approved = None
            self.oracle.go("withdrawn", self.now)

    @precondition(lambda self: self.oracle.state in ON_ITS_WAY)
    @rule(who=st.sampled_from(MAKERS))
    def withdraw_during_review(self, who: str) -> None:
        """Taken back while others look at it: their round is over (I3)."""
        for _ in self.whenever("in_review"):
            self.withdraw(who)

    # ── deciding ────────────────────────────────────────────────────────────────────────────────────
    @precondition(lambda self: self.oracle.steps != ())
    @rule(
        who=st.sampled_from(DECIDERS),
        outcome=OUTCOMES,
        stale=st.sampled_from([False, False, False, True]),
        ahead=st.sampled_from([0, 0, 0, 1, -1]),
        way=st.sampled_from(["service", "service", "api", "page", "bulk"]),
    )
    def decide(self, who: str, outcome: Outcome, stale: bool, ahead: int, way: str) -> None:
        review = self.house.review_of(self.piece_id)
        seen = "0" * 64 if stale else review.revision.content_hash
        step = max(1, self.oracle.at_step + 1 + ahead)
        allowed = self.oracle.may_decide(who, outcome, step=step, stale=stale)
        if way == "service" or self.oracle.revoked:  # whoever lost the role has no page to post to
            self.attempt(
                who,
                lambda uow: decide(uow, review.id, outcome, content_hash=seen, step=step, reason="见批注"),
                allowed=allowed,
                invariant="I2/I3/I5/I11",
            )
        elif way == "bulk":
            allowed = self.decide_in_bulk(who, review.id, outcome, seen, step) and allowed
            changed = [now for now, was in zip(self.look(), self.snapshot, strict=True) if now != was]
            hold("I10", bool(changed) == allowed, f"{who} in bulk, may: {allowed}, changed: {changed}")
        else:
            by_way = self.decide_by_api if way == "api" else self.decide_by_page
            status = by_way(who, review.id, outcome, seen, step)
            hold("I10", (status < 400) == allowed, f"{who} by {way} was answered {status}")
            if not allowed:
                hold("I10", status in {403, 404, 409, 422}, f"{way} answered {status}")
                self.nothing_changed("I10")
        if allowed:
            self.oracle.decide(who, outcome, self.now)

    @precondition(lambda self: self.oracle.state == "in_review")
    @rule(who=st.sampled_from(DECIDERS), outcome=OUTCOMES)
    def vote(self, who: str, outcome: Outcome) -> None:
        """On what is open now and as it stands now: whether that person may is all there is to it."""
        self.decide(who, outcome, stale=False, ahead=0, way="service")

    @precondition(lambda self: self.oracle.state in ON_ITS_WAY)
    @rule(stale=st.booleans())
    def decide_what_one_has_not_seen(self, stale: bool) -> None:
        """Who may decide does so on other content, or on another step, than stands there now (I3)."""
        for _ in self.whenever("in_review"):
            if who := self.oracle.who_may_approve():
                self.decide(who, Outcome.APPROVE, stale=stale, ahead=0 if stale else 1, way="service")

    @precondition(lambda self: not self.oracle.own and self.oracle.state in ON_ITS_WAY)
    @rule(outcome=OUTCOMES)
    def vote_on_ones_own_work(self, outcome: Outcome) -> None:
        """Whoever made it tries to decide by a second account, and whoever sent it by their only one:
        with a console, then as everybody does (I2)."""
        for _ in self.whenever("in_review", submitter="both"):
            for who in ("operator_too", "both"):
                self.forge(who, "vote")
                self.decide(who, outcome, stale=False, ahead=0, way="service")

    @precondition(lambda self: self.oracle.state in ON_ITS_WAY)
    @rule(outcome=OUTCOMES)
    def decide_from_another_seat(self, outcome: Outcome) -> None:
        """Whoever may review elsewhere tries the step that is another role's (I11)."""
        for _ in self.whenever("in_review"):
            who = "reviewer_b" if self.oracle.steps[self.oracle.at_step][0] == "legal" else "legal"
            self.decide(who, outcome, stale=False, ahead=0, way="service")

    @precondition(lambda self: self.oracle.may_edit())
    @rule(submitter=st.sampled_from(MAKERS))
    def tighten_the_rules_during_review(self, submitter: str) -> None:
        """The rules tighten between the check and the decision: what they block is not approved (I5)."""
        self.set_rules(strict=False)
        self.edit("brand", BLOCKED_WORD)
        self.carry_on(2, submitter)
        self.set_rules(strict=True)
        for who in DECIDERS:
            if self.oracle.state == "in_review":
                self.decide(who, Outcome.APPROVE, stale=False, ahead=0, way="service")
        self.set_rules(strict=False)  # or little else would ever come to a review

    def decide_by_api(self, who: str, review_id: UUID, outcome: Outcome, seen: str, step: int) -> int:
        """By a machine with a token."""
        return (
            self.switchboard.of(who)
            .post(
                f"/reviews/{review_id}/decisions",
                {"outcome": outcome.value, "content_hash": seen, "step": step, "reason": "见批注"},
            )
            .status_code
        )

    def decide_by_page(
        self, who: str, review_id: UUID, outcome: Outcome, seen: str, step: int, **more: str
    ) -> int:
        """With the page's form."""
        client = self.house.log_in(self.switchboard.app.test_client(), who)
        form = {"outcome": outcome.value, "content_hash": seen, "step": step, "reason": "见批注", **more}
        return client.post(f"/reviews/{review_id}/decision", data=form).status_code

    def decide_in_bulk(self, who: str, review_id: UUID, outcome: Outcome, seen: str, step: int) -> bool:
        """Ticked beside another item, and decided with it; whether that one could be decided at all."""
        with self.house.by("brand") as uow:
            other = save_piece(uow, "note", {"headline": "晚安"}).id
            submit_for_review(uow, other)
        run_id = self.check_of(other)
        assert run_id is not None
        with self.system("check") as uow:
            run_check(uow, run_id)
        beside = self.house.review_of(other)
        status = self.decide_by_page(
            who, beside.id, outcome, beside.revision.content_hash, 1, alike=f"{review_id}:{step}:{seen}"
        )
        other_oracle = replace(
            self.oracle, own=False, hands=frozenset({"brand"}), submitter="brand", content="晚安"
        )
        other_oracle.open_round(self.now)
        expected = other_oracle.may_decide(who, outcome, step=1, stale=False)
        hold("I10", (status < 400) == expected, f"{who} on the item beside was answered {status}")
        return expected

    # ── the public ──────────────────────────────────────────────────────────────────────────────────
    @rule(days=st.integers(1, 3))
    def publish(self, days: int) -> None:
        until = self.now + timedelta(days=days)
        if self.attempt(
            "operator",
            lambda uow: publish_piece(uow, self.piece_id, path="/HQ/", valid_until=until),
            allowed=self.oracle.state == "approved",
            invariant="I1/I6",
        ):
            self.oracle.publish(self.now, until)

    @rule(who=st.sampled_from(["operator", "reviewer_b"]))
    def take_down(self, who: str) -> None:
        if self.attempt(
            who,
            lambda uow: take_down(uow, self.piece_id, note="不再使用"),
            allowed=self.oracle.state == "published" or self.oracle.correcting,
        ):
            self.oracle.end("taken_down", self.now)

    @rule()
    def correct(self) -> None:
        """Open what is public for correction: it stays public until the new version is approved."""
        oracle = self.oracle
        if self.attempt(
            self.maker("operator"),
            lambda uow: start_correction(uow, self.piece_id, CorrectionKind.WORDING),
            allowed=oracle.state == "published" and not oracle.is_over(self.now),
        ):
            oracle.correcting = True
            oracle.go("draft", self.now)

    @rule()
    def give_the_correction_up(self) -> None:
        if self.attempt(
            self.maker("operator"),
            lambda uow: drop_correction(uow, self.piece_id),
            allowed=self.oracle.correcting,
        ):
            self.oracle.drop_correction(self.now)

    @precondition(lambda self: self.oracle.is_public(self.now))
    @rule(confirmer=st.sampled_from(["operator", "operator_too", "reviewer_b"]))
    def recall(self, confirmer: str) -> None:
        """Two persons, whatever their accounts, take it back at once (I2, I7)."""
        target = RecallTarget.of(RecallBy.PIECE, str(self.piece_id))
        with self.house.by("operator") as uow:
            recall_id = propose_recall(uow, target, reason="数据有误").id
        if self.attempt(
            confirmer,
            lambda uow: confirm_recall(uow, recall_id),
            allowed=confirmer == "reviewer_b",
            invariant="I2",
        ):
            self.oracle.end("recalled", self.now)

    @rule()
    def open_link(self) -> None:
        """A visitor with the advisor's code: the approved picture to the byte, or none (I1, I7)."""
        public = self.oracle.is_public(self.now)
        if self.code is None and public:
            with self.house.by("advisor") as uow:
                edition = open_edition(uow, self.piece_id)
                self.code = code_on(uow, edition.id, LinkChannel.QR)
        if self.code is None:
            return
        visitor = self.switchboard.app.test_client()
        arrived = visitor.get(f"/s/{self.code}")
        page = visitor.get(arrived.headers["Location"])
        picture = visitor.get(f"{arrived.headers['Location']}/picture.jpg")
        expected = 200 if public else 410
        found = (page.status_code, picture.status_code)
        hold("I7", found == (expected, expected), f"link and picture answered {found}")
        if not public:
            return
        digest = hashlib.sha256(picture.data).hexdigest()
        with self.house.platform.sessions() as session:
            drawn = session.scalar(select(Rendition.id).where(Rendition.sha256 == digest).limit(1))
        hold("I1", drawn, "bytes were served that nobody drew")
        hold("I1", digest == self.drawn_as_approved(), "other words were served than were approved")
        hold("I1", self.oracle.public in page.text, "the page says other words than were approved")

    @precondition(lambda self: self.oracle.is_public(self.now))
    @rule()
    def look_at_what_is_public(self) -> None:
        """The same, more often than chance would have it."""
        self.open_link()

    def drawn_as_approved(self) -> str:
        """The digest of the picture with the words the oracle knows, drawn apart from the public page."""
        with self.house.by("advisor") as uow:
            advisor = own_advisor(uow)
            found = require_public(uow, self.piece_id, advisor)
            spec = revision_spec(
                uow,
                found.piece.template_version,
                found.revision,
                None if self.oracle.own else advisor,
                link=link_url(uow, self.code),
            )
            words = {**spec.values, "headline": self.oracle.public}
            return draw(uow, replace(spec, values=words)).sha256

    @rule(steps=st.integers(1, 5), submitter=st.sampled_from(MAKERS))
    def carry_on(self, steps: int, submitter: str) -> None:
        """Go on towards the public, as people mostly do, and mend what is in the way: random steps alone
        seldom get there."""
        for _ in range(steps):
            if self.oracle.own and not self.oracle.licensed:
                self.set_licence(licensed=True)
            match self.oracle.state:
                case "draft" | "changes_requested" if self.oracle.is_blocked():
                    self.edit("brand", "午安")
                case "draft" | "changes_requested":
                    self.submit(submitter)
                case "checking":
                    self.check(crashes=False)
                case "in_review":
                    if who := self.oracle.who_may_approve():
                        self.decide(who, Outcome.APPROVE, stale=False, ahead=0, way="service")
                case "approved":
                    self.publish(2)
                case "rejected" | "withdrawn":
                    self.edit("brand", "午安" if self.oracle.content != "午安" else "早安")
            self.snapshot = self.look()

    def whenever(self, state: str, submitter: str = "operator") -> Iterator[None]:
        """Carry it on until it stands so, and stop there: in a review, before each of its approvals."""
        for _ in range(5):  # mended, sent, checked, approved once or twice
            if self.oracle.state == state:
                yield
                if self.oracle.state != "in_review" or self.oracle.lacks_one_vote():
                    return
            self.carry_on(1, submitter)

    # ── repeated, cut off, forged ───────────────────────────────────────────────────────────────────
    @precondition(lambda self: self.last is not None)
    @rule()
    def do_the_last_thing_again(self) -> None:
        """A tap too many, a message sent twice: refused or nothing new, never a second time (I9)."""
        assert self.last is not None
        who, act = self.last
        if self.looked_then != self.snapshot:
            return  # something else came between: it would be another command
        try:
            with self.house.by(self.actor(who)) as uow:
                act(uow)
        except DomainError:
            pass
        self.nothing_changed("I9")

    @precondition(lambda self: self.last is not None)
    @rule(
        command=st.sampled_from(["edit", "submit", "withdraw", "decide", "publish", "take_down", "correct"])
    )
    def crash(self, command: str) -> None:
        """The process dies between the work and its commit: it never happened (I15)."""
        acts: dict[str, Callable[[Any], object]] = {
            "edit": lambda uow: save_piece(uow, "note", {"headline": "黄昏"}, piece_id=self.piece_id),
            "submit": lambda uow: submit_for_review(uow, self.piece_id),
            "withdraw": lambda uow: withdraw_piece(uow, self.piece_id),
            "publish": lambda uow: publish_piece(uow, self.piece_id, path="/HQ/"),
            "take_down": lambda uow: take_down(uow, self.piece_id, note="停电"),
            "correct": lambda uow: start_correction(uow, self.piece_id, CorrectionKind.FIGURES),
        }
        who = "reviewer_b" if command == "decide" else self.maker("operator")
        if command in {"publish", "take_down"}:
            who = "operator"
        if command == "decide":
            if not self.oracle.steps:
                return
            review = self.house.review_of(self.piece_id)
            seen, step = review.revision.content_hash, self.oracle.at_step + 1
            acts[command] = lambda uow: decide(uow, review.id, Outcome.APPROVE, content_hash=seen, step=step)
        try:
            with self.house.by(who) as uow:
                acts[command](uow)
                die(uow)
        except (Crash, DomainError):
            pass
        self.nothing_changed("I15")

    @rule(who=st.sampled_from([*DECIDERS, *MAKERS]), what=st.sampled_from(sorted(rows.FORGERIES)))
    def forge(self, who: str, what: str) -> None:
        """Somebody with a console writes rows: the database lets through at most a lawful vote."""
        values = {
            "piece": self.piece_id,
            "by": self.house.people[who].user_id,
            "number": uuid4().hex[:12],
        }
        statement = rows.FORGERIES[what]
        with self.house.platform.engine.connect() as connection:
            try:
                named = {name: values[name] for name in statement.compile().params}
                written = connection.execute(statement, named).rowcount
            except DBAPIError:
                written = 0
            finally:
                connection.rollback()
        oracle = self.oracle
        lawful = {
            # the console may vote for whoever could, in the last step; the seal is what it lacks
            "vote": oracle.lacks_one_vote()
            and replace(oracle, strict=False, licensed=True).may_decide(
                who, Outcome.APPROVE, step=oracle.at_step + 1, stale=False
            ),
            "publication": oracle.state == "approved",
        }.get(what, False)
        guards = {"vote": "I2", "publication": "I1", "words": "I4", "outcome": "I3", "date": "I13"}
        hold(
            guards.get(what, "I14"),
            written == 0 or lawful,
            f"the database let {who} forge {what} where it is {oracle.state}",
        )

    @precondition(lambda self: self.oracle.state != "approved")
    @rule()
    def forge_a_publication_too_soon(self) -> None:
        """The row that makes public, long after the last approval or before it (I1)."""
        self.forge("operator", "publication")
        for _ in self.whenever("in_review"):
            self.forge("operator", "publication")

    # ── what goes on around ─────────────────────────────────────────────────────────────────────────
    @rule(hours=st.integers(1, 20))
    def let_time_pass(self, hours: int) -> None:
        self.house.platform.clock.advance(timedelta(hours=hours))  # type: ignore[attr-defined]

    @precondition(lambda self: self.oracle.is_public(self.now))
    @rule()
    def let_its_time_run_out(self) -> None:
        """To the minute, and before any job has run (I7)."""
        assert self.oracle.public_until is not None
        left = self.oracle.public_until - self.now
        self.house.platform.clock.advance(left)  # type: ignore[attr-defined]

    @rule()
    def turn_of_the_clock(self) -> None:
        """What runs by itself: expiry, owners, escalation, the end of time; twice is once (I9)."""
        for _ in range(2):
            with self.system("expire") as uow:
                expire_due(uow)
            with self.system("deadline") as uow:
                tend_reviews(uow)
        self.oracle.turn(self.now)

    @rule(strict=st.booleans())
    def set_rules(self, strict: bool) -> None:
        """New rules, or the old ones again: what was checked before is judged anew (I5, I12)."""
        self.oracle.strict = strict
        around = self.house.platform.surroundings
        ruleset = self.strict if strict else self.lenient
        self.house.platform.__dict__["surroundings"] = replace(around, rules=lambda: ruleset)

    @rule(licensed=st.sampled_from([True, True, False]))
    def set_licence(self, licensed: bool) -> None:
        """A licence lapses, or is renewed (I7)."""
        self.oracle.licensed = licensed
        with self.house.platform.sessions.begin() as session:
            advisor = session.get_one(Advisor, self.house.people["advisor"].advisor_id)
            advisor.licence_until = None if licensed else date(2020, 1, 1)
            advisor.profile_confirmed_at = self.now

    @precondition(lambda self: self.oracle.is_public(self.now))
    @rule()
    def let_the_licence_lapse(self) -> None:
        """Of an advisor who has it out in public (I7)."""
        self.set_licence(licensed=False)

    @rule(revoked=st.booleans())
    def set_role(self, revoked: bool) -> None:
        """A reviewer loses the role, or gets it back (I11)."""
        if revoked == self.oracle.revoked and self.piece_id is not None:
            return
        self.oracle.revoked = revoked
        reviewer = self.house.people["reviewer"]
        with self.house.platform.sessions.begin() as session:
            for one in session.scalars(select(Membership).where(Membership.user_id == reviewer.user_id)):
                session.delete(one)
            session.flush()
            if not revoked:
                session.add(
                    Membership(
                        tenant_id=self.house.tenant_id,
                        user_id=reviewer.user_id,
                        role=Role.REVIEWER,
                        org_unit_id=self.house.units["/HQ/"],
                    )
                )

    @rule(route=st.sampled_from(ROUTES))
    def set_route(self, route: Steps) -> None:
        """Another route for what comes; what is in review keeps its own."""
        self.oracle.route = route
        with self.house.by("administrator") as uow:
            type(self).route_id = revise_route(uow, self.route_id, plan_of(route)).id

    @rule(cleared=st.booleans())
    def set_clearance(self, cleared: bool) -> None:
        """Compliance lets untouched pieces pass by themselves, or no longer."""
        self.oracle.cleared = cleared
        with self.house.by("reviewer_b") as uow:
            if cleared:
                clear_template(uow, "note", 1)
            else:
                version = access_template_version(uow, "note", 1, may=Permission.TEMPLATE_CLEAR)
                withdraw_clearance(uow, version)

    def system(self, duty: str) -> Any:
        return self.house.platform.unit_of_work(Actor.system(duty, self.house.tenant_id))

    # ── invariants ──────────────────────────────────────────────────────────────────────────────────
    @invariant()
    def it_stands_where_the_oracle_says(self) -> None:
        if self.piece_id is None:
            return
        self.snapshot = self.look()
        stands = self.snapshot[0].split('"')[1]
        hold("I6", stands == self.oracle.state, f"it is {stands}, not {self.oracle.state}")

    @invariant()
    def public_is_exactly_what_was_approved(self) -> None:
        if self.piece_id is None:
            return
        shown: str | None = None
        with self.house.by("operator") as uow:
            advisor = uow.session.get_one(Advisor, self.house.people["advisor"].advisor_id)
            try:
                publication = require_public(uow, self.piece_id, advisor)
                shown = uow.session.get_one(PieceRevision, publication.revision_id).values["headline"]
            except Ended:
                pass
        wanted = self.oracle.public if self.oracle.is_public(self.now) else None
        hold("I1/I7", shown == wanted, f"public is {shown}, approved and alive is {wanted}")

    @invariant()
    def nothing_is_there_that_must_never_be(self) -> None:
        if self.piece_id is None:
            return
        with self.house.platform.engine.connect() as connection:
            fault = connection.scalar(rows.NEVER, {"piece": self.piece_id})
            kept = tuple(connection.execute(rows.KEPT).one())
        invariant, _colon, told = (fault or "").partition(": ")
        hold(invariant, fault is None, told)
        hold("I14", all(now >= before for now, before in zip(kept, self.kept, strict=False)), "rows are gone")
        type(self).kept = kept

    def teardown(self) -> None:
        """Remember what went wrong; where nothing did, account for every step."""
        if isinstance(failure := sys.exception(), Exception):
            self.alarms.append(failure)
        elif failure is None and self.piece_id is not None:
            try:
                self.account()
            except Violation as unaccounted:
                self.alarms.append(unaccounted)
                raise

    def account(self) -> None:
        """Every edge was one of the list, each has its entry, and the record alone tells the state."""
        with self.house.platform.engine.connect() as connection:
            edges = connection.execute(rows.STEPS, {"piece": self.piece_id}).all()
            entries = connection.execute(
                rows.ENTRIES, {"piece": str(self.piece_id), "mention": f"%{self.piece_id}%".encode()}
            ).all()
            state = connection.scalar(rows.STATE, {"piece": self.piece_id})
        unlisted = {tuple(edge) for edge in edges} - EDGES
        hold("I6", not unlisted, f"edges nobody listed: {unlisted}")
        replayed = "none"
        for tag, record in entries:
            if tag == "piece:edit":
                replayed = "changes_requested" if replayed == "changes_requested" else "draft"
            elif tag == "check:complete":
                if '"verdict":"block"' in record:
                    replayed = "draft"
            else:
                replayed = REPLAY.get(tag, replayed)
        hold("I8", replayed == state, f"the record leads to {replayed}, the piece is {state}")
        # a finished check and the opening of its round are one edge; all others have one entry each
        counted = sum(tag in REPLAY or tag == "piece:edit" for tag, _ in entries)
        blocked = sum(tag == "check:complete" and '"verdict":"block"' in record for tag, record in entries)
        told = f"{counted - 1 + blocked} entries for {len(edges)} steps"
        hold("I8", counted - 1 + blocked == len(edges), told)


def plan_of(route: Steps) -> RoutePlan:
    steps = tuple(
        StepPlan(f"第{at}步", Role(role), quorum, None, TERM) for at, (role, quorum) in enumerate(route, 1)
    )
    return RoutePlan("随机流程", RouteRule(), steps)
