"""What a public page says about the person behind it, and where to go once it has ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, literal, or_, select, true
from sqlalchemy.orm import Session

from app.domain.recall import RecallBy
from app.domain.tracking import LinkChannel, channel_onwards
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.recall import Recall, RecallItem
from app.models.template import Template, TemplateVersion
from app.models.tracking import ShortLink
from app.queries.handover import heir_of
from app.queries.recall import is_recalled

_Value = BindParameter[Any] | UUID | LinkChannel | datetime


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


def ended_notice(session: Session, edition: Edition, channel: LinkChannel, *, at: datetime) -> EndedNotice:
    """What to say on the page of an edition, come to by a channel, whose content has ended.

    Content is named by its design: a piece's own title is a working name that nobody reviewed.
    """
    advisor, title = edition.advisor, edition.piece.template_version.template.name
    branch = advisor.org_unit.name
    given = {
        "edition_id": edition.id,
        "piece_id": edition.piece_id,
        "advisor_id": advisor.id,
        "channel": channel_onwards(channel),
        "at": at,
    }
    recall_by, note, instead, code = session.execute(_RECALL_AND_ALTERNATIVE, given).one()
    note = note or ""
    if not advisor.is_active:
        return _of_leaver(session, EndedNotice(title, branch, None, None, True, note), advisor, at)
    return EndedNotice(
        title,
        branch,
        # whose whole work was recalled is not named as the person to ask
        None if recall_by is RecallBy.ADVISOR else public_card(advisor, branch),
        None if code is None else Alternative(instead, code),
        note=note,
    )


def _of_leaver(session: Session, notice: EndedNotice, leaver: Advisor, at: datetime) -> EndedNotice:
    """The name is gone; whoever carries on is shown, with something of theirs that is public."""
    heir = heir_of(session, leaver)
    if heir is None:
        return notice
    instead = session.execute(_alternative_of(heir.id, None, LinkChannel.OFFLINE, at)).one_or_none()
    return replace(
        notice,
        branch=heir.org_unit.name,
        card=public_card(heir, heir.org_unit.name),
        alternative=None if instead is None else Alternative(*instead),
    )


def _alternative_of(
    advisor_id: _Value, but_piece_id: _Value | None, channel: _Value, at: _Value
) -> Select[str, str]:
    """Something of an advisor's that is public now, the latest first, and its code on a channel.

    Found first, named afterwards: an advisor has hundreds of editions, and few of them are live.
    """
    live = (
        select(Edition.id.label("edition_id"), Edition.piece_id)
        .join(Publication, Publication.piece_id == Edition.piece_id)
        .where(
            Edition.advisor_id == advisor_id,
            Edition.piece_id != but_piece_id if but_piece_id is not None else true(),
            Publication.ended_at.is_(None),
            Publication.valid_from <= at,
            Publication.valid_until > at,
            ~is_recalled(Publication.id, Edition.id),
        )
        .order_by(Publication.published_at.desc())
        .limit(1)
        .subquery("live")
    )
    return (
        select(Template.name, ShortLink.code)
        .select_from(live)
        .join(Piece, Piece.id == live.c.piece_id)
        .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(ShortLink, ShortLink.edition_id == live.c.edition_id)
        .where(ShortLink.channel == channel)
    )


def _recall_and_alternative() -> Select[Any]:
    """The latest recall of a piece, or of one edition of it, and what else its advisor shows."""
    recall = (
        select(Recall.by, Recall.public_note)
        .join(RecallItem, RecallItem.recall_id == Recall.id)
        .join(Publication, Publication.id == RecallItem.publication_id)
        .where(
            Publication.piece_id == bindparam("piece_id"),
            or_(RecallItem.edition_id.is_(None), RecallItem.edition_id == bindparam("edition_id")),
        )
        .order_by(Recall.confirmed_at.desc().nulls_last())
        .limit(1)
        .subquery("recall")
    )
    alternative = _alternative_of(
        bindparam("advisor_id"), bindparam("piece_id"), bindparam("channel"), bindparam("at")
    ).subquery("alternative")
    always = select(literal(1).label("one")).subquery("always")
    return select(recall.c.by, recall.c.public_note, alternative.c.name, alternative.c.code).select_from(
        always.outerjoin(recall, true()).outerjoin(alternative, true())
    )


_RECALL_AND_ALTERNATIVE: Final = _recall_and_alternative()
