"""The queue of open items in its working order, one's place in it, and what is decided together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Tuple,
    and_,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.domain.organisation import Grant, Scope
from app.domain.review import CLAIM_TERM, ReviewState, claim_holds
from app.domain.route import StepState
from app.models.advisor import Advisor
from app.models.check import CheckRun, Finding
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Decision, Review, ReviewStep
from app.models.route import RouteStep
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.piece import says
from app.queries.scope import within

PAGE_SIZE: Final = 50
# Within a design; there is an index of the open items in this order.
_RANK: Final = (Review.alike_since, Review.change_digest, Review.opened_at, Review.id)
_MOST_TOGETHER: Final = 200


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is looked at; an empty field leaves everything."""

    text: str = ""
    template: str = ""  # a design's slug
    verdict: str = ""
    claim: str = ""  # "free" or "mine"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One open item as the queue lists it."""

    id: UUID
    piece_id: UUID
    title: str
    template_slug: str
    template_name: str
    template_version: int
    maker: str | None  # None: made for everybody
    org_name: str
    values: Mapping[str, str]
    contributors: Sequence[UUID]
    verdict: str
    hits: int
    round: int
    opened_at: datetime
    claimed_by: UUID | None
    claimed_name: str | None
    claimed_at: datetime | None
    change_digest: str
    alike: int  # items of the whole queue with the very same change, this one among them
    step_name: str | None
    due_at: datetime | None
    assigned_to: UUID | None

    def taken_by_other(self, user_id: UUID | None, *, at: datetime) -> bool:
        return self.claimed_by not in {None, user_id} and claim_holds(self.claimed_at, at=at)


