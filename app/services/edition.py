"""An advisor's copy of a piece, with its links: one code for the QR, one for each channel."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from app.domain.errors import InvalidInput
from app.domain.tracking import CODE_PATTERN, LinkChannel, new_short_code
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.tracking import ShortLink
from app.services.unit_of_work import UnitOfWork


def link_url(uow: UnitOfWork, code: str) -> str:
    """The address that a code is printed and passed on as."""
    return f"{uow.around.public_url}/s/{code}"


def ensure_edition(uow: UnitOfWork, piece: Piece, advisor: Advisor, *, qr_code: str | None = None) -> Edition:
    """The advisor's edition of the piece, made at first use; repeating it changes nothing.

    qr_code is the code already shown in a preview, so that preview and output are one picture.
    """
    if qr_code is not None and not CODE_PATTERN.fullmatch(qr_code):
        raise InvalidInput.of("qr_code", "malformed", "链接编号无效，请重新打开制作页。")
    uow.session.flush()
    uow.session.execute(
        insert(Edition)
        .values(
            tenant_id=piece.tenant_id,
            piece_id=piece.id,
            advisor_id=advisor.id,
            created_at=uow.clock.now(),
        )
        .on_conflict_do_nothing()
    )
    edition = uow.session.scalars(
        select(Edition).where(Edition.piece_id == piece.id, Edition.advisor_id == advisor.id)
    ).one()
    uow.session.execute(
        insert(ShortLink)
        .values(
            [
                {
                    "code": qr_code if channel is LinkChannel.QR and qr_code else new_short_code(),
                    "tenant_id": piece.tenant_id,
                    "edition_id": edition.id,
                    "channel": channel,
                    "created_at": uow.clock.now(),
                }
                for channel in LinkChannel
            ]
        )
        # no conflict is a fault by itself: the edition has its links, or somebody has the code
        .on_conflict_do_nothing()
    )
    if len(edition_links(uow, edition.id)) < len(LinkChannel):
        raise InvalidInput.of("qr_code", "taken", "链接编号已被使用，请重新打开制作页。")
    return edition


def edition_links(uow: UnitOfWork, edition_id: UUID) -> dict[LinkChannel, str]:
    """Every channel's address of an edition, the QR's own among them."""
    return {
        link.channel: link_url(uow, link.code)
        for link in uow.session.scalars(select(ShortLink).where(ShortLink.edition_id == edition_id))
    }


def code_on(uow: UnitOfWork, edition_id: UUID, channel: LinkChannel) -> str:
    """The code of an edition's link on one channel."""
    return uow.session.scalars(
        select(ShortLink.code).where(ShortLink.edition_id == edition_id, ShortLink.channel == channel)
    ).one()


def edition_of(uow: UnitOfWork, piece_id: UUID, advisor_id: UUID) -> Edition | None:
    return uow.session.scalar(
        select(Edition)
        .where(Edition.piece_id == piece_id, Edition.advisor_id == advisor_id)
        .options(joinedload(Edition.piece))
    )
