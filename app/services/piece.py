"""Make a piece, change it, send it for review, take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.errors import CheckBlocked, Fault, InvalidInput, Missing, QualificationMissing
from app.domain.organisation import Permission
from app.domain.piece import (
    PieceAction,
    PieceState,
    RevisionContent,
    next_state,
    revision_hash,
)
from app.domain.review import ReviewState, RouteFacts
from app.domain.template import REQUIRED_LICENCE, ProductType, TemplateState
from app.domain.text import LONGEST_TAG, LONGEST_TITLE, clean_tags, clean_text, unstorable
from app.domain.tracking import PREVIEW_CODE, LinkChannel
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.review import Review
from app.models.template import TemplateVersion
from app.ports import TaskName
from app.queries.scope import within
from app.services.access import access_piece, own_advisor, require
from app.services.check import judge
from app.services.edition import edition_links, edition_of, ensure_edition, link_url
from app.services.rendition import (
    ASSET_PREFIX,
    PictureFile,
    compiled_for,
    draw,
    kept_picture,
    profile_values,
    require_fits,
    revision_spec,
    spec_for,
)
from app.services.repeat import already_done, remember_done
from app.services.rollup import today
from app.services.template import usable_version
from app.services.unit_of_work import UnitOfWork
from compliance.report import Report, Verdict
from templates_lib.manifest import Slot, SlotKind, SlotSource, TemplateManifest

# Where every link of a piece leads. Part of what is approved: another landing is other content.
LANDING = "advisor-card+text-twin+lead-form/1"


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


def save_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None = None,
    piece_id: UUID | None = None,
    qr_code: str | None = None,
    title: str | None = None,
    tags: tuple[str, ...] = (),
    idempotency_key: str | None = None,
) -> Piece:
    """Save what was entered as the piece's current revision; make the piece if there is none.

    Saving without change makes no revision and voids no approval. Raises InvalidInput naming each
    slot, QualificationMissing where the advisor may not promote the product, IllegalTransition
    where the piece can no longer be edited.
    """
    title = title and clean_text("title", title, longest=LONGEST_TITLE)
    tags = clean_tags("tags", tags)
    if piece_id is None and idempotency_key is not None:
        idempotency_key = clean_text("idempotency_key", idempotency_key, longest=LONGEST_TAG)
        # two taps at once: the second waits here and then finds the piece of the first
        uow.session.execute(
            select(func.pg_advisory_xact_lock(func.hashtext(f"piece:{uow.tenant_id}:{idempotency_key}")))
        )
        piece_id = uow.session.scalar(select(Piece.id).where(Piece.idempotency_key == idempotency_key))
    if uow.actor.advisor_id is not None:
        return _save_own_piece(
            uow,
            slug,
            entered,
            number=number,
            piece_id=piece_id,
            qr_code=qr_code,
            title=title,
            idempotency_key=idempotency_key,
        )
    return _save_master_piece(
        uow,
        slug,
        entered,
        number=number,
        piece_id=piece_id,
        title=title,
        tags=tags,
        idempotency_key=idempotency_key,
    )


def _save_own_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None,
    piece_id: UUID | None,
    qr_code: str | None,
    title: str | None,
    idempotency_key: str | None,
) -> Piece:
    require(uow, Permission.PIECE_MAKE)
    advisor = own_advisor(uow)
    if piece_id is None:
        version = usable_version(uow, slug, number)
        require_licence(uow, advisor, version.product_type)
        piece = _new_piece(
            uow, version, org_unit_id=advisor.org_unit_id, advisor=advisor, key=idempotency_key
        )
        edition = ensure_edition(uow, piece, advisor, qr_code=qr_code)
    else:
        piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PIECE_MAKE).id)
        version = piece.template_version
        require_licence(uow, advisor, version.product_type)
        found = edition_of(uow, piece.id, advisor.id)
        edition = found if found is not None else ensure_edition(uow, piece, advisor)
    link = edition_links(uow, edition.id)[LinkChannel.QR]
    draft = draft_of(uow, version, entered, qr_code=link.rsplit("/", 1)[-1])
    _revise(uow, piece, draft, title=title)
    return piece


def _save_master_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None,
    piece_id: UUID | None,
    title: str | None,
    tags: tuple[str, ...],
    idempotency_key: str | None,
) -> Piece:
    scope = require(uow, Permission.PIECE_MAKE_MASTER)
    if piece_id is None:
        version = usable_version(uow, slug, number)
        unit = uow.session.scalars(
            select(OrgUnit).where(within(scope, OrgUnit.path)).order_by(func.length(OrgUnit.path))
        ).first()
        if unit is None:
            raise Missing(noun="org_unit")
        piece = _new_piece(uow, version, org_unit_id=unit.id, advisor=None, key=idempotency_key)
    else:
        piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PIECE_MAKE_MASTER).id)
        version = piece.template_version
    if tags:
        piece.tags = list(tags)
    _revise(uow, piece, draft_of(uow, version, entered, qr_code=""), title=title)
    return piece


def _new_piece(
    uow: UnitOfWork,
    version: TemplateVersion,
    *,
    org_unit_id: UUID,
    advisor: Advisor | None,
    key: str | None,
) -> Piece:
    now = uow.clock.now()
    piece = Piece(
        tenant_id=uow.tenant_id,
        title=version.template.name,
        state=PieceState.DRAFT,
        template_version=version,
        advisor=advisor,
        org_unit_id=org_unit_id,
        product_type=version.product_type,
        tags=list(version.tags),
        idempotency_key=key,
        created_by=uow.actor.user_id,
        created_at=now,
        state_since=now,
        current_revision=None,
    )
    uow.session.add(piece)
    uow.session.flush()
    uow.audit.record("piece:create", piece.id, template=version.template.slug)
    return piece


def _revise(uow: UnitOfWork, piece: Piece, draft: Draft, *, title: str | None) -> None:
    """Make the draft the current revision, unless it is the same content."""
    version = draft.version
    manifest = compiled_for(uow, version).manifest
    # drawing it is the check that it can be drawn: overflow and missing glyphs are refused here
    checked = draft if piece.advisor_id else sampled(uow, draft)
    draw(uow, spec_for(version, checked.values))
    require_fits(uow, version, checked.values)
    content = content_of(version, draft.values, manifest.disclosure)
    content_hash = revision_hash(content)
    if title:
        piece.title = title
    before = piece.current_revision
    if before is not None and before.content_hash == content_hash:
        return
    piece.apply(PieceAction.EDIT, actor=_actor_name(uow), at=uow.clock.now())
    contributors = set(before.contributors if before else ())
    if uow.actor.user_id is not None:
        contributors.add(uow.actor.user_id)
    revision = PieceRevision(
        tenant_id=uow.tenant_id,
        piece_id=piece.id,
        number=before.number + 1 if before else 1,
        template_version_id=version.id,
        values=dict(draft.values),
        disclosure=manifest.disclosure,
        content_hash=content_hash,
        contributors=sorted(contributors),
        created_at=uow.clock.now(),
    )
    uow.session.add(revision)
    uow.session.flush()
    piece.current_revision = revision
    uow.audit.record("piece:edit", piece.id, revision=str(revision.id), content=content_hash)


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


def judge_draft(uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str]) -> Report:
    """What the checker says of these values before they are saved; raises InvalidInput."""
    require(uow, Permission.PIECE_MAKE_MASTER)
    return judge(uow, version, sampled(uow, draft_of(uow, version, entered, qr_code="")).values)


def shown_picture(
    uow: UnitOfWork,
    piece: Piece,
    revision: PieceRevision,
    *,
    image_format: str = "jpeg",
    page: int = 0,
    width_px: int | None = None,
    size: str = "",
) -> PictureFile:
    """A revision as its readers see it, byte for byte; one made for everybody, in a sample's edition."""
    if piece.advisor_id is not None:
        spec = revision_spec(
            uow,
            piece.template_version,
            revision,
            image_format=image_format,
            page=page,
            width_px=width_px,
            size=size,
        )
    else:
        spec = revision_spec(
            uow,
            piece.template_version,
            revision,
            sample_advisor(uow),
            link=link_url(uow, PREVIEW_CODE),
            image_format=image_format,
            page=page,
            width_px=width_px,
            size=size,
        )
    return kept_picture(uow, spec)


