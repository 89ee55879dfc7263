"""A revision as its readers see it: the picture, its values, and what the checker says of them."""

from collections.abc import Mapping

from app.domain.tracking import PREVIEW_CODE
from app.models.piece import Piece, PieceRevision
from app.services.check import document_of, judge
from app.services.draft import Draft, sample_advisor, sampled
from app.services.edition import link_url
from app.services.rendition import (
    PictureFile,
    kept_picture,
    revision_spec,
)
from app.services.unit_of_work import UnitOfWork
from compliance.document import Document
from compliance.report import Report


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


def judge_revision(uow: UnitOfWork, piece: Piece, revision: PieceRevision) -> Report:
    """Judge a revision as an advisor would show it."""
    return judge(uow, piece.template_version, shown_values(uow, piece, revision))


def shown_document(
    uow: UnitOfWork, piece: Piece, revision: PieceRevision, *, pictures_read: bool = False
) -> Document:
    """What the checker reads of a revision as an advisor would show it.

    With `pictures_read`, a picture of the revision's own that was not read is a person's to look at.
    """
    values = shown_values(uow, piece, revision)
    read = revision.values if pictures_read else None
    return document_of(uow, piece.template_version, values, read=read)
