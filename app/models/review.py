"""A round of review on a revision, its steps, and the decisions made in them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.review import Outcome, ReviewState, Route
from app.domain.route import Risk, StepState, Term
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Sha256,
    Tags,
    TenantScoped,
    stored_by_value,
)
from app.models.piece import Piece, PieceRevision
from app.models.route import ReviewRoute, RouteStep


class Review(TenantScoped, Base):
    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("piece_id", "round"),
        # where a piece moves to another unit, its rounds go along
        ForeignKeyConstraint(
            ["piece_id", "org_unit_id"], ["piece.id", "piece.org_unit_id"], onupdate="CASCADE"
        ),
        Index("ix_review_open", "tenant_id", "opened_at", postgresql_where="state = 'open'"),
        # the queue in its order
        Index(
            "ix_review_queue",
            "tenant_id",
            "template_id",
            "alike_since",
            "change_digest",
            "opened_at",
            "id",
            postgresql_where="state = 'open'",
        ),
        Index(
            "ix_review_alike", "tenant_id", "change_digest", "opened_at", postgresql_where="state = 'open'"
        ),
    )

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(index=True)
    # What the queue asks of each of its items stands here, so that it reads one table: where the
    # piece belongs, what it is made from, and for whom it waits (`waits_in`).
    org_unit_id: Mapped[UUID]
    template_id: Mapped[UUID] = mapped_column(ForeignKey("template.id"))
    template_version_id: Mapped[UUID] = mapped_column(ForeignKey("template_version.id"))
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    check_run_id: Mapped[UUID] = mapped_column(ForeignKey("check_run.id"))
    round: Mapped[int]
    route: Mapped[Route] = mapped_column(stored_by_value(Route))
    # the version of the route it started with; None: it passed by itself
    route_id: Mapped[UUID | None] = mapped_column(ForeignKey("review_route.id"))
    risk: Mapped[Risk] = mapped_column(stored_by_value(Risk))
    # why it passed by itself or why people must look, as codes of domain.review.Reason
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # the same for all that change one design in the same way: such items are decided together
    change_digest: Mapped[Sha256]
    # since when the first of those that are alike waits: they stand together in the queue
    alike_since: Mapped[Instant]
    # slots whose wording stands as it was approved before on this piece: nobody needs to read it again
    carried: Mapped[Tags]
    state: Mapped[ReviewState] = mapped_column(stored_by_value(ReviewState), default=ReviewState.OPEN)
    opened_at: Mapped[Instant]
    # the route's step that is open, or was open last; None: it passed by itself
    waits_in: Mapped[UUID | None] = mapped_column(ForeignKey("route_step.id"))
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    piece: Mapped[Piece] = relationship(
        lazy="raise_on_sql", primaryjoin="Review.piece_id == Piece.id", foreign_keys=[piece_id]
    )
    revision: Mapped[PieceRevision] = relationship(lazy="raise_on_sql")
    review_route: Mapped[ReviewRoute | None] = relationship(lazy="raise_on_sql")
    steps: Mapped[list["ReviewStep"]] = relationship(
        back_populates="review", lazy="raise_on_sql", order_by="ReviewStep.position"
    )


class ReviewStep(TenantScoped, Base):
    """One step of one round; at most one of them is open."""

    __tablename__ = "review_step"
    __table_args__ = (
        UniqueConstraint("review_id", "position"),
        Index("uq_review_step_open", "review_id", unique=True, postgresql_where="state = 'open'"),
        Index("ix_review_step_due", "tenant_id", "due_at", postgresql_where="state = 'open'"),
    )

    id: Mapped[Key]
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    route_step_id: Mapped[UUID] = mapped_column(ForeignKey("route_step.id"))
    position: Mapped[int]
    state: Mapped[StepState] = mapped_column(stored_by_value(StepState), default=StepState.WAITING)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    escalated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # whose item it is; anybody who may decide it can still take it. None: nobody could take it yet
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"), index=True)

    review: Mapped[Review] = relationship(back_populates="steps", lazy="raise_on_sql")
    route_step: Mapped[RouteStep] = relationship(lazy="raise_on_sql")

    @property
    def term(self) -> Term | None:
        """The time it has, once it is open."""
        if self.opened_at is None or self.due_at is None:
            return None
        return Term(self.opened_at, self.due_at)


class ReviewPresence(TenantScoped, Base):
    """Who had an item open last when: a colleague sees that they are not alone on it."""

    __tablename__ = "review_presence"

    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[Instant]


class Decision(TenantScoped, Base):
    """Immutable; one a person in a step, one final one a round; the seal binds it to its content."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("step_id", "decided_by"),
        Index("uq_decision_final", "review_id", unique=True, postgresql_where="is_final"),
        Index("ix_decision_review_id", "review_id"),
    )

    id: Mapped[Key]
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    # None: the machine let it pass; or it was made when there was but one step
    step_id: Mapped[UUID | None] = mapped_column(ForeignKey("review_step.id"))
    # it ends the round: the approval that completes the route, or any refusal. Only a final
    # approval opens the gate
    is_final: Mapped[bool] = mapped_column(default=True)
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(ForeignKey("piece_revision.id"))
    content_hash: Mapped[Sha256]
    outcome: Mapped[Outcome] = mapped_column(stored_by_value(Outcome))
    reason: Mapped[LongText] = mapped_column(default="")
    # what the reviewer looked at, byte for byte
    shown_sha256: Mapped[Sha256 | None]
    # None: the machine, under route AUTO
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[Instant]
    seal: Mapped[Code]


class DecidedWording(TenantScoped, Base):
    """A text that a person decided on, by its digest: what the same words are found by elsewhere."""

    __tablename__ = "decided_wording"
    __table_args__ = (Index("ix_decided_wording_newest", "tenant_id", "slot", "digest", "decided_at"),)

    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    slot: Mapped[Code] = mapped_column(primary_key=True)
    digest: Mapped[Sha256]  # of its UTF-8
    decided_at: Mapped[Instant]