@dataclass(frozen=True, slots=True)
class QueueGroup:
    """Items of one design, which are decided faster together; `total` counts beyond the page."""

    template_slug: str
    template_name: str
    total: int
    rows: tuple[QueueRow, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue, and the same rows by design."""

    page: Page[QueueRow]
    groups: tuple[QueueGroup, ...]


@dataclass(frozen=True, slots=True)
class QueueFacet:
    """One value a filter may take, and how many items it would leave."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class QueueFacets:
    templates: tuple[QueueFacet, ...]
    verdicts: Mapping[str, int]
    open: int


def review_queue(
    session: Session, scope: Scope, wanted: QueueFilter, *, by: UUID | None, at: datetime, page: int = 1
) -> Queue:
    """One page of the open items: the design that waits longest first, oldest first within it."""
    chosen = _chosen(scope, wanted, by=by, at=at)
    designs = (
        select(
            Review.template_id,
            func.min(Review.alike_since).label("since"),
            func.count().label("in_design"),
            cast(func.sum(func.count()).over(), Integer).label("left"),
        )
        .where(chosen)
        .group_by(Review.template_id)
        .subquery("designs")
    )
    on_page = (
        select(Review.id, designs.c.since, designs.c.in_design, designs.c.left)
        .join(designs, designs.c.template_id == Review.template_id)
        .where(chosen)
        .order_by(designs.c.since, Review.template_id, *_RANK)
        .offset(offset_of(page, PAGE_SIZE))
        .limit(PAGE_SIZE)
        .subquery("on_page")
    )
    other = aliased(Review)
    alike = (
        select(func.count())
        .where(_chosen(scope, wanted, by=by, at=at, of=other), other.change_digest == Review.change_digest)
        .scalar_subquery()
    )
    claimer = aliased(User)
    hits = (
        select(func.count(Finding.id))
        .where(Finding.run_id == Review.check_run_id, Finding.severity != "note")
        .scalar_subquery()
    )
    statement = (
        select(
            Review.id,
            Review.piece_id,
            Piece.title,
            Template.slug.label("template_slug"),
            Template.name.label("template_name"),
            TemplateVersion.number.label("template_version"),
            Advisor.name.label("maker"),
            OrgUnit.name.label("org_name"),
            PieceRevision.values,
            PieceRevision.contributors,
            CheckRun.verdict,
            hits.label("hits"),
            Review.round,
            Review.opened_at,
            Review.claimed_by,
            claimer.name.label("claimed_name"),
            Review.claimed_at,
            Review.change_digest,
            alike.label("alike"),
            RouteStep.name.label("step_name"),
            ReviewStep.due_at,
            ReviewStep.assigned_to,
            on_page.c.in_design,
            on_page.c.left,
        )
        .select_from(on_page)
        .join(Review, Review.id == on_page.c.id)
        .join(Piece, Piece.id == Review.piece_id)
        .join(PieceRevision, PieceRevision.id == Review.revision_id)
        .join(CheckRun, CheckRun.id == Review.check_run_id)
        .join(TemplateVersion, TemplateVersion.id == Review.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(OrgUnit, OrgUnit.id == Review.org_unit_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .outerjoin(claimer, claimer.id == Review.claimed_by)
        .outerjoin(ReviewStep, and_(ReviewStep.review_id == Review.id, ReviewStep.state == StepState.OPEN))
        .outerjoin(RouteStep, RouteStep.id == Review.waits_in)
        .order_by(on_page.c.since, Review.template_id, *_RANK)
    )
    total = 0
    groups: dict[str, tuple[str, int, list[QueueRow]]] = {}
    rows: list[QueueRow] = []
    for found in session.execute(statement).mappings():
        facts = dict(found)
        in_group, total = facts.pop("in_design"), facts.pop("left")
        row = QueueRow(**facts)
        groups.setdefault(row.template_slug, (row.template_name, in_group, []))[2].append(row)
        rows.append(row)
    return Queue(
        Page(rows, max(1, page), PAGE_SIZE, total),
        tuple(QueueGroup(slug, name, of, tuple(rows)) for slug, (name, of, rows) in groups.items()),
    )


def queue_facets(session: Session, scope: Scope) -> QueueFacets:
    """How the whole open queue of a scope is made up."""
    counted = session.execute(
        select(Template.slug, Template.name, CheckRun.verdict, func.count())
        .select_from(Review)
        .join(CheckRun, CheckRun.id == Review.check_run_id)
        .join(Template, Template.id == Review.template_id)
        .where(_chosen(scope, QueueFilter(), by=None, at=None))
        .group_by(Template.slug, Template.name, CheckRun.verdict)
        .order_by(Template.name)
    ).all()
    templates: dict[str, QueueFacet] = {}
    verdicts: dict[str, int] = {}
    for slug, name, verdict, count in counted:
        before = templates[slug].count if slug in templates else 0
        templates[slug] = QueueFacet(slug, name, before + count)
        verdicts[verdict or ""] = verdicts.get(verdict or "", 0) + count
    return QueueFacets(tuple(templates.values()), verdicts, sum(verdicts.values()))


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever looks at the queue: all accounts of the person, and where which role is held."""

    user_id: UUID | None
    accounts: frozenset[UUID]
    grants: tuple[Grant, ...]


def reader_of(session: Session, user_id: UUID | None, grants: tuple[Grant, ...]) -> Reader:
    """The person behind an account, with every account of theirs."""
    if user_id is None:
        return Reader(None, frozenset(), grants)
    mine = select(User.person_id).where(User.id == user_id).scalar_subquery()
    accounts = session.scalars(select(User.id).where(User.person_id == mine))
    return Reader(user_id, frozenset(accounts), grants)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The items round one, among those this person could decide now."""

    previous: UUID | None
    following: tuple[UUID, ...]  # the next ones, round the end of the queue to its beginning
    place: int | None  # 1-based, among the items this person could decide
    left: int


_FOLLOWING: Final = 6  # as many as may wait to be taken back while the next is looked at


def neighbours(
    session: Session,
    scope: Scope,
    wanted: QueueFilter,
    review_id: UUID | None,
    *,
    by: Reader,
    at: datetime,
    more: int = 0,
) -> Neighbours:
    """Where to go from an item: never onto one's own work, nor onto what a colleague is on.

    Without an item, where to begin. `more` asks for so many more of those that follow.
    """
    open_to_me = and_(
        _chosen(scope, wanted, by=by.user_id, at=at), or_(Review.id == review_id, _is_free(by, at=at))
    )
    here = session.get(Review, review_id) if review_id else None
    rank = tuple_(*(literal(getattr(here, column.key)) for column in _RANK)) if here else None
    designs = _designs(session, open_to_me, review_id, rank)
    own = next((place for place, design in enumerate(designs) if design.has_here), None)
    back: list[_Stretch] = []
    if rank is None or own is None:
        place = None
        ahead = [_Stretch(design.id, design.items) for design in designs]
    else:
        earlier, mine, later = designs[:own], designs[own], designs[own + 1 :]
        place = sum(design.items for design in earlier) + mine.before + 1
        ahead = [
            _Stretch(mine.id, mine.items - mine.before - 1, beyond=_rank() > rank),
            *(_Stretch(design.id, design.items) for design in (*later, *earlier)),
            _Stretch(mine.id, mine.before),
        ]
        back = [_Stretch(mine.id, mine.before, beyond=_rank() < rank)]
        back += [_Stretch(design.id, design.items) for design in reversed(earlier)]
    previous = _gone_through(open_to_me, back, 1, backwards=True)
    following = _gone_through(open_to_me, ahead, _FOLLOWING + more)
    found = _one_after_another(session, [*previous, *following])
    return Neighbours(
        previous=next((item for leg, item in found if leg < len(previous)), None),
        following=tuple(item for leg, item in found if leg >= len(previous)),
        place=place,
        left=sum(design.items for design in designs),
    )


@dataclass(frozen=True, slots=True)
class _Design:
    """How many items of one design may be gone to, and how many of them stand before here."""

    id: UUID
    items: int
    before: int
    has_here: bool


def _designs(
    session: Session, open_to_me: ColumnElement[bool], here: UUID | None, rank: Tuple | None
) -> Sequence[_Design]:
    """The designs in the order of the queue."""
    before = func.count().filter(_rank() < rank) if rank is not None else literal(0)
    since = func.min(Review.alike_since)
    found = session.execute(
        select(
            Review.template_id, func.count(), before, func.coalesce(func.bool_or(Review.id == here), False)
        )
        .where(open_to_me)
        .group_by(Review.template_id)
        .order_by(since, Review.template_id)
    )
    return [_Design(*row) for row in found]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """So many items of one design, the nearest first; `beyond` leaves out what is not passed by."""

    design: UUID
    items: int
    beyond: ColumnElement[bool] = field(default_factory=true)


def _gone_through(
    open_to_me: ColumnElement[bool], stretches: Iterable[_Stretch], most: int, *, backwards: bool = False
) -> list[Select[*tuple[Any, ...]]]:
    """Queries for the first so many items as one goes from stretch to stretch: few items are read."""
    order = [column.desc() for column in _RANK] if backwards else _RANK
    legs = []
    for stretch in stretches:
        if most > 0 and stretch.items > 0:
            on_it = and_(open_to_me, Review.template_id == stretch.design, stretch.beyond)
            legs.append(select(*_RANK).where(on_it).order_by(*order).limit(min(most, stretch.items)))
            most -= stretch.items
    return legs


def _one_after_another(
    session: Session, legs: Sequence[Select[*tuple[Any, ...]]]
) -> Sequence[tuple[int, UUID]]:
    """What the legs find, each item with the number of its leg, in one statement."""
    if not legs:
        return ()
    found = union_all(
        *(select(literal(number).label("leg"), leg.subquery()) for number, leg in enumerate(legs))
    ).subquery()
    order = (found.c.leg, *(found.c[column.key] for column in _RANK))
    rows = session.execute(select(found.c.leg, found.c.id).order_by(*order))
    return [(leg, item) for leg, item in rows]


def _rank() -> Tuple:
    return tuple_(*_RANK)


def _is_free(by: Reader, *, at: datetime) -> ColumnElement[bool]:
    """Whether this person could decide an item now: nobody on it, no hand in it, a seat in its step.

    Each condition is asked once of the few rows that it is about, not once of every item.
    """
    seated = [
        and_(
            _among(
                Review.waits_in,
                select(RouteStep.id).where(
                    RouteStep.role == grant.role,
                    or_(RouteStep.seat_path.is_(None), func.starts_with(RouteStep.seat_path, grant.path)),
                ),
            ),
            _among(Review.org_unit_id, select(OrgUnit.id).where(func.starts_with(OrgUnit.path, grant.path))),
        )
        for grant in by.grants
    ]
    released = select(TemplateVersion.id).where(TemplateVersion.published_by.in_(by.accounts))
    return and_(
        or_(_is_unclaimed(Review, at), Review.claimed_by == by.user_id),
        Review.template_version_id.not_in(released),
        or_(false(), *seated),
        Review.id.not_in(_with_a_hand_of(by)),
    )


def _is_unclaimed(of: type[Review], at: datetime) -> ColumnElement[bool]:
    """As `claim_holds`, of a row: nobody took it, or too long ago."""
    return or_(of.claimed_by.is_(None), of.claimed_at < at - CLAIM_TERM)


def _among(column: InstrumentedAttribute[Any], few: Select[UUID]) -> ColumnElement[bool]:
    """Whether a column holds one of a few values, which are looked up once and then hashed.

    As a bare `IN` each would be one more table to join: with so many of them the planner takes longer
    to think than the query to run.
    """
    return column.in_(few).is_(true())


def _with_a_hand_of(by: Reader) -> CompoundSelect[UUID]:
    """The open items that this person made, changed or submitted, or voted on in an earlier step."""
    item = aliased(Review)
    of_piece = (
        select(item.id)
        .join(
            PieceRevision, and_(PieceRevision.piece_id == item.piece_id, PieceRevision.id == item.revision_id)
        )
        .where(item.state == ReviewState.OPEN)
    )
    return union_all(
        of_piece.where(PieceRevision.contributors.overlap(sorted(by.accounts))),
        of_piece.join(
            CheckRun, and_(CheckRun.revision_id == PieceRevision.id, CheckRun.id == item.check_run_id)
        ).where(CheckRun.submitted_by.in_(by.accounts)),
        # a final vote ends the round
        select(Decision.review_id).where(Decision.decided_by.in_(by.accounts), ~Decision.is_final),
    )


@dataclass(frozen=True, slots=True)
class AlikeItem:
    """Another open item with the very same change, which may be decided together with one."""

    id: UUID
    content_hash: str
    step: int
    maker: str | None
    org_name: str


def alike_items(
    session: Session, scope: Scope, review_id: UUID, change_digest: str, *, by: Reader, at: datetime
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
            _chosen(scope, QueueFilter(), by=by.user_id, at=at),
            Review.change_digest == change_digest,
            Review.id != review_id,
            _is_free(by, at=at),
        )
        .order_by(Review.opened_at, Review.id)
        .limit(_MOST_TOGETHER)
    ).mappings()
    return tuple(AlikeItem(**row) for row in found)


def _chosen(
    scope: Scope,
    wanted: QueueFilter,
    *,
    by: UUID | None,
    at: datetime | None,
    of: type[Review] = Review,
) -> ColumnElement[bool]:
    conditions = [
        of.state == ReviewState.OPEN,
        _among(of.org_unit_id, select(OrgUnit.id).where(within(scope, OrgUnit.path))),
    ]
    if words := wanted.text.split():
        saying = (
            select(Piece.id)
            .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
            .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
            .join(Template, Template.id == TemplateVersion.template_id)
            .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
            .where(*map(says, words))
        )
        conditions.append(of.piece_id.in_(saying))
    if wanted.template:
        conditions.append(of.template_id.in_(select(Template.id).where(Template.slug == wanted.template)))
    if wanted.verdict:
        judged = select(CheckRun.id).where(CheckRun.verdict == wanted.verdict)
        conditions.append(of.check_run_id.in_(judged))
    if wanted.claim == "mine":
        conditions.append(of.claimed_by == by)
    elif wanted.claim == "free" and at is not None:
        conditions.append(_is_unclaimed(of, at))
    return and_(*conditions)
