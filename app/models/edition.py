"""One advisor's copy of a piece, its links, and the pictures made of it."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.advisor import Advisor
from app.models.base import Base, Code, Instant, Key, Sha256, TenantScoped
from app.models.piece import Piece
from app.models.tenant import Tenant

if TYPE_CHECKING:
    from app.models.tracking import ShortLink


class Edition(TenantScoped, Base):
    """Outlives revisions: links and QR codes belong to it, so a correction keeps them."""

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("piece_id", "advisor_id"),)

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"), index=True)
    created_at: Mapped[Instant]
    # an inspection found this one at fault, while the piece goes on for others
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # of the profile as it was printed when the advisor last took the picture; None: not known
    profile_digest: Mapped[Sha256 | None]

    piece: Mapped[Piece] = relationship(lazy="raise_on_sql")
    advisor: Mapped[Advisor] = relationship(lazy="raise_on_sql")
    tenant: Mapped[Tenant] = relationship(lazy="raise_on_sql")
    # the link inside its picture, whichever way a visitor came
    qr: Mapped["ShortLink"] = relationship(
        primaryjoin="and_(ShortLink.edition_id == Edition.id, ShortLink.channel == 'qr')",
        lazy="raise_on_sql",
        viewonly=True,
    )


class Rendition(TenantScoped, Base):
    """The bytes of one picture, addressed by SHA-256; `key` is the RenderSpec they were made from."""

    __tablename__ = "rendition"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    id: Mapped[Key]
    key: Mapped[Sha256]
    sha256: Mapped[Sha256]
    content_type: Mapped[Code]
    width_px: Mapped[int]
    height_px: Mapped[int]
    size_bytes: Mapped[int]
    rendered_at: Mapped[Instant]
