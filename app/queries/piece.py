"""What the desk's pages of pieces show: the list, and one piece with all that happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.domain.organisation import Scope
from app.domain.piece import PieceAction, PieceState
from app.domain.publication import EndReason
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision, PieceStep
from app.models.publication import Publication
from app.models.review import Review
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE: Final = 50
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class PieceFilter:
    text: str = ""
    state: str = ""
    template: str = ""
    owner: str = ""  # "master", "advisor" or "mine"


@dataclass(frozen=True, slots=True)
class PieceRow:
    id: UUID
    title: str
    state: PieceState
    template_slug: str
    template_name: str
    template_version: int
    maker: str | None  # None: made for everybody
    org_name: str
    state_since: datetime
    valid_until: datetime | None
    editions: int


@dataclass(frozen=True, slots=True)
class PieceList:
    """One page of pieces, with how many are in each state and the designs to choose from."""

    page: Page[PieceRow]
    by_state: Mapping[PieceState, int]
    templates: tuple[tuple[str, str], ...]


def piece_list(
    session: Session, scope: Scope, wanted: PieceFilter, *, by: UUID | None, page: int = 1
) -> PieceList:
    """One page of a scope's pieces, the latest change first; states are counted without their filter."""
    chosen = _chosen(scope, wanted, by=by)
    counted = _from(select(Piece.state, func.count(Piece.id))).where(chosen).group_by(Piece.state)
    by_state = {row[0]: row[1] for row in session.execute(counted)}
    if wanted.state:
        chosen = and_(chosen, Piece.state == wanted.state)
        total = by_state.get(PieceState(wanted.state), 0)
    else:
        total = sum(by_state.values())
    editions = (
        select(func.count(Edition.id)).where(Edition.piece_id == Piece.id).correlate(Piece).scalar_subquery()
    )
    rows = tuple(
        PieceRow(**row)
        for row in session.execute(
            _from(
                select(
                    Piece.id,
                    Piece.title,
                    Piece.state,
                    Template.slug.label("template_slug"),
                    Template.name.label("template_name"),
                    TemplateVersion.number.label("template_version"),
                    Advisor.name.label("maker"),
                    OrgUnit.name.label("org_name"),
                    Piece.state_since,
                    Publication.valid_until,
                    editions.label("editions"),
                )
            )
            .outerjoin(Publication, and_(Publication.piece_id == Piece.id, Publication.ended_at.is_(None)))
            .where(chosen)
            .order_by(Piece.state_since.desc(), Piece.id)
            .limit(PAGE_SIZE)
            .offset(offset_of(page, PAGE_SIZE))
        ).mappings()
    )
    templates = session.execute(
        _from(select(Template.slug, Template.name).distinct())
        .where(within(scope, OrgUnit.path))
        .order_by(Template.name)
    )
    return PieceList(
        Page(rows, max(1, page), PAGE_SIZE, total),
        by_state,
        tuple((slug, name) for slug, name in templates),
    )


@dataclass(frozen=True, slots=True)
class StepRow:
    before: PieceState
    action: PieceAction
    after: PieceState
    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class RevisionRow:
    id: UUID
    number: int
    content_hash: str
    created_at: datetime
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckRow:
    id: UUID
    verdict: str | None
    ruleset_version: str
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicationRow:
    id: UUID
    approval_no: str
    audience_path: str
    audience_name: str | None
    audience_tags: tuple[str, ...]
    only_advisor: str | None
    why: str
    valid_from: datetime
    valid_until: datetime
    published_at: datetime
    published_name: str | None
    ended_at: datetime | None
    end_reason: EndReason | None
    end_note: str


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to a piece, the newest first."""

    steps: tuple[StepRow, ...]
    revisions: tuple[RevisionRow, ...]
    publications: tuple[PublicationRow, ...]
    last_check: CheckRow | None
    open_review_id: UUID | None


def successors_for(
    session: Session, scope: Scope, piece_id: UUID, *, at: datetime, most: int = 100
) -> list[tuple[str, str]]:
    """The pieces for everybody that are public now, as what may follow this one: (id, title)."""
    rows = session.execute(
        select(Piece.id, Piece.title)
        .join(Publication, and_(Publication.piece_id == Piece.id, Publication.ended_at.is_(None)))
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(
            Piece.advisor_id.is_(None),
            Piece.id != piece_id,
            Publication.valid_until > at,
            within(scope, OrgUnit.path),
        )
        .order_by(Publication.published_at.desc())
        .limit(most)
    )
    return [(str(one), title) for one, title in rows]


def history_of(session: Session, piece_id: UUID, *, revision_id: UUID | None) -> History:
    """A piece's steps, revisions, publications and the last check of its current revision."""
    steps = session.scalars(
        select(PieceStep).where(PieceStep.piece_id == piece_id).order_by(PieceStep.at.desc())
    ).all()
    names = _names(session, {step.actor for step in steps})
    return History(
        tuple(
            StepRow(
                step.before, step.action, step.after, names.get(step.actor, step.actor), step.at, step.note
            )
            for step in steps
        ),
        tuple(
            RevisionRow(**row)
            for row in session.execute(
                select(
                    PieceRevision.id,
                    PieceRevision.number,
                    PieceRevision.content_hash,
                    PieceRevision.created_at,
                    PieceRevision.values,
                )
                .where(PieceRevision.piece_id == piece_id)
                .order_by(PieceRevision.number.desc())
            ).mappings()
        ),
        _publications(session, piece_id),
        _last_check(session, revision_id),
        session.scalar(select(Review.id).where(Review.piece_id == piece_id, Review.state == "open")),
    )


