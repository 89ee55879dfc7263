"""Hand reach out of the platform: on record, and no wider than one may see it."""

from app.domain.organisation import Permission
from app.domain.reach import Question
from app.services.access import require
from app.services.unit_of_work import UnitOfWork


def record_export(uow: UnitOfWork, question: Question, *, table: str, rows: int) -> None:
    """Note who takes which figures away; raises AccessDenied for somebody who may only look."""
    require(uow, Permission.REACH_EXPORT)
    uow.audit.record(
        "reach:export",
        uow.actor.user_id or uow.actor.name,
        table=table,
        rows=rows,
        first=question.period.first.isoformat(),
        last=question.period.last.isoformat(),
        unit=question.unit_path or "",
    )
