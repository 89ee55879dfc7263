"""What passed by itself and why, which of it was drawn to be looked at afterwards, and the outcome."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.inspection import InspectionOutcome
from app.models.base import Base, Code, Instant, Key, LongText, TenantScoped, stored_by_value
from app.models.piece import Piece


class SamplingPolicy(TenantScoped, Base):
    """The share an institution looks at afterwards. A change is a new row; the newest one holds."""

    __tablename__ = "sampling_policy"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    id: Mapped[Key]
    number: Mapped[int]
    share_bp: Mapped[int]  # of ten thousand
    seed: Mapped[Code]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[Instant]


class AutoPass(TenantScoped, Base):
    """One item nobody had to look at: its reasons, and the lot it drew. Never changed."""

    __tablename__ = "auto_pass"
    __table_args__ = (
        UniqueConstraint("review_id"),
        UniqueConstraint("edition_id"),
        Index("ix_auto_pass_tenant_id_passed_at", "tenant_id", "passed_at"),
    )

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    # a piece of an advisor's own passed a round, or an edition was made of an approved piece
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("review.id"))
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("edition.id"))
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # with these three anybody can draw the lot again
    seed: Mapped[Code]
    share_bp: Mapped[int]
    lot: Mapped[int]
    is_drawn: Mapped[bool]
    passed_at: Mapped[Instant]

    piece: Mapped[Piece] = relationship(lazy="raise_on_sql")


class Inspection(TenantScoped, Base):
    """A drawn item: who looks at it, until when, and what they found."""

    __tablename__ = "inspection"
    __table_args__ = (Index("ix_inspection_open", "tenant_id", "due_at", postgresql_where="outcome IS NULL"),)

    id: Mapped[Key]
    auto_pass_id: Mapped[UUID] = mapped_column(ForeignKey("auto_pass.id"), unique=True)
    drawn_at: Mapped[Instant]
    due_at: Mapped[Instant]
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    escalated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[InspectionOutcome | None] = mapped_column(stored_by_value(InspectionOutcome))
    note: Mapped[LongText] = mapped_column(default="")
    inspected_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    inspected_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    auto_pass: Mapped[AutoPass] = relationship(lazy="raise_on_sql")
