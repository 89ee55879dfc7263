"""The evidence packs that were asked for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.evidence_pack import PackState
from app.models.base import Base, Instant, Key, LongText, Sha256, TenantScoped, Values


class EvidencePack(TenantScoped, Base):
    """Asked for by a person, made by a worker, removed with its object some days after.

    What is not known before it is made is None until then.
    """

    __tablename__ = "evidence_pack"
    __table_args__ = (
        Index(
            "ix_evidence_pack_unfinished",
            "tenant_id",
            "sent_at",
            postgresql_where="made_at IS NULL AND failed_at IS NULL",
        ),
    )

    id: Mapped[Key]
    scope: Mapped[Values]  # services.evidence.EvidenceScope as it writes itself
    words: Mapped[LongText]  # the scope for people
    # the subtrees it is gathered from: whoever may not see all of them may not see it
    reach: Mapped[list[str]] = mapped_column(ARRAY(Text))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    asked_at: Mapped[Instant]
    # when the message to make it last left and how often it has
    sent_at: Mapped[Instant]
    sent_times: Mapped[int] = mapped_column(default=1)
    # when a worker last began, and the number of that turn: only the last one may finish
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    turn: Mapped[int] = mapped_column(default=0)

    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    records: Mapped[int | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    manifest: Mapped[Sha256 | None]
    failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[LongText] = mapped_column(default="")  # why, for whoever asked

    @property
    def state(self) -> PackState:
        if self.made_at is not None:
            return PackState.READY
        if self.failed_at is not None:
            return PackState.FAILED
        return PackState.MAKING if self.begun_at is not None else PackState.WAITING
