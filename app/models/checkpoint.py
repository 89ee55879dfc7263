"""The signed checkpoints of a tenant's audit trail; what counts is their copy in the vault."""

from datetime import datetime

from sqlalchemy import DateTime, LargeBinary, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Sha256, TenantScoped


class AuditCheckpoint(TenantScoped, Base):
    """Written before its copy in the vault; the database lets nothing but `kept_at` be added."""

    __tablename__ = "audit_checkpoint"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "number"),)

    number: Mapped[int]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    digest: Mapped[Sha256]
    key_id: Mapped[Code]
    signed_at: Mapped[Instant]
    signed: Mapped[bytes] = mapped_column(LargeBinary)
    # when the vault had it; None: it waits for the vault
    kept_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
