"""Complete queued compliance checks."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from app.domain.organisation import TenantId
from app.ports import TaskName
from app.services.reading import pictures_of_check, read_picture
from app.services.review import run_check
from app.services.sweep import tenant_of_check
from workers.task import duty, platform


@shared_task(name=TaskName.RUN_COMPLIANCE_CHECK.value, ignore_result=True)
def run_compliance_check(run_id: str) -> None:
    """Judge a submitted revision and open its review."""
    tenant_id = tenant_of_check(platform().sessions, UUID(run_id))
    if tenant_id is None:
        return
    tenant, run = TenantId(tenant_id), UUID(run_id)
    with duty("check", tenant) as uow:
        unread = pictures_of_check(uow, run, also_failed=True)
    for picture in unread:  # seconds each: no lock is held, and one that was read stays read
        with duty("read", tenant) as uow:
            read_picture(uow, picture)
    with duty("check", tenant) as uow:
        run_check(uow, run)
