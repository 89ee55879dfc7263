"""The chain of audit entries and its head, one chain a tenant."""

from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, PrimaryKeyConstraint, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from app.models.base import Base, Code, Instant, Sha256, TenantScoped


class AuditEntry(TenantScoped, Base):
    """Appended in the transaction it describes; refuses update and delete, here and by trigger."""

    __tablename__ = "audit_entry"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "seq"),)

    seq: Mapped[int] = mapped_column()
    at: Mapped[Instant]
    tag: Mapped[Code]
    actor: Mapped[Code]
    subject_id: Mapped[Code]
    record: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[Sha256]
    hash: Mapped[Sha256]


class AuditHead(Base):
    """The end of a tenant's chain; locked while an entry is appended."""

    __tablename__ = "audit_head"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[Sha256]


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse(_mapper: Mapper[AuditEntry], _connection: Connection, _entry: AuditEntry) -> None:
    raise TypeError("an audit entry is never changed or removed")
