"""What was shown to the public, one row for each picture of words that ever was."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.archive import ItemKind
from app.domain.template import ProductType
from app.models.base import (
    Base,
    Instant,
    Key,
    LongText,
    Name,
    Sha256,
    TenantScoped,
    Values,
    stored_by_value,
)
from app.models.publication import Publication


class ArchiveItem(TenantScoped, Base):
    """Noted in the transaction that shows it, sealed into the vault after; trigger item_is_kept.

    What is not known before it is sealed is None or empty until then.
    """

    __tablename__ = "archive_item"
    __table_args__ = (
        UniqueConstraint("publication_id", "advisor_id", "values_digest", postgresql_nulls_not_distinct=True),
        Index("ix_archive_item_grams", "grams", postgresql_using="gin"),
        Index("ix_archive_item_unsealed", "tenant_id", "sent_at", postgresql_where="sealed_at IS NULL"),
        Index("ix_archive_item_files", "files", postgresql_using="gin"),
        Index("ix_archive_item_tenant_id_noted_at", "tenant_id", "noted_at"),
    )

    id: Mapped[Key]
    kind: Mapped[ItemKind] = mapped_column(stored_by_value(ItemKind))
    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication.id"))
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    # whose picture it is; None: a piece for everybody, before any advisor's name is in it
    advisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("advisor.id"), index=True)
    product_type: Mapped[ProductType] = mapped_column(stored_by_value(ProductType))
    values: Mapped[Values]
    values_digest: Mapped[Sha256]
    noted_at: Mapped[Instant]
    # when the message to seal it last left and how often it has
    sent_at: Mapped[Instant]
    sent_times: Mapped[int] = mapped_column(default=1)

    sealed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    record_sha256: Mapped[Sha256 | None]
    title: Mapped[Name] = mapped_column(default="")
    # all words on it in reading order; what is searched; whose names stand behind it
    words: Mapped[LongText] = mapped_column(default="")
    form: Mapped[LongText] = mapped_column(default="")
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    people: Mapped[LongText] = mapped_column(default="")
    # SHA-256 of every picture that belongs to it
    files: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    kept_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # what the vault was last told
    vault_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vault_held: Mapped[bool] = mapped_column(default=False)

    publication: Mapped[Publication] = relationship(lazy="raise_on_sql")
