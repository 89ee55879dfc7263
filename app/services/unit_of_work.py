"""One transaction with its actor, clock and audit; every edge opens one and makes one call.

Services take an open unit and never commit. On a clean exit the audit entries are chained, the
transaction commits, and only then do tasks leave for the queue. If the process dies between the
two, the sweep finds the rows: the row is the truth, the message a nudge.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    ORMExecuteState,
    Session,
    sessionmaker,
    with_loader_criteria,
)

from app.domain.organisation import Actor, TenantId
from app.models.base import TenantScoped
from app.ports import (
    Clock,
    Notifier,
    ObjectStore,
    PictureReader,
    RecordVault,
    Signer,
    TaskName,
    TaskQueue,
)
from app.services.audit import AuditTrail
from app.services.remembered import Remembered

if TYPE_CHECKING:
    from app.services.rendition import PictureFile
    from app.services.serving import EditionFacts
    from app.services.shelf import TemplateShelf
    from compliance.ruleset import Ruleset
    from templates_lib.twin import TwinLine
    from templates_lib.whereabouts import Whereabouts

log = structlog.get_logger(__name__)
_HANDED_OUT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What services may reach outside the database; built once by app.bootstrap."""

    store: ObjectStore
    vault: RecordVault
    signer: Signer
    queue: TaskQueue
    clock: Clock
    notifier: Notifier
    reader: PictureReader
    seal_keys: tuple[bytes, ...]  # the present one first, then those before it
    public_url: str
    shelf: "TemplateShelf"
    rules: "Callable[[], Ruleset]"  # takes seconds the first time it is asked in a process
    # every statement by itself: it sees what is committed, and what it writes is so when it returns
    at_once: Engine
    # a profile is printed on nothing new once it was not confirmed for so long; None: for ever
    profile_term: timedelta | None = None
    # one day only: yesterday's key is forgotten here as soon as today's is known
    day_keys: Remembered[date, bytes] = field(default_factory=lambda: Remembered(capacity=1))
    twins: Remembered[str, "tuple[TwinLine, ...]"] = field(default_factory=lambda: Remembered(capacity=256))
    # where the words stand on pictures that reviewers looked at
    places: Remembered[str, "Whereabouts"] = field(default_factory=lambda: Remembered(capacity=256))
    # what this process knows to be noted in the archive, by publication, advisor and values
    noted: Remembered[str, bool] = field(default_factory=lambda: Remembered(capacity=4096))
    # what this process knows to be kept of rulesets, by digest
    rulesets: Remembered[str, bool] = field(default_factory=lambda: Remembered(capacity=16))
    # the pictures drawn last: what was just previewed is saved, judged and shown a moment later
    pictures: Remembered[tuple[UUID, str], "PictureFile"] = field(
        default_factory=lambda: Remembered(capacity=32)
    )
    # the words last found to fit every size of their design: what was just hinted at is saved next
    fitting: Remembered[tuple[UUID, str], bool] = field(default_factory=lambda: Remembered(capacity=256))
    # what public addresses lead to, by the versions of the rows it was read from
    editions: Remembered[str, "EditionFacts"] = field(default_factory=lambda: Remembered(capacity=1024))
    # what was handed out last, by those versions and the page, format and size of it
    handed_out: Remembered[tuple[str, str, int, str], "PictureFile"] = field(
        default_factory=lambda: Remembered(capacity=_HANDED_OUT_BYTES, size=lambda file: len(file.data))
    )

    @property
    def ruleset(self) -> "Ruleset":
        """The rules of today; read when they are first needed, which in most commands is never."""
        return self.rules()


@dataclass(slots=True)
class _Nudge:
    name: TaskName
    args: tuple[str, ...]


