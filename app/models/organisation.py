"""The organisation tree; `path` is the materialised line of codes from head office down."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.organisation import OrgLevel
from app.models.base import Base, Code, Key, Name, TenantScoped, stored_by_value


class OrgUnit(TenantScoped, Base):
    __tablename__ = "org_unit"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "path"),
        # text_pattern_ops: a subtree is a prefix scan
        Index("ix_org_unit_path_prefix", "path", postgresql_ops={"path": "text_pattern_ops"}),
    )

    id: Mapped[Key]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))
    code: Mapped[Code]
    name: Mapped[Name]
    level: Mapped[OrgLevel] = mapped_column(stored_by_value(OrgLevel))
    path: Mapped[str] = mapped_column(String(500))
