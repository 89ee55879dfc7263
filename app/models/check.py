"""One run of the checker on one revision, and what it found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Code, Instant, Key, LongText, Sha256, TenantScoped, Values


class CheckRun(TenantScoped, Base):
    __tablename__ = "check_run"

    id: Mapped[Key]
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"), index=True)
    content_hash: Mapped[Sha256]
    ruleset_version: Mapped[Code]
    ruleset_digest: Mapped[Sha256]
    verdict: Mapped[Code | None]  # None until completed: no result is a block
    report: Mapped[Values]
    queued_at: Mapped[Instant]
    # when the message last left and how often it has: what the sweep waits by
    sent_at: Mapped[Instant]
    sent_times: Mapped[int] = mapped_column(default=1)
    # whoever asked for the review has a hand in the work and does not decide on it
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    findings: Mapped[list["Finding"]] = relationship(
        back_populates="run", lazy="raise_on_sql", order_by="Finding.position"
    )


class Finding(TenantScoped, Base):
    """One rule on one span; offsets are code points of the field's original text."""

    __tablename__ = "finding"

    id: Mapped[Key]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("check_run.id"), index=True)
    position: Mapped[int]
    rule: Mapped[Code]
    severity: Mapped[Code]
    field: Mapped[Code]
    start: Mapped[int]
    end: Mapped[int]
    text: Mapped[LongText]
    basis: Mapped[LongText]
    reason: Mapped[LongText]
    suggestion: Mapped[LongText | None]
    layer: Mapped[Code]

    run: Mapped[CheckRun] = relationship(back_populates="findings", lazy="raise_on_sql")
