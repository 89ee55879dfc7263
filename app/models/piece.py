"""Content made from a template version, its immutable revisions, and what happened to it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.domain.piece import PieceAction, PieceState, next_state
from app.domain.publication import CorrectionKind
from app.domain.route import UseChannel
from app.domain.template import ProductType
from app.models.advisor import Advisor
from app.models.base import (
    Base,
    Code,
    Instant,
    Key,
    LongText,
    Name,
    Sha256,
    Tags,
    TenantScoped,
    Values,
    stored_by_value,
)
from app.models.organisation import OrgUnit
from app.models.template import TemplateVersion


class Piece(TenantScoped, Base):
    __tablename__ = "piece"
    __table_args__ = (
        Index("ix_piece_tenant_id_state", "tenant_id", "state"),
        # two taps on one button, or a repeated request, make one piece
        UniqueConstraint("tenant_id", "idempotency_key"),
        # what its rounds refer to
        UniqueConstraint("id", "org_unit_id"),
    )

    id: Mapped[Key]
    title: Mapped[Name]
    state: Mapped[PieceState] = mapped_column(stored_by_value(PieceState), default=PieceState.DRAFT)
    template_version_id: Mapped[UUID] = mapped_column(ForeignKey("template_version.id"))
    # None: head office made it for everybody
    advisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("advisor.id"), index=True)
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))
    product_type: Mapped[ProductType] = mapped_column(stored_by_value(ProductType))
    # where it is meant to be shown: one of the things that choose its route
    channel: Mapped[UseChannel] = mapped_column(stored_by_value(UseChannel), default=UseChannel.MOMENTS)
    tags: Mapped[Tags]
    current_revision_id: Mapped[UUID | None] = mapped_column(ForeignKey("piece_revision.id", use_alter=True))
    idempotency_key: Mapped[Code | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[Instant]
    state_since: Mapped[Instant]
    # why it is being corrected, while the version before stays public
    correcting: Mapped[CorrectionKind | None] = mapped_column(stored_by_value(CorrectionKind))
    # what to show instead once it has ended
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("piece.id"))

    template_version: Mapped[TemplateVersion] = relationship(lazy="raise_on_sql")
    advisor: Mapped[Advisor | None] = relationship(lazy="raise_on_sql")
    org_unit: Mapped[OrgUnit] = relationship(lazy="raise_on_sql")
    current_revision: Mapped["PieceRevision | None"] = relationship(
        foreign_keys=[current_revision_id], lazy="raise_on_sql", post_update=True
    )
    steps: WriteOnlyMapped["PieceStep"] = relationship(order_by="PieceStep.at")

    def apply(self, action: PieceAction, *, actor: str, at: datetime, note: str = "") -> None:
        """Take one step of the piece's life and keep a record of it; raises IllegalTransition."""
        before, self.state = self.state, next_state(self.state, action)
        self.state_since = at
        self.record_step(before=before, action=action, actor=actor, at=at, note=note)

    def record_step(
        self, *, before: PieceState, action: PieceAction, actor: str, at: datetime, note: str
    ) -> None:
        self.steps.add(
            PieceStep(
                tenant_id=self.tenant_id,
                before=before,
                action=action,
                after=self.state,
                actor=actor,
                at=at,
                note=note,
            )
        )


class PieceStep(TenantScoped, Base):
    """One step in a piece's life; the database refuses to change it."""

    __tablename__ = "piece_step"

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    before: Mapped[PieceState] = mapped_column(stored_by_value(PieceState))
    action: Mapped[PieceAction] = mapped_column(stored_by_value(PieceAction))
    after: Mapped[PieceState] = mapped_column(stored_by_value(PieceState))
    actor: Mapped[Name]
    at: Mapped[Instant]
    note: Mapped[LongText] = mapped_column(default="")


class PieceRevision(TenantScoped, Base):
    """What a decision is about; the database refuses to change it (trigger revision_is_immutable)."""

    __tablename__ = "piece_revision"
    __table_args__ = (UniqueConstraint("piece_id", "number"),)

    id: Mapped[Key]
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    number: Mapped[int]
    template_version_id: Mapped[UUID] = mapped_column(ForeignKey("template_version.id"))
    # slot → text; image slots hold "asset:<sha256>". Profile slots are filled for an advisor's own
    # piece and empty for one made for everybody.
    values: Mapped[Values]
    disclosure: Mapped[LongText | None]
    content_hash: Mapped[Sha256]
    contributors: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    created_at: Mapped[Instant]
