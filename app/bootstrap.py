"""Put the platform together: which adapter stands behind each port, decided once."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

import migrations
from app.adapters.clock import SystemClock
from app.adapters.database import build_engine, build_sessionmaker
from app.adapters.notifier import EveryNotifier, MailNotifier, RobotNotifier
from app.adapters.object_store.filesystem import FilesystemObjectStore
from app.adapters.object_store.s3 import S3ObjectStore
from app.adapters.picture_reader.rapid import RapidPictureReader
from app.adapters.record_vault.folder import FolderRecordVault
from app.adapters.record_vault.s3 import S3RecordVault
from app.adapters.signer import Ed25519Signer, public_key_of
from app.adapters.task_queue.celery_queue import CeleryTaskQueue
from app.domain.organisation import Actor, TenantId
from app.models.tenant import Tenant
from app.ports import Clock, Notifier, ObjectStore, PictureReader, RecordVault, Signer, TaskQueue
from app.services.shelf import TemplateShelf
from app.services.unit_of_work import Surroundings, UnitOfWork, scope_session_to_tenant
from app.settings import FolderStorage, NoticeSettings, S3Storage, Settings
from compliance.ruleset import load_ruleset
from templates_lib.catalog import Catalog


@dataclass
class Platform:
    """What an edge holds: open a unit of work, and nothing else of the inside."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    store: ObjectStore
    vault: RecordVault
    signer: Signer
    queue: TaskQueue
    clock: Clock
    notifier: Notifier
    reader: PictureReader

    @cached_property
    def surroundings(self) -> Surroundings:
        """Everything services reach outside the database; loading rules and fonts waits for a need."""
        return Surroundings(
            store=self.store,
            vault=self.vault,
            signer=self.signer,
            queue=self.queue,
            clock=self.clock,
            notifier=self.notifier,
            reader=self.reader,
            seal_keys=tuple(
                derived_key(secret, "decision-seal")
                for secret in (self.settings.web.secret_key, *self.settings.web.previous_secret_keys)
            ),
            public_url=self.settings.web.public_url,
            profile_term=self.settings.records.profile_term,
            shelf=TemplateShelf(Catalog(), store=self.store),
            rules=load_ruleset,
            at_once=self.engine.execution_options(isolation_level="AUTOCOMMIT"),
        )

    def read_rules(self) -> None:
        """Read the rules now, and not while somebody waits for a first answer."""
        self.surroundings.rules()

    def unit_of_work(self, actor: Actor) -> UnitOfWork:
        return UnitOfWork(self.sessions, actor, self.surroundings)

    def tenants(self) -> list[TenantId]:
        """Every tenant, for the duties that beat sends round."""
        with self.sessions() as session:
            return [TenantId(one) for one in session.scalars(select(Tenant.id).order_by(Tenant.slug))]


def build_platform(
    settings: Settings,
    *,
    store: ObjectStore | None = None,
    vault: RecordVault | None = None,
    queue: TaskQueue | None = None,
    clock: Clock | None = None,
    notifier: Notifier | None = None,
    reader: PictureReader | None = None,
) -> Platform:
    """The platform for these settings; a test may put its own part in place of any."""
    engine = build_engine(settings.database)
    sessions = build_sessionmaker(engine)
    scope_session_to_tenant(sessions)
    return Platform(
        settings=settings,
        engine=engine,
        sessions=sessions,
        store=store or _store(settings.storage),
        vault=vault or _vault(settings.records.vault),
        signer=_signer(settings),
        queue=queue or CeleryTaskQueue(settings.broker),
        clock=clock or SystemClock(),
        notifier=notifier or _notifier(settings.notices),
        reader=reader or RapidPictureReader(),
    )


def _notifier(notices: NoticeSettings) -> Notifier:
    ways: list[Notifier] = []
    if notices.mail is not None:
        ways.append(MailNotifier(notices.mail))
    if notices.robot_url:
        ways.append(RobotNotifier(notices.robot_url))
    return EveryNotifier(ways)


def _store(storage: FolderStorage | S3Storage) -> ObjectStore:
    match storage:
        case FolderStorage(path):
            return FilesystemObjectStore(path)
        case S3Storage():
            return S3ObjectStore(storage)


def _vault(vault: FolderStorage | S3Storage) -> RecordVault:
    match vault:
        case FolderStorage(path):
            return FolderRecordVault(path)
        case S3Storage():
            return S3RecordVault(vault)


def _signer(settings: Settings) -> Signer:
    records, web = settings.records, settings.web
    derived = [derived_key(secret, "signing") for secret in (web.secret_key, *web.previous_secret_keys)]
    return Ed25519Signer(
        records.signing_key or derived[0],
        previous=(*records.previous_public_keys, *map(public_key_of, derived)),
    )


def derived_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose out of the one secret, so that no two uses share a key."""
    return hmac.new(secret.encode(), f"imprimatur/{purpose}".encode(), hashlib.sha256).digest()


def migrate(settings: Settings) -> None:
    """Bring the database to the newest revision, in one transaction, one process at a time."""
    # needed once in a platform's life, and slow to read in
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(settings.database.url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