def _publications(session: Session, piece_id: UUID) -> tuple[PublicationRow, ...]:
    publisher = aliased(User)
    return tuple(
        PublicationRow(**{**row, "audience_tags": tuple(row["audience_tags"])})
        for row in session.execute(
            select(
                Publication.id,
                Publication.approval_no,
                Publication.audience_path,
                OrgUnit.name.label("audience_name"),
                Publication.audience_tags,
                Advisor.name.label("only_advisor"),
                Publication.why,
                Publication.valid_from,
                Publication.valid_until,
                Publication.published_at,
                publisher.name.label("published_name"),
                Publication.ended_at,
                Publication.end_reason,
                Publication.end_note,
            )
            .outerjoin(OrgUnit, OrgUnit.path == Publication.audience_path)
            .outerjoin(Advisor, Advisor.id == Publication.audience_advisor_id)
            .outerjoin(publisher, publisher.id == Publication.published_by)
            .where(Publication.piece_id == piece_id)
            .order_by(Publication.published_at.desc())
        ).mappings()
    )


def _last_check(session: Session, revision_id: UUID | None) -> CheckRow | None:
    row = (
        session.execute(
            select(CheckRun.id, CheckRun.verdict, CheckRun.ruleset_version, CheckRun.completed_at)
            .where(CheckRun.revision_id == revision_id)
            .order_by(CheckRun.queued_at.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return CheckRow(**row) if row is not None else None


def _names(session: Session, actors: set[str]) -> dict[str, str]:
    """Steps keep an actor as it was written: a person's id, or the name of a duty."""
    ids = []
    for actor in actors:
        try:
            ids.append(UUID(actor))
        except ValueError:
            continue
    if not ids:
        return {}
    found = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {str(user_id): name for user_id, name in found}


def says(word: str) -> ColumnElement[bool]:
    """Whether a piece is found by a word: its title, its design, who made it and where."""
    return or_(
        Piece.title.icontains(word, autoescape=True),
        Advisor.name.icontains(word, autoescape=True),
        Advisor.staff_no == word,
        OrgUnit.name.icontains(word, autoescape=True),
        Template.name.icontains(word, autoescape=True),
    )


def _from(statement: Select[*Ts]) -> Select[*Ts]:
    return (
        statement.select_from(Piece)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
    )


def _chosen(scope: Scope, wanted: PieceFilter, *, by: UUID | None) -> ColumnElement[bool]:
    # an advisor's drafts are their own desk: others see a piece once it was submitted
    unseen = and_(Piece.advisor_id.is_not(None), Piece.state == PieceState.DRAFT)
    conditions = [within(scope, OrgUnit.path), ~unseen]
    conditions.extend(says(word) for word in wanted.text.split())
    if wanted.template:
        conditions.append(Template.slug == wanted.template)
    match wanted.owner:
        case "master":
            conditions.append(Piece.advisor_id.is_(None))
        case "advisor":
            conditions.append(Piece.advisor_id.is_not(None))
        case "mine":
            conditions.append(Piece.created_by == by)
    return and_(*conditions)
