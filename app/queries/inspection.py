"""What passed by itself, what of it was drawn, and what was found: for the page and the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from app.domain.inspection import InspectionOutcome
from app.domain.organisation import Scope
from app.domain.piece import PieceState
from app.domain.review import Route
from app.models.advisor import Advisor
from app.models.inspection import AutoPass, Inspection
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.review import Decision, Review
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class InspectionRow:
    """One drawn item."""

    id: UUID
    piece_id: UUID
    edition_id: UUID | None
    title: str
    state: PieceState
    maker: str | None
    org_name: str
    template_name: str
    template_slug: str
    template_number: int
    reasons: Sequence[str]
    seed: str
    share_bp: int
    lot: int
    passed_at: datetime
    drawn_at: datetime
    due_at: datetime
    assigned_to: str | None
    outcome: InspectionOutcome | None
    note: str
    inspected_by: str | None
    inspected_at: datetime | None


def inspections(session: Session, scope: Scope, *, done: bool, page: int = 1) -> Page[InspectionRow]:
    """Drawn items of a scope: what waits by its day, what is done the newest first."""
    chosen = [
        within(scope, OrgUnit.path),
        Inspection.outcome.is_not(None) if done else Inspection.outcome.is_(None),
    ]
    total = session.scalar(
        select(func.count(Inspection.id))
        .join(AutoPass, AutoPass.id == Inspection.auto_pass_id)
        .join(Piece, Piece.id == AutoPass.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(*chosen)
    )
    order = (Inspection.inspected_at.desc(),) if done else (Inspection.due_at, Inspection.id)
    rows = session.execute(
        _rows().where(*chosen).order_by(*order).limit(PAGE_SIZE).offset(offset_of(page, PAGE_SIZE))
    ).mappings()
    return Page([InspectionRow(**row) for row in rows], max(1, page), PAGE_SIZE, total or 0)


def inspection_row(session: Session, inspection_id: UUID) -> InspectionRow:
    """One drawn item that is there; who may see it has been asked before."""
    return InspectionRow(**session.execute(_rows().where(Inspection.id == inspection_id)).mappings().one())


@dataclass(frozen=True, slots=True)
class PassFigures:
    """How much passed by itself since some day, and what looking afterwards found."""

    by_itself: int
    by_people: int
    editions: int
    drawn: int
    inspected: int
    findings: int

    @property
    def auto_share(self) -> float | None:
        decided = self.by_itself + self.by_people
        return self.by_itself / decided if decided else None


def pass_figures(session: Session, scope: Scope, *, since: datetime) -> PassFigures:
    """The figures of a scope since then."""
    ways: Mapping[Any, int] = {
        row.route: row.decided
        for row in session.execute(
            select(Review.route, func.count(Decision.id).label("decided"))
            .join(Decision, Decision.review_id == Review.id)
            .join(Piece, Piece.id == Review.piece_id)
            .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
            .where(Decision.is_final, Decision.decided_at >= since, within(scope, OrgUnit.path))
            .group_by(Review.route)
        )
    }
    drawn = session.execute(
        select(
            func.count(AutoPass.edition_id).label("editions"),
            func.count(Inspection.id).label("drawn"),
            func.count(Inspection.outcome).label("inspected"),
            func.count(Inspection.id)
            .filter(Inspection.outcome == InspectionOutcome.FINDING)
            .label("findings"),
        )
        .select_from(AutoPass)
        .join(Piece, Piece.id == AutoPass.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .outerjoin(Inspection, Inspection.auto_pass_id == AutoPass.id)
        .where(AutoPass.passed_at >= since, within(scope, OrgUnit.path))
    ).one()
    return PassFigures(
        by_itself=ways.get(Route.AUTO, 0),
        by_people=ways.get(Route.PEOPLE, 0),
        editions=drawn.editions,
        drawn=drawn.drawn,
        inspected=drawn.inspected,
        findings=drawn.findings,
    )


def _rows() -> Select[*tuple[Any, ...]]:
    owner, inspector = aliased(User), aliased(User)
    return (
        select(
            Inspection.id,
            AutoPass.piece_id,
            AutoPass.edition_id,
            Piece.title,
            Piece.state,
            Advisor.name.label("maker"),
            OrgUnit.name.label("org_name"),
            Template.name.label("template_name"),
            Template.slug.label("template_slug"),
            TemplateVersion.number.label("template_number"),
            AutoPass.reasons,
            AutoPass.seed,
            AutoPass.share_bp,
            AutoPass.lot,
            AutoPass.passed_at,
            Inspection.drawn_at,
            Inspection.due_at,
            owner.name.label("assigned_to"),
            Inspection.outcome,
            Inspection.note,
            inspector.name.label("inspected_by"),
            Inspection.inspected_at,
        )
        .select_from(Inspection)
        .join(AutoPass, AutoPass.id == Inspection.auto_pass_id)
        .join(Piece, Piece.id == AutoPass.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .outerjoin(owner, owner.id == Inspection.assigned_to)
        .outerjoin(inspector, inspector.id == Inspection.inspected_by)
    )