@dataclass(slots=True)
class UnitOfWork:
    """Opened by an edge with `with platform.unit_of_work(actor) as uow`."""

    make_session: sessionmaker[Session]
    actor: Actor
    around: Surroundings
    session: Session = field(init=False)
    audit: AuditTrail = field(init=False)
    _nudges: list[_Nudge] = field(init=False, default_factory=list)
    _once_committed: list[Callable[[], object]] = field(init=False, default_factory=list)

    def __enter__(self) -> Self:
        self.session = self.make_session(info={"tenant_id": self.actor.tenant_id})
        self.audit = AuditTrail(self.session, self.actor, self.clock)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                self.session.rollback()
                if self.audit.append_refusals():
                    self.session.commit()
                return
            self.session.flush()
            if self.audit.append():
                self.after_commit(TaskName.CHECKPOINT_AUDIT)
            self.session.commit()
        finally:
            self.session.close()
        for act in self._once_committed:
            act()
        for nudge in self._nudges:
            self._send(nudge)

    @property
    def clock(self) -> Clock:
        return self.around.clock

    @property
    def store(self) -> ObjectStore:
        return self.around.store

    @property
    def tenant_id(self) -> TenantId:
        """The tenant this work belongs to; work across tenants has none and may not ask."""
        if self.actor.tenant_id is None:
            raise LookupError("this unit of work belongs to no tenant")
        return self.actor.tenant_id

    def belong_to(self, tenant_id: TenantId) -> None:
        """Bind work that began without a tenant to the one it turned out to concern; for good.

        Raises ForeignTenant where it belongs to another, or has read another's rows already.
        """
        if self.actor.tenant_id not in (None, tenant_id):
            raise ForeignTenant(str(tenant_id))
        self.session.info["tenant_id"] = tenant_id
        for row in self.session:
            if isinstance(row, TenantScoped):
                _require_own(self.session, row)
        self.actor = replace(self.actor, tenant_id=tenant_id)
        self.audit.speak_for(self.actor)

    def at_once(self) -> Connection:
        """A connection on which every statement stands by itself, outside this unit's transaction."""
        return self.around.at_once.connect()

    def apart(self) -> Session:
        """A session of its own, for what is remembered beyond this work: it sees only what is committed."""
        return self.make_session(info={"tenant_id": self.tenant_id})

    def once_committed(self, act: Callable[[], object]) -> None:
        """Do something in this process alone, once whatever was written is there for good."""
        self._once_committed.append(act)

    def after_commit(self, name: TaskName, *ids: UUID | str) -> None:
        """Queue a task once the row it works on is really there."""
        self._nudges.append(_Nudge(name, tuple(str(one) for one in ids)))

    def _send(self, nudge: _Nudge) -> None:
        try:
            self.around.queue.send(nudge.name, *nudge.args)
        except Exception:
            log.warning("nudge_not_sent", task=nudge.name.value, exc_info=True)


class ForeignTenant(Exception):
    """Work for one institution reached for another's rows: a fault of ours, never of a caller's."""


def scope_session_to_tenant(maker: sessionmaker[Session]) -> None:
    """Keep every session to the rows of its tenant: the one place that keeps tenants apart.

    What the ORM reads, changes or removes is filtered; what it writes must carry the session's
    tenant. A session without a tenant (sign-in, short links, sweeps) sees all; those are the
    system's own. Plain SQL on tables is not filtered and says its tenant itself.
    """

    @event.listens_for(maker, "do_orm_execute")
    def _only_this_tenant(state: ORMExecuteState) -> None:
        tenant_id: Any = state.session.info.get("tenant_id")
        if tenant_id is None or state.is_column_load or state.is_relationship_load:
            return
        state.statement = state.statement.options(_only_rows_of(tenant_id))

    @event.listens_for(maker, "before_attach")
    def _only_own_guests(session: Session, guest: object) -> None:
        # an object read by another session would be refreshed without the filter
        if isinstance(guest, TenantScoped) and inspect(guest).has_identity:
            _require_own(session, guest)

    @event.listens_for(maker, "before_flush")
    def _only_own_rows(session: Session, _context: object, _chosen: object) -> None:
        for row in (*session.new, *session.dirty, *session.deleted):
            if isinstance(row, TenantScoped):
                _require_own(session, row)


@lru_cache(maxsize=64)
def _only_rows_of(tenant_id: UUID) -> LoaderCriteriaOption:
    """Made once for each tenant: it is part of every statement, and never changes."""
    return with_loader_criteria(
        TenantScoped,
        lambda mapped: mapped.tenant_id == tenant_id,
        include_aliases=True,
    )


def _require_own(session: Session, row: TenantScoped) -> None:
    tenant_id: Any = session.info.get("tenant_id")
    # .get: before an object is filled in there is nothing to compare, and nothing to leak
    if tenant_id is not None and row.__dict__.get("tenant_id", tenant_id) != tenant_id:
        raise ForeignTenant(type(row).__name__)
