"""What a public page says about the person behind it, and where to go once it has ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import Session

from app.domain.recall import RecallBy
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.recall import Recall, RecallItem
from app.models.template import Template, TemplateVersion
from app.models.tracking import ShortLink
from app.queries.handover import heir_of
from app.queries.recall import is_recalled


@dataclass(frozen=True, slots=True)
class PublicCard:
    """The fields of an advisor that a stranger may see: those that somebody has verified."""

    name: str
    title: str
    licence_no: str
    phone: str
    branch: str
    has_photo: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other content of the same advisor that is public now."""

    title: str
    code: str


@dataclass(frozen=True, slots=True)
class EndedNotice:
    """What to say in place of content that is not public."""

    piece_title: str
    branch: str
    card: PublicCard | None  # None: the person no longer works under this name
    alternative: Alternative | None
    has_left: bool = False  # the advisor; the card, if any, is of whoever carries on
    note: str = ""  # what those who recalled it say to customers


def public_card(advisor: Advisor, branch: str) -> PublicCard:
    verified = set(advisor.verified_fields)
    return PublicCard(
        name=advisor.name,
        title=advisor.title if "title" in verified else "",
        licence_no=advisor.licence_no if "licence_no" in verified else "",
        phone=advisor.phone if "phone" in verified else "",
        branch=branch,
        has_photo="photo" in verified and advisor.photo_sha256 is not None,
    )


def ended_notice(session: Session, link: ShortLink, *, at: datetime) -> EndedNotice:
    """What to say on the page of a link, with its edition and advisor, whose content has ended.

    Content is named by its design: a piece's own title is a working name that nobody reviewed.
    """
    edition, advisor = link.edition, link.edition.advisor
    branch = advisor.org_unit.name
    title, recall = _title_and_recall(session, edition)
    note = recall.public_note if recall is not None else ""
    if not advisor.is_active:
        return _of_leaver(session, EndedNotice(title, branch, None, None, True, note), advisor, at)
    # a link followed from a page is not a scan, so never the QR's own
    through = LinkChannel.OFFLINE if link.channel is LinkChannel.QR else link.channel
    return EndedNotice(
        title,
        branch,
        # whose whole work was recalled is not named as the person to ask
        None if recall is not None and recall.by is RecallBy.ADVISOR else public_card(advisor, branch),
        _alternative(session, advisor.id, edition.piece_id, through, at=at),
        note=note,
    )


def _of_leaver(session: Session, notice: EndedNotice, leaver: Advisor, at: datetime) -> EndedNotice:
    """The name is gone; whoever carries on is shown, with something of theirs that is public."""
    heir = heir_of(session, leaver)
    if heir is None:
        return notice
    return replace(
        notice,
        branch=heir.org_unit.name,
        card=public_card(heir, heir.org_unit.name),
        alternative=_alternative(session, heir.id, None, LinkChannel.OFFLINE, at=at),
    )


def _title_and_recall(session: Session, edition: Edition) -> tuple[str, Recall | None]:
    """The name of a piece's design, and the latest recall of the piece or of this edition of it."""
    of_it = or_(RecallItem.edition_id.is_(None), RecallItem.edition_id == edition.id)
    title, recall = session.execute(
        select(Template.name, Recall)
        .select_from(Piece)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .outerjoin(RecallItem, and_(RecallItem.piece_id == Piece.id, of_it))
        .outerjoin(Recall, Recall.id == RecallItem.recall_id)
        .where(Piece.id == edition.piece_id)
        .order_by(Recall.confirmed_at.desc().nulls_last())
        .limit(1)
    ).one()
    return title, recall


def _alternative(
    session: Session, advisor_id: UUID, ended_piece_id: UUID | None, channel: LinkChannel, *, at: datetime
) -> Alternative | None:
    row = session.execute(
        select(Template.name, ShortLink.code)
        .select_from(Piece)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(Edition, Edition.piece_id == Piece.id)
        .join(Publication, Publication.piece_id == Piece.id)
        .join(ShortLink, ShortLink.edition_id == Edition.id)
        .where(
            Edition.advisor_id == advisor_id,
            Piece.id != ended_piece_id if ended_piece_id is not None else true(),
            ShortLink.channel == channel,
            Publication.ended_at.is_(None),
            Publication.valid_from <= at,
            Publication.valid_until > at,
            ~is_recalled(Publication.id, Edition.id),
        )
        .order_by(Publication.published_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Alternative(row.name, row.code)
