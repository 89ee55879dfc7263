"""Template versions with their catalogue cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.template import ProductType, TemplateState
from app.models.template import Template, TemplateVersion
from app.queries.api.page import AnyRow, Order, Page, Place, Wanted, page_of


@dataclass(frozen=True, slots=True)
class TemplateRow:
    id: UUID
    slug: str
    version: int
    name: str
    kind: str
    summary: str
    state: TemplateState
    product_type: ProductType
    disclosure: str | None
    tags: tuple[str, ...]
    pages: int
    width_px: int
    height_px: int
    valid_from: date | None
    valid_until: date | None
    digest: str
    loaded_at: datetime
    published_at: datetime | None
    cleared_at: datetime | None


def templates(
    session: Session,
    wanted: Wanted,
    *,
    usable_on: date | None = None,
    state: TemplateState | None = None,
    product_type: ProductType | None = None,
) -> Page[TemplateRow]:
    """Versions, newest first; `usable_on` leaves those an advisor may use on that day."""
    statement = select(TemplateVersion, Template).join(TemplateVersion.template)
    if usable_on is not None:
        statement = statement.where(
            TemplateVersion.state == TemplateState.PUBLISHED,
            or_(TemplateVersion.valid_from.is_(None), TemplateVersion.valid_from <= usable_on),
            or_(TemplateVersion.valid_until.is_(None), TemplateVersion.valid_until >= usable_on),
        )
    if state is not None:
        statement = statement.where(TemplateVersion.state == state)
    if product_type is not None:
        statement = statement.where(TemplateVersion.product_type == product_type)
    order = Order(TemplateVersion.loaded_at, TemplateVersion.id)
    return page_of(session, statement, order, wanted, _shown, lambda row: Place(row.loaded_at, row.id))


def template(session: Session, version_id: UUID) -> TemplateRow:
    return _shown(
        session.execute(
            select(TemplateVersion, Template)
            .join(TemplateVersion.template)
            .where(TemplateVersion.id == version_id)
        ).one()
    )


def _shown(row: AnyRow) -> TemplateRow:
    version: TemplateVersion = row[0]
    card: dict[str, Any] = version.manifest
    return TemplateRow(
        id=version.id,
        slug=row[1].slug,
        version=version.number,
        name=card["name"],
        kind=card["kind"],
        summary=card["summary"],
        state=version.state,
        product_type=version.product_type,
        disclosure=card["disclosure"],
        tags=tuple(version.tags),
        pages=card["pages"],
        width_px=card["width_px"],
        height_px=card["height_px"],
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        digest=version.digest,
        loaded_at=version.loaded_at,
        published_at=version.published_at,
        cleared_at=version.cleared_at,
    )
