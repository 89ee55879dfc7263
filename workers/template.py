"""Make designs ready before somebody asks for their first picture."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.template import rehearse_next
from workers.task import in_every_tenant


@shared_task(name=TaskName.REHEARSE_TEMPLATES.value, ignore_result=True)
def rehearse_templates() -> None:
    """Rehearse the next design of each tenant that nobody has rehearsed yet."""
    in_every_tenant("rehearse", rehearse_next)
