"""Judge again: an old verdict by the ruleset it was made with, what is live by the rules of today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import DomainError, Missing
from app.domain.organisation import Permission
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.queries.recheck import (
    last_verdicts,
    live_revision_ids,
    pieces_of,
    revisions_with_pieces,
)
from app.queries.scope import within
from app.services.access import require
from app.services.ruleset import kept_ruleset
from app.services.shown import shown_document
from app.services.unit_of_work import UnitOfWork
from compliance.check import check
from compliance.document import Document
from compliance.finding import Finding, Severity
from compliance.report import Verdict


@dataclass(frozen=True, slots=True)
class Replay:
    """An old verdict beside what the same ruleset says of the same words now."""

    run_id: UUID
    ruleset_version: str
    ruleset_digest: str
    before: str
    again: str
    # what was read is the run's own; False: an older run did not keep it, and it was read anew
    read_as_kept: bool
    lost: tuple[Mapping[str, Any], ...]  # findings that do not come again
    added: tuple[Mapping[str, Any], ...]  # findings that were not there

    @property
    def is_same(self) -> bool:
        return self.before == self.again and not self.lost and not self.added


def replay_check(uow: UnitOfWork, run_id: UUID) -> Replay:
    """Reproduce a completed check with the ruleset it was made with, and compare.

    Raises Missing, AccessDenied, and RulesetNotKept where the files of that ruleset are gone.
    """
    scope = require(uow, Permission.REVIEW_VIEW)
    run = uow.session.scalar(
        select(CheckRun)
        .join(PieceRevision, PieceRevision.id == CheckRun.revision_id)
        .join(Piece, Piece.id == PieceRevision.piece_id)
        .join(Piece.org_unit)
        .where(CheckRun.id == run_id, CheckRun.completed_at.is_not(None), within(scope, OrgUnit.path))
    )
    if run is None:
        raise Missing(noun="check_run")
    ruleset = kept_ruleset(uow, run.ruleset_digest)
    kept = run.report.get("document")
    report = check(Document.of_dict(kept) if kept else _read_anew(uow, run.revision_id), ruleset).to_dict()
    before, again = run.report["findings"], report["findings"]
    replay = Replay(
        run_id=run.id,
        ruleset_version=run.ruleset_version,
        ruleset_digest=run.ruleset_digest,
        before=str(run.verdict),
        again=report["verdict"],
        read_as_kept=kept is not None,
        lost=tuple(one for one in before if one not in again),
        added=tuple(one for one in again if one not in before),
    )
    uow.audit.record("check:replay", run.id, ruleset=run.ruleset_digest, same=replay.is_same)
    return replay


@dataclass(frozen=True, slots=True)
class ChangedPiece:
    """A live piece of which today's rules say something else than was said before it was approved."""

    piece_id: UUID
    revision_id: UUID
    title: str
    before: str | None  # None: no check of it was ever completed
    after: Verdict | None  # None: it could not be judged, and `fault` says why
    new: tuple[Finding, ...]
    fault: str = ""

    @property
    def weight(self) -> Severity:
        """How far what is new goes; what cannot be judged may not stay."""
        if self.after is None:
            return Severity.BLOCK
        return max(
            (one.severity for one in self.new), key=lambda severity: severity.rank, default=Severity.NOTE
        )


def live_revisions(uow: UnitOfWork, *, since: datetime | None = None) -> list[UUID]:
    """The revisions within the actor's reach that are public or approved; since then, where given."""
    scope = require(uow, Permission.REVIEW_VIEW)
    return live_revision_ids(uow.session, scope, at=uow.clock.now(), since=since)


def recheck_revisions(uow: UnitOfWork, revision_ids: Sequence[UUID]) -> list[ChangedPiece]:
    """Judge revisions by the rules of today, and give those of which something else is said now.

    Words only: nothing is drawn. What the last check read is read again.
    """
    require(uow, Permission.REVIEW_VIEW)
    last = last_verdicts(uow.session, revision_ids)
    pieces = pieces_of(uow.session, revision_ids)
    without = [one for one in revision_ids if one not in last or last[one].document is None]
    anew = revisions_with_pieces(uow.session, without) if without else {}
    changed = []
    for revision_id in revision_ids:
        before = last.get(revision_id)
        piece_id, title = pieces[revision_id]
        verdict = before.verdict if before is not None else None
        try:
            document = (
                Document.of_dict(before.document)
                if before is not None and before.document is not None
                else shown_document(uow, *anew[revision_id])
            )
        except DomainError as error:
            changed.append(ChangedPiece(piece_id, revision_id, title, verdict, None, (), str(error)))
            continue
        report = check(document, uow.around.ruleset)
        new = _new_findings(report.findings, before.findings if before is not None else ())
        if new or report.verdict != verdict:
            changed.append(ChangedPiece(piece_id, revision_id, title, verdict, report.verdict, new))
    return changed


def note_recheck(uow: UnitOfWork, *, judged: int, changed: Sequence[ChangedPiece]) -> None:
    """Put on record that what is live was judged again, by which rules, and what came of it."""
    ruleset = uow.around.ruleset
    weights = [one.weight for one in changed]
    uow.audit.record(
        "check:recheck",
        uow.tenant_id,
        ruleset=ruleset.digest,
        judged=judged,
        changed=len(changed),
        review=weights.count(Severity.REVIEW),
        block=weights.count(Severity.BLOCK),
    )


def _new_findings(findings: Iterable[Finding], before: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """What counts and was not said in the same words of the same field, or not as gravely."""
    known = {(one["rule"], one["severity"], one["field"], one["text"]) for one in before}
    return tuple(
        one
        for one in findings
        if one.severity is not Severity.NOTE
        and (one.rule, one.severity.value, one.field, one.text) not in known
    )


def _read_anew(uow: UnitOfWork, revision_id: UUID) -> Document:
    return shown_document(uow, *revisions_with_pieces(uow.session, [revision_id])[revision_id])
