"""Send again what was lost on the way: the row is the truth, the message only a nudge."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.evidence_pack import send_stale_packs
from app.services.sweep import send_stale_checks
from workers.task import in_every_tenant


@shared_task(name=TaskName.SWEEP.value, ignore_result=True)
def sweep_stale() -> None:
    """Queue every check and every evidence pack that should have been completed by now."""
    in_every_tenant("sweep", send_stale_checks)
    in_every_tenant("sweep", send_stale_packs)
