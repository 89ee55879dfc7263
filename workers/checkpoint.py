"""Sign the audit trail, and put what was signed where nobody can change it."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.checkpoint import keep_checkpoints, make_checkpoints
from workers.task import in_every_tenant


@shared_task(name=TaskName.CHECKPOINT_AUDIT.value, ignore_result=True)
def checkpoint_audit() -> None:
    """Sign what is new in every tenant's trail, then hand it to the vault."""
    in_every_tenant("checkpoint", make_checkpoints)
    in_every_tenant("checkpoint", keep_checkpoints)
