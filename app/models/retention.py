"""Terms, holds, and certificates of what was destroyed; the database lets none of them shrink."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, LargeBinary, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.retention import HoldScope, RecordClass
from app.domain.template import ProductType
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Sha256,
    TenantScoped,
    stored_by_value,
)


class RetentionTerm(TenantScoped, Base):
    """How many years a class of records is kept; no row means the default. Trigger term_only_grows."""

    __tablename__ = "retention_term"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "record_class"),)

    record_class: Mapped[RecordClass] = mapped_column(stored_by_value(RecordClass))
    years: Mapped[int]
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    set_at: Mapped[Instant]


class LegalHold(TenantScoped, Base):
    """While it lies, nothing of what it names is destroyed. Trigger hold_is_kept."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("released_by IS NULL OR released_by <> release_asked_by", name="second_person"),
        CheckConstraint(
            "(scope = 'piece') = (piece_id IS NOT NULL)"
            " AND (scope = 'advisor') = (advisor_id IS NOT NULL)"
            " AND (scope = 'product') = (product_type IS NOT NULL)",
            name="one_target",
        ),
    )

    id: Mapped[Key]
    scope: Mapped[HoldScope] = mapped_column(stored_by_value(HoldScope))
    piece_id: Mapped[UUID | None] = mapped_column(ForeignKey("piece.id"))
    advisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("advisor.id"))
    product_type: Mapped[ProductType | None] = mapped_column(stored_by_value(ProductType))
    reason: Mapped[LongText]
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    placed_at: Mapped[Instant]
    release_reason: Mapped[LongText] = mapped_column(default="")
    release_asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    release_asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Destruction(TenantScoped, Base):
    """The certificate of one destroyed record: what it was by its hash, when its term ended, who did it."""

    __tablename__ = "destruction"

    id: Mapped[Key]
    item_id: Mapped[UUID] = mapped_column(unique=True)
    record_sha256: Mapped[Sha256]
    kept_until: Mapped[Instant]
    destroyed_by: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    destroyed_at: Mapped[Instant]
    key_id: Mapped[Code]
    signed: Mapped[bytes] = mapped_column(LargeBinary)
    # when the vault had let go of the record and kept the certificate; None: it waits for the vault
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # pictures that belonged to it and to no other record
    files: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
