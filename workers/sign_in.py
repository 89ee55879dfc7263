"""Enter into the trail whose password was guessed at."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.sign_in import note_failed_sign_ins
from workers.task import in_every_tenant


@shared_task(name=TaskName.NOTE_FAILED_SIGN_INS.value, ignore_result=True)
def note_failed() -> None:
    """Note what failed since the last turn, institution by institution."""
    in_every_tenant("sign-in", note_failed_sign_ins)
