"""What an advisor may send now, and what became of their own pieces lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import String

from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.domain.template import ProductType
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Decision
from app.models.template import Template, TemplateVersion
from app.queries.recall import is_recalled


@dataclass(frozen=True, slots=True)
class Reader:
    """The advisor as audiences see them."""

    advisor_id: UUID
    path: str
    tags: Sequence[str]


def meant_for(reader: Reader) -> ColumnElement[bool]:
    """The audience of a publication as a condition: its subtree, its tags, or exactly this advisor."""
    under = func.starts_with(literal(reader.path), Publication.audience_path)
    carries = Publication.audience_tags.contained_by(literal(list(reader.tags), ARRAY(String(64))))
    return or_(
        Publication.audience_advisor_id == reader.advisor_id,
        and_(Publication.audience_advisor_id.is_(None), under, carries),
    )


@dataclass(frozen=True, slots=True)
class LivePiece:
    """A public piece made for everybody in an audience this advisor belongs to."""

    piece_id: UUID
    title: str
    why: str
    product_type: ProductType
    tags: tuple[str, ...]
    template_slug: str
    width_px: int
    height_px: int
    pages: int
    published_at: datetime
    valid_until: datetime
    edition_id: UUID | None  # None: not opened by this advisor yet


def live_pieces(session: Session, reader: Reader, *, at: datetime) -> list[LivePiece]:
    """Everything head office has handed to this advisor that is public at this instant."""
    rows = session.execute(
        select(Publication, Piece, TemplateVersion.manifest, Template.slug, Edition.id)
        .join(Publication.piece)
        .join(Piece.template_version)
        .join(TemplateVersion.template)
        .outerjoin(
            Edition,
            and_(Edition.piece_id == Piece.id, Edition.advisor_id == reader.advisor_id),
        )
        .where(
            Publication.ended_at.is_(None),
            Publication.valid_from <= at,
            Publication.valid_until > at,
            Piece.advisor_id.is_(None),
            meant_for(reader),
            ~is_recalled(Publication.id, Edition.id),
        )
        .order_by(Publication.published_at.desc())
    )
    return [
        LivePiece(
            piece_id=piece.id,
            title=piece.title,
            why=publication.why,
            product_type=piece.product_type,
            tags=tuple(piece.tags),
            template_slug=slug,
            width_px=card["width_px"],
            height_px=card["height_px"],
            pages=card["pages"],
            published_at=publication.published_at,
            valid_until=publication.valid_until,
            edition_id=edition_id,
        )
        for publication, piece, card, slug, edition_id in rows
    ]


_DECIDED = (
    PieceState.CHANGES_REQUESTED,
    PieceState.REJECTED,
    PieceState.APPROVED,
    PieceState.PUBLISHED,
)


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """How a round of review on an advisor's own piece ended."""

    piece_id: UUID
    title: str
    outcome: Outcome
    reason: str
    by_machine: bool
    decided_at: datetime


def recent_results(session: Session, advisor_id: UUID, *, since: datetime) -> list[ReviewResult]:
    """The last decision on each of the advisor's pieces, newest first."""
    rows = session.execute(
        select(Decision, Piece.title)
        .join(Piece, Piece.id == Decision.piece_id)
        .where(
            Piece.advisor_id == advisor_id,
            Decision.decided_at >= since,
            Decision.is_final,
            # a piece that was changed or sent again since stands elsewhere: its old result is no news
            Decision.revision_id == Piece.current_revision_id,
            Piece.state.in_(_DECIDED),
        )
        .order_by(Decision.decided_at.desc())
    )
    newest: dict[UUID, tuple[Decision, str]] = {}
    for decision, title in rows:
        newest.setdefault(decision.piece_id, (decision, title))
    return [
        ReviewResult(
            piece_id=decision.piece_id,
            title=title,
            outcome=decision.outcome,
            reason=decision.reason,
            by_machine=decision.decided_by is None,
            decided_at=decision.decided_at,
        )
        for decision, title in newest.values()
    ]
