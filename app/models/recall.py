"""A recall, what it covers, and which advisors were asked to confirm that they heard of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.recall import RecallAction, RecallBy, RecallState, next_recall_state
from app.models.advisor import Advisor
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Name,
    TenantScoped,
    stored_by_value,
)


class Recall(TenantScoped, Base):
    """Proposed by one person, confirmed by another; the database holds them apart as well."""

    __tablename__ = "recall"
    __table_args__ = (
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", name="four_eyes"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_at"),
        Index("ix_recall_tenant_id_proposed_at", "tenant_id", "proposed_at"),
    )

    id: Mapped[Key]
    by: Mapped[RecallBy] = mapped_column("target", stored_by_value(RecallBy))  # "by" is a word of SQL
    subject: Mapped[Code]
    subject_name: Mapped[Name]  # as it was called when the recall was proposed
    also_ended: Mapped[bool] = mapped_column(default=False)
    # the subtrees of the proposer: a recall never reaches beyond them
    scope_paths: Mapped[list[str]] = mapped_column(ARRAY(String(500)))
    reason: Mapped[LongText]
    public_note: Mapped[LongText] = mapped_column(default="")  # what a stranger reads
    state: Mapped[RecallState] = mapped_column(stored_by_value(RecallState), default=RecallState.PROPOSED)
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    proposed_at: Mapped[Instant]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    def apply(self, action: RecallAction) -> None:
        self.state = next_recall_state(self.state, action)


class RecallItem(TenantScoped, Base):
    """One publication that a confirmed recall made dark, or one advisor's edition of it alone.

    Serving reads these rows; they are written once and never change.
    """

    __tablename__ = "recall_item"
    __table_args__ = (
        UniqueConstraint("recall_id", "publication_id", "edition_id", postgresql_nulls_not_distinct=True),
        Index("ix_recall_item_publication_id_edition_id", "publication_id", "edition_id"),
    )

    id: Mapped[Key]
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"), index=True)
    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication.id"))
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    # None: the publication as a whole
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("edition.id"))


class RecallHolder(TenantScoped, Base):
    """An advisor who had taken what was recalled, and must say that they stopped using it."""

    __tablename__ = "recall_holder"
    __table_args__ = (UniqueConstraint("recall_id", "advisor_id"),)

    id: Mapped[Key]
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"))
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"), index=True)
    pieces: Mapped[int]
    asked_at: Mapped[Instant]
    reminded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reminders: Mapped[int] = mapped_column(default=0)
    acknowledged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # the account that said so; an advisor has one, but accounts change hands
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))

    advisor: Mapped[Advisor] = relationship(lazy="raise_on_sql")
    recall: Mapped[Recall] = relationship(lazy="raise_on_sql")
