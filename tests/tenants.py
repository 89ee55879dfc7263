"""Fill an institution with at least one row of every kind there is, also of kinds added tomorrow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Column, Table, func, insert, select
from sqlalchemy.orm import Mapper, Session

from app.domain.organisation import TenantId
from app.models import Base
from app.models.base import TenantScoped

MAPPERS: list[Mapper[Any]] = sorted(
    (mapper for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantScoped)),
    key=lambda mapper: mapper.class_.__name__,
)


def fill_tenant(session: Session, tenant_id: TenantId) -> None:
    """Give the tenant one plain row of every kind it has none of, parents first.

    The session must be one without a tenant. Kinds that only the services can make lawfully
    (decisions, publications) are expected to be there already.
    """
    scoped = {mapper.local_table for mapper in MAPPERS}
    for table in Base.metadata.sorted_tables:
        if table in scoped and not session.scalar(
            select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
        ):
            row = {
                column.name: _value(session, table, column, tenant_id)
                for column in table.columns
                if not column.nullable
            }
            session.execute(insert(table).values(**row))


def _value(session: Session, table: Table, column: Column[Any], tenant_id: TenantId) -> object:
    if column.name == "tenant_id":
        return tenant_id
    for key in column.foreign_keys:
        parent = key.column
        return session.scalars(select(parent).where(parent.table.c.tenant_id == tenant_id).limit(1)).one()
    enums = getattr(column.type, "enum_class", None)
    if enums is not None:
        return next(iter(enums))
    if isinstance(column.type, JSON):  # every one of ours holds an object; its Python type does not say so
        return {}
    kind = column.type.python_type
    plain: dict[type, object] = {
        UUID: uuid4(),
        str: f"{table.name}-{uuid4().hex}"[:60],
        int: 1,
        bool: True,
        bytes: b"-",
        list: [],
        date: date(2026, 11, 23),
        datetime: datetime(2026, 11, 23, tzinfo=UTC),
    }
    return plain[kind]
