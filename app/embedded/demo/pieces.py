"""What the people of the demo made in the past six weeks, and what became of it.

Nothing is written into tables here: every piece is saved, submitted, checked, decided, published and
ended by the same services as any other, at the time it is said to have happened.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.inspection import InspectionOutcome
from app.domain.organisation import Actor, Role
from app.domain.review import Outcome, ReviewState
from app.domain.route import Risk, RouteRule, StepPlan
from app.domain.template import REQUIRED_LICENCE, ProductType
from app.domain.tracking import new_short_code
from app.embedded.demo.drawing import DrawingAhead
from app.embedded.demo.people import LEFT, People
from app.embedded.demo.timeline import Timeline
from app.models.check import CheckRun
from app.models.inspection import Inspection
from app.models.piece import Piece
from app.models.review import Decision, Review
from app.services.draft import draft_of, sampled
from app.services.inspection import conclude_inspection
from app.services.piece import save_piece
from app.services.publication import expire_due, publish_piece, take_down
from app.services.review import claim_review, decide, open_step_of, run_check
from app.services.route import RoutePlan, create_route
from app.services.sampling import set_sampling
from app.services.serving import open_edition
from app.services.submission import submit_for_review, withdraw_piece
from app.services.template import clear_template, load_library, publish_template, usable_version

POSTER: Final = "poster-qiushi"
CARD: Final = "card-benchmark"
DAILY: Final = "daily-morning"
# Its phrases and defaults were read by a second person, so untouched pieces pass by themselves.
_CLEARED: Final = (POSTER, DAILY)

_TERM: Final = timedelta(hours=48)
_SHARE_BP: Final = 500
_SAVE_TO_SUBMIT: Final = timedelta(minutes=3)
_SUBMIT_TO_CHECK: Final = timedelta(seconds=2)
_CLAIMED_AGO: Final = timedelta(minutes=4)


class Ending(StrEnum):
    """How far a piece came."""

    DRAFT = "draft"
    CHECKING = "checking"
    QUEUED = "queued"
    WITHDRAWN = "withdrawn"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    PUBLISHED = "published"
    TAKEN_DOWN = "taken_down"


_OUTCOMES: Final = {
    Ending.CHANGES_REQUESTED: Outcome.REQUEST_CHANGES,
    Ending.REJECTED: Outcome.REJECT,
    Ending.APPROVED: Outcome.APPROVE,
    Ending.PUBLISHED: Outcome.APPROVE,
    Ending.TAKEN_DOWN: Outcome.APPROVE,
}


@dataclass(frozen=True, slots=True)
class Handout:
    """To whom head office hands a piece, and for how long."""

    unit: str = "HQ"
    tags: tuple[str, ...] = ()
    why: str = ""
    starts: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Story:
    """One piece from its first line to where it stands today."""

    maker: Actor
    slug: str
    made_at: datetime
    ending: Ending
    entered: Mapping[str, str] = field(default_factory=dict)
    title: str | None = None
    decided_at: datetime | None = None  # None: half an hour after it was made
    ended_at: datetime | None = None
    reason: str = ""
    handout: Handout | None = None
    claimed: bool = False  # somebody is on it
    half_way: bool = False  # the first step is done, the next one waits
    code: str = field(default_factory=new_short_code)
    piece_id: UUID | None = None


class Storyteller:
    """Puts every story on the timeline, step by step."""

    def __init__(self, timeline: Timeline, people: People, ahead: DrawingAhead, rng: random.Random) -> None:
        self._timeline = timeline
        self._people = people
        self._ahead = ahead
        self._rng = rng
        self._reviewers = (people.staff["reviewer"], people.staff["reviewer2"])
        self._deciders = {Role.REVIEWER: self._reviewers, Role.LEGAL: (people.staff["legal"],)}
        self._turn = 0

    def release_templates(self) -> None:
        """Brand loads and publishes the library; the second reviewer clears two designs."""
        brand, clearer = self._people.staff["brand"], self._people.staff["reviewer2"]
        with self._timeline.by(brand) as uow:
            load_library(uow)
            library = uow.around.shelf.catalog.versions()
        self._ahead.deliver_examined()
        for manifest in library:
            with self._timeline.by(brand) as uow:
                publish_template(uow, manifest.slug, manifest.version)
            if manifest.slug in _CLEARED:
                with self._timeline.by(clearer) as uow:
                    clear_template(uow, manifest.slug, manifest.version)

    def set_up_review(self) -> None:
        """The administrator's three routes, and the share that is looked at afterwards."""
        first, second, legal = (
            StepPlan("初审", term=_TERM),
            StepPlan("复审", seat_path=self._people.units["HQ"].path, term=_TERM),
            StepPlan("法务", role=Role.LEGAL, term=_TERM),
        )
        funds = frozenset({ProductType.FUND, ProductType.MONEY_FUND, ProductType.SECURITIES_ADVICE})
        greetings = frozenset({"daily", "festival"})
        for plan in (
            RoutePlan("节日与日签", RouteRule(kinds=greetings), (first,)),
            RoutePlan(
                "检测要求细看的基金内容",
                RouteRule(product_types=funds, risks=frozenset({Risk.HIGH})),
                (first, second, legal),
            ),
            RoutePlan("基金与投顾", RouteRule(product_types=funds), (first, second)),
            RoutePlan("常规审核", RouteRule(), (first,)),
        ):
            with self._timeline.by(self._people.staff["admin"]) as uow:
                create_route(uow, plan)
        with self._timeline.by(self._people.staff["admin"]) as uow:
            set_sampling(uow, share_bp=_SHARE_BP, seed="示例银行")

    def tell(self, story: Story) -> None:
        """Plan what happens to a piece."""
        timeline, when = self._timeline, story.made_at
        timeline.at(when, lambda: self._save(story))
        if story.ending is Ending.DRAFT:
            return
        when += _SAVE_TO_SUBMIT
        timeline.at(when, lambda: self._submit(story))
        if story.ending is Ending.CHECKING:
            return
        when += _SUBMIT_TO_CHECK
        timeline.at(when, lambda: self._check(story))
        if story.claimed:
            timeline.at(timeline.now - _CLAIMED_AGO, lambda: self._claim(story))
        if story.half_way:
            timeline.at(when + _CLAIMED_AGO, lambda: self._pass_on(story))
        if story.ending is Ending.QUEUED:
            return
        decided_at = story.decided_at or when + timedelta(minutes=self._rng.randrange(12, 55))
        if story.ending is Ending.WITHDRAWN:
            timeline.at(decided_at, lambda: self._withdraw(story))
            return
        timeline.at(decided_at, lambda: self._decide(story))
        if story.handout is not None:
            self._plan_publication(story, decided_at + timedelta(minutes=20))
        if story.ended_at is not None:
            timeline.at(story.ended_at, lambda: self._take_down(story))

    def draw_ahead(self, stories: list[Story]) -> None:
        """Have the picture of every story drawn by other processes, in the order they are needed."""
        for story in sorted(stories, key=lambda one: one.made_at):
            self._timeline.clock.at = story.made_at
            with self._timeline.by(story.maker) as uow:
                draft = draft_of(uow, usable_version(uow, story.slug), story.entered, qr_code=story.code)
                shown = draft if story.maker.advisor_id else sampled(uow, draft)
                self._ahead.ask(uow, story.code, shown.version, shown.values)

    def close_the_books(self, first_day: int) -> None:
        """Every night, publications whose time is over are marked so."""
        tenant = self._people.tenant_id
        for days_ago in range(first_day, -1, -1):
            when = self._timeline.when(days_ago, 0, 5)
            if when <= self._timeline.now:
                self._timeline.at(when, lambda: self._expire(Actor.system("expire", tenant)))

    def look_afterwards(self, first_day: int) -> None:
        """Every morning, what was drawn the days before is looked at; the last ones still wait."""
        for days_ago in range(first_day, 0, -1):
            when = self._timeline.when(days_ago, 10, 40)
            if when <= self._timeline.now:
                self._timeline.at(when, self._inspect)

    def _inspect(self) -> None:
        with self._timeline.by(self._people.staff["reviewer2"]) as uow:
            waiting = uow.session.scalars(
                select(Inspection.id).where(Inspection.outcome.is_(None)).order_by(Inspection.drawn_at)
            ).all()
            for inspection_id in waiting:
                conclude_inspection(uow, inspection_id, InspectionOutcome.CLEAN)

    def _plan_publication(self, story: Story, when: datetime) -> None:
        self._timeline.at(when, lambda: self._publish(story))
        handout = story.handout
        if handout is None or (handout.starts and handout.starts > self._timeline.now):
            return
        end = min(one for one in (story.ended_at, handout.until, self._timeline.now) if one is not None)
        for place in self._takers(story, handout):
            hours = self._rng.expovariate(1 / 40)
            taken_at = when + timedelta(hours=0.2 + hours)
            if taken_at < end:
                self._timeline.at(taken_at, lambda place=place: self._take(story, place))  # type: ignore[misc]

    def _takers(self, story: Story, handout: Handout) -> Iterator[int]:
        """Who makes their edition: a few nearly always, many now and then, some never."""
        needed = REQUIRED_LICENCE.get(_PRODUCT[story.slug])
        for place in self._people.under(handout.unit):
            facts = self._people.facts[place]
            if not set(handout.tags) <= set(facts.tags) or place == LEFT:
                continue
            if needed is not None and not is_licensed(self._people, place, story.made_at):
                continue
            if place == 0 or self._rng.random() < 0.08 + 0.9 * diligence(place):
                yield place

    def _take(self, story: Story, place: int) -> None:
        with self._timeline.by(self._people.advisors[place]) as uow:
            open_edition(uow, _known(story))

    def _save(self, story: Story) -> None:
        own = story.maker.advisor_id is not None
        self._ahead.deliver(story.code)
        with self._timeline.by(story.maker) as uow:
            piece = save_piece(
                uow,
                story.slug,
                story.entered,
                qr_code=story.code if own else None,
                title=story.title,
            )
            story.piece_id = piece.id

    def _submit(self, story: Story) -> None:
        with self._timeline.by(story.maker) as uow:
            submit_for_review(uow, _known(story))

    def _check(self, story: Story) -> None:
        """What the worker does with a submitted piece."""
        with self._timeline.by(Actor.system("check", self._people.tenant_id)) as uow:
            run_id = uow.session.scalars(
                select(CheckRun.id)
                .join(Piece, Piece.current_revision_id == CheckRun.revision_id)
                .where(Piece.id == _known(story), CheckRun.completed_at.is_(None))
            ).one()
            run_check(uow, run_id)

    def _decide(self, story: Story) -> None:
        """Reviewers decide, step by step, unless the machine was allowed to."""
        self._turn += 1
        while self._vote(story, _OUTCOMES[story.ending]):
            pass

    def _pass_on(self, story: Story) -> None:
        """The first step is done; the next one waits."""
        self._vote(story, Outcome.APPROVE)

    def _vote(self, story: Story, outcome: Outcome) -> bool:
        """Let somebody decide in the step that waits; False where none does."""
        with self._timeline.by(self._people.staff["reviewer"]) as uow:
            review = uow.session.scalar(
                select(Review)
                .where(Review.piece_id == _known(story), Review.state == ReviewState.OPEN)
                .options(joinedload(Review.revision))
            )
            step = open_step_of(uow, review) if review is not None else None
            voted = set(
                uow.session.scalars(select(Decision.decided_by).where(Decision.piece_id == _known(story)))
            )
        if review is None or step is None:
            return False
        able = self._deciders[step.route_step.role]
        turned = able[::-1] if self._turn % 3 == 0 else able
        decider = next(one for one in turned if one.user_id not in voted)
        with self._timeline.by(decider) as uow:
            decide(
                uow,
                review.id,
                outcome,
                content_hash=review.revision.content_hash,
                step=step.position,
                reason=story.reason if story.ended_at is None else "",
            )
        return True

    def _publish(self, story: Story) -> None:
        handout = story.handout or Handout()
        with self._timeline.by(self._people.staff["operator"]) as uow:
            publish_piece(
                uow,
                _known(story),
                path=self._people.units[handout.unit].path,
                tags=handout.tags,
                valid_from=handout.starts,
                valid_until=handout.until,
                why=handout.why,
            )

    def _take_down(self, story: Story) -> None:
        with self._timeline.by(self._people.staff["operator"]) as uow:
            take_down(uow, _known(story), note=story.reason)

    def _withdraw(self, story: Story) -> None:
        with self._timeline.by(story.maker) as uow:
            withdraw_piece(uow, _known(story))

    def _claim(self, story: Story) -> None:
        with self._timeline.by(self._people.staff["reviewer"]) as uow:
            claim_review(
                uow, uow.session.scalars(select(Review.id).where(Review.piece_id == _known(story))).one()
            )

    def _expire(self, system: Actor) -> None:
        with self._timeline.by(system) as uow:
            expire_due(uow)


_PRODUCT: Final = {POSTER: ProductType.FUND, CARD: ProductType.WEALTH, DAILY: ProductType.NONE}


def diligence(place: int) -> float:
    """How keenly an advisor takes part, 0 to 1: a steep curve, spread over the branches."""
    rank = (place * 83) % 200 + 1
    return float(1 / rank**0.45)


def is_licensed(people: People, place: int, at: datetime) -> bool:
    facts = people.facts[place]
    return "基金从业" in facts.licences and (facts.licence_until is None or facts.licence_until >= at.date())


def _known(story: Story) -> UUID:
    if story.piece_id is None:
        raise LookupError("the piece has not been made yet")
    return story.piece_id
