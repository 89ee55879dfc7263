"""Propose a change of a profile, decide it as a second person, confirm what stands."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from app.domain.advisor import ProfileField
from app.domain.errors import AccessDenied, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.piece import canonical_json
from app.domain.profile import (
    NOTICE_DAYS,
    ProfileChangeState,
    ProfileExpired,
    ProfileTerm,
    require_open,
    what_changes,
)
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.profile import ProfileChange, ProfileNotice
from app.queries.scope import within
from app.services.access import own_advisor, require
from app.services.independence import require_another_person
from app.services.rendition import profile_values
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import SlotKind, TemplateManifest

_REFUSED: Final = "profile:refuse"


def value_of(advisor: Advisor, field: ProfileField) -> str:
    """What stands in a field now; "" for nothing."""
    match field:
        case ProfileField.NAME:
            return advisor.name
        case ProfileField.TITLE:
            return advisor.title
        case ProfileField.PHONE:
            return advisor.phone
        case ProfileField.LICENCE_NO:
            return advisor.licence_no
        case ProfileField.PHOTO:
            return advisor.photo_sha256 or ""


def propose(uow: UnitOfWork, advisor: Advisor, wanted: Mapping[ProfileField, str]) -> ProfileChange | None:
    """Ask for new values of printed fields, already checked; what is public stays until somebody else agrees.

    Joins what was asked for before and not decided yet. None: nothing would change.
    """
    earlier = uow.session.scalar(
        select(ProfileChange)
        .where(ProfileChange.advisor_id == advisor.id, ProfileChange.state == ProfileChangeState.OPEN)
        .with_for_update()
    )
    before = {field: value_of(advisor, field) for field in ProfileField}
    asked = {ProfileField(name): str(text) for name, text in (earlier.after if earlier else {}).items()}
    after = what_changes(before, {**asked, **wanted})
    if earlier is not None:
        if after == asked:
            return earlier
        earlier.state = ProfileChangeState.WITHDRAWN
        uow.session.flush()
    if not after:
        return None
    change = ProfileChange(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        advisor_id=advisor.id,
        before={field.value: before[field] for field in after},
        after={field.value: text for field, text in after.items()},
        proposers=sorted(
            {*(earlier.proposers if earlier else ()), *([uow.actor.user_id] if uow.actor.user_id else ())}
        ),
        proposed_at=uow.clock.now(),
    )
    uow.session.add(change)
    uow.session.flush()
    uow.audit.record("profile:propose", change.id, advisor=str(advisor.id), fields=sorted(change.after))
    return change


def access_change(
    uow: UnitOfWork, change_id: UUID, *, may: Permission, for_update: bool = False
) -> ProfileChange:
    """A change of somebody's profile within the actor's reach. Raises Missing, AccessDenied."""
    scope = require(uow, may)
    statement = (
        select(ProfileChange)
        .join(ProfileChange.advisor)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(ProfileChange.id == change_id, within(scope, OrgUnit.path))
        .options(joinedload(ProfileChange.advisor).joinedload(Advisor.org_unit))
    )
    if for_update:
        statement = statement.with_for_update(of=ProfileChange).execution_options(populate_existing=True)
    found = uow.session.scalar(statement)
    if found is None:
        raise Missing(noun="profile_change")
    return found


def decide_change(uow: UnitOfWork, change_id: UUID, *, approve: bool, reason: str = "") -> ProfileChange:
    """Agree to a change, and the profile is the new one at once; or refuse it with a reason.

    Raises SelfApproval for the advisor and for whoever proposed it, by person; IllegalTransition,
    InvalidInput, Missing, AccessDenied.
    """
    reason = clean_text("reason", reason, longest=LONGEST_REMARK, lines=True)
    change = access_change(uow, change_id, may=Permission.REVIEW_DECIDE, for_update=True)
    require_open(change.state, "approve" if approve else "reject")
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.REVIEW_DECIDE.value)
    require_another_person(uow, _REFUSED, change.id, [*change.proposers, change.advisor.user_id])
    if not approve and not reason:
        raise InvalidInput.of("reason", "required", "请写明原因，提交人会看到。")
    now = uow.clock.now()
    change.decided_by, change.decided_at, change.reason = uow.actor.user_id, now, reason
    change.state = ProfileChangeState.APPROVED if approve else ProfileChangeState.REJECTED
    if approve:
        _apply(change)
        change.advisor.profile_confirmed_at = now
    uow.audit.record(
        "profile:approve" if approve else "profile:reject",
        change.id,
        advisor=str(change.advisor_id),
        fields=sorted(change.after),
    )
    return change


def withdraw_change(uow: UnitOfWork) -> None:
    """Take back what one asked for oneself and nobody has decided; repeating it changes nothing."""
    advisor = own_advisor(uow)
    change = open_change(uow, advisor.id)
    if change is not None:
        change.state = ProfileChangeState.WITHDRAWN
        uow.audit.record("profile:withdraw", change.id, advisor=str(advisor.id))


def open_change(uow: UnitOfWork, advisor_id: UUID) -> ProfileChange | None:
    return uow.session.scalar(
        select(ProfileChange).where(
            ProfileChange.advisor_id == advisor_id, ProfileChange.state == ProfileChangeState.OPEN
        )
    )


def last_change(uow: UnitOfWork, advisor_id: UUID) -> ProfileChange | None:
    """The newest change that was not taken back, decided or not."""
    return uow.session.scalar(
        select(ProfileChange)
        .where(
            ProfileChange.advisor_id == advisor_id,
            ProfileChange.state != ProfileChangeState.WITHDRAWN,
        )
        .order_by(ProfileChange.proposed_at.desc())
        .limit(1)
    )


def confirm_profile(uow: UnitOfWork) -> Advisor:
    """The advisor says that their profile is still right: its term begins again."""
    advisor = own_advisor(uow)
    advisor.profile_confirmed_at = uow.clock.now()
    uow.audit.record("profile:confirm", advisor.id)
    return advisor


def term_of(uow: UnitOfWork, advisor: Advisor) -> ProfileTerm:
    return ProfileTerm.of(advisor.profile_confirmed_at or advisor.created_at, uow.around.profile_term)


def require_confirmed(uow: UnitOfWork, advisor: Advisor) -> None:
    """Raise ProfileExpired where the profile may not be printed on anything new."""
    term = term_of(uow, advisor)
    if term.has_ended(at=uow.clock.now()):
        raise ProfileExpired(expired_at=term.expires_at)


def note_ending_profiles(uow: UnitOfWork) -> int:
    """Keep the notices that are due by now, each once; says how many were new."""
    if uow.around.profile_term is None:
        return 0
    now, term = uow.clock.now(), uow.around.profile_term
    confirmed = func.coalesce(Advisor.profile_confirmed_at, Advisor.created_at)
    ending = uow.session.scalars(
        select(Advisor).where(
            Advisor.is_active,
            confirmed > now - term,
            confirmed <= now - term + timedelta(days=NOTICE_DAYS[0]),
        )
    ).all()
    new = 0
    for advisor in ending:
        ends = term_of(uow, advisor)
        if (days := ends.notice(at=now)) is None:
            continue
        kept = uow.session.scalar(
            insert(ProfileNotice)
            .values(
                id=uuid4(),
                tenant_id=uow.tenant_id,
                advisor_id=advisor.id,
                expires_at=ends.expires_at,
                days_before=days,
                at=now,
            )
            .on_conflict_do_nothing()
            .returning(ProfileNotice.id)
        )
        if kept is not None:
            new += 1
            uow.audit.record("profile:notice", advisor.id, days_before=days)
    return new


def printed_digest(uow: UnitOfWork, manifest: TemplateManifest, advisor: Advisor) -> str:
    """SHA-256 of what a design would print of this profile now, the code apart."""
    codes = {slot.name for slot in manifest.slots if slot.kind is SlotKind.QR}
    values = profile_values(uow, manifest, advisor, link="")
    return hashlib.sha256(
        canonical_json({name: text for name, text in values.items() if name not in codes})
    ).hexdigest()


def _apply(change: ProfileChange) -> None:
    advisor = change.advisor
    verified = set(advisor.verified_fields)
    for name, text in change.after.items():
        field = ProfileField(name)
        match field:
            case ProfileField.NAME:
                advisor.name = text
            case ProfileField.TITLE:
                advisor.title = text
            case ProfileField.PHONE:
                advisor.phone = text
            case ProfileField.LICENCE_NO:
                advisor.licence_no = text
            case ProfileField.PHOTO:
                advisor.photo_sha256 = text or None
        verified = verified | {name} if text else verified - {name}
    advisor.verified_fields = [one.value for one in ProfileField if one.value in verified]
