"""Raw material by its SHA-256, with a rights record."""

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Key, LongText, Sha256, TenantScoped

# How a slot's value names one: by this and its SHA-256.
ASSET_PREFIX: Final = "asset:"


class Asset(TenantScoped, Base):
    """The bytes lie in the object store under the same hash."""

    __tablename__ = "asset"
    __table_args__ = (UniqueConstraint("tenant_id", "sha256"),)

    id: Mapped[Key]
    sha256: Mapped[Sha256]
    kind: Mapped[Code]  # portrait, background, logo
    content_type: Mapped[Code]
    size_bytes: Mapped[int]
    width_px: Mapped[int]
    height_px: Mapped[int]
    rights: Mapped[LongText]
    rights_until: Mapped[date | None]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    uploaded_at: Mapped[Instant]