def shown_values(uow: UnitOfWork, piece: Piece, revision: PieceRevision) -> Mapping[str, str]:
    """The values that `shown_picture` is drawn with."""
    draft = Draft(piece.template_version, revision.values)
    return draft.values if piece.advisor_id else sampled(uow, draft).values


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


def content_of(
    version: TemplateVersion, values: Mapping[str, str], disclosure: str | None
) -> RevisionContent:
    return RevisionContent(
        template_slug=version.template.slug,
        template_version=version.number,
        template_digest=version.digest,
        values=values,
        asset_hashes=[
            value.removeprefix(ASSET_PREFIX) for value in values.values() if value.startswith(ASSET_PREFIX)
        ],
        disclosure=disclosure,
        product_type=version.product_type.value,
        landing=LANDING,
    )


def made_slots(manifest: TemplateManifest) -> dict[str, Slot]:
    """The slots a maker fills, by name: neither the profile's, nor the platform's, nor locked."""
    return {
        slot.name: slot
        for slot in manifest.slots
        if slot.source not in {SlotSource.PROFILE, SlotSource.SYSTEM}
        and slot.kind is not SlotKind.QR
        and not slot.locked
    }


def free_text_slots(manifest: TemplateManifest, values: Mapping[str, str]) -> frozenset[str]:
    """Open slots whose text is neither the template's default nor one of its phrases.

    A date of head office's is filled in by the platform: nobody wrote it.
    """
    return frozenset(
        name
        for name, slot in made_slots(manifest).items()
        if not (slot.kind is SlotKind.DATE and slot.source is SlotSource.HEAD_OFFICE)
        and values.get(name, "") not in {slot.default or "", *slot.phrases}
    )


