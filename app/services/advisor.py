"""The front line: profiles, what of them is verified, portraits, and accounts to sign in with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from app.domain.advisor import (
    CODE,
    MAX_CODE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    AdvisorKind,
    ProfileField,
    phone_digits,
)
from app.domain.errors import Fault, InvalidInput
from app.domain.organisation import Permission, Role
from app.domain.text import unprintable
from app.models.advisor import Advisor
from app.models.asset import Asset
from app.models.profile import ProfileChange
from app.models.user import Membership, User
from app.services.access import access_advisor, access_org_unit, own_advisor
from app.services.asset import Rights, keep_picture
from app.services.profile import propose, value_of
from app.services.rendition import CONTENT_TYPES, PictureFile, asset_key
from app.services.sign_in import hash_password, require_strong
from app.services.unit_of_work import UnitOfWork
from app.services.user import require_free_login

PORTRAIT: Final = "portrait"
_PORTRAIT_ASPECT: Final = (4, 5)
_PORTRAIT_RIGHTS: Final = "本人确认照片为本人肖像，并同意机构在营销内容中使用。"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as the institution states it, as typed."""

    name: str
    kind: AdvisorKind = AdvisorKind.ACCOUNT_MANAGER
    title: str = ""
    phone: str = ""
    licence_no: str = ""
    licence_until: date | None = None
    licences: Collection[str] = ()
    tags: Collection[str] = ()


def create_advisor(uow: UnitOfWork, unit_id: UUID, staff_no: str, profile: Profile) -> Advisor:
    """Add one advisor to a unit; what the institution states is verified by that.

    Raises InvalidInput, Missing, AccessDenied.
    """
    unit = access_org_unit(uow, unit_id, may=Permission.ORGANISATION_MANAGE)
    staff_no = staff_no.strip()
    faults = _profile_faults(profile)
    if not CODE.fullmatch(staff_no):
        faults.append(Fault("staff_no", "malformed", "工号用字母、数字、点和横线，最多 40 位。"))
    elif uow.session.scalar(select(Advisor.id).where(Advisor.staff_no == staff_no)):
        faults.append(Fault("staff_no", "taken", "这个工号不可用，请核对。"))
    if faults:
        raise InvalidInput(*faults)
    advisor = Advisor(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        org_unit_id=unit.id,
        org_unit=unit,
        staff_no=staff_no,
        name=profile.name.strip(),
        licences=[],
        tags=[],
        verified_fields=[],
        created_at=uow.clock.now(),
    )
    _state(advisor, profile)
    uow.session.add(advisor)
    uow.audit.record("advisor:create", advisor.id, unit=unit.code, staff_no=staff_no)
    return advisor


def change_profile(uow: UnitOfWork, advisor_id: UUID, profile: Profile) -> Advisor:
    """State a profile anew for the institution.

    What pictures show is changed only with a second person's word (see app.services.profile); what
    was right already is verified by being stated again. Raises InvalidInput, Missing, AccessDenied.
    """
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    if faults := _profile_faults(profile):
        raise InvalidInput(*faults)
    before = _said(advisor)
    _state_facts(advisor, profile)
    wanted = _printed(profile)
    for field, text in wanted.items():
        if text and text == value_of(advisor, field):
            _verify(advisor, field, verified=True)
    if changed := sorted(field for field, value in _said(advisor).items() if before[field] != value):
        uow.audit.record("advisor:change", advisor.id, fields=changed)
    propose(uow, advisor, wanted)
    return advisor


def change_own_profile(
    uow: UnitOfWork, *, title: str | None = None, phone: str | None = None, licence_no: str | None = None
) -> ProfileChange | None:
    """Ask for a change of what one's own pictures show; None leaves a field as it is.

    The old profile stays public until somebody else agrees. Raises InvalidInput.
    """
    advisor = own_advisor(uow)
    typed = Profile(
        advisor.name,
        title=advisor.title if title is None else title,
        phone=advisor.phone if phone is None else phone,
        licence_no=advisor.licence_no if licence_no is None else licence_no,
    )
    if faults := _profile_faults(typed):
        raise InvalidInput(*faults)
    asked = {ProfileField.TITLE: title, ProfileField.PHONE: phone, ProfileField.LICENCE_NO: licence_no}
    printed = _printed(typed)
    return propose(uow, advisor, {field: printed[field] for field, text in asked.items() if text is not None})


def verify_fields(uow: UnitOfWork, advisor_id: UUID, fields: Collection[ProfileField]) -> Advisor:
    """Say for the institution which fields of a profile are right; all others are not verified."""
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    verified = [field.value for field in ProfileField if field in fields and value_of(advisor, field)]
    if verified != advisor.verified_fields:
        advisor.verified_fields = verified
        uow.audit.record("advisor:verify", advisor.id, fields=verified)
    return advisor


def open_account(uow: UnitOfWork, advisor_id: UUID, password: str) -> User:
    """Let an advisor sign in by their staff number. Raises InvalidInput, Missing, AccessDenied."""
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    if advisor.user_id is not None:
        raise InvalidInput.of("password", "has_account", "这位客户经理已有账号。")
    require_free_login(uow, advisor.staff_no)
    require_strong(password)
    user = User(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        login=advisor.staff_no,
        name=advisor.name,
        password_hash=hash_password(password),
        created_at=uow.clock.now(),
    )
    uow.session.add(user)
    uow.session.flush()
    uow.session.add(
        Membership(
            id=uuid4(),
            tenant_id=uow.tenant_id,
            user_id=user.id,
            role=Role.ADVISOR,
            org_unit_id=advisor.org_unit_id,
        )
    )
    advisor.user_id = user.id
    uow.audit.record("advisor:open_account", advisor.id, user=str(user.id))
    return user


