"""Terms that only grow, holds that two people lift, and the certificate of what was destroyed."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.sql import ColumnElement

from app.domain.archive import file_key, record_key
from app.domain.errors import AccessDenied, InvalidInput, Missing, RecordIsKept, SecondPersonNeeded
from app.domain.organisation import Permission
from app.domain.piece import canonical_json
from app.domain.retention import DEFAULT_YEARS, HoldScope, RecordClass, longer_term, term_end
from app.domain.template import ProductType
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.retention import Destruction, LegalHold, RetentionTerm
from app.ports import ObjectMissing, TaskName
from app.services.access import require_everywhere
from app.services.independence import person_of
from app.services.unit_of_work import UnitOfWork

_MOST_AT_ONCE: Final = 200


def years_of(uow: UnitOfWork, record_class: RecordClass) -> int:
    return (
        uow.session.scalar(select(RetentionTerm.years).where(RetentionTerm.record_class == record_class))
        or DEFAULT_YEARS
    )


def lengthen_term(uow: UnitOfWork, record_class: RecordClass, years: int) -> None:
    """Keep a class of records longer from now on, what is kept already among it.

    Raises TermOnlyGrows, InvalidInput, AccessDenied.
    """
    require_everywhere(uow, Permission.RETENTION_MANAGE)
    before = years_of(uow, record_class)
    if longer_term(years, than=before) == before:
        return
    now = uow.clock.now()
    row = uow.session.get(RetentionTerm, (uow.tenant_id, record_class))
    if row is None:
        row = RetentionTerm(tenant_id=uow.tenant_id, record_class=record_class, years=years)
        uow.session.add(row)
    row.years, row.set_by, row.set_at = years, uow.actor.user_id, now
    if record_class is RecordClass.PUBLICATION:
        # told to the vault by keep_promises, item by item
        uow.session.execute(
            update(ArchiveItem)
            .where(
                ArchiveItem.kept_until.is_not(None),
                ArchiveItem.tenant_id == uow.tenant_id,
                ArchiveItem.publication_id == Publication.id,
                Publication.valid_until + func.make_interval(years) > ArchiveItem.kept_until,
            )
            .values(kept_until=Publication.valid_until + func.make_interval(years))
            .execution_options(synchronize_session=False)
        )
    uow.audit.record(
        "retention:lengthen", uow.tenant_id, record_class=record_class.value, before=before, after=years
    )


@dataclass(frozen=True, slots=True)
class HoldTarget:
    """What a hold is to lie on: everything, or exactly one of these."""

    scope: HoldScope
    piece_id: UUID | None = None
    advisor_id: UUID | None = None
    product: ProductType | None = None


def place_hold(uow: UnitOfWork, target: HoldTarget, *, reason: str) -> LegalHold:
    """Let nothing of the target be destroyed until two people lift the hold again.

    Raises InvalidInput, Missing, AccessDenied.
    """
    require_everywhere(uow, Permission.HOLD_MANAGE)
    reason = _said(reason, "reason", "请写明保全的原因，例如案号或投诉编号。")
    _require_target(uow, target)
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.HOLD_MANAGE.value)
    hold = LegalHold(
        tenant_id=uow.tenant_id,
        scope=target.scope,
        piece_id=target.piece_id,
        advisor_id=target.advisor_id,
        product_type=target.product,
        reason=reason,
        placed_by=uow.actor.user_id,
        placed_at=uow.clock.now(),
    )
    uow.session.add(hold)
    uow.session.flush()
    on = target.piece_id or target.advisor_id or (target.product and target.product.value)
    uow.audit.record("hold:place", hold.id, scope=target.scope.value, on=str(on) if on else None)
    uow.after_commit(TaskName.KEEP_RECORDS)
    return hold


def ask_release(uow: UnitOfWork, hold_id: UUID, *, reason: str) -> LegalHold:
    """Ask for a hold to be lifted; it lies until somebody else agrees. Raises InvalidInput, Missing."""
    hold = _open_hold(uow, hold_id)
    hold.release_reason = _said(reason, "reason", "请写明为什么可以解除保全。")
    hold.release_asked_by = uow.actor.user_id
    hold.release_asked_at = uow.clock.now()
    uow.audit.record("hold:ask_release", hold.id)
    return hold


def release_hold(uow: UnitOfWork, hold_id: UUID) -> LegalHold:
    """Lift a hold that somebody else asked to be lifted. Raises SecondPersonNeeded, Missing."""
    hold = _open_hold(uow, hold_id)
    if hold.release_asked_by is None or _is_same_person(uow, hold.release_asked_by):
        raise SecondPersonNeeded
    hold.released_by = uow.actor.user_id
    hold.released_at = uow.clock.now()
    uow.audit.record("hold:release", hold.id, asked_by=str(hold.release_asked_by))
    uow.after_commit(TaskName.KEEP_RECORDS)
    return hold


def _is_same_person(uow: UnitOfWork, asked_by: UUID) -> bool:
    """Whether the actor is the person who asked, by whatever account."""
    if uow.actor.user_id is None:
        return True
    return person_of(uow, asked_by) == person_of(uow, uow.actor.user_id)


def _open_hold(uow: UnitOfWork, hold_id: UUID) -> LegalHold:
    require_everywhere(uow, Permission.HOLD_MANAGE)
    hold = uow.session.scalar(
        select(LegalHold).where(LegalHold.id == hold_id, LegalHold.released_at.is_(None)).with_for_update()
    )
    if hold is None:
        raise Missing(noun="legal_hold")
    return hold


def _said(text: str, field: str, wanted: str) -> str:
    cleaned = clean_text(field, text, longest=LONGEST_REMARK, lines=True)
    if not cleaned:
        raise InvalidInput.of(field, "required", wanted)
    return cleaned


def _require_target(uow: UnitOfWork, target: HoldTarget) -> None:
    match target.scope:
        case HoldScope.EVERYTHING:
            known: object = True
        case HoldScope.PIECE:
            known = uow.session.scalar(select(Piece.id).where(Piece.id == target.piece_id))
        case HoldScope.ADVISOR:
            known = uow.session.scalar(select(Advisor.id).where(Advisor.id == target.advisor_id))
        case HoldScope.PRODUCT:
            known = target.product
    if not known:
        raise InvalidInput.of("target", "unknown", "没有找到要保全的对象。")


def is_held() -> ColumnElement[bool]:
    """Whether some hold lies on an item, as a condition of a query on items; the trigger asks the same."""
    return (
        select(LegalHold.id)
        .where(
            LegalHold.tenant_id == ArchiveItem.tenant_id,
            LegalHold.released_at.is_(None),
            or_(
                LegalHold.scope == HoldScope.EVERYTHING,
                LegalHold.piece_id == ArchiveItem.piece_id,
                LegalHold.advisor_id == ArchiveItem.advisor_id,
                LegalHold.product_type == ArchiveItem.product_type,
            ),
        )
        .exists()
    )


def destroy_record(uow: UnitOfWork, item_id: UUID) -> Destruction:
    """Destroy a record whose term is over, and certify it. Raises RecordIsKept, Missing.

    The row goes in this transaction; the vault lets go of the bytes afterwards (keep_promises).
    """
    require_everywhere(uow, Permission.RETENTION_MANAGE)
    item = uow.session.scalar(select(ArchiveItem).where(ArchiveItem.id == item_id).with_for_update())
    if item is None:
        raise Missing(noun="archive_item")
    if item.kept_until is None or item.record_sha256 is None or uow.clock.now() < item.kept_until:
        raise RecordIsKept(why="保存期限未满。")
    if uow.session.scalar(select(is_held()).select_from(ArchiveItem).where(ArchiveItem.id == item_id)):
        raise RecordIsKept(why="它处于法律保全之中。")
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.RETENTION_MANAGE.value)
    alone = [
        one
        for one in item.files
        if not uow.session.scalar(
            select(ArchiveItem.id)
            .where(ArchiveItem.files.contains([one]), ArchiveItem.id != item_id)
            .limit(1)
        )
    ]
    now = uow.clock.now()
    statement = canonical_json(
        {
            "format": "imprimatur-destruction/1",
            "tenant": str(uow.tenant_id),
            "record": str(item.id),
            "record_sha256": item.record_sha256,
            "files": alone,
            "kept_until": item.kept_until.isoformat(),
            "destroyed_by": str(uow.actor.user_id),
            "destroyed_at": now.isoformat(),
            "key": uow.around.signer.key_id,
        }
    )
    certificate = Destruction(
        tenant_id=uow.tenant_id,
        item_id=item.id,
        record_sha256=item.record_sha256,
        kept_until=item.kept_until,
        destroyed_by=uow.actor.user_id,
        destroyed_at=now,
        key_id=uow.around.signer.key_id,
        signed=canonical_json(
            {
                "destruction": json.loads(statement),
                "signature": uow.around.signer.sign(statement).hex(),
            }
        ),
        files=alone,
    )
    uow.session.add(certificate)
    uow.session.flush()
    uow.session.delete(item)
    uow.audit.record("archive:destroy", item.id, record=item.record_sha256, certificate=str(certificate.id))
    uow.after_commit(TaskName.KEEP_RECORDS)
    return certificate


def _is_of_another(uow: UnitOfWork, sha256: str, item_id: UUID) -> bool:
    others = select(ArchiveItem.id).where(ArchiveItem.files.contains([sha256]), ArchiveItem.id != item_id)
    return uow.session.scalar(others.limit(1)) is not None


def keep_promises(uow: UnitOfWork) -> int:
    """Tell the vault what the database has promised since: longer terms, holds, and what may go.

    Say how many records that concerned. Run until it says none.
    """
    vault, tenant_id = uow.around.vault, uow.tenant_id
    held = is_held()
    behind = uow.session.execute(
        select(ArchiveItem, held)
        .where(
            ArchiveItem.sealed_at.is_not(None),
            or_(ArchiveItem.vault_until < ArchiveItem.kept_until, ArchiveItem.vault_held != held),
        )
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=ArchiveItem)
    ).all()
    for item, is_now_held in behind:
        if item.kept_until is None:
            continue
        for key in (record_key(tenant_id, item.id), *(file_key(tenant_id, one) for one in item.files)):
            if vault.kept_until(key) < item.kept_until:
                vault.extend(key, until=item.kept_until)
            if is_now_held:
                vault.hold(key, held=True)
        item.vault_until, item.vault_held = item.kept_until, is_now_held
    uow.session.flush()
    for item, is_now_held in behind:
        if not is_now_held:
            vault.hold(record_key(tenant_id, item.id), held=False)
            for one in item.files:
                if not _is_held_by_another(uow, one):
                    vault.hold(file_key(tenant_id, one), held=False)
    return len(behind) + _clear_destroyed(uow)


def _is_held_by_another(uow: UnitOfWork, sha256: str) -> bool:
    return (
        uow.session.scalar(
            select(ArchiveItem.id)
            .where(ArchiveItem.files.contains([sha256]), ArchiveItem.vault_held)
            .limit(1)
        )
        is not None
    )


def _clear_destroyed(uow: UnitOfWork) -> int:
    vault, tenant_id, now = uow.around.vault, uow.tenant_id, uow.clock.now()
    waiting = uow.session.scalars(
        select(Destruction)
        .where(Destruction.cleared_at.is_(None))
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for certificate in waiting:
        # the certificate first: nothing is ever gone without it
        vault.keep(
            f"destroyed/{tenant_id}/{certificate.item_id}.json",
            certificate.signed,
            until=term_end(certificate.destroyed_at, years_of(uow, RecordClass.AUDIT)),
        )
        keys = (file_key(tenant_id, one) for one in certificate.files)
        for key in (*keys, record_key(tenant_id, certificate.item_id)):
            with suppress(ObjectMissing):
                vault.remove(key, at=now)
        certificate.cleared_at = now
    return len(waiting)