def route_facts(
    uow: UnitOfWork,
    version: TemplateVersion,
    values: Mapping[str, str],
    advisor: Advisor | None,
    verdict: Verdict,
) -> RouteFacts:
    """What decides whether a person must look at these values; None: made for everybody.

    A clearance counts only where nothing would refuse the approval a moment later: the design is
    on the shelf, somebody else cleared it than makes the piece, and the licence has not lapsed.
    """
    manifest = compiled_for(uow, version).manifest
    cleared = (
        version.cleared_at is not None
        and version.state is TemplateState.PUBLISHED
        and advisor is not None
        and version.cleared_by != advisor.user_id
        and is_qualified(advisor, version.product_type, on=today(uow))
    )
    return RouteFacts(
        verdict=verdict.value,
        template_cleared=cleared,
        free_text_slots=free_text_slots(manifest, values),
        unverified_slots=unverified_slots(manifest, values, advisor),
        made_for_everybody=advisor is None,
    )


def unverified_slots(
    manifest: TemplateManifest, values: Mapping[str, str], advisor: Advisor | None
) -> frozenset[str]:
    """Profile slots on the picture whose field nobody has verified."""
    verified = set(advisor.verified_fields) if advisor else set()
    return frozenset(
        slot.name
        for slot in manifest.slots
        if slot.source is SlotSource.PROFILE
        and slot.profile_field not in {"institution", "org_name"}
        and slot.name in values
        and slot.profile_field not in verified
    )


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


def open_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """A piece to read: an advisor's own; for others, what their scope holds beside advisors' drafts.

    A draft is its maker's own desk until it is submitted. Raises Missing, AccessDenied.
    """
    if uow.actor.advisor_id is not None:
        return access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
    piece = access_piece(uow, piece_id, may=Permission.PIECE_VIEW)
    if piece.advisor_id is not None and piece.state is PieceState.DRAFT:
        raise Missing(noun="piece")
    return piece


def piece_picture(
    uow: UnitOfWork, piece_id: UUID, *, image_format: str = "jpeg", page: int = 0, size: str = ""
) -> PictureFile:
    """A piece's current picture as its reviewer sees it: an advisor's own is what goes out."""
    piece = open_piece(uow, piece_id)
    if piece.current_revision is None:
        raise Missing(noun="piece_revision")
    return shown_picture(uow, piece, piece.current_revision, image_format=image_format, page=page, size=size)


def make_piece_once(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    key: str,
    request_digest: str,
    number: int | None = None,
    title: str | None = None,
    tags: tuple[str, ...] = (),
) -> UUID:
    """Make a piece under a key of the caller's; the same request again gives the same piece.

    Raises DifferentRepeat, and what save_piece raises.
    """
    made = already_done(uow, "piece:create", key=key, request_digest=request_digest)
    if made is not None:
        return access_piece(uow, made, may=_making(uow)).id
    piece = save_piece(uow, slug, entered, number=number, title=title, tags=tags)
    remember_done(uow, "piece:create", key=key, subject_id=piece.id)
    return piece.id


