"""Find work whose message was lost, and send the message again."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.domain.piece import PieceState
from app.models.check import CheckRun
from app.models.piece import Piece
from app.ports import TaskName
from app.services.unit_of_work import UnitOfWork

# Longer than a check takes, shorter than a person waits. Sending too often is harmless: a check
# locks its piece, and one that is already complete is left alone.
_STALE_AFTER: Final = timedelta(seconds=20)


def send_stale_checks(uow: UnitOfWork) -> int:
    """Queue every check that is still open after its time; say how many there were."""
    stale = uow.session.scalars(
        select(CheckRun.id)
        .join(Piece, Piece.current_revision_id == CheckRun.revision_id)
        .where(
            CheckRun.completed_at.is_(None),
            CheckRun.queued_at < uow.clock.now() - _STALE_AFTER,
            Piece.state == PieceState.CHECKING,
        )
        .order_by(CheckRun.queued_at)
        .limit(1000)
    ).all()
    for run_id in stale:
        uow.after_commit(TaskName.RUN_COMPLIANCE_CHECK, run_id)
    return len(stale)


def tenant_of_check(sessions: sessionmaker[Session], run_id: UUID) -> UUID | None:
    """Whose check a message speaks of; messages carry ids and nothing else."""
    with sessions() as session:
        return session.scalar(select(CheckRun.tenant_id).where(CheckRun.id == run_id))
