"""What the review pages show: the queue in its working order, one item, what was decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self, TypeVarTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Label,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

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
Ts = TypeVarTuple("Ts")


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
    total = session.scalar(_from(select(func.count(Review.id))).where(chosen)) or 0
    claimer = aliased(User)
    hits = (
        select(func.count(Finding.id))
        .where(Finding.run_id == Review.check_run_id, Finding.severity != "note")
        .scalar_subquery()
    )
    statement = (
        _from(
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
                func.count().over(partition_by=(Template.id, Review.change_digest)).label("alike"),
                RouteStep.name.label("step_name"),
                ReviewStep.due_at,
                ReviewStep.assigned_to,
                func.count().over(partition_by=Template.id).label("in_group"),
            )
        )
        .outerjoin(claimer, claimer.id == Review.claimed_by)
        .outerjoin(ReviewStep, and_(ReviewStep.review_id == Review.id, ReviewStep.state == StepState.OPEN))
        .outerjoin(RouteStep, RouteStep.id == ReviewStep.route_step_id)
        .where(chosen)
        .order_by(*_order())
        .limit(PAGE_SIZE)
        .offset(offset_of(page, PAGE_SIZE))
    )
    groups: dict[str, tuple[str, int, list[QueueRow]]] = {}
    rows: list[QueueRow] = []
    for found in session.execute(statement).mappings():
        facts = dict(found)
        in_group = facts.pop("in_group")
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
        _from(select(Template.slug, Template.name, CheckRun.verdict, func.count()))
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
    order: list[Label[Any]] = [column.label(f"order_{number}") for number, column in enumerate(_order())]
    waiting = (
        _from(select(Review.id, *order))
        .where(
            _chosen(scope, wanted, by=by.user_id, at=at),
            or_(Review.id == review_id, _is_free(by, at=at)),
        )
        .subquery("waiting")
    )
    ranked = select(
        waiting.c.id,
        func.row_number().over(order_by=[waiting.c[column.name] for column in order]).label("place"),
        func.count().over().label("left"),
    ).cte("ranked")
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
    """Whether this person could decide an item now: nobody on it, no hand in it, a seat in its step."""
    accounts = sorted(by.accounts)
    seated = [
        and_(
            RouteStep.role == grant.role,
            func.starts_with(OrgUnit.path, grant.path),
            or_(RouteStep.seat_path.is_(None), func.starts_with(RouteStep.seat_path, grant.path)),
        )
        for grant in by.grants
    ]
    return and_(
        or_(
            Review.claimed_by.is_(None),
            Review.claimed_by == by.user_id,
            Review.claimed_at < at - CLAIM_TERM,
        ),
        ~PieceRevision.contributors.overlap(accounts),
        or_(CheckRun.submitted_by.is_(None), CheckRun.submitted_by.not_in(accounts)),
        or_(TemplateVersion.published_by.is_(None), TemplateVersion.published_by.not_in(accounts)),
        exists().where(
            ReviewStep.review_id == Review.id,
            ReviewStep.state == StepState.OPEN,
            RouteStep.id == ReviewStep.route_step_id,
            or_(false(), *seated),
        ),
        ~exists().where(Decision.review_id == Review.id, Decision.decided_by.in_(accounts)),
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
        _from(
            select(
                Review.id,
                PieceRevision.content_hash,
                ReviewStep.position.label("step"),
                Advisor.name.label("maker"),
                OrgUnit.name.label("org_name"),
            )
        )
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
    values: Mapping[str, str] = field(repr=False)


def decisions_on_same_wording(
    session: Session, scope: Scope, texts: Mapping[str, str], *, except_piece: UUID, limit: int = 200
) -> dict[str, PastDecision]:
    """By slot, the newest decision a person made on exactly this text in that slot."""
    worded = {slot: text for slot, text in texts.items() if text.strip()}
    if not worded:
        return {}
    found = session.execute(
        _decisions()
        .where(
            Decision.decided_by.is_not(None),
            Decision.piece_id != except_piece,
            within(scope, OrgUnit.path),
            or_(*(PieceRevision.values.contains({slot: text}) for slot, text in worded.items())),
        )
        .order_by(Decision.decided_at.desc())
        .limit(limit)
    ).mappings()
    newest: dict[str, PastDecision] = {}
    for row in found:
        past = PastDecision(**row)
        for slot, text in worded.items():
            if past.values.get(slot) == text:
                newest.setdefault(slot, past)
    return newest


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
            PieceRevision.values,
        )
        .select_from(Decision)
        .join(PieceRevision, PieceRevision.id == Decision.revision_id)
        .join(Piece, Piece.id == Decision.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .outerjoin(User, User.id == Decision.decided_by)
    )


def _from(statement: Select[*Ts]) -> Select[*Ts]:
    return (
        statement.select_from(Review)
        .join(Piece, Piece.id == Review.piece_id)
        .join(PieceRevision, PieceRevision.id == Review.revision_id)
        .join(CheckRun, CheckRun.id == Review.check_run_id)
        .join(TemplateVersion, TemplateVersion.id == PieceRevision.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
    )


def _order() -> tuple[SQLColumnExpression[Any], ...]:
    """The design that waits longest, within it the change that does, within that the oldest item."""
    design = func.min(Review.opened_at).over(partition_by=Template.id)
    change = func.min(Review.opened_at).over(partition_by=(Template.id, Review.change_digest))
    return design, Template.id, change, Review.change_digest, Review.opened_at, Review.id


def _chosen(
    scope: Scope, wanted: QueueFilter, *, by: UUID | None, at: datetime | None
) -> ColumnElement[bool]:
    conditions = [Review.state == ReviewState.OPEN, within(scope, OrgUnit.path)]
    conditions.extend(says(word) for word in wanted.text.split())
    if wanted.template:
        conditions.append(Template.slug == wanted.template)
    if wanted.verdict:
        conditions.append(CheckRun.verdict == wanted.verdict)
    if wanted.claim == "mine":
        conditions.append(Review.claimed_by == by)
    elif wanted.claim == "free" and at is not None:
        conditions.append(or_(Review.claimed_by.is_(None), Review.claimed_at < at - CLAIM_TERM))
    return and_(*conditions)
