"""A watch on the sessions: no change without its audit entry, exactly one entry a step.

It sees whatever any service, route, task or command does on a platform it was set on, and does not
ask them which entries they owe.
"""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy import event, inspect, text
from sqlalchemy.orm import Session, sessionmaker

from app.domain.piece import PieceAction
from app.models.archive import ArchiveItem
from app.models.audit import AuditEntry
from app.models.base import TenantScoped
from app.models.check import CheckRun, Finding
from app.models.checkpoint import AuditCheckpoint
from app.models.edition import Rendition
from app.models.evidence_pack import EvidencePack
from app.models.notice import Notice, NoticeMark
from app.models.reading import KeptReading
from app.models.repeat import RepeatableRequest
from app.models.retention import Destruction
from app.models.review import Review, ReviewPresence
from app.models.tracking import DailyRollup, Event, Lead, ShortLink, Visit
from app.models.user import ApiToken, SignIn

# The entry that each step of a piece's life owes, on the piece or naming it; where there are several
# ways to take the step, each has a tag of its own, and one of them is owed.
ENTRY_OF = {
    PieceAction.EDIT: ("piece:edit",),
    PieceAction.SUBMIT: ("piece:submit",),
    PieceAction.PASS_CHECK: ("check:complete",),
    PieceAction.FAIL_CHECK: ("check:complete",),
    PieceAction.APPROVE: ("piece:approve",),
    PieceAction.REQUEST_CHANGES: ("piece:request_changes",),
    PieceAction.REJECT: ("piece:reject",),
    PieceAction.WITHDRAW: ("piece:withdraw", "piece:lapse", "review:lapse"),
    PieceAction.PUBLISH: ("publication:publish",),
    PieceAction.EXPIRE: ("publication:expired",),
    PieceAction.TAKE_DOWN: ("publication:taken_down",),
    PieceAction.RECALL: ("publication:recalled",),
    PieceAction.CORRECT: ("piece:correct",),
    PieceAction.DROP_CORRECTION: ("piece:drop_correction",),
}
# Made without a step as well: the rules changed, and the content was judged again before a decision.
_MORE_THAN_STEPS = {"check:complete"}

_OF_THIS_TRANSACTION = "WHERE xmin = pg_current_xact_id_if_assigned()::xid"
_ENTRIES = text(f"SELECT tag, subject_id, record FROM audit_entry {_OF_THIS_TRANSACTION}")
_STEPS = text(f"SELECT piece_id, action FROM piece_step {_OF_THIS_TRANSACTION}")

# No acts of a person or duty: copies, messages on their way, what visitors and the trail itself do.
UNAUDITED = (
    ApiToken,
    ArchiveItem,
    AuditCheckpoint,
    AuditEntry,
    CheckRun,
    DailyRollup,
    Destruction,
    Event,
    Finding,
    KeptReading,
    Lead,
    Notice,
    NoticeMark,
    Rendition,
    RepeatableRequest,
    ReviewPresence,
    ShortLink,
    SignIn,
    Visit,
)


def watch_the_trail(sessions: sessionmaker[Session]) -> None:
    """Fail whichever unit of work commits a change that its audit entries do not account for.

    Only units of work for an institution are watched: they alone name it. A test's own hands do
    not, nor signing in, which belongs to no institution yet. Steps and entries are counted by the
    rows of the transaction, so that statements in bulk are seen as well.
    """

    @event.listens_for(sessions, "before_flush")
    def _note(session: Session, _context: object, _chosen: object) -> None:
        if session.info.get("tenant_id") is None:
            return
        for row in (*session.new, *session.dirty, *session.deleted):
            if isinstance(row, TenantScoped) and not isinstance(row, UNAUDITED) and _is_changed(session, row):
                session.info.setdefault("changed", set()).add(type(row).__name__)

    @event.listens_for(sessions, "before_commit")
    def _account(session: Session) -> None:
        if session.info.get("tenant_id") is None:
            return
        session.flush()
        changed = session.info.pop("changed", set())
        entries = [
            (tag, _pieces(subject, bytes(record))) for tag, subject, record in session.execute(_ENTRIES)
        ]
        if changed and not entries:
            raise AssertionError(f"changed without an audit entry: {sorted(changed)}")
        steps = session.execute(_STEPS).all()
        owed = Counter((ENTRY_OF[PieceAction(action)], str(piece_id)) for piece_id, action in steps)
        for (tags, piece), times in owed.items():
            made = sum(one in tags and piece in pieces for one, pieces in entries)
            if made != times and not (_MORE_THAN_STEPS.issuperset(tags) and made > times):
                raise AssertionError(f"{times} steps of {piece} owe {tags}, and {made} entries say so")
        single = {tag for tags in ENTRY_OF.values() for tag in tags} - _MORE_THAN_STEPS
        stray = {tag for tag, _ in entries if tag in single} - {tag for tags, _ in owed for tag in tags}
        if stray:
            raise AssertionError(f"entries without a step: {sorted(stray)}")


# That somebody is still on an item is noted with each look, as presence is; that a message left, or a
# worker began, is no act either.
_NOTED_ONLY = {Review: {"claimed_at"}, EvidencePack: {"begun_at", "turn", "sent_at", "sent_times"}}


def _is_changed(session: Session, row: object) -> bool:
    if row in session.new or row in session.deleted:
        return True
    changed = {one.key for one in inspect(row).attrs if one.history.has_changes()}
    return bool(changed - _NOTED_ONLY.get(type(row), set()))


def _pieces(subject_id: str, record: bytes) -> set[str]:
    return {subject_id, str(json.loads(record)["details"].get("piece", ""))}
