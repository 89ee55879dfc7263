"""Note what is shown to the public, and find it again: by its words, a person, a product, a day."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from app.domain.archive import ItemKind
from app.domain.errors import Missing
from app.domain.organisation import Permission
from app.domain.piece import canonical_json
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.template import TemplateVersion
from app.ports import TaskName
from app.queries.archive import ArchiveLine, ArchiveSearch, search_archive
from app.queries.page import Page
from app.queries.scope import within
from app.services.access import require
from app.services.unit_of_work import UnitOfWork

_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=6)
_MOST_AT_ONCE: Final = 200


def note_shown(
    uow: UnitOfWork,
    publication: Publication,
    kind: ItemKind,
    *,
    advisor_id: UUID | None,
    values: Mapping[str, str],
) -> None:
    """Note that these values are shown under a publication; the worker seals the record of it.

    Noted in the transaction that shows them, once for all time.
    """
    digest = hashlib.sha256(canonical_json(values)).hexdigest()
    known = f"{publication.id}/{advisor_id}/{digest}"
    if uow.around.noted.get(known):
        return
    now = uow.clock.now()
    item_id = uow.session.scalar(
        insert(ArchiveItem)
        .values(
            id=uuid4(),
            tenant_id=publication.tenant_id,
            kind=kind,
            publication_id=publication.id,
            piece_id=publication.piece_id,
            advisor_id=advisor_id,
            product_type=publication.piece.product_type,
            values=dict(values),
            values_digest=digest,
            noted_at=now,
            sent_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ArchiveItem.id)
    )
    if item_id is None:
        # it is there for good: whoever wrote it has committed
        uow.around.noted.keep(known, True)
    else:
        uow.after_commit(TaskName.SEAL_RECORD, item_id)


def send_stale_records(uow: UnitOfWork) -> int:
    """Queue every record that is not sealed after its time; say how many there were."""
    now = uow.clock.now()
    doubled = _FIRST_WAIT.total_seconds() * func.power(2, func.least(ArchiveItem.sent_times - 1, 20))
    wait_s = func.least(doubled, _LONGEST_WAIT.total_seconds())
    stale = uow.session.scalars(
        select(ArchiveItem)
        .where(
            ArchiveItem.sealed_at.is_(None),
            ArchiveItem.sent_at + func.make_interval(0, 0, 0, 0, 0, 0, wait_s) < now,
        )
        .order_by(ArchiveItem.sent_at)
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for item in stale:
        item.sent_at, item.sent_times = now, item.sent_times + 1
        uow.after_commit(TaskName.SEAL_RECORD, item.id)
    return len(stale)


@dataclass(frozen=True, slots=True)
class ShownEdition:
    """An edition that is public under a publication without a note of it yet."""

    edition: Edition
    publication: Publication


def unnoted_editions(uow: UnitOfWork) -> list[ShownEdition]:
    """Editions made before the publication that shows them now: published again, nobody opened them yet."""
    noted = (
        select(ArchiveItem.id)
        .where(ArchiveItem.publication_id == Publication.id, ArchiveItem.advisor_id == Edition.advisor_id)
        .exists()
    )
    rows = uow.session.execute(
        select(Edition, Publication)
        .join(Publication, Publication.piece_id == Edition.piece_id)
        .join(Piece, Piece.id == Edition.piece_id)
        .where(Publication.ended_at.is_(None), Piece.advisor_id.is_(None), ~noted)
        .options(
            joinedload(Edition.advisor).joinedload(Advisor.org_unit),
            joinedload(Publication.piece)
            .joinedload(Piece.template_version)
            .joinedload(TemplateVersion.template),
            joinedload(Publication.revision),
        )
        .limit(_MOST_AT_ONCE)
    ).all()
    return [ShownEdition(edition, publication) for edition, publication in rows]


def look_into_archive(uow: UnitOfWork, sought: ArchiveSearch, *, number: int = 1) -> Page[ArchiveLine]:
    """What was shown that answers to a search, within the subtrees one may see. The look is an act."""
    scope = require(uow, Permission.ARCHIVE_VIEW)
    found = search_archive(uow.session, sought, scope, number=number)
    uow.audit.record("archive:search", uow.tenant_id, by=sought.named(), page=number, found=found.total)
    return found


def open_item(uow: UnitOfWork, item_id: UUID) -> ArchiveItem:
    """One archived item, for whoever may see its part of the organisation. The look is an act.

    Raises Missing, AccessDenied.
    """
    item = access_item(uow, item_id, may=Permission.ARCHIVE_VIEW)
    uow.audit.record("archive:read", item.id, record=item.record_sha256)
    return item


def access_item(uow: UnitOfWork, item_id: UUID, *, may: Permission) -> ArchiveItem:
    scope = require(uow, may)
    item = uow.session.scalar(
        select(ArchiveItem)
        .join(Piece, Piece.id == ArchiveItem.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(ArchiveItem.id == item_id, within(scope, OrgUnit.path))
        .options(joinedload(ArchiveItem.publication))
    )
    if item is None:
        raise Missing(noun="archive_item")
    return item
