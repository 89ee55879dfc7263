"""What the review pages show: the queue in its working order, one item, what was decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    any_,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    values,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.domain.organisation import Grant, Scope
from app.domain.review import CLAIM_TERM, Outcome, ReviewState, claim_holds
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
from compliance.finding import Finding as JustFound

PAGE_SIZE: Final = 50
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
    skipped = offset_of(page, PAGE_SIZE)
    changes = _changes(chosen)
    on_page = select(changes).where(
        changes.c.before < skipped + PAGE_SIZE, changes.c.before + changes.c.alike > skipped
    )
    places = _places(chosen, on_page.cte("on_page"))
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
            places.c.alike,
            RouteStep.name.label("step_name"),
            ReviewStep.due_at,
            ReviewStep.assigned_to,
            places.c.in_design,
            places.c.left,
        )
        .select_from(places)
        .join(Review, Review.id == places.c.id)
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
        .where(places.c.place > skipped, places.c.place <= skipped + PAGE_SIZE)
        .order_by(places.c.place)
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
        .join(TemplateVersion, TemplateVersion.id == Review.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
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
    most = _FOLLOWING + more
    open_to_me = and_(
        _chosen(scope, wanted, by=by.user_id, at=at), or_(Review.id == review_id, _is_free(by, at=at))
    )
    changes = _changes(open_to_me)
    mine = select(Review.change_digest).where(Review.id == review_id).scalar_subquery()
    own = select(changes.c.before, changes.c.alike).where(changes.c.change_digest == mine).subquery("own")
    start = func.coalesce(select(own.c.before).scalar_subquery(), literal(0))
    past = func.coalesce(select(own.c.before + own.c.alike).scalar_subquery(), literal(0))
    # the changes that may hold one of those places, and the one just before
    near = select(changes).where(
        or_(
            (changes.c.before - start + changes.c.left) % changes.c.left < past - start + most,
            changes.c.before + changes.c.alike == start,
        )
    )
    ranked = _places(open_to_me, near.cte("near"))
    here = func.coalesce(
        select(ranked.c.place).where(ranked.c.id == review_id).scalar_subquery(), literal(0)
    ).label("here")
    # as one turns round the queue: the place after this one is 0, the place before it comes last
    turn = ((ranked.c.place - here + ranked.c.left - 1) % ranked.c.left).label("turn")
    rows = session.execute(
        select(ranked.c.id, ranked.c.place, ranked.c.left, here, turn)
        .where(or_(turn < most, ranked.c.place == here, ranked.c.place == here - 1))
        .order_by(turn)
    ).all()
    if not rows:
        return Neighbours(None, (), None, 0)
    place = rows[0].here or None
    return Neighbours(
        previous=next((row.id for row in rows if place is not None and row.place == place - 1), None),
        following=tuple(row.id for row in rows if row.turn < most and row.id != review_id),
        place=place,
        left=rows[0].left,
    )


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
        or_(
            Review.claimed_by.is_(None),
            Review.claimed_by == by.user_id,
            Review.claimed_at < at - CLAIM_TERM,
        ),
        Review.template_version_id.not_in(released),
        or_(false(), *seated),
        Review.id.not_in(_with_a_hand_of(by)),
    )


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


@dataclass(frozen=True, slots=True)
class FoundHit:
    """One finding as the page marks it; spans are code points of the field's text."""

    rule: str
    severity: str
    field: str
    start: int
    end: int
    text: str
    basis: str
    reason: str
    suggestion: str | None

    @classmethod
    def of(cls, finding: JustFound) -> Self:
        """Of what the checker just said."""
        return cls(
            finding.rule,
            finding.severity.value,
            finding.field,
            finding.span.start,
            finding.span.end,
            finding.text,
            finding.basis,
            finding.reason,
            finding.suggestion,
        )


def hits_of(session: Session, run_id: UUID) -> tuple[FoundHit, ...]:
    """What a check found, without the notes that were found lawful in their context."""
    return tuple(
        FoundHit(**row)
        for row in session.execute(
            select(
                Finding.rule,
                Finding.severity,
                Finding.field,
                Finding.start,
                Finding.end,
                Finding.text,
                Finding.basis,
                Finding.reason,
                Finding.suggestion,
            )
            .where(Finding.run_id == run_id, Finding.severity != "note")
            .order_by(Finding.position)
        ).mappings()
    )


def verdict_of(session: Session, run_id: UUID) -> str:
    """What a check came to; one without a result is a block."""
    return session.scalar(select(CheckRun.verdict).where(CheckRun.id == run_id)) or "block"


