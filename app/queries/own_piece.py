"""An advisor's own pieces: where each stands, what happened to it, and what comes next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.domain.piece import PieceAction, PieceState
from app.domain.publication import EndReason
from app.domain.review import Outcome, ReviewState, Route
from app.domain.template import Upgrade
from app.models.check import CheckRun, Finding
from app.models.edition import Edition
from app.models.piece import Piece, PieceStep
from app.models.publication import Publication
from app.models.review import Decision, Review
from app.models.template import TemplateVersion
from app.queries.recall import is_recalled


class Shelf(StrEnum):
    """The four places an advisor looks for a piece."""

    TO_DO = "to_do"  # drafts, and what came back
    WAITING = "waiting"
    USABLE = "usable"
    ENDED = "ended"


_S = PieceState
_SHELVES = {
    _S.DRAFT: Shelf.TO_DO,
    _S.CHANGES_REQUESTED: Shelf.TO_DO,
    _S.REJECTED: Shelf.TO_DO,
    _S.CHECKING: Shelf.WAITING,
    _S.IN_REVIEW: Shelf.WAITING,
    _S.APPROVED: Shelf.WAITING,
    _S.PUBLISHED: Shelf.USABLE,
    _S.WITHDRAWN: Shelf.ENDED,
    _S.EXPIRED: Shelf.ENDED,
    _S.TAKEN_DOWN: Shelf.ENDED,
    _S.RECALLED: Shelf.ENDED,
    _S.ARCHIVED: Shelf.ENDED,
}


@dataclass(frozen=True, slots=True)
class OwnPiece:
    """One piece in the list: the advisor's own, or head office's that they have opened."""

    piece_id: UUID
    title: str
    state: PieceState
    shelf: Shelf
    since: datetime
    is_own: bool
    edition_id: UUID | None
    valid_until: datetime | None
    width_px: int
    height_px: int
    is_correcting: bool


def own_pieces(session: Session, advisor_id: UUID, *, at: datetime) -> list[OwnPiece]:
    """Everything the advisor has made or opened, newest first.

    A publication whose time is over counts as ended by the clock, before any job has run.
    """
    rows = session.execute(
        select(
            Piece,
            TemplateVersion.manifest,
            Edition.id,
            Publication.valid_until,
            is_recalled(Publication.id, Edition.id),
        )
        .join(Piece.template_version)
        .outerjoin(Edition, and_(Edition.piece_id == Piece.id, Edition.advisor_id == advisor_id))
        .outerjoin(Publication, and_(Publication.piece_id == Piece.id, Publication.ended_at.is_(None)))
        .where(
            or_(
                Piece.advisor_id == advisor_id,
                and_(Piece.advisor_id.is_(None), Edition.id.is_not(None)),
            ),
            Piece.state != PieceState.ARCHIVED,
        )
        .order_by(Piece.state_since.desc(), Piece.id)
    )
    pieces = []
    for piece, card, edition_id, valid_until, recalled in rows:
        state, ends = piece.state, cast("datetime | None", valid_until)  # an outer join may find none
        if state is PieceState.PUBLISHED and ends is not None and ends <= at:
            state = PieceState.EXPIRED
        if recalled:  # for this advisor alone
            state = PieceState.RECALLED
        pieces.append(
            OwnPiece(
                piece_id=piece.id,
                title=piece.title,
                state=state,
                shelf=_SHELVES[state],
                since=piece.state_since,
                is_own=piece.advisor_id is not None,
                edition_id=edition_id,
                valid_until=ends,
                width_px=card["width_px"],
                height_px=card["height_px"],
                is_correcting=piece.correcting is not None,
            )
        )
    return pieces


@dataclass(frozen=True, slots=True)
class Step:
    action: PieceAction
    after: PieceState
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the newest round on the current content was decided."""

    outcome: Outcome
    reason: str
    by_machine: bool
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class FoundIn:
    """A finding of the newest check of the current content."""

    id: UUID
    field: str
    severity: str
    start: int
    end: int
    text: str
    reason: str
    suggestion: str | None
    basis: str


@dataclass(frozen=True, slots=True)
class OwnPieceStory:
    """One of the advisor's own pieces with all that was done about it."""

    piece_id: UUID
    title: str
    state: PieceState
    since: datetime
    template_slug: str
    template_name: str
    asks_for_upgrade: bool  # public, made from an older version, and brand wants it made anew
    width_px: int
    height_px: int
    pages: int
    values: dict[str, Any]
    revision_number: int | None
    edition_id: UUID | None
    steps: tuple[Step, ...]
    decision: Verdict | None
    findings: tuple[FoundIn, ...]
    approval_no: str | None
    valid_until: datetime | None
    end_reason: EndReason | None
    end_note: str
    is_correcting: bool  # the version before is public meanwhile


