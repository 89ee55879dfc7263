"""Fold events into daily figures, and keep the event table's partitions and keys in order."""

from __future__ import annotations

from celery import shared_task

from app.domain.organisation import Actor
from app.ports import TaskName
from app.services.rollup import fold_stale_days, prepare_event_days
from workers.task import in_every_tenant, platform


@shared_task(name=TaskName.FOLD_DAY.value, ignore_result=True)
def fold_day() -> None:
    """Recount what is new, in every tenant."""
    with platform().unit_of_work(Actor.system("partitions")) as uow:
        prepare_event_days(uow)
    in_every_tenant("fold", fold_stale_days)
