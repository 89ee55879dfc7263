"""The queue of open items in its working order, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.domain.organisation import Scope
from app.domain.review import CLAIM_TERM, ReviewState, claim_holds
from app.domain.route import StepState
from app.models.advisor import Advisor
from app.models.check import CheckRun, Finding
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Review, ReviewStep
from app.models.route import RouteStep
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.piece import says
from app.queries.scope import within

PAGE_SIZE: Final = 50
# Within a design; there is an index of the open items in this order.
RANK: Final = (Review.alike_since, Review.change_digest, Review.opened_at, Review.id)


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
    chosen = chosen_items(scope, wanted, by=by, at=at)
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
        .order_by(designs.c.since, Review.template_id, *RANK)
        .offset(offset_of(page, PAGE_SIZE))
        .limit(PAGE_SIZE)
        .subquery("on_page")
    )
    other = aliased(Review)
    alike = (
        select(func.count())
        .where(
            chosen_items(scope, wanted, by=by, at=at, of=other), other.change_digest == Review.change_digest
        )
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
        .order_by(on_page.c.since, Review.template_id, *RANK)
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
        .where(chosen_items(scope, QueueFilter(), by=None, at=None))
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


def chosen_items(
    scope: Scope,
    wanted: QueueFilter,
    *,
    by: UUID | None,
    at: datetime | None,
    of: type[Review] = Review,
) -> ColumnElement[bool]:
    """The open items of a scope that a filter leaves."""
    conditions = [
        of.state == ReviewState.OPEN,
        among(of.org_unit_id, select(OrgUnit.id).where(within(scope, OrgUnit.path))),
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
        conditions.append(is_unclaimed(of, at))
    return and_(*conditions)


def is_unclaimed(of: type[Review], at: datetime) -> ColumnElement[bool]:
    """As `claim_holds`, of a row: nobody took it, or too long ago."""
    return or_(of.claimed_by.is_(None), of.claimed_at < at - CLAIM_TERM)


def among(column: InstrumentedAttribute[Any], few: Select[UUID]) -> ColumnElement[bool]:
    """Whether a column holds one of a few values, which are looked up once and then hashed.

    As a bare `IN` each would be one more table to join: with so many of them the planner takes longer
    to think than the query to run.
    """
    return column.in_(few).is_(true())