def own_piece_story(
    session: Session, advisor_id: UUID, piece_id: UUID, *, at: datetime
) -> OwnPieceStory | None:
    """The story of one own piece; None where it is not theirs or does not exist."""
    piece = session.scalar(
        select(Piece)
        .where(Piece.id == piece_id, Piece.advisor_id == advisor_id)
        .options(
            joinedload(Piece.template_version).joinedload(TemplateVersion.template),
            joinedload(Piece.current_revision),
        )
    )
    if piece is None:
        return None
    revision = piece.current_revision
    card = piece.template_version.manifest
    publication = session.scalars(
        select(Publication)
        .where(Publication.piece_id == piece.id)
        .order_by(Publication.published_at.desc())
        .limit(1)
    ).first()
    state = piece.state
    if state is PieceState.PUBLISHED and publication is not None and publication.valid_until <= at:
        state = PieceState.EXPIRED
    return OwnPieceStory(
        piece_id=piece.id,
        title=piece.title,
        state=state,
        since=piece.state_since,
        template_slug=piece.template_version.template.slug,
        template_name=piece.template_version.template.name,
        asks_for_upgrade=piece.template_version.upgrade is Upgrade.ASK
        and piece.state is PieceState.PUBLISHED,
        width_px=card["width_px"],
        height_px=card["height_px"],
        pages=card["pages"],
        values=dict(revision.values) if revision else {},
        revision_number=revision.number if revision else None,
        edition_id=session.scalar(
            select(Edition.id).where(Edition.piece_id == piece.id, Edition.advisor_id == advisor_id)
        ),
        steps=tuple(
            Step(step.action, step.after, step.at, step.note)
            for step in session.scalars(
                select(PieceStep).where(PieceStep.piece_id == piece.id).order_by(PieceStep.at.desc())
            )
        ),
        decision=_decision(session, revision.id) if revision else None,
        findings=_findings(session, revision.id) if revision else (),
        approval_no=publication.approval_no if publication else None,
        valid_until=publication.valid_until if publication else None,
        end_reason=publication.end_reason if publication else None,
        end_note=publication.end_note if publication else "",
        is_correcting=piece.correcting is not None,
    )


def _decision(session: Session, revision_id: UUID) -> Verdict | None:
    found = session.scalars(
        select(Decision)
        .where(Decision.revision_id == revision_id, Decision.is_final)
        .order_by(Decision.decided_at.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    return Verdict(found.outcome, found.reason, found.decided_by is None, found.decided_at)


def _findings(session: Session, revision_id: UUID) -> tuple[FoundIn, ...]:
    newest = (
        select(CheckRun.id)
        .where(CheckRun.revision_id == revision_id, CheckRun.completed_at.is_not(None))
        .order_by(CheckRun.completed_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return tuple(
        FoundIn(
            id=found.id,
            field=found.field,
            severity=found.severity,
            start=found.start,
            end=found.end,
            text=found.text,
            reason=found.reason,
            suggestion=found.suggestion,
            basis=found.basis,
        )
        for found in session.scalars(
            select(Finding)
            .where(Finding.run_id == newest, Finding.severity != "note")
            .order_by(Finding.position)
        )
    )


# Fewer decisions than this say nothing about the next one.
_ENOUGH_DECISIONS = 5


def usual_review_minutes(session: Session, *, since: datetime) -> int | None:
    """Half of the reviews a person decided since then took no longer than this; None: too few."""
    minutes = func.extract("epoch", Decision.decided_at - Review.opened_at) / 60
    count, median = session.execute(
        select(func.count(), func.percentile_cont(0.5).within_group(minutes))
        .select_from(Decision)
        .join(Review, Review.id == Decision.review_id)
        .where(Review.route == Route.PEOPLE, Decision.decided_at >= since, Decision.is_final)
    ).one()
    if count < _ENOUGH_DECISIONS:
        return None
    return max(1, round(float(median)))


def waiting_before(session: Session, piece_id: UUID) -> int | None:
    """How many open reviews were opened before this piece's; None where it is in none."""
    opened = session.scalar(
        select(Review.opened_at).where(Review.piece_id == piece_id, Review.state == ReviewState.OPEN)
    )
    if opened is None:
        return None
    return (
        session.scalar(
            select(func.count())
            .select_from(Review)
            .where(Review.state == ReviewState.OPEN, Review.opened_at < opened)
        )
        or 0
    )
