"""A round of review on a revision, and the one decision that ends it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.review import Outcome, ReviewState, Route
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Sha256,
    TenantScoped,
    stored_by_value,
)
from app.models.piece import Piece, PieceRevision


class Review(TenantScoped, Base):
    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("piece_id", "round"),
        Index("ix_review_open", "tenant_id", "opened_at", postgresql_where="state = 'open'"),
    )

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    check_run_id: Mapped[UUID] = mapped_column(ForeignKey("check_run.id"))
    round: Mapped[int]
    route: Mapped[Route] = mapped_column(stored_by_value(Route))
    state: Mapped[ReviewState] = mapped_column(stored_by_value(ReviewState), default=ReviewState.OPEN)
    opened_at: Mapped[Instant]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    piece: Mapped[Piece] = relationship(lazy="raise_on_sql")
    revision: Mapped[PieceRevision] = relationship(lazy="raise_on_sql")


class Decision(TenantScoped, Base):
    """Immutable; at most one a round; the seal binds it to the content it was made on."""

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("review_id"),)

    id: Mapped[Key]
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    content_hash: Mapped[Sha256]
    outcome: Mapped[Outcome] = mapped_column(stored_by_value(Outcome))
    reason: Mapped[LongText] = mapped_column(default="")
    # what the reviewer looked at, byte for byte
    shown_sha256: Mapped[Sha256 | None]
    # None: the machine, under route AUTO
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[Instant]
    seal: Mapped[Code]
