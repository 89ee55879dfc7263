"""What a revision is compared with: the one approved before it, or the design as it came."""

from collections.abc import Mapping

from app.models.review import Review
from app.queries.review import ApprovedRevision, approved_before
from app.services.rendition import PictureFile, kept_picture, spec_for
from app.services.routing import made_slots
from app.services.shown import shown_values
from app.services.template import manifest_of
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import TemplateManifest


def made_before(manifest: TemplateManifest, approved: ApprovedRevision | None) -> Mapping[str, str] | None:
    """What stood in the slots a maker fills: as it was approved before, or as the design came.

    None where the design cannot be shown as it came, because it wants words that have no default.
    """
    slots = made_slots(manifest)
    before = approved.values if approved else {name: slot.default or "" for name, slot in slots.items()}
    if any(slot.required and not before.get(name) for name, slot in slots.items()):
        return None
    return {name: before.get(name, "") for name in slots}


def picture_before(uow: UnitOfWork, review: Review, *, page: int = 0) -> PictureFile | None:
    """The picture a reviewer compares with, in the same advisor's edition; None where there is none."""
    version = review.piece.template_version
    approved = approved_before(uow.session, review.piece_id, number=review.revision.number)
    made = made_before(manifest_of(uow, version), approved)
    if made is None:
        return None
    shown = shown_values(uow, review.piece, review.revision)
    return kept_picture(uow, spec_for(version, {**shown, **made}, page=page))
