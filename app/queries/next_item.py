"""Where a reviewer goes from an item: never onto work of their own, nor onto what a colleague is on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby, takewhile
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from app.domain.organisation import Grant, Scope
from app.domain.route import StepState
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Decision, Review, ReviewStep
from app.models.route import RouteStep
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.queue import RANK, QueueFilter, among, chosen_items, is_unclaimed

COUNTED: Final = 1_000  # where more are left, only that is told
_FOLLOWING: Final = 6  # as many as may wait to be taken back while the next is looked at
_MOST_TOGETHER: Final = 200


@dataclass(frozen=True)
class Reader:
    """Whoever looks at the queue: all accounts of the person, and where which role is held."""

    user_id: UUID | None
    accounts: frozenset[UUID]
    grants: tuple[Grant, ...]
    at: datetime

    @cached_property
    def may_decide(self) -> ColumnElement[bool]:
        """Whether this person could decide an item now: nobody on it, no hand in it, a seat in its step.

        Seats are few, and looked up once; a hand is looked for in each of the few items that are read.
        """
        seated = [
            and_(
                among(
                    Review.waits_in,
                    select(RouteStep.id).where(
                        RouteStep.role == grant.role,
                        or_(RouteStep.seat_path.is_(None), func.starts_with(RouteStep.seat_path, grant.path)),
                    ),
                ),
                among(
                    Review.org_unit_id, select(OrgUnit.id).where(func.starts_with(OrgUnit.path, grant.path))
                ),
            )
            for grant in self.grants
        ]
        released = select(TemplateVersion.id).where(TemplateVersion.published_by.in_(self.accounts))
        return and_(
            or_(is_unclaimed(Review, self.at), Review.claimed_by == self.user_id),
            Review.template_version_id.not_in(released),
            or_(false(), *seated),
            ~_has_a_hand_in_it(self.accounts),
        )


def reader_of(session: Session, user_id: UUID | None, grants: tuple[Grant, ...], *, at: datetime) -> Reader:
    """The person behind an account, with every account of theirs."""
    if user_id is None:
        return Reader(None, frozenset(), grants, at)
    mine = select(User.person_id).where(User.id == user_id).scalar_subquery()
    accounts = session.scalars(select(User.id).where(User.person_id == mine))
    return Reader(user_id, frozenset(accounts), grants, at)


def _has_a_hand_in_it(accounts: frozenset[UUID]) -> ColumnElement[bool]:
    """Whether this person made, changed or submitted an item, or voted on it in an earlier step."""
    made = select(PieceRevision.id).where(
        PieceRevision.id == Review.revision_id, PieceRevision.contributors.overlap(sorted(accounts))
    )
    submitted = select(CheckRun.id).where(
        CheckRun.id == Review.check_run_id, CheckRun.submitted_by.in_(accounts)
    )
    voted = select(Decision.id).where(Decision.review_id == Review.id, Decision.decided_by.in_(accounts))
    return or_(*(hand.correlate(Review).exists() for hand in (made, submitted, voted)))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The items round one, among those this person could decide now."""

    previous: UUID | None
    following: tuple[UUID, ...]  # the next ones, round the end of the queue to its beginning
    left: int  # this one among them; COUNTED where there are more


def neighbours(
    session: Session,
    scope: Scope,
    wanted: QueueFilter,
    review_id: UUID | None,
    *,
    by: Reader,
    more: int = 0,
) -> Neighbours:
    """Where to go from an item; without one, where to begin. `more` asks for so many more that follow.

    However long the queue is, only what lies next to the item is read.
    """
    most = _FOLLOWING + more
    open_to_me = and_(
        chosen_items(scope, wanted, by=by.user_id, at=by.at), or_(Review.id == review_id, by.may_decide)
    )
    here = session.get(Review, review_id) if review_id else None
    before, ahead = _beside(session, open_to_me, here, most) if here else ([], [])
    if here is None or here.id not in ahead:
        before, ahead = [], _all_of(_beginnings(session, open_to_me, most).values())
    else:
        ahead.remove(here.id)
        if len(ahead) < most or not before:
            designs = _beginnings(session, open_to_me, most)
            own = list(designs).index(here.template_id)
            earlier, later = [*designs][:own], [*designs][own + 1 :]
            ahead += _all_of(designs[one] for one in (*later, *earlier))
            ahead += takewhile(here.id.__ne__, designs[here.template_id])
            before = before or [_last_of(session, open_to_me, one) for one in earlier[-1:]]
    counted = select(literal(1)).where(open_to_me).limit(COUNTED).subquery()
    return Neighbours(
        previous=next(iter(before), None),
        following=tuple(ahead[:most]),
        left=session.scalar(select(func.count()).select_from(counted)) or 0,
    )


