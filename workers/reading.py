"""Read uploaded pictures as they come, so that no check waits for it."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from app.domain.organisation import TenantId
from app.ports import TaskName
from app.services.reading import read_asset, tenant_of_picture
from workers.task import duty, platform


@shared_task(name=TaskName.READ_PICTURE.value, ignore_result=True)
def read_uploaded(asset_id: str) -> None:
    """Read one picture; what is missed here is read with the check."""
    tenant_id = tenant_of_picture(platform().sessions, UUID(asset_id))
    if tenant_id is not None:
        with duty("read", TenantId(tenant_id)) as uow:
            read_asset(uow, UUID(asset_id))
