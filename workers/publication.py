"""Close the books on what has run out."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.publication import expire_due
from workers.task import in_every_tenant


@shared_task(name=TaskName.EXPIRE_PUBLICATIONS.value, ignore_result=True)
def expire_publications() -> None:
    """Mark every publication whose validity is over, tenant by tenant."""
    in_every_tenant("expire", expire_due)
