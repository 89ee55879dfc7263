"""What the checker said about a revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.models.check import CheckRun
from app.models.piece import PieceRevision
from app.queries.reading import boxes_of, readings_by_field


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One rule on one span, in code points of the field's text."""

    rule: str
    severity: str
    field: str
    start: int
    end: int
    text: str
    basis: str
    reason: str
    suggestion: str | None
    layer: str
    boxes: list[list[float]]  # in an uploaded picture, where the finding stands in one


@dataclass(frozen=True, slots=True)
class CheckRow:
    """`verdict` and `completed_at` are None until the run is complete, and that is a block."""

    id: UUID
    verdict: str | None
    ruleset: str
    queued_at: datetime
    completed_at: datetime | None
    findings: tuple[FindingRow, ...]


def latest_check(session: Session, revision: PieceRevision) -> CheckRow | None:
    run = session.scalar(
        select(CheckRun)
        .where(CheckRun.revision_id == revision.id)
        .order_by(CheckRun.queued_at.desc(), CheckRun.id)
        .options(selectinload(CheckRun.findings))
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if run is None:
        return None
    readings = readings_by_field(session, revision.values, {one.field for one in run.findings})
    return CheckRow(
        id=run.id,
        verdict=run.verdict,
        ruleset=run.ruleset_version,
        queued_at=run.queued_at,
        completed_at=run.completed_at,
        findings=tuple(
            FindingRow(
                rule=one.rule,
                severity=one.severity,
                field=one.field,
                start=one.start,
                end=one.end,
                text=one.text,
                basis=one.basis,
                reason=one.reason,
                suggestion=one.suggestion,
                layer=one.layer,
                boxes=[box.to_list() for box in boxes_of(readings.get(one.field), one)],
            )
            for one in run.findings
        ),
    )
