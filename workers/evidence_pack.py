"""Make the evidence packs that were asked for."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from app.domain.organisation import TenantId
from app.ports import TaskName
from app.services.evidence_pack import make_pack, tenant_of_pack
from workers.task import platform


@shared_task(name=TaskName.MAKE_EVIDENCE_PACK.value, ignore_result=True)
def make(pack_id: str) -> None:
    """Make one pack: minutes, in which no transaction is open."""
    tenant_id = tenant_of_pack(platform().sessions, UUID(pack_id))
    if tenant_id is not None:
        make_pack(platform().unit_of_work, TenantId(tenant_id), UUID(pack_id))
