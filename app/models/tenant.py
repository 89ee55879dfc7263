"""One institution or business line; nothing crosses it."""

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Code, Instant, Key, Name, Values


class Tenant(Base):
    __tablename__ = "tenant"

    id: Mapped[Key]
    slug: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    short_name: Mapped[Name]
    sector: Mapped[Code] = mapped_column(default="bank")
    hotline: Mapped[Code] = mapped_column(default="")
    brand_tokens: Mapped[Values]
    created_at: Mapped[Instant]