def upload_portrait(
    uow: UnitOfWork, data: bytes, *, attested: bool, most_pixels: int, advisor_id: UUID | None = None
) -> Asset:
    """Keep a portrait and ask for its use: one's own, or by whoever manages the organisation.

    The old one stays until somebody else agrees. Raises InvalidInput where the rights are not
    attested or the picture cannot be used, UnsupportedFile, Missing, AccessDenied.
    """
    advisor = (
        access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
        if advisor_id is not None
        else own_advisor(uow)
    )
    if not attested:
        raise InvalidInput.of("attested", "required", "请先确认照片是本人肖像并同意使用。")
    asset = keep_picture(
        uow,
        data,
        kind=PORTRAIT,
        field="photo",
        rights=Rights(_PORTRAIT_RIGHTS),
        most_pixels=most_pixels,
        aspect=_PORTRAIT_ASPECT,
    )
    propose(uow, advisor, {ProfileField.PHOTO: asset.sha256})
    return asset


def remove_portrait(uow: UnitOfWork, advisor_id: UUID | None = None) -> Advisor:
    """Take a portrait off a profile; pictures already published keep theirs."""
    advisor = (
        access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
        if advisor_id is not None
        else own_advisor(uow)
    )
    if advisor.photo_sha256 is not None:
        advisor.photo_sha256 = None
        _verify(advisor, ProfileField.PHOTO, verified=False)
        uow.audit.record("advisor:portrait_remove", advisor.id)
    return advisor


def portrait_of(uow: UnitOfWork, advisor: Advisor) -> PictureFile | None:
    """The stored portrait of an advisor the caller may see; None where there is none."""
    return kept_portrait(uow, advisor.photo_sha256) if advisor.photo_sha256 is not None else None


def kept_portrait(uow: UnitOfWork, sha256: str) -> PictureFile:
    """A stored portrait by its hash, for whoever was let in to what names it."""
    data = uow.store.get(asset_key(uow, sha256))
    asset = uow.session.scalar(select(Asset).where(Asset.sha256 == sha256))
    return PictureFile(
        data,
        asset.content_type if asset else CONTENT_TYPES["jpeg"],
        sha256,
        asset.width_px if asset else 0,
        asset.height_px if asset else 0,
    )


def _state(advisor: Advisor, profile: Profile) -> None:
    advisor.name = profile.name.strip()
    advisor.title = profile.title.strip()
    advisor.phone = phone_digits(profile.phone) or ""
    advisor.licence_no = profile.licence_no.strip()
    _state_facts(advisor, profile)
    for field in _printed(profile):
        _verify(advisor, field, verified=bool(value_of(advisor, field)))


def _printed(profile: Profile) -> dict[ProfileField, str]:
    """What pictures show of a profile, tidied."""
    return {
        ProfileField.NAME: profile.name.strip(),
        ProfileField.TITLE: profile.title.strip(),
        ProfileField.PHONE: phone_digits(profile.phone) or "",
        ProfileField.LICENCE_NO: profile.licence_no.strip(),
    }


def _state_facts(advisor: Advisor, profile: Profile) -> None:
    """What decides what somebody may do, and is printed nowhere: it holds at once."""
    advisor.kind = profile.kind.value
    advisor.licence_until = profile.licence_until
    advisor.licences = list(profile.licences)
    advisor.tags = list(profile.tags)


def _verify(advisor: Advisor, field: ProfileField, *, verified: bool) -> None:
    others = set(advisor.verified_fields) - {field.value}
    now = others | {field.value} if verified else others
    advisor.verified_fields = [one.value for one in ProfileField if one.value in now]


def _said(advisor: Advisor) -> dict[str, object]:
    return {
        "name": advisor.name,
        "kind": advisor.kind,
        "title": advisor.title,
        "phone": advisor.phone,
        "licence_no": advisor.licence_no,
        "licence_until": advisor.licence_until,
        "licences": list(advisor.licences),
        "tags": list(advisor.tags),
    }


def _profile_faults(profile: Profile) -> list[Fault]:
    faults: list[Fault] = []
    for field, text, longest in (
        ("name", profile.name, MAX_NAME_LENGTH),
        ("title", profile.title, MAX_TITLE_LENGTH),
        ("licence_no", profile.licence_no, MAX_CODE_LENGTH),
    ):
        if len(text.strip()) > longest:
            faults.append(Fault(field, "too_long", f"最多 {longest} 字。"))
        elif sign := unprintable(text.strip()):
            faults.append(Fault(field, "unprintable", f"含有不能显示的字符（{sign}）。"))
    if not profile.name.strip():
        faults.append(Fault("name", "required", "请填写姓名。"))
    if profile.phone.strip() and phone_digits(profile.phone) is None:
        faults.append(Fault("phone", "malformed", "请填 11 位手机号，或带区号的座机。"))
    for field, values in (("licences", profile.licences), ("tags", profile.tags)):
        if len(values) > MAX_TAGS or any(
            len(one) > MAX_TAG_LENGTH or not one or unprintable(one) for one in values
        ):
            faults.append(Fault(field, "malformed", f"最多 {MAX_TAGS} 项，每项最多 {MAX_TAG_LENGTH} 字。"))
    return faults
