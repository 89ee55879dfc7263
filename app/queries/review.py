"""What the review pages show: the queue in its working order, one item, what was decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.domain.organisation import Scope
from app.domain.review import CLAIM_TERM, Outcome, ReviewState, claim_holds
from app.models.advisor import Advisor
from app.models.check import CheckRun, Finding
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Decision, Review
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.piece import says
from app.queries.scope import within

PAGE_SIZE: Final = 50
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
                func.count().over(partition_by=Template.id).label("in_group"),
            )
        )
        .outerjoin(claimer, claimer.id == Review.claimed_by)
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
class Neighbours:
    """The items before and after one, among those this person could decide now."""

    previous: UUID | None
    next: UUID | None
    place: int | None  # 1-based, among the items this person could decide
    left: int


def neighbours(
    session: Session, scope: Scope, wanted: QueueFilter, review_id: UUID, *, by: UUID | None, at: datetime
) -> Neighbours:
    """Where to go from an item: never onto one's own work, nor onto what a colleague is on."""
    rows = session.execute(
        _from(select(Review.id, Review.claimed_by, Review.claimed_at, PieceRevision.contributors))
        .where(_chosen(scope, wanted, by=by, at=at))
        .order_by(*_order())
    ).all()
    free = [
        row.id
        for row in rows
        if row.id == review_id
        or (
            by not in row.contributors
            and not (row.claimed_by not in {None, by} and claim_holds(row.claimed_at, at=at))
        )
    ]
    if review_id not in free:
        return Neighbours(None, free[0] if free else None, None, len(free))
    place = free.index(review_id)
    around = [*free[place + 1 :], *free[:place]]
    return Neighbours(free[place - 1] if place else None, around[0] if around else None, place + 1, len(free))


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
    waits_longest = func.min(Review.opened_at).over(partition_by=Template.id)
    return waits_longest, Template.id, Review.opened_at, Review.id


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
