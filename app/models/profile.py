"""Changes of profiles that wait for a second person, and the notices before a profile runs out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.profile import ProfileChangeState
from app.models.advisor import Advisor
from app.models.base import Base, Instant, Key, LongText, TenantScoped, Values, stored_by_value


class ProfileChange(TenantScoped, Base):
    """New values for fields that pictures show; what stands in the advisor's row is public meanwhile."""

    __tablename__ = "profile_change"
    __table_args__ = (
        Index("uq_profile_change_open", "advisor_id", unique=True, postgresql_where="state = 'open'"),
        Index("ix_profile_change_tenant_id_proposed_at", "tenant_id", "proposed_at"),
    )

    id: Mapped[Key]
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"), index=True)
    # field → text; a photo is named by its SHA-256
    before: Mapped[Values]
    after: Mapped[Values]
    state: Mapped[ProfileChangeState] = mapped_column(
        stored_by_value(ProfileChangeState), default=ProfileChangeState.OPEN
    )
    # accounts of everybody who had a hand in it; none of them decides
    proposers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    proposed_at: Mapped[Instant]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[LongText] = mapped_column(default="")

    advisor: Mapped[Advisor] = relationship(lazy="raise_on_sql")


class ProfileNotice(TenantScoped, Base):
    """That an advisor was to be told, so many days before; once for each end of a profile's term."""

    __tablename__ = "profile_notice"
    __table_args__ = (UniqueConstraint("advisor_id", "expires_at", "days_before"),)

    id: Mapped[Key]
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"))
    expires_at: Mapped[Instant]
    days_before: Mapped[int]
    at: Mapped[Instant]
