"""What visitors do: arrive by a code, look, pass it on, leave their details. Each is kept first."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from app.domain.errors import Missing
from app.domain.tracking import (
    CODE_PATTERN,
    EventKind,
    Hit,
    HitClass,
    LinkChannel,
    classify_hit,
    source_of,
    truncated_ip,
    visitor_hash,
)
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.tracking import Event, ShortLink, Visit, VisitorKey
from app.services.publication import require_public
from app.services.rollup import TENANT_ZONE
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the other end of a request, as far as we may know."""

    hit: Hit
    address: str | None
    carried_token: str | None = None  # the visit this browser says it came by


def arrive(uow: UnitOfWork, code: str, caller: Caller) -> Visit:
    """Count an arrival by a code and give the visit it begins.

    The event is written in this unit of work, so a redirect leaves only once it is durable.
    Raises Missing for an unknown code. A code whose content is not public is counted as well:
    the visit's page then says why it ended.
    """
    link = _link(uow, code)
    visit, hit_class, reason = _new_visit(uow, link, caller, parent=None)
    kind = EventKind.SCAN if link.channel is LinkChannel.QR else EventKind.CLICK
    _keep_event(uow, link, visit, kind, hit_class, reason, caller)
    return visit


@dataclass(frozen=True, slots=True)
class Landing:
    """What a landing page shows: one visit of one advisor's edition of a public piece."""

    visit: Visit
    link: ShortLink
    edition: Edition
    advisor: Advisor
    publication: Publication
    moved: bool  # the page was passed on: this visit is new and has an address of its own


def open_landing(uow: UnitOfWork, token: str, caller: Caller) -> Landing:
    """The landing page of a visit; where somebody else opens it, a forward and a visit of theirs.

    Raises Missing for an unknown visit, Ended where the content is not public now.
    """
    visit = _visit(uow, token)
    link = _link(uow, visit.code)
    edition = link.edition
    publication = require_public(uow, edition.piece_id, edition.advisor)
    moved = False
    if _somebody_else(uow, visit, caller):
        parent = visit
        visit, hit_class, reason = _new_visit(uow, link, caller, parent=parent.token)
        _keep_event(uow, link, visit, EventKind.FORWARD, hit_class, reason, caller)
        moved = True
    return Landing(visit, link, edition, edition.advisor, publication, moved)


def confirm_view(uow: UnitOfWork, token: str, caller: Caller) -> None:
    """The page says it was really shown; said twice, it counts once."""
    visit = uow.session.scalar(select(Visit).where(Visit.token == token).with_for_update())
    if visit is None:
        raise Missing(noun="visit")
    if visit.viewed_at is not None:
        return
    visit.viewed_at = uow.clock.now()
    hit_class, reason = classify_hit(caller.hit)
    if visit.hit_class is not HitClass.HUMAN:
        hit_class, reason = visit.hit_class, "as the arrival"
    _keep_event(uow, _link(uow, visit.code), visit, EventKind.VIEW, hit_class, reason, caller)


def visit_advisor_id(uow: UnitOfWork, token: str) -> UUID:
    return _link(uow, _visit(uow, token).code).edition.advisor_id


def keep_lead_event(uow: UnitOfWork, visit: Visit, caller: Caller) -> None:
    hit_class, reason = classify_hit(caller.hit)
    _keep_event(uow, _link(uow, visit.code), visit, EventKind.LEAD, hit_class, reason, caller)


def _visit(uow: UnitOfWork, token: str) -> Visit:
    visit = uow.session.scalar(select(Visit).where(Visit.token == token))
    if visit is None:
        raise Missing(noun="visit")
    return visit


def _link(uow: UnitOfWork, code: str) -> ShortLink:
    if not CODE_PATTERN.fullmatch(code):
        raise Missing(noun="short_link")
    link = uow.session.scalar(
        select(ShortLink)
        .where(ShortLink.code == code)
        .options(
            joinedload(ShortLink.edition).options(
                joinedload(Edition.advisor).joinedload(Advisor.org_unit),
                joinedload(Edition.piece).joinedload(Piece.template_version),
            )
        )
    )
    if link is None:
        raise Missing(noun="short_link")
    return link


def _new_visit(
    uow: UnitOfWork, link: ShortLink, caller: Caller, *, parent: str | None
) -> tuple[Visit, HitClass, str]:
    hit_class, reason = classify_hit(caller.hit)
    visit = Visit(
        token=secrets.token_urlsafe(15),
        tenant_id=link.tenant_id,
        code=link.code,
        visitor=_pseudonym(uow, caller),
        hit_class=hit_class,
        parent_token=parent,
        arrived_at=uow.clock.now(),
        viewed_at=None,
    )
    uow.session.add(visit)
    uow.session.flush()
    return visit, hit_class, reason


def _somebody_else(uow: UnitOfWork, visit: Visit, caller: Caller) -> bool:
    """Whether a page is opened by another visitor than the one its visit belongs to.

    Asked only on the visit's own day: the key of an earlier day is destroyed, and a guess would
    be worse than a forward not counted.
    """
    if caller.carried_token == visit.token:
        return False
    if _day(visit.arrived_at) != _day(uow.clock.now()):
        return False
    return visit.visitor != _pseudonym(uow, caller)


def _keep_event(
    uow: UnitOfWork,
    link: ShortLink,
    visit: Visit,
    kind: EventKind,
    hit_class: HitClass,
    reason: str,
    caller: Caller,
) -> None:
    now = uow.clock.now()
    edition = link.edition
    uow.session.add(
        Event(
            id=uuid4(),
            tenant_id=link.tenant_id,
            occurred_on=_day(now),
            occurred_at=now,
            kind=kind,
            hit_class=hit_class,
            class_reason=reason,
            piece_id=edition.piece_id,
            edition_id=edition.id,
            advisor_id=edition.advisor_id,
            org_unit_id=edition.advisor.org_unit_id,
            channel=link.channel,
            source=source_of(caller.hit.user_agent),
            visitor=visit.visitor,
            network=truncated_ip(caller.address),
            visit_token=visit.token,
        )
    )
    uow.session.flush()


def _day(at: datetime) -> date:
    return at.astimezone(TENANT_ZONE).date()


def _pseudonym(uow: UnitOfWork, caller: Caller) -> str:
    day = _day(uow.clock.now())
    key = uow.session.scalar(select(VisitorKey.key).where(VisitorKey.day == day))
    if key is None:
        uow.session.execute(
            insert(VisitorKey).values(day=day, key=secrets.token_bytes(32)).on_conflict_do_nothing()
        )
        key = uow.session.scalars(select(VisitorKey.key).where(VisitorKey.day == day)).one()
    return visitor_hash(bytes(key), caller.address or "", caller.hit.user_agent)
