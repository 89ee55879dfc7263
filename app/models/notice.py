"""What people were told, each once, and how far an institution's acts have been told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Key, LongText, TenantScoped


class Notice(TenantScoped, Base):
    """One person told of one act. `user_id` None: said in the colleagues' group chat."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("audit_seq", "tenant_id", "user_id", postgresql_nulls_not_distinct=True),
        Index("ix_notice_unseen", "user_id", "made_at", postgresql_where="seen_at IS NULL"),
        Index("ix_notice_unsent", "tenant_id", "next_try_at", postgresql_where="next_try_at IS NOT NULL"),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    audit_seq: Mapped[int]  # the act it tells of
    tag: Mapped[Code]
    words: Mapped[LongText]
    link: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[Instant]
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # when it is to be sent out; None: it need not be, or was, or was given up
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NoticeMark(TenantScoped, Base):
    """Up to which entry of the audit trail people have been told."""

    __tablename__ = "notice_mark"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    id: Mapped[Key]
    audit_seq: Mapped[int]
