"""What every task shares: the platform of this process, and units of work in a tenant's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from app.bootstrap import Platform, build_platform
from app.domain.organisation import Actor, TenantId
from app.services.unit_of_work import UnitOfWork
from app.settings import Settings


@cache
def platform() -> Platform:
    """Built at the first task, after the worker has forked: processes share no connection."""
    return build_platform(Settings.from_env())


@contextmanager
def duty(name: str, tenant_id: TenantId) -> Iterator[UnitOfWork]:
    """One unit of work of the system's own, under a duty that the audit trail names."""
    with platform().unit_of_work(Actor.system(name, tenant_id)) as uow:
        yield uow


def in_every_tenant(name: str, act: Callable[[UnitOfWork], object]) -> None:
    """Do a duty in each tenant, one unit of work each; what fails in one keeps no other waiting.

    Raises an ExceptionGroup of what failed when all have had their turn.
    """
    failed: list[Exception] = []
    for tenant_id in platform().tenants():
        try:
            with duty(name, tenant_id) as uow:
                act(uow)
        except Exception as error:  # noqa: BLE001 - raised again below, after the others' turn
            error.add_note(f"{name}, tenant {tenant_id}")
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{name} failed in {len(failed)} tenants", failed)
