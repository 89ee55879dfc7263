"""The front-line person and their profile."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Code, Instant, Key, Name, Sha256, Tags, TenantScoped
from app.models.organisation import OrgUnit


class Advisor(TenantScoped, Base):
    __tablename__ = "advisor"
    __table_args__ = (
        UniqueConstraint("tenant_id", "staff_no"),
        Index("ix_advisor_tags", "tags", postgresql_using="gin"),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"), unique=True)
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"), index=True)
    staff_no: Mapped[Code]
    name: Mapped[Name]
    kind: Mapped[Code] = mapped_column(default="am")
    title: Mapped[Name] = mapped_column(default="")
    phone: Mapped[Code] = mapped_column(default="")
    licence_no: Mapped[Code] = mapped_column(default="")
    licence_until: Mapped[date | None]
    licences: Mapped[Tags]  # which products may be sold: 基金从业, 保险销售, 投顾登记
    tags: Mapped[Tags]
    verified_fields: Mapped[Tags]
    # an Asset of kind portrait
    photo_sha256: Mapped[Sha256 | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Instant]

    org_unit: Mapped[OrgUnit] = relationship(lazy="raise_on_sql")
