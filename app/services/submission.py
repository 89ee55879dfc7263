"""Send a piece for review, and take it back."""

from uuid import UUID

from sqlalchemy import select

from app.domain.errors import CheckBlocked, Missing
from app.domain.piece import PieceAction, next_state
from app.domain.review import ReviewState
from app.models.check import CheckRun
from app.models.piece import Piece
from app.models.review import Review
from app.ports import TaskName
from app.services.access import access_piece
from app.services.piece import acting_name, lock_piece, making_permission
from app.services.qualification import require_licence
from app.services.rounds import end_round
from app.services.shown import judge_revision
from app.services.unit_of_work import UnitOfWork
from compliance.report import Verdict


def submit_for_review(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Send a piece to its compliance check and from there to its review.

    Raises CheckBlocked with the report where the checker would stop it anyway, so that the fix
    can be taken before anybody waits; IllegalTransition, AccessDenied.
    """
    piece = lock_piece(uow, access_piece(uow, piece_id, may=making_permission(uow)).id)
    next_state(piece.state, PieceAction.SUBMIT)
    revision = piece.current_revision
    if revision is None:
        raise Missing(noun="piece_revision")
    if piece.advisor is not None:
        require_licence(uow, piece.advisor, piece.product_type)
    report = judge_revision(uow, piece, revision)
    if report.verdict is Verdict.BLOCK:
        raise CheckBlocked(count=len(report.findings), report=report)
    piece.apply(PieceAction.SUBMIT, actor=acting_name(uow), at=uow.clock.now())
    run = CheckRun(
        tenant_id=uow.tenant_id,
        revision_id=revision.id,
        content_hash=revision.content_hash,
        ruleset_version="",
        ruleset_digest="",
        report={},
        queued_at=uow.clock.now(),
        sent_at=uow.clock.now(),
        submitted_by=uow.actor.user_id,
    )
    uow.session.add(run)
    uow.session.flush()
    uow.audit.record("piece:submit", piece.id, content=revision.content_hash)
    uow.after_commit(TaskName.RUN_COMPLIANCE_CHECK, run.id)
    return piece


def withdraw_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Take a piece back before it is decided, or before it is published."""
    piece = lock_piece(uow, access_piece(uow, piece_id, may=making_permission(uow)).id)
    piece.apply(PieceAction.WITHDRAW, actor=acting_name(uow), at=uow.clock.now())
    for review in uow.session.scalars(
        select(Review).where(Review.piece_id == piece.id, Review.state == ReviewState.OPEN)
    ):
        end_round(uow, review, ReviewState.CLOSED)
    uow.audit.record("piece:withdraw", piece.id)
    return piece
