"""The fact that a revision is public from–to, under which number. The database guards this table."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.publication import CorrectionKind, EndReason
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Sha256,
    Tags,
    TenantScoped,
    stored_by_value,
)
from app.models.piece import Piece, PieceRevision


class Publication(TenantScoped, Base):
    """A live row (ended_at is null) needs a matching approving decision: trigger gate_holds."""

    __tablename__ = "publication"
    __table_args__ = (
        Index(
            "uq_publication_live_piece",
            "piece_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    content_hash: Mapped[Sha256]
    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decision.id"))
    approval_no: Mapped[Code] = mapped_column(unique=True)
    # the audience: everybody under the path who carries all the tags, or one advisor
    audience_path: Mapped[str] = mapped_column(String(500))
    audience_tags: Mapped[Tags]
    audience_advisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("advisor.id"))
    why: Mapped[LongText] = mapped_column(default="")  # why to send it, shown on 今日
    valid_from: Mapped[Instant]
    valid_until: Mapped[Instant]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    published_at: Mapped[Instant]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[EndReason | None] = mapped_column(stored_by_value(EndReason))
    end_note: Mapped[LongText] = mapped_column(default="")
    # the publication that this one corrects, at the same links
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("publication.id"), unique=True)
    correction: Mapped[CorrectionKind | None] = mapped_column(stored_by_value(CorrectionKind))

    piece: Mapped[Piece] = relationship(lazy="raise_on_sql")
    revision: Mapped[PieceRevision] = relationship(lazy="raise_on_sql")
