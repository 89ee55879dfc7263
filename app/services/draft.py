"""What somebody has entered so far, before it is a piece: filled in, judged, drawn, not kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.errors import Fault, InvalidInput
from app.domain.organisation import Permission
from app.domain.text import unstorable
from app.domain.tracking import PREVIEW_CODE
from app.models.advisor import Advisor
from app.models.asset import ASSET_PREFIX
from app.models.organisation import OrgUnit
from app.models.template import TemplateVersion
from app.services.access import own_advisor, require
from app.services.check import document_of, judge, typed_document
from app.services.edition import link_url
from app.services.qualification import require_licence
from app.services.rendition import PictureFile, compiled_for, draw, profile_values, spec_for
from app.services.rollup import today
from app.services.routing import made_slots
from app.services.template import usable_version
from app.services.unit_of_work import UnitOfWork
from compliance.check import check
from compliance.report import Report
from templates_lib.manifest import SlotKind, SlotSource


@dataclass(frozen=True, slots=True)
class Draft:
    """What an advisor or head office has entered so far, before it is a piece."""

    version: TemplateVersion
    values: Mapping[str, str]  # complete: profile, system and entered slots together


def draft_of(uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str], *, qr_code: str) -> Draft:
    """Entered values over the template's defaults, with the advisor's own profile filled in.

    An advisor fills the slots that are the advisor's; head office its own too. Raises InvalidInput
    for a value in any other slot: locks bind the server, not only the screen.
    """
    manifest = compiled_for(uow, version).manifest
    own = uow.actor.advisor_id is not None
    open_to = {SlotSource.ADVISOR} if own else {SlotSource.ADVISOR, SlotSource.HEAD_OFFICE}
    # a locked slot shows its default by itself and takes no value, not even that one
    values = {
        slot.name: slot.default for slot in manifest.slots if slot.default is not None and not slot.locked
    }
    for dated in manifest.slots:
        if dated.kind is SlotKind.DATE and dated.name not in values:
            values[dated.name] = today(uow).isoformat()
    faults = [
        Fault(name, "unprintable", f"含有不能显示的字符（{sign}），请删除。")
        for name, value in entered.items()
        if (sign := unstorable(value))
    ]
    slots = {slot.name: slot for slot in manifest.slots}
    for name, value in entered.items():
        if (slot := slots.get(name)) is None:
            faults.append(Fault(name, "unknown_slot", "模板里没有这一项。"))
        elif value == (slot.default or "" if slot.locked else values.get(name, "")):
            continue
        elif slot.locked or slot.source not in open_to:
            faults.append(Fault(name, "locked", f"“{slot.label}”由总部统一设定，不能在这里修改。"))
        elif value.startswith(ASSET_PREFIX) and slot.kind is not SlotKind.IMAGE:
            faults.append(Fault(name, "reserved", f"文字不能以“{ASSET_PREFIX}”开头。"))
        else:
            values[name] = value
    if faults:
        raise InvalidInput(*faults)
    if own:
        values |= profile_values(uow, manifest, own_advisor(uow), link=link_url(uow, qr_code))
    return Draft(version, values)


def sampled(uow: UnitOfWork, draft: Draft) -> Draft:
    """A piece made for everybody, with some advisor's profile in it, so that it can be drawn."""
    advisor = sample_advisor(uow)
    if advisor is None:
        return draft
    manifest = compiled_for(uow, draft.version).manifest
    link = link_url(uow, PREVIEW_CODE)
    return Draft(
        draft.version,
        {**draft.values, **profile_values(uow, manifest, advisor, link=link)},
    )


def sample_advisor(uow: UnitOfWork) -> Advisor | None:
    """The advisor with the longest name and branch: if it fits for them, it fits."""
    return uow.session.scalars(
        select(Advisor)
        .join(Advisor.org_unit)
        .where(Advisor.is_active)
        .order_by((func.length(Advisor.name) + func.length(OrgUnit.name)).desc(), Advisor.staff_no)
        .options(joinedload(Advisor.org_unit))
        .limit(1)
    ).first()


