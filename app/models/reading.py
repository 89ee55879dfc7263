"""What was read in an uploaded picture, kept by its SHA-256 and by who read it."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Key, Sha256, TenantScoped, Values


class KeptReading(TenantScoped, Base):
    """One picture read once. Another reader, or a newer version of it, reads it anew."""

    __tablename__ = "picture_reading"
    __table_args__ = (UniqueConstraint("tenant_id", "sha256", "reader"),)

    id: Mapped[Key]
    sha256: Mapped[Sha256] = mapped_column(index=True)
    reader: Mapped[Code]
    # compliance.reading.PictureReading as it writes itself; empty where there is a fault
    seen: Mapped[Values]
    fault: Mapped[Code | None]  # why it could not be read: a person looks
    read_at: Mapped[Instant]
