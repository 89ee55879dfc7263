"""Keep what waits for people moving: owners, escalation, the end of its time."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.deadline import tend_reviews as tend
from workers.task import in_every_tenant


@shared_task(name=TaskName.TEND_REVIEWS.value, ignore_result=True)
def tend_reviews() -> None:
    """One turn over everything that is in review, tenant by tenant."""
    in_every_tenant("deadline", tend)