def _beside(
    session: Session, open_to_me: ColumnElement[bool], here: Review, most: int
) -> tuple[list[UUID], list[UUID]]:
    """Within the design of an item: the one before it, and from it on as many as asked for."""
    rank = tuple_(*RANK)
    own = tuple_(*(literal(getattr(here, column.key)) for column in RANK))
    of_design = select(*RANK).where(open_to_me, Review.template_id == here.template_id)
    before = of_design.where(rank < own).order_by(*(column.desc() for column in RANK)).limit(1)
    ahead = of_design.where(rank >= own).order_by(*RANK).limit(most + 1)
    found = union_all(
        select(literal(True).label("is_before"), before.subquery()),
        select(literal(False), ahead.subquery()),
    ).subquery()
    rows = session.execute(
        select(found.c.is_before, found.c.id).order_by(*(found.c[column.key] for column in RANK))
    ).all()
    return [item for is_before, item in rows if is_before], [
        item for is_before, item in rows if not is_before
    ]


def _beginnings(session: Session, open_to_me: ColumnElement[bool], most: int) -> dict[UUID, list[UUID]]:
    """The designs in the order of the queue, each with the first of its items."""
    first = (
        select(*RANK)
        .where(open_to_me, Review.template_id == Template.id)
        .order_by(*RANK)
        .limit(most)
        .correlate(Template)
        .lateral()
    )
    order = [first.c[column.key] for column in RANK]
    since = func.min(first.c.alike_since).over(partition_by=Template.id)
    rows = session.execute(
        select(Template.id, first.c.id).join(first, true()).order_by(since, Template.id, *order)
    )
    return {
        design: [item for _design, item in items] for design, items in groupby(rows, key=lambda row: row[0])
    }


def _last_of(session: Session, open_to_me: ColumnElement[bool], design: UUID) -> UUID:
    last = select(Review.id).where(open_to_me, Review.template_id == design)
    return session.scalars(last.order_by(*(column.desc() for column in RANK)).limit(1)).one()


def _all_of(lists: Iterable[list[UUID]]) -> list[UUID]:
    return [item for one in lists for item in one]


@dataclass(frozen=True, slots=True)
class AlikeItem:
    """Another open item with the very same change, which may be decided together with one."""

    id: UUID
    content_hash: str
    step: int
    maker: str | None
    org_name: str


def alike_items(
    session: Session, scope: Scope, review_id: UUID, change_digest: str, *, by: Reader
) -> tuple[AlikeItem, ...]:
    """The open items that change the same design in the same way, as far as this person may decide."""
    found = session.execute(
        select(
            Review.id,
            PieceRevision.content_hash,
            ReviewStep.position.label("step"),
            Advisor.name.label("maker"),
            OrgUnit.name.label("org_name"),
        )
        .join(Piece, Piece.id == Review.piece_id)
        .join(PieceRevision, PieceRevision.id == Review.revision_id)
        .join(OrgUnit, OrgUnit.id == Review.org_unit_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .join(ReviewStep, and_(ReviewStep.review_id == Review.id, ReviewStep.state == StepState.OPEN))
        .where(
            chosen_items(scope, QueueFilter(), by=by.user_id, at=by.at),
            Review.change_digest == change_digest,
            Review.id != review_id,
            by.may_decide,
        )
        .order_by(Review.opened_at, Review.id)
        .limit(_MOST_TOGETHER)
    ).mappings()
    return tuple(AlikeItem(**row) for row in found)