def change_piece(
    uow: UnitOfWork,
    piece_id: UUID,
    *,
    changed: Mapping[str, str],
    title: str | None = None,
    tags: tuple[str, ...] = (),
) -> Piece:
    """Change some slots of a piece and leave the others as they are. Raises as save_piece does."""
    piece = lock_piece(uow, access_piece(uow, piece_id, may=_making(uow)).id)
    manifest = compiled_for(uow, piece.template_version).manifest
    open_to = {SlotSource.ADVISOR} if piece.advisor_id else {SlotSource.ADVISOR, SlotSource.HEAD_OFFICE}
    standing = piece.current_revision.values if piece.current_revision else {}
    kept = {
        slot.name: str(standing[slot.name])
        for slot in manifest.slots
        if slot.source in open_to and not slot.locked and slot.name in standing
    }
    slug = piece.template_version.template.slug
    return save_piece(uow, slug, {**kept, **changed}, piece_id=piece.id, title=title, tags=tags)


def submit_for_review(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Send a piece to its compliance check and from there to its review.

    Raises CheckBlocked with the report where the checker would stop it anyway, so that the fix
    can be taken before anybody waits; IllegalTransition, AccessDenied.
    """
    piece = lock_piece(uow, access_piece(uow, piece_id, may=_making(uow)).id)
    next_state(piece.state, PieceAction.SUBMIT)
    revision = piece.current_revision
    if revision is None:
        raise Missing(noun="piece_revision")
    if piece.advisor is not None:
        require_licence(uow, piece.advisor, piece.product_type)
    report = judge_revision(uow, piece, revision)
    if report.verdict is Verdict.BLOCK:
        raise CheckBlocked(count=len(report.findings), report=report)
    piece.apply(PieceAction.SUBMIT, actor=_actor_name(uow), at=uow.clock.now())
    run = CheckRun(
        tenant_id=uow.tenant_id,
        revision_id=revision.id,
        content_hash=revision.content_hash,
        ruleset_version="",
        ruleset_digest="",
        report={},
        queued_at=uow.clock.now(),
        sent_at=uow.clock.now(),
        submitted_by=uow.actor.user_id,
    )
    uow.session.add(run)
    uow.session.flush()
    uow.audit.record("piece:submit", piece.id, content=revision.content_hash)
    uow.after_commit(TaskName.RUN_COMPLIANCE_CHECK, run.id)
    return piece


def judge_revision(uow: UnitOfWork, piece: Piece, revision: PieceRevision) -> Report:
    """Judge a revision as an advisor would show it."""
    return judge(uow, piece.template_version, shown_values(uow, piece, revision))


def withdraw_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Take a piece back before it is decided, or before it is published."""
    piece = lock_piece(uow, access_piece(uow, piece_id, may=_making(uow)).id)
    piece.apply(PieceAction.WITHDRAW, actor=_actor_name(uow), at=uow.clock.now())
    for review in uow.session.scalars(
        select(Review).where(Review.piece_id == piece.id, Review.state == ReviewState.OPEN)
    ):
        review.state = ReviewState.CLOSED
    uow.audit.record("piece:withdraw", piece.id)
    return piece


def lock_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """The piece with all a decision needs, locked first in every service that changes its life.

    Locked by one statement and read by the next: a statement that had to wait for the lock would
    see the piece as it is now beside its revision as it was before, which is no revision at all.
    """
    uow.session.execute(select(Piece.id).where(Piece.id == piece_id).with_for_update())
    return uow.session.scalars(
        select(Piece)
        .where(Piece.id == piece_id)
        .options(
            joinedload(Piece.org_unit),
            joinedload(Piece.advisor).joinedload(Advisor.org_unit),
            joinedload(Piece.template_version).joinedload(TemplateVersion.template),
            joinedload(Piece.current_revision),
        )
        .execution_options(populate_existing=True)
    ).one()


def is_qualified(advisor: Advisor, product: ProductType, *, on: date) -> bool:
    """Whether the advisor's licences cover the product on that day (CC-11); its last day counts."""
    needed = REQUIRED_LICENCE.get(product)
    lapsed = advisor.licence_until is not None and advisor.licence_until < on
    return needed is None or (needed in advisor.licences and not lapsed)


def require_licence(uow: UnitOfWork, advisor: Advisor, product: ProductType) -> None:
    """Raise QualificationMissing where the advisor may not promote the product today."""
    if not is_qualified(advisor, product, on=today(uow)):
        raise QualificationMissing(licence=REQUIRED_LICENCE.get(product))


def _making(uow: UnitOfWork) -> Permission:
    return Permission.PIECE_MAKE if uow.actor.advisor_id else Permission.PIECE_MAKE_MASTER


def _actor_name(uow: UnitOfWork) -> str:
    return str(uow.actor.user_id or uow.actor.name)
