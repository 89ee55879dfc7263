"""A design and its versions. A version's files lie in the library; its digest is kept here."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.template import ProductType, TemplateAction, TemplateState, Upgrade, next_template_state
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    Name,
    Sha256,
    Tags,
    TenantScoped,
    Values,
    stored_by_value,
)


class Template(TenantScoped, Base):
    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("tenant_id", "slug"),)

    id: Mapped[Key]
    slug: Mapped[Code]
    name: Mapped[Name]
    kind: Mapped[Code]

    versions: Mapped[list["TemplateVersion"]] = relationship(back_populates="template", lazy="raise_on_sql")


class TemplateVersion(TenantScoped, Base):
    """Never changes once published: a later digest for the same number is refused."""

    __tablename__ = "template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    id: Mapped[Key]
    template_id: Mapped[UUID] = mapped_column(ForeignKey("template.id"))
    number: Mapped[int]
    digest: Mapped[Sha256]
    state: Mapped[TemplateState] = mapped_column(stored_by_value(TemplateState), default=TemplateState.DRAFT)
    product_type: Mapped[ProductType] = mapped_column(stored_by_value(ProductType))
    tags: Mapped[Tags]
    manifest: Mapped[Values]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    loaded_at: Mapped[Instant]
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    # A reviewer other than the publisher has read every default and phrase: untouched pieces may
    # pass by themselves.
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cleared_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    # what was decided about the pieces made from it, once there is a newer version; None: nothing yet
    upgrade: Mapped[Upgrade | None] = mapped_column(stored_by_value(Upgrade))

    template: Mapped[Template] = relationship(back_populates="versions", lazy="raise_on_sql")

    def apply(self, action: TemplateAction) -> None:
        self.state = next_template_state(self.state, action)
