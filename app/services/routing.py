"""What of a piece a person must look at, and what people have already read."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select

from app.domain.piece import RevisionContent, carried_slots, change_digest, revision_hash
from app.domain.review import Outcome, RouteFacts
from app.domain.template import TemplateState
from app.models.advisor import Advisor
from app.models.asset import ASSET_PREFIX
from app.models.piece import Piece, PieceRevision
from app.models.review import Decision
from app.models.template import TemplateVersion
from app.services.independence import persons_of
from app.services.qualification import is_qualified
from app.services.rendition import compiled_for
from app.services.rollup import today
from app.services.unit_of_work import UnitOfWork
from compliance.report import Verdict
from templates_lib.manifest import Slot, SlotKind, SlotSource, TemplateManifest

# Where every link of a piece leads. Part of what is approved: another landing is other content.
LANDING = "advisor-card+text-twin+lead-form/1"


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
    *,
    carried: Collection[str] = (),
) -> RouteFacts:
    """What decides whether a person must look at these values; None: made for everybody.

    Words that stand as they were approved before on this piece (`carried`) are nobody's news.

    A clearance counts only where nothing would refuse the approval a moment later: the design is
    on the shelf, somebody else cleared it than makes the piece, and the licence has not lapsed.
    """
    manifest = compiled_for(uow, version).manifest
    cleared = (
        version.cleared_at is not None
        and version.state is TemplateState.PUBLISHED
        and advisor is not None
        and not _is_same_person(uow, version.cleared_by, advisor.user_id)
        and is_qualified(advisor, version.product_type, on=today(uow))
    )
    return RouteFacts(
        verdict=verdict.value,
        template_cleared=cleared,
        free_text_slots=free_text_slots(manifest, values).difference(carried),
        unverified_slots=unverified_slots(manifest, values, advisor),
        made_for_everybody=advisor is None,
        carried_slots=free_text_slots(manifest, values).intersection(carried),
    )


def _is_same_person(uow: UnitOfWork, one: UUID | None, other: UUID | None) -> bool:
    if one is None or other is None:
        return False
    return len(set(persons_of(uow, {one, other}).values())) == 1


def carried_wording(uow: UnitOfWork, piece: Piece, revision: PieceRevision) -> frozenset[str]:
    """The slots of a revision whose value a person approved before, on this piece and in this frame."""
    approved = uow.session.scalars(
        select(PieceRevision)
        .join(Decision, Decision.revision_id == PieceRevision.id)
        .where(
            PieceRevision.piece_id == piece.id,
            PieceRevision.id != revision.id,
            PieceRevision.template_version_id == revision.template_version_id,
            Decision.outcome == Outcome.APPROVE,
            Decision.is_final,
            Decision.decided_by.is_not(None),
        )
    )
    version = piece.template_version
    contents = (
        content
        for before in approved
        # approved under another landing or product than today's is approved in another frame
        if revision_hash(content := content_of(version, before.values, before.disclosure))
        == before.content_hash
    )
    return carried_slots(content_of(version, revision.values, revision.disclosure), contents)


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


def change_of(
    uow: UnitOfWork, version: TemplateVersion, values: Mapping[str, str], advisor: Advisor | None
) -> str:
    """The digest of what a person must read: what was made, and profile fields nobody verified."""
    manifest = compiled_for(uow, version).manifest
    read = {
        name
        for name, slot in made_slots(manifest).items()
        if not (slot.kind is SlotKind.DATE and slot.source is SlotSource.HEAD_OFFICE)
    }
    if advisor is not None:
        read |= unverified_slots(manifest, values, advisor)
    return change_digest(version.digest, {name: values.get(name, "") for name in sorted(read)})
