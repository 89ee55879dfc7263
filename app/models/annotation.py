"""Pins on the picture of a piece, and notes among reviewers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.annotation import PinState
from app.models.base import Base, Code, Instant, Key, LongText, TenantScoped, stored_by_value
from app.models.piece import Piece, PieceRevision


class Pin(TenantScoped, Base):
    """A remark at a place of the picture. Its maker reads it; later revisions carry it on."""

    __tablename__ = "pin"

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    page: Mapped[int]
    # in thousandths of the picture, so that every size of it shows the same place
    x_permille: Mapped[int]
    y_permille: Mapped[int]
    slot: Mapped[Code | None]  # what stood there; None between the slots
    words: Mapped[LongText]
    state: Mapped[PinState] = mapped_column(stored_by_value(PinState), default=PinState.OPEN)
    made_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[Instant]
    fixed_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    fixed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    piece: Mapped[Piece] = relationship(lazy="raise_on_sql")
    revision: Mapped[PieceRevision] = relationship(lazy="raise_on_sql")


class ReviewNote(TenantScoped, Base):
    """Words among reviewers. No page, answer or export of the maker's ever holds them."""

    __tablename__ = "review_note"

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    words: Mapped[LongText]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[Instant]
