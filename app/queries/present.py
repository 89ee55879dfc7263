"""What a public address leads to at this moment, and in which versions of its rows.

One question tells both. PostgreSQL marks every row with the transaction that wrote it (`xmin`), so
equal versions are equal contents: what was read and drawn from them once need not be read and drawn
again, and whatever was changed since, by whom and by whatever way, shows at the very next request.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)

from app.domain.tracking import HitClass, LinkChannel
from app.models.base import Base


class PresentEdition(NamedTuple):
    """One advisor's edition now, and the versions of all that decides about it and of all it shows."""

    id: UUID
    tenant_id: UUID
    versions: str


class PresentVisit(NamedTuple):
    """A visit now, with the edition that its page shows."""

    token: str
    code: str
    channel: LinkChannel
    visitor: str
    hit_class: HitClass
    arrived_at: datetime
    viewed_at: datetime | None
    edition: PresentEdition


_TABLES: Final = Base.metadata.tables
_VISIT, _LINK, _EDITION, _ADVISOR, _UNIT, _TENANT, _PIECE = (
    _TABLES[name] for name in ("visit", "short_link", "edition", "advisor", "org_unit", "tenant", "piece")
)
_TEMPLATE_VERSION, _DESIGN, _PUBLICATION, _DECISION, _REVISION, _ITEM = (
    _TABLES[name]
    for name in ("template_version", "template", "publication", "decision", "piece_revision", "recall_item")
)
_QR: Final = _LINK.alias("qr")


def _written_by(rows: FromClause) -> ColumnElement[Any]:
    return literal_column(f"{rows.name}.xmin")  # type: ignore[attr-defined]


def _version_of(rows: FromClause, *its: ColumnElement[bool]) -> ColumnElement[Any]:
    """The version of one row; joined as well, so many tables took thrice as long to plan."""
    beside = (_VISIT, _LINK, _EDITION, _ADVISOR, _PIECE, _TEMPLATE_VERSION, _LATEST)
    return select(_written_by(rows)).where(*its).correlate(*beside).scalar_subquery()


# A correction and what it corrects may bear the same instant: the one that has not ended is it.
_LATEST: Final = (
    select(
        _PUBLICATION.c.id,
        _PUBLICATION.c.decision_id,
        _PUBLICATION.c.revision_id,
        _written_by(_PUBLICATION).label("written_by"),
    )
    .where(_PUBLICATION.c.piece_id == _EDITION.c.piece_id)
    .order_by(_PUBLICATION.c.published_at.desc(), _PUBLICATION.c.ended_at.desc().nulls_first())
    .limit(1)
    .correlate(_EDITION)
    .lateral("latest")
)
# of this edition alone: written once, never changed, so that the row's id is its version
_RECALLED: Final = (
    select(func.min(cast(_ITEM.c.id, Text)))
    .where(_ITEM.c.publication_id == _LATEST.c.id, _ITEM.c.edition_id == _EDITION.c.id)
    .correlate(_LATEST, _EDITION)
    .scalar_subquery()
)
_VERSIONS: Final = cast(
    func.row(
        _EDITION.c.id,
        _LATEST.c.id,
        _LATEST.c.written_by,
        _RECALLED,
        *map(_written_by, (_EDITION, _ADVISOR, _PIECE, _TEMPLATE_VERSION)),
        _version_of(_UNIT, _UNIT.c.id == _ADVISOR.c.org_unit_id),
        _version_of(_TENANT, _TENANT.c.id == _EDITION.c.tenant_id),
        _version_of(_QR, _QR.c.edition_id == _EDITION.c.id, _QR.c.channel == LinkChannel.QR),
        _version_of(_DESIGN, _DESIGN.c.id == _TEMPLATE_VERSION.c.template_id),
        _version_of(_DECISION, _DECISION.c.id == _LATEST.c.decision_id),
        _version_of(_REVISION, _REVISION.c.id == _LATEST.c.revision_id),
    ),
    Text,
).label("versions")


def _with_all_it_shows(edition: FromClause) -> FromClause:
    return (
        edition.join(_ADVISOR, _ADVISOR.c.id == _EDITION.c.advisor_id)
        .join(_PIECE, _PIECE.c.id == _EDITION.c.piece_id)
        .join(_TEMPLATE_VERSION, _TEMPLATE_VERSION.c.id == _PIECE.c.template_version_id)
        .outerjoin(_LATEST, true())
    )


_THE_EDITION: Final = (_EDITION.c.id, _EDITION.c.tenant_id, _VERSIONS)
# Built once, and of the tables alone: sent for every page, picture and document that is opened.
_OF_VISIT: Final = (
    select(
        _VISIT.c.token,
        _VISIT.c.code,
        _LINK.c.channel,
        _VISIT.c.visitor,
        _VISIT.c.hit_class,
        _VISIT.c.arrived_at,
        _VISIT.c.viewed_at,
        *_THE_EDITION,
    )
    .select_from(
        _with_all_it_shows(
            _VISIT.join(_LINK, _LINK.c.code == _VISIT.c.code).join(
                _EDITION, _EDITION.c.id == _LINK.c.edition_id
            )
        )
    )
    .where(_VISIT.c.token == bindparam("token"))
)
_OF_ADVISOR: Final = (
    select(*_THE_EDITION)
    .select_from(_with_all_it_shows(_EDITION))
    .where(
        _EDITION.c.id == bindparam("edition_id"),
        _EDITION.c.advisor_id == bindparam("advisor_id"),
        _ADVISOR.c.is_active,
    )
)


def present_visit(connection: Connection, token: str) -> PresentVisit | None:
    row: Row[Any] | None = connection.execute(_OF_VISIT, {"token": token}).one_or_none()
    return None if row is None else PresentVisit._make((*row[:7], PresentEdition._make(row[7:])))


def present_edition(connection: Connection, edition_id: UUID, advisor_id: UUID) -> PresentEdition | None:
    """An edition of an advisor who is on duty; None where it is somebody else's."""
    row: Row[Any] | None = connection.execute(
        _OF_ADVISOR, {"edition_id": edition_id, "advisor_id": advisor_id}
    ).one_or_none()
    return None if row is None else PresentEdition._make(row)
