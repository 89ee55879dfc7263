"""Correct what is public: the new version goes the whole way while the old one stays at the same links."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.errors import IllegalTransition
from app.domain.piece import PieceAction, changed_slots
from app.domain.publication import CorrectionKind, Standing, Validity
from app.domain.review import ReviewState
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Review
from app.services.access import access_piece
from app.services.piece import acting_name, lock_piece, making_permission
from app.services.rendition import compiled_for
from app.services.rounds import end_round
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import SlotKind


def start_correction(uow: UnitOfWork, piece_id: UUID, kind: CorrectionKind) -> Piece:
    """Open a published piece for correction; what is public stays so until the correction is approved.

    Raises IllegalTransition where nothing of it is public any more, Missing, AccessDenied.
    """
    piece = lock_piece(uow, access_piece(uow, piece_id, may=making_permission(uow)).id)
    publication = live_publication(uow, piece.id)
    if publication is None or _is_over(uow, publication):
        raise IllegalTransition(state=piece.state.value, action=PieceAction.CORRECT.value)
    piece.apply(PieceAction.CORRECT, actor=acting_name(uow), at=uow.clock.now())
    piece.correcting = kind
    uow.audit.record("piece:correct", piece.id, kind=kind.value, publication=str(publication.id))
    return piece


def drop_correction(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Give a correction up: the piece is again what is public. Its drafts stay on record.

    Raises IllegalTransition where none is under way.
    """
    piece = lock_piece(uow, access_piece(uow, piece_id, may=making_permission(uow)).id)
    if piece.correcting is None:
        raise IllegalTransition(state=piece.state.value, action=PieceAction.DROP_CORRECTION.value)
    end_correction(uow, piece)
    return piece


def end_correction(uow: UnitOfWork, piece: Piece) -> None:
    """Put a piece whose correction is under way back to its public version; the caller has locked it."""
    publication = live_publication(uow, piece.id)
    if piece.correcting is None or publication is None:
        return
    for review in uow.session.scalars(
        select(Review).where(Review.piece_id == piece.id, Review.state == ReviewState.OPEN)
    ):
        end_round(uow, review, ReviewState.CLOSED)
    piece.correcting = None
    piece.current_revision = publication.revision
    piece.apply(PieceAction.DROP_CORRECTION, actor=acting_name(uow), at=uow.clock.now())
    uow.session.flush()
    uow.audit.record("piece:drop_correction", piece.id, publication=str(publication.id))


def live_publication(uow: UnitOfWork, piece_id: UUID) -> Publication | None:
    """The publication of a piece that has not ended; its time may be over by the clock."""
    return uow.session.scalar(
        select(Publication)
        .where(Publication.piece_id == piece_id, Publication.ended_at.is_(None))
        .options(joinedload(Publication.revision))
        .with_for_update(of=Publication)
    )


@dataclass(frozen=True, slots=True)
class CorrectionNote:
    """What a reader is told of a correction: when, why, and what was changed, by its slots' names."""

    at: datetime
    kind: CorrectionKind | None
    labels: tuple[str, ...]
    former_no: str


def correction_note(uow: UnitOfWork, publication: Publication) -> CorrectionNote | None:
    """The visible note of a publication that corrects another one; None for any other.

    Nobody writes it, so nobody has to review it: it is read off the two approved versions.
    """
    if publication.corrects_id is None:
        return None
    former = uow.session.scalars(
        select(Publication)
        .where(Publication.id == publication.corrects_id)
        .options(joinedload(Publication.revision))
    ).one()
    slots = compiled_for(uow, publication.piece.template_version).manifest.slots
    labels = {slot.name: slot.label for slot in slots if slot.kind is not SlotKind.QR}
    changes = changed_slots(labels, former.revision.values, publication.revision.values)
    return CorrectionNote(
        publication.published_at,
        publication.correction,
        tuple(change.label for change in changes),
        former.approval_no,
    )


def _is_over(uow: UnitOfWork, publication: Publication) -> bool:
    period = Validity(publication.valid_from, publication.valid_until)
    return period.standing(ended=publication.end_reason, at=uow.clock.now()) is Standing.EXPIRED
