"""Seal the records of what was shown, and keep the promises made about them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from app.domain.organisation import TenantId
from app.ports import TaskName
from app.services.archive import send_stale_records
from app.services.evidence_pack import remove_old_packs
from app.services.record import note_unopened_editions, seal_record, tenant_of_item
from app.services.retention import keep_promises
from workers.task import duty, in_every_tenant, platform


@shared_task(name=TaskName.SEAL_RECORD.value, ignore_result=True)
def seal(item_id: str) -> None:
    """Put one record of what was shown into the vault."""
    tenant_id = tenant_of_item(platform().sessions, UUID(item_id))
    if tenant_id is None:
        return
    with duty("record", TenantId(tenant_id)) as uow:
        seal_record(uow, UUID(item_id))


@shared_task(name=TaskName.KEEP_RECORDS.value, ignore_result=True)
def keep() -> None:
    """Send again what is not sealed, note what nobody opened, tell the vault, remove old packs."""
    in_every_tenant("record", send_stale_records)
    in_every_tenant("record", note_unopened_editions)
    in_every_tenant("record", keep_promises)
    in_every_tenant("evidence", remove_old_packs)
