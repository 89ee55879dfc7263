"""What every mapped class shares: naming convention, recurring columns, the tenant mark."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Enum, ForeignKey, MetaData, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Key = Annotated[UUID, mapped_column(primary_key=True, default=uuid4)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Day = Annotated[date, mapped_column()]
Name = Annotated[str, mapped_column(String(200))]
Code = Annotated[str, mapped_column(String(64))]
Sha256 = Annotated[str, mapped_column(String(64))]
LongText = Annotated[str, mapped_column(Text)]
Tags = Annotated[list[str], mapped_column(ARRAY(String(64)), default=list)]
Values = Annotated[dict[str, Any], mapped_column(JSONB, default=dict)]


def stored_by_value(enum: type[StrEnum], length: int = 32) -> Enum:
    """A StrEnum column: text with a check in the ORM, so that adding a member needs no ALTER TYPE."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class TenantScoped:
    """Marks a class whose rows belong to one tenant; the session filters every query by it."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
