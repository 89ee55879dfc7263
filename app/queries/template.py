"""What the template pages list: designs, their versions, and who uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.domain.organisation import Scope
from app.domain.piece import PieceState
from app.domain.template import ProductType, TemplateState, Upgrade
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.template import Template, TemplateVersion
from app.models.user import User
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version as a list says it."""

    id: UUID
    slug: str
    name: str
    kind: str
    number: int
    state: TemplateState
    product_type: ProductType
    tags: tuple[str, ...]
    card: Mapping[str, Any]
    valid_from: date | None
    valid_until: date | None
    loaded_at: datetime
    published_at: datetime | None
    published_by: UUID | None
    published_name: str | None
    cleared_at: datetime | None
    cleared_name: str | None
    upgrade: Upgrade | None


@dataclass(frozen=True, slots=True)
class VersionUse:
    """How many pieces were made from a version, how many are public, by how many advisors."""

    pieces: int = 0
    published: int = 0
    advisors: int = 0


@dataclass(frozen=True, slots=True)
class Design:
    """A template with its versions, the newest first."""

    slug: str
    versions: tuple[VersionRow, ...]
    use: Mapping[UUID, VersionUse]

    @property
    def shown(self) -> VersionRow:
        """The version that stands for the design: the newest released one, or the newest of all."""
        released = (one for one in self.versions if one.state is TemplateState.PUBLISHED)
        return next(released, self.versions[0])


def designs(
    session: Session, scope: Scope, *, text: str = "", kind: str = "", state: str = ""
) -> tuple[Design, ...]:
    """Every design that matches, with all its versions; use is counted within the scope."""
    rows = [row for row in _versions(session) if _matches(row, text, kind)]
    use = version_use(session, scope)
    by_slug: dict[str, list[VersionRow]] = {}
    for row in rows:
        by_slug.setdefault(row.slug, []).append(row)
    found = tuple(Design(slug, tuple(versions), use) for slug, versions in by_slug.items())
    return tuple(one for one in found if not state or any(v.state == state for v in one.versions))


def version_row(session: Session, version_id: UUID) -> VersionRow:
    return next(row for row in _versions(session) if row.id == version_id)


def version_use(session: Session, scope: Scope) -> dict[UUID, VersionUse]:
    """Use of every version at once."""
    return {
        version_id: VersionUse(pieces, published, advisors)
        for version_id, pieces, published, advisors in session.execute(
            select(
                Piece.template_version_id,
                func.count(Piece.id),
                func.count(Piece.id).filter(Piece.state == PieceState.PUBLISHED),
                func.count(func.distinct(Piece.advisor_id)),
            )
            .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
            .where(within(scope, OrgUnit.path))
            .group_by(Piece.template_version_id)
        )
    }


@dataclass(frozen=True, slots=True)
class LineageRow:
    """How many public pieces of one branch stem from one version of a design."""

    version_id: UUID
    number: int
    branch: str
    live: int


def lineage(session: Session, scope: Scope, slug: str) -> tuple[LineageRow, ...]:
    """What is public today and from which version it stems, by branch, the oldest version first."""
    branch = aliased(OrgUnit)
    # the unit on the second level above a piece: its branch, or the head office itself
    branch_path = func.concat(
        "/", func.split_part(OrgUnit.path, "/", 2), "/", func.split_part(OrgUnit.path, "/", 3), "/"
    )
    return tuple(
        LineageRow(*row)
        for row in session.execute(
            select(
                TemplateVersion.id,
                TemplateVersion.number,
                func.coalesce(func.max(branch.name), func.max(OrgUnit.name)),
                func.count(Piece.id),
            )
            .join(Piece, Piece.template_version_id == TemplateVersion.id)
            .join(Template, Template.id == TemplateVersion.template_id)
            .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
            .outerjoin(branch, branch.path == branch_path)
            .where(Template.slug == slug, Piece.state == PieceState.PUBLISHED, within(scope, OrgUnit.path))
            .group_by(TemplateVersion.id, TemplateVersion.number, branch_path)
            .order_by(TemplateVersion.number, func.count(Piece.id).desc())
        )
    )


def _matches(row: VersionRow, text: str, kind: str) -> bool:
    words = " ".join((row.name, row.slug, *row.tags, str(row.card.get("summary", "")))).lower()
    return all(word in words for word in text.lower().split()) and (not kind or row.kind == kind)


def _versions(session: Session) -> list[VersionRow]:
    # a library has tens of designs, not thousands: read whole, matched in memory
    publisher, clearer = aliased(User), aliased(User)
    return [
        VersionRow(**{**row, "tags": tuple(row["tags"])})
        for row in session.execute(
            select(
                TemplateVersion.id,
                Template.slug,
                Template.name,
                Template.kind,
                TemplateVersion.number,
                TemplateVersion.state,
                TemplateVersion.product_type,
                TemplateVersion.tags,
                TemplateVersion.manifest.label("card"),
                TemplateVersion.valid_from,
                TemplateVersion.valid_until,
                TemplateVersion.loaded_at,
                TemplateVersion.published_at,
                TemplateVersion.published_by,
                publisher.name.label("published_name"),
                TemplateVersion.cleared_at,
                clearer.name.label("cleared_name"),
                TemplateVersion.upgrade,
            )
            .join(Template, Template.id == TemplateVersion.template_id)
            .outerjoin(publisher, publisher.id == TemplateVersion.published_by)
            .outerjoin(clearer, clearer.id == TemplateVersion.cleared_by)
            .order_by(Template.name, TemplateVersion.number.desc())
        ).mappings()
    ]