def preview_draft(
    uow: UnitOfWork,
    version: TemplateVersion,
    entered: Mapping[str, str],
    *,
    page: int = 0,
    width_px: int | None = None,
    size: str = "",
) -> PictureFile:
    """What a piece made for everybody would look like with these values, without saving anything.

    Raises InvalidInput naming each slot at fault.
    """
    require(uow, Permission.PIECE_MAKE_MASTER)
    draft = sampled(uow, draft_of(uow, version, entered, qr_code=""))
    return draw(uow, spec_for(version, draft.values, page=page, width_px=width_px, size=size))


@dataclass(frozen=True, slots=True)
class Trial:
    """What the checker says of entered values, and what keeps them from being drawn."""

    values: Mapping[str, str]  # complete, without those that cannot be drawn
    report: Report
    faults: tuple[Fault, ...] = ()


def try_out(uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str], *, qr_code: str) -> Trial:
    """Judge entered values as submission would; nothing is kept.

    A slot that cannot be drawn hides nothing: its words are judged as they were typed, and where
    no picture can be had at all, so is every word.
    """
    try:
        draft = _complete(uow, version, entered, qr_code)
        return Trial(draft.values, judge(uow, version, draft.values))
    except InvalidInput as refused:
        faults = refused.faults
        at_fault = {fault.field for fault in faults}
        sound = {name: text for name, text in entered.items() if name not in at_fault}
        typed = _own_words(uow, version, entered, at_fault)
    draft = _complete(uow, version, sound, qr_code)
    try:
        drawn = document_of(uow, version, draft.values).fields
    except InvalidInput as still:  # a slot that may not be empty, or the profile itself
        drawn = ()
        faults += tuple(fault for fault in still.faults if fault.field not in at_fault)
        typed = _own_words(uow, version, entered, entered)
    document = typed_document(uow, version, typed)
    rest = tuple(field for field in drawn if field.name not in typed)
    report = check(replace(document, fields=(*rest, *document.fields)), uow.around.ruleset)
    return Trial(draft.values, report, faults)


def _complete(uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str], qr_code: str) -> Draft:
    draft = draft_of(uow, version, entered, qr_code=qr_code)
    return draft if uow.actor.advisor_id is not None else sampled(uow, draft)


def _own_words(
    uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str], names: Collection[str]
) -> dict[str, str]:
    """Of these slots, those that hold words somebody typed."""
    slots = made_slots(compiled_for(uow, version).manifest)
    return {
        name: entered[name]
        for name, slot in slots.items()
        if slot.kind is SlotKind.TEXT and name in entered and name in names
    }


def check_entered(
    uow: UnitOfWork, slug: str, entered: Mapping[str, str], *, number: int | None = None
) -> Report:
    """What submission would say to these values; nothing is kept. Raises InvalidInput, Missing."""
    draft = _looked_at(uow, slug, entered, number)
    return judge(uow, draft.version, draft.values)


def preview(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None = None,
    image_format: str = "jpeg",
    page: int = 0,
    size: str = "",
) -> PictureFile:
    """The picture these values would make, with a code that leads nowhere; nothing is kept."""
    draft = _looked_at(uow, slug, entered, number)
    spec = spec_for(draft.version, draft.values, image_format=image_format, page=page, size=size)
    return draw(uow, spec)


def _looked_at(uow: UnitOfWork, slug: str, entered: Mapping[str, str], number: int | None) -> Draft:
    version = usable_version(uow, slug, number)
    if uow.actor.advisor_id is None:
        return sampled(uow, draft_of(uow, version, entered, qr_code=""))
    require_licence(uow, own_advisor(uow), version.product_type)
    return draft_of(uow, version, entered, qr_code=PREVIEW_CODE)
