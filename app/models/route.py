"""The routes an institution has configured, version by version, and their steps."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Interval, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.organisation import Role
from app.domain.route import Risk, RouteRule, StepPlan, UseChannel
from app.domain.template import ProductType
from app.models.base import Base, Instant, Key, Name, Tags, TenantScoped, stored_by_value


class ReviewRoute(TenantScoped, Base):
    """One version of a route. What is in review keeps the version it started with, so none changes.

    Only its place in the order and its end are written later (trigger route_is_kept).
    """

    __tablename__ = "review_route"
    __table_args__ = (
        UniqueConstraint("lineage_id", "number"),
        Index("uq_review_route_current", "lineage_id", unique=True, postgresql_where="retired_at IS NULL"),
    )

    id: Mapped[Key]
    lineage_id: Mapped[UUID]  # the same for all versions of one route
    number: Mapped[int]
    name: Mapped[Name]
    # the first route that takes an item is its route, the lowest position first
    position: Mapped[int]
    org_path: Mapped[str] = mapped_column(String(500))
    product_types: Mapped[Tags]
    kinds: Mapped[Tags]
    risks: Mapped[Tags]
    channels: Mapped[Tags]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[Instant]
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    steps: Mapped[list["RouteStep"]] = relationship(
        back_populates="route", lazy="raise_on_sql", order_by="RouteStep.position"
    )

    @property
    def rule(self) -> RouteRule:
        return RouteRule(
            self.org_path,
            frozenset(ProductType(one) for one in self.product_types),
            frozenset(self.kinds),
            frozenset(Risk(one) for one in self.risks),
            frozenset(UseChannel(one) for one in self.channels),
        )


class RouteStep(TenantScoped, Base):
    """One step of one version; never changed."""

    __tablename__ = "route_step"
    __table_args__ = (UniqueConstraint("route_id", "position"),)

    id: Mapped[Key]
    route_id: Mapped[UUID] = mapped_column(ForeignKey("review_route.id"))
    position: Mapped[int]  # from 1
    name: Mapped[Name]
    role: Mapped[Role] = mapped_column(stored_by_value(Role))
    quorum: Mapped[int]
    seat_path: Mapped[str | None] = mapped_column(String(500))
    term: Mapped[timedelta] = mapped_column(Interval)

    route: Mapped[ReviewRoute] = relationship(back_populates="steps", lazy="raise_on_sql")

    @property
    def plan(self) -> StepPlan:
        return StepPlan(self.name, self.role, self.quorum, self.seat_path, self.term)
