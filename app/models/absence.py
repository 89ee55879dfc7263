"""When somebody is out of the office, and who takes their items meanwhile."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key, TenantScoped


class Absence(TenantScoped, Base):
    """A time in which somebody takes no items; what waits for them moves to others."""

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_user_id_ends_at", "user_id", "ends_at"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    # None: whoever may decide and has least to do
    substitute_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[Instant]
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