def open_review_of(session: Session, piece_id: UUID) -> UUID | None:
    """The round of a piece that waits for a decision, if any."""
    return session.scalar(
        select(Review.id).where(Review.piece_id == piece_id, Review.state == ReviewState.OPEN)
    )


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What somebody decided earlier, on this piece or on the same wording elsewhere."""

    review_id: UUID
    piece_title: str
    maker: str | None
    outcome: Outcome
    reason: str
    decided_by: str | None  # None: passed by itself
    decided_at: datetime


def decisions_on_same_wording(
    session: Session, scope: Scope, texts: Mapping[str, str], *, except_piece: UUID
) -> dict[str, PastDecision]:
    """By slot, the newest decision a person made on exactly this text in that slot."""
    worded = [(slot, text) for slot, text in texts.items() if text.strip()]
    if not worded:
        return {}
    sought = values(column("slot", String), column("text", String), name="sought").data(worded)
    found = session.execute(
        _decisions()
        .add_columns(sought.c.slot)
        .join(sought, PieceRevision.values[sought.c.slot].astext == sought.c.text)
        .where(
            Decision.decided_by.is_not(None),
            Decision.piece_id != except_piece,
            within(scope, OrgUnit.path),
        )
        .ext(distinct_on(sought.c.slot))
        .order_by(sought.c.slot, Decision.decided_at.desc())
    ).mappings()
    newest = (dict(row) for row in found)
    return {facts.pop("slot"): PastDecision(**facts) for facts in newest}


def decisions_on_piece(session: Session, piece_id: UUID) -> tuple[PastDecision, ...]:
    """Every decision on a piece, the newest first."""
    return tuple(
        PastDecision(**row)
        for row in session.execute(
            _decisions().where(Decision.piece_id == piece_id).order_by(Decision.decided_at.desc())
        ).mappings()
    )


@dataclass(frozen=True, slots=True)
class ApprovedRevision:
    number: int
    values: Mapping[str, str]
    decided_at: datetime


def approved_before(session: Session, piece_id: UUID, *, number: int) -> ApprovedRevision | None:
    """The newest approved revision of a piece before this one."""
    row = session.execute(
        select(PieceRevision.number, PieceRevision.values, Decision.decided_at)
        .join(Decision, Decision.revision_id == PieceRevision.id)
        .where(
            PieceRevision.piece_id == piece_id,
            PieceRevision.number < number,
            Decision.outcome == Outcome.APPROVE,
            Decision.is_final,
        )
        .order_by(PieceRevision.number.desc())
        .limit(1)
    ).one_or_none()
    return ApprovedRevision(*row) if row is not None else None


def names_of(session: Session, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of people by id; who is gone from the tenant is left out."""
    if not user_ids:
        return {}
    return {
        row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    }


def _decisions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Decision.review_id,
            Piece.title.label("piece_title"),
            Advisor.name.label("maker"),
            Decision.outcome,
            Decision.reason,
            User.name.label("decided_by"),
            Decision.decided_at,
        )
        .select_from(Decision)
        .join(PieceRevision, PieceRevision.id == Decision.revision_id)
        .join(Piece, Piece.id == Decision.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .outerjoin(User, User.id == Decision.decided_by)
    )


def _changes(waiting: ColumnElement[bool]) -> CTE:
    """Every change among the waiting items in the queue's order, with how many items stand before it.

    The design that waits longest comes first, within it the change that does. Items that are alike
    follow one another, so an order of the changes is an order of the items at less cost.
    """
    alike = (
        select(
            Review.template_version_id,
            Review.change_digest,
            func.min(Review.opened_at).label("since"),
            func.count().label("alike"),
        )
        .where(waiting)
        .group_by(Review.template_version_id, Review.change_digest)
        .subquery("alike")
    )
    design = TemplateVersion.template_id
    by_design = (
        select(
            alike.c.change_digest,
            alike.c.since,
            alike.c.alike,
            design.label("design"),
            func.min(alike.c.since).over(partition_by=design).label("design_since"),
            cast(func.sum(alike.c.alike).over(partition_by=design), Integer).label("in_design"),
        )
        .join(TemplateVersion, TemplateVersion.id == alike.c.template_version_id)
        .subquery("by_design")
    )
    order = (by_design.c.design_since, by_design.c.design, by_design.c.since, by_design.c.change_digest)
    upto = func.sum(by_design.c.alike).over(order_by=order, rows=(None, 0))
    return select(
        by_design.c.change_digest,
        by_design.c.alike,
        by_design.c.in_design,
        cast(upto - by_design.c.alike, Integer).label("before"),
        cast(func.sum(by_design.c.alike).over(), Integer).label("left"),
    ).cte("changes")


def _places(waiting: ColumnElement[bool], some: CTE) -> CTE:
    """The places of the waiting items of some changes: 1-based, the oldest first within a change."""
    oldest_first = func.row_number().over(
        partition_by=Review.change_digest, order_by=(Review.opened_at, Review.id)
    )
    return (
        select(
            Review.id,
            some.c.alike,
            some.c.in_design,
            some.c.left,
            cast(some.c.before + oldest_first, Integer).label("place"),
        )
        .join(some, some.c.change_digest == Review.change_digest)
        # as an array, so that the planner expects few and asks the index for them
        .where(
            waiting, Review.change_digest == any_(func.array(select(some.c.change_digest).scalar_subquery()))
        )
        .cte("places")
    )


def _chosen(
    scope: Scope, wanted: QueueFilter, *, by: UUID | None, at: datetime | None
) -> ColumnElement[bool]:
    conditions = [
        Review.state == ReviewState.OPEN,
        _among(Review.org_unit_id, select(OrgUnit.id).where(within(scope, OrgUnit.path))),
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
        conditions.append(Review.piece_id.in_(saying))
    if wanted.template:
        of_design = select(TemplateVersion.id).join(Template).where(Template.slug == wanted.template)
        conditions.append(_among(Review.template_version_id, of_design))
    if wanted.verdict:
        judged = select(CheckRun.id).where(CheckRun.verdict == wanted.verdict)
        conditions.append(Review.check_run_id.in_(judged))
    if wanted.claim == "mine":
        conditions.append(Review.claimed_by == by)
    elif wanted.claim == "free" and at is not None:
        conditions.append(or_(Review.claimed_by.is_(None), Review.claimed_at < at - CLAIM_TERM))
    return and_(*conditions)
