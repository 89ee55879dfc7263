"""Tell people what concerns them, on the page first and then outside of it."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.notice import send_out, tell_what_happened
from workers.task import in_every_tenant


@shared_task(name=TaskName.TELL.value, ignore_result=True)
def tell() -> None:
    """Write notices for what happened, then send out those that must be read soon."""
    in_every_tenant("tell", tell_what_happened)
    in_every_tenant("tell", send_out)
