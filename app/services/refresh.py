"""After a profile has changed: which live pictures still show the old one, and a new one by one tap."""

from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from app.domain.piece import PieceState
from app.domain.publication import CorrectionKind
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.template import TemplateVersion
from app.services.access import access_edition, own_advisor
from app.services.correction import start_correction
from app.services.piece import change_piece
from app.services.profile import printed_digest
from app.services.rendition import profile_values
from app.services.serving import public_edition
from app.services.submission import submit_for_review
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import SlotKind, TemplateManifest


def stale_editions(uow: UnitOfWork, advisor: Advisor) -> set[UUID]:
    """The advisor's live editions whose picture, as it was last taken, shows another profile than today's."""
    rows = uow.session.execute(
        select(Edition, Piece, PieceRevision)
        .join(Piece, Piece.id == Edition.piece_id)
        .join(Publication, and_(Publication.piece_id == Piece.id, Publication.ended_at.is_(None)))
        .join(PieceRevision, PieceRevision.id == Publication.revision_id)
        .where(
            Edition.advisor_id == advisor.id,
            Publication.valid_until > uow.clock.now(),
            # a correction under way brings the new profile with it
            Piece.correcting.is_(None),
        )
        .options(joinedload(Piece.template_version).joinedload(TemplateVersion.template))
    )
    stale = set()
    for edition, piece, revision in rows:
        version = piece.template_version
        manifest = uow.around.shelf.catalog.source(version.template.slug, version.number).manifest
        if _is_stale(uow, edition, piece, revision, manifest, advisor):
            stale.add(edition.id)
    return stale


def refresh_edition(uow: UnitOfWork, edition_id: UUID) -> PieceState:
    """Make one live picture anew with today's profile; says where its piece stands then.

    In an edition of head office's piece the new profile is already drawn: the advisor takes the picture
    again. One's own piece is corrected: the old one stays live until the new one is approved. Raises
    Missing, Ended, QualificationMissing, IllegalTransition, CheckBlocked.
    """
    edition, _publication = public_edition(uow, edition_id)
    advisor = own_advisor(uow)
    piece = edition.piece
    version = piece.template_version
    manifest = uow.around.shelf.catalog.source(version.template.slug, version.number).manifest
    edition.profile_digest = printed_digest(uow, manifest, advisor)
    uow.audit.record("edition:refresh", edition.id, piece=str(piece.id))
    if piece.advisor_id is None:
        return piece.state
    start_correction(uow, piece.id, CorrectionKind.PROFILE)
    change_piece(uow, piece.id, changed={})
    return submit_for_review(uow, piece.id).state


def is_stale(uow: UnitOfWork, edition_id: UUID) -> bool:
    """Whether one's own edition shows an old profile."""
    edition = access_edition(uow, edition_id)
    return edition.id in stale_editions(uow, own_advisor(uow))


def _is_stale(
    uow: UnitOfWork,
    edition: Edition,
    piece: Piece,
    revision: PieceRevision,
    manifest: TemplateManifest,
    advisor: Advisor,
) -> bool:
    if piece.advisor_id is None:
        # None: taken before digests were kept
        return edition.profile_digest not in {None, printed_digest(uow, manifest, advisor)}
    codes = {slot.name for slot in manifest.slots if slot.kind is SlotKind.QR}
    now = profile_values(uow, manifest, advisor, link="")
    printed = {slot.name for slot in manifest.slots if slot.profile_field is not None} - codes
    return any(str(revision.values.get(name, "")) != now.get(name, "") for name in printed)
