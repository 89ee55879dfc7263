"""What is live or may go out any moment, and what the checker last said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload

from app.domain.organisation import Scope
from app.domain.piece import PieceState
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.template import TemplateVersion
from app.queries.recall import among
from app.queries.scope import within


@dataclass(frozen=True, slots=True)
class LastVerdict:
    """What the newest completed check of a revision said; `document` is what it read, where that was kept."""

    revision_id: UUID
    run_id: UUID
    verdict: str
    findings: list[dict[str, Any]]
    document: dict[str, Any] | None


def live_revision_ids(
    session: Session, scope: Scope, *, at: datetime, since: datetime | None = None
) -> list[UUID]:
    """Every revision that is public, or approved and waiting for its audience.

    With `since` only those that have been so since then.
    """
    public = (
        select(Publication.revision_id)
        .join(Publication.piece)
        .join(Piece.org_unit)
        .where(Publication.ended_at.is_(None), Publication.valid_until > at, within(scope, OrgUnit.path))
    )
    approved = (
        select(Piece.current_revision_id)
        .join(Piece.org_unit)
        .where(
            Piece.state == PieceState.APPROVED,
            Piece.current_revision_id.is_not(None),
            within(scope, OrgUnit.path),
        )
    )
    if since is not None:
        public = public.where(Publication.published_at >= since)
        approved = approved.where(Piece.state_since >= since)
    # each part through the ORM, which keeps it to the tenant: a union as a whole would not be
    found = {*session.scalars(public), *session.scalars(approved)}
    return sorted(one for one in found if one is not None)


def last_verdicts(session: Session, revision_ids: Sequence[UUID]) -> dict[UUID, LastVerdict]:
    """The newest completed check of each revision that has one."""
    statement = (
        select(
            CheckRun.revision_id,
            CheckRun.id,
            CheckRun.verdict,
            func.coalesce(CheckRun.report["findings"], func.jsonb_build_array()),
            CheckRun.report["document"],
        )
        .ext(distinct_on(CheckRun.revision_id))
        .where(among(CheckRun.revision_id, revision_ids), CheckRun.completed_at.is_not(None))
        .order_by(CheckRun.revision_id, CheckRun.completed_at.desc(), CheckRun.id)
    )
    return {row[0]: LastVerdict(*row) for row in session.execute(statement)}


def pieces_of(session: Session, revision_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Each revision's piece and what it is called."""
    statement = (
        select(PieceRevision.id, Piece.id, Piece.title)
        .join(Piece, Piece.id == PieceRevision.piece_id)
        .where(among(PieceRevision.id, revision_ids))
    )
    return {revision: (piece, title) for revision, piece, title in session.execute(statement)}


def revisions_with_pieces(
    session: Session, revision_ids: Sequence[UUID]
) -> dict[UUID, tuple[Piece, PieceRevision]]:
    """Whole revisions, with what judging them anew needs."""
    statement = (
        select(Piece, PieceRevision)
        .join(PieceRevision, PieceRevision.piece_id == Piece.id)
        .where(among(PieceRevision.id, revision_ids))
        .options(joinedload(Piece.template_version).joinedload(TemplateVersion.template))
    )
    return {revision.id: (piece, revision) for piece, revision in session.execute(statement)}
