"""Requests that carried a key of their sender's, so that sending one again does nothing again."""

from uuid import UUID

from sqlalchemy import ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Sha256, TenantScoped


class RepeatableRequest(TenantScoped, Base):
    """A person's key for one operation, what was asked under it, and what came of it."""

    __tablename__ = "repeatable_request"
    __table_args__ = (PrimaryKeyConstraint("user_id", "operation", "key"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    operation: Mapped[Code]
    key: Mapped[Code]
    request_digest: Mapped[Sha256]
    # None only inside the transaction that makes it
    subject_id: Mapped[UUID | None]
    asked_at: Mapped[Instant]
