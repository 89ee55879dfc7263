"""Find work whose message was lost, and send the message again."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app.domain.piece import PieceState
from app.models.check import CheckRun
from app.models.piece import Piece
from app.ports import TaskName
from app.services.unit_of_work import UnitOfWork

# Longer than a check takes, shorter than a person waits. Sending too often is harmless: a check
# locks its piece, and one that is already complete is left alone.
_FIRST_WAIT: Final = timedelta(seconds=20)
# A check that fails every time (a design whose files are gone) is tried for ever, but ever seldomer.
_LONGEST_WAIT: Final = timedelta(hours=1)
_MOST_AT_ONCE: Final = 1000


def send_stale_checks(uow: UnitOfWork) -> int:
    """Queue every check that is still open after its time; say how many there were."""
    now = uow.clock.now()
    doubled = _FIRST_WAIT.total_seconds() * func.power(2, func.least(CheckRun.sent_times - 1, 20))
    wait_s = func.least(doubled, _LONGEST_WAIT.total_seconds())
    stale = uow.session.scalars(
        select(CheckRun)
        .join(Piece, Piece.current_revision_id == CheckRun.revision_id)
        .where(
            CheckRun.completed_at.is_(None),
            Piece.state == PieceState.CHECKING,
            CheckRun.sent_at + func.make_interval(0, 0, 0, 0, 0, 0, wait_s) < now,
        )
        .order_by(CheckRun.sent_at)
        .limit(_MOST_AT_ONCE)
        # a locked one is just being completed, or sent by another sweep
        .with_for_update(of=CheckRun, skip_locked=True)
    ).all()
    for run in stale:
        run.sent_at, run.sent_times = now, run.sent_times + 1
        uow.after_commit(TaskName.RUN_COMPLIANCE_CHECK, run.id)
    return len(stale)


def tenant_of_check(sessions: sessionmaker[Session], run_id: UUID) -> UUID | None:
    """Whose check a message speaks of; messages carry ids and nothing else."""
    with sessions() as session:
        return session.scalar(select(CheckRun.tenant_id).where(CheckRun.id == run_id))
