"""What the review pages show: the queue in its working order, one item, what was decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import (
    Select,
    String,
    column,
    select,
    true,
    values,
)
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.domain.piece import wording_digest
from app.domain.review import Outcome, ReviewState
from app.models.advisor import Advisor
from app.models.check import CheckRun, Finding
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import DecidedWording, Decision, Review
from app.models.user import User
from app.queries.scope import within
from compliance.finding import Finding as JustFound


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
    worded = [(slot, wording_digest(text)) for slot, text in texts.items() if text.strip()]
    if not worded:
        return {}
    sought = values(column("slot", String), column("digest", String), name="sought").data(worded)
    newest = (
        _decisions()
        .join(DecidedWording, DecidedWording.decision_id == Decision.id)
        .where(
            DecidedWording.slot == sought.c.slot,
            DecidedWording.digest == sought.c.digest,
            Decision.piece_id != except_piece,
            within(scope, OrgUnit.path),
        )
        .order_by(DecidedWording.decided_at.desc())
        .limit(1)
        .correlate(sought)
        .lateral()
    )
    found = session.execute(select(sought.c.slot, newest).select_from(sought.join(newest, true()))).mappings()
    decided = (dict(row) for row in found)
    return {facts.pop("slot"): PastDecision(**facts) for facts in decided}


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
