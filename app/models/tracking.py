"""Links, what happened on them, and what it adds up to."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.tracking import EventKind, HitClass, LinkChannel
from app.models.base import (
    Base,
    Code,
    Day,
    Instant,
    Key,
    LongText,
    Name,
    TenantScoped,
    stored_by_value,
)
from app.models.edition import Edition


class ShortLink(TenantScoped, Base):
    """One code per edition and channel; the code is unique over all tenants."""

    __tablename__ = "short_link"
    __table_args__ = (Index("uq_short_link_edition_channel", "edition_id", "channel", unique=True),)

    code: Mapped[Code] = mapped_column(primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("edition.id"))
    channel: Mapped[LinkChannel] = mapped_column(stored_by_value(LinkChannel))
    created_at: Mapped[Instant]

    edition: Mapped[Edition] = relationship(lazy="raise_on_sql")


class Visit(TenantScoped, Base):
    """One arrival through a link; its token is in the landing page's address."""

    __tablename__ = "visit"

    token: Mapped[Code] = mapped_column(primary_key=True)
    code: Mapped[Code] = mapped_column(ForeignKey("short_link.code"))
    visitor: Mapped[Code]
    hit_class: Mapped[HitClass] = mapped_column(stored_by_value(HitClass))
    # the visit whose page was passed on to this visitor, if any
    parent_token: Mapped[Code | None]
    arrived_at: Mapped[Instant]
    viewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Event(TenantScoped, Base):
    """What happened, kept as it came; partitioned by month of its day (see the migrations)."""

    __tablename__ = "event"
    __table_args__ = (
        PrimaryKeyConstraint("id", "occurred_on"),
        Index("ix_event_tenant_id_occurred_on", "tenant_id", "occurred_on"),
        Index("ix_event_advisor_id_occurred_on", "advisor_id", "occurred_on"),
        {"postgresql_partition_by": "RANGE (occurred_on)"},
    )

    id: Mapped[UUID] = mapped_column()
    occurred_on: Mapped[Day]  # the day in the tenant's time zone
    occurred_at: Mapped[Instant]
    kind: Mapped[EventKind] = mapped_column(stored_by_value(EventKind))
    hit_class: Mapped[HitClass] = mapped_column(stored_by_value(HitClass))
    class_reason: Mapped[Code]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("edition.id"))
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"))
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))
    channel: Mapped[LinkChannel] = mapped_column(stored_by_value(LinkChannel))
    source: Mapped[Code]
    visitor: Mapped[Code]
    network: Mapped[Code]
    visit_token: Mapped[Code | None]


class VisitorKey(Base):
    """The key of a day's visitor pseudonyms; destroyed when the day is over."""

    __tablename__ = "visitor_key"

    day: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))


class Lead(TenantScoped, Base):
    """Contact details a visitor left, with the consent they gave."""

    __tablename__ = "lead"

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("edition.id"))
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"), index=True)
    # whoever carries on since that advisor left
    handed_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("advisor.id"), index=True)
    visit_token: Mapped[Code | None] = mapped_column(unique=True)
    name: Mapped[Name]
    phone: Mapped[Code]
    message: Mapped[LongText] = mapped_column(default="")
    consent_text: Mapped[LongText]
    consented_at: Mapped[Instant]
    created_at: Mapped[Instant]


class DailyRollup(TenantScoped, Base):
    """Counts of a day; always recomputable from the events."""

    __tablename__ = "daily_rollup"
    __table_args__ = (
        PrimaryKeyConstraint("day", "piece_id", "advisor_id", "org_unit_id", "channel", "kind"),
        Index("ix_daily_rollup_tenant_id_day", "tenant_id", "day"),
    )

    day: Mapped[date] = mapped_column()
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    advisor_id: Mapped[UUID] = mapped_column(ForeignKey("advisor.id"))
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))
    channel: Mapped[LinkChannel] = mapped_column(stored_by_value(LinkChannel))
    kind: Mapped[EventKind] = mapped_column(stored_by_value(EventKind))
    human: Mapped[int]
    raw: Mapped[int]
