"""What visitors do: arrive by a code, look, pass it on, leave their details. Each is kept first."""

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import BindParameter, Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from app.domain.errors import Ended, Missing, QualificationMissing
from app.domain.organisation import TenantId
from app.domain.tracking import (
    CODE_PATTERN,
    EventKind,
    Hit,
    HitClass,
    LinkChannel,
    channel_onwards,
    classify_hit,
    day_of,
    source_of,
    truncated_ip,
    visitor_hash,
)
from app.models.advisor import Advisor
from app.models.base import Base
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.tracking import Event, ShortLink, Visit, VisitorKey
from app.queries.handover import heir_of
from app.queries.present import PresentVisit, present_visit
from app.services.edition import code_on, edition_of, ensure_edition
from app.services.serving import ShownEdition, edition_facts, offered_publication, require_shown, successor_of
from app.services.unit_of_work import UnitOfWork

# A page that nobody has looked at yet belongs to whoever opens it right after the arrival: one
# phone may change its address between two requests.
_FIRST_OPENING: Final = timedelta(seconds=60)
_AS_ARRIVAL: Final = "as the arrival"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the other end of a request, as far as we may know."""

    hit: Hit
    address: str | None
    carried_tokens: tuple[str, ...] = ()  # the visits this browser says it made, the latest first


@dataclass(frozen=True, slots=True)
class _Place:
    """What an event is counted under: whose link it is, of which piece, in which unit that day."""

    code: str
    channel: LinkChannel
    tenant_id: UUID
    edition_id: UUID
    piece_id: UUID
    advisor_id: UUID
    org_unit_id: UUID


@dataclass(frozen=True, slots=True)
class Arrival:
    """A visit that has begun; durable once its unit of work has ended, if not before."""

    token: str
    hit_class: HitClass


def arrive(uow: UnitOfWork, code: str, caller: Caller) -> Arrival:
    """Count an arrival by a code and give the visit it begins: one indexed read, one statement.

    The redirect leaves only once both are durable. Raises Missing for an unknown code. A code whose
    content is not public is counted as well: the visit's page then says why it ended.
    """
    place = _place(uow, code)
    uow.belong_to(TenantId(place.tenant_id))
    kind = EventKind.SCAN if place.channel is LinkChannel.QR else EventKind.CLICK
    return _begin_visit(uow, place, kind, caller, parent=None)


@dataclass(frozen=True, slots=True)
class Landing:
    """What a landing page shows: one visit of one advisor's edition of a public piece."""

    visit: PresentVisit
    shown: ShownEdition


class LinkEnded(Ended):
    """As Ended, of what a visit's link leads to, with what its page says instead."""

    def __init__(self, visit: PresentVisit, edition: Edition, ended: Ended) -> None:
        super().__init__(**ended.data)
        self.visit, self.edition = visit, edition


def open_landing(uow: UnitOfWork, token: str, caller: Caller) -> Landing | Arrival:
    """The landing page of a visit; where somebody else opens it, the new visit that is theirs.

    Raises Missing for an unknown visit, LinkEnded where the content is not public now.
    """
    landing = landing_of(uow, token)
    kind = _arrival_of_another(uow, landing.visit, caller)
    if kind is None:
        return landing
    return _begin_visit(uow, _place(uow, landing.visit.code), kind, caller, parent=token)


def landing_of(uow: UnitOfWork, token: str) -> Landing:
    """The landing page of a visit for whoever holds its token; counts nothing.

    Raises Missing for an unknown visit, LinkEnded where the content is not public now.
    """
    visit = visited(uow, token)
    try:
        return Landing(visit, require_shown(uow, visit.edition))
    except Ended as ended:
        raise LinkEnded(visit, edition_facts(uow, visit.edition).edition, ended) from ended


def way_to_successor(uow: UnitOfWork, edition: Edition, channel: LinkChannel) -> tuple[Piece, str] | None:
    """What follows an edition's ended piece for the same advisor, and the code that leads there, if anything.

    The edition is made where the advisor has none yet: their visitors need no new picture.
    """
    advisor = edition.advisor
    if not advisor.is_active:
        return None
    successor = successor_of(uow, edition.piece, advisor)
    if successor is None:
        return None
    following = edition_of(uow, successor.id, advisor.id)
    if following is None:
        following = ensure_edition(uow, successor, advisor)
        uow.audit.record("edition:open", following.id, piece=str(successor.id))
    return successor, code_on(uow, following.id, channel_onwards(channel))


def confirm_view(uow: UnitOfWork, token: str, caller: Caller) -> None:
    """The page says it was really shown; said twice, also in one moment, it counts once."""
    with uow.at_once() as connection:
        row = connection.execute(_PLACE_OF_VISIT, {"token": _readable(token)}).one_or_none()
    if row is None:
        raise Missing(noun="visit")
    visitor, hit_class, viewed_at, *placed = row
    uow.belong_to(TenantId(row.tenant_id))
    if viewed_at is not None:
        return
    event = _event(
        _for_heir(uow, *placed),
        EventKind.VIEW,
        caller,
        at=uow.clock.now(),
        visitor=visitor,
        token=token,
        arrived_as=hit_class,
    )
    _write(uow, _KEEP_VIEW, _named("event", event))


def keep_lead_event(uow: UnitOfWork, visit: Visit, caller: Caller) -> None:
    event = _event(
        _place(uow, visit.code),
        EventKind.LEAD,
        caller,
        at=uow.clock.now(),
        visitor=visit.visitor,
        token=visit.token,
        arrived_as=visit.hit_class,
    )
    uow.session.connection().execute(_KEEP, _named("event", event))


def visited(uow: UnitOfWork, token: str) -> PresentVisit:
    """A visit, and the edition it is of, as they are at this moment.

    A public address carries nothing else that says whose it is: from here on the work is that
    tenant's alone. Raises Missing.
    """
    with uow.at_once() as connection:
        visit = present_visit(connection, _readable(token))
    if visit is None:
        raise Missing(noun="visit")
    uow.belong_to(TenantId(visit.edition.tenant_id))
    return visit


def locked_visit(uow: UnitOfWork, token: str) -> Visit:
    visit = uow.session.scalar(select(Visit).where(Visit.token == _readable(token)).with_for_update())
    if visit is None:
        raise Missing(noun="visit")
    return visit


def _readable(token: str) -> str:
    return token[:64].replace("\0", "")


_VISITS, _LINKS, _EVENTS, _EDITIONS, _ADVISORS = (
    Base.metadata.tables[model.__tablename__] for model in (Visit, ShortLink, Event, Edition, Advisor)
)
# Built once, and of the tables alone, as all that is sent for every arrival and every view.
_PLACED: Final = (
    _LINKS.c.code,
    _LINKS.c.channel,
    _LINKS.c.tenant_id,
    _LINKS.c.edition_id,
    _EDITIONS.c.piece_id,
    _EDITIONS.c.advisor_id,
    _ADVISORS.c.org_unit_id,
    _ADVISORS.c.is_active,
)
_OF_LINK: Final = _LINKS.join(_EDITIONS, _EDITIONS.c.id == _LINKS.c.edition_id).join(
    _ADVISORS, _ADVISORS.c.id == _EDITIONS.c.advisor_id
)
_PLACE: Final = select(*_PLACED).select_from(_OF_LINK).where(_LINKS.c.code == bindparam("code"))
_PLACE_OF_VISIT: Final = (
    select(_VISITS.c.visitor, _VISITS.c.hit_class, _VISITS.c.viewed_at, *_PLACED)
    .select_from(_OF_LINK.join(_VISITS, _VISITS.c.code == _LINKS.c.code))
    .where(_VISITS.c.token == bindparam("token"))
)


def _place(uow: UnitOfWork, code: str) -> _Place:
    if not CODE_PATTERN.fullmatch(code):
        raise Missing(noun="short_link")
    with uow.at_once() as connection:
        row = connection.execute(_PLACE, {"code": code}).one_or_none()
    if row is None:
        raise Missing(noun="short_link")
    return _for_heir(uow, *row)


def _for_heir(uow: UnitOfWork, *placed: Any) -> _Place:
    """The place of a link, or its heir's where the advisor has left."""
    *place, is_active = placed
    found = _Place(*place)
    return found if is_active else _place_of_heir(uow, found)


def _place_of_heir(uow: UnitOfWork, place: _Place) -> _Place:
    """Where a leaver's code leads: to the successor's edition of the same piece, if they may use it.

    A leaver's own piece has no other edition; its scans are counted for the successor all the same.
    """
    leaver = uow.session.get_one(Advisor, place.advisor_id)
    heir = heir_of(uow.session, leaver)
    if heir is None:
        return place
    place = replace(place, advisor_id=heir.id, org_unit_id=heir.org_unit_id)
    try:
        publication = offered_publication(uow, place.piece_id, heir)
    except (Missing, Ended, QualificationMissing):
        return place
    if publication.piece.advisor_id is not None:
        return place
    edition = ensure_edition(uow, publication.piece, heir)
    return replace(place, edition_id=edition.id, code=code_on(uow, edition.id, place.channel))


def _begin_visit(
    uow: UnitOfWork, place: _Place, kind: EventKind, caller: Caller, *, parent: str | None
) -> Arrival:
    """Write a visit and the event that began it, in one statement."""
    now = uow.clock.now()
    token, visitor = secrets.token_urlsafe(15), _pseudonym(uow, caller)
    event = _event(place, kind, caller, at=now, visitor=visitor, token=token)
    begun = {
        "token": token,
        "tenant_id": place.tenant_id,
        "code": place.code,
        "visitor": visitor,
        "hit_class": event["hit_class"],
        "parent_token": parent,
        "arrived_at": now,
    }
    _write(uow, _BEGIN_VISIT, _named("visit", begun) | _named("event", event))
    return Arrival(token, event["hit_class"])


def _write(uow: UnitOfWork, statement: Insert, values: dict[str, Any]) -> None:
    """One statement that is whole by itself; where the work has begun a transaction, a part of that."""
    if uow.session.in_transaction():
        uow.session.connection().execute(statement, values)
        return
    with uow.at_once() as connection:
        connection.execute(statement, values)


def _given(table: Table, name: str, *, but: str = "") -> dict[str, BindParameter[Any]]:
    return {
        column.key: bindparam(f"{name}_{column.key}", type_=column.type)
        for column in table.c
        if column.key != but
    }


def _named(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}_{column}": value for column, value in values.items()}


_BEGIN_VISIT: Final = (
    insert(_EVENTS)
    .values(_given(_EVENTS, "event"))
    .add_cte(insert(_VISITS).values(_given(_VISITS, "visit", but="viewed_at")).cte("begun"))
)
_KEEP: Final = insert(_EVENTS).values(_given(_EVENTS, "event"))
# Of two that say it in one moment the second waits for the first, and finds it said.
_SEEN: Final = (
    update(_VISITS)
    .where(_VISITS.c.token == bindparam("event_visit_token"), _VISITS.c.viewed_at.is_(None))
    .values(viewed_at=bindparam("event_occurred_at", type_=_VISITS.c.viewed_at.type))
    .returning(_VISITS.c.token)
    .cte("seen")
)
_KEEP_VIEW: Final = insert(_EVENTS).from_select(
    list(_given(_EVENTS, "event")), select(*_given(_EVENTS, "event").values()).select_from(_SEEN)
)


def _event(
    place: _Place,
    kind: EventKind,
    caller: Caller,
    *,
    at: datetime,
    visitor: str,
    token: str,
    arrived_as: HitClass = HitClass.HUMAN,
) -> dict[str, Any]:
    """What happened during a visit; where its arrival was no person's, neither is this."""
    hit_class, reason = classify_hit(caller.hit)
    if arrived_as is not HitClass.HUMAN:
        hit_class, reason = arrived_as, _AS_ARRIVAL
    return {
        "id": uuid4(),
        "tenant_id": place.tenant_id,
        "occurred_on": day_of(at),
        "occurred_at": at,
        "kind": kind,
        "hit_class": hit_class,
        "class_reason": reason,
        "piece_id": place.piece_id,
        "edition_id": place.edition_id,
        "advisor_id": place.advisor_id,
        "org_unit_id": place.org_unit_id,
        "channel": place.channel,
        "source": source_of(caller.hit.user_agent),
        "visitor": visitor,
        "network": truncated_ip(caller.address),
        "visit_token": token,
    }


def _arrival_of_another(uow: UnitOfWork, visit: PresentVisit, caller: Caller) -> EventKind | None:
    """How somebody else than its visitor has come to a page; None where it is the visitor.

    On the visit's own day the pseudonyms tell: another one means it was passed on. Later the day's
    key is destroyed, and whether it was passed on or opened again cannot be known: then it counts
    as what it certainly is, an arrival by the link.
    """
    if visit.token in caller.carried_tokens:
        return None
    now = uow.clock.now()
    if visit.viewed_at is None and now - visit.arrived_at <= _FIRST_OPENING:
        return None
    if day_of(visit.arrived_at) != day_of(now):
        return EventKind.CLICK
    return None if visit.visitor == _pseudonym(uow, caller) else EventKind.FORWARD


def _pseudonym(uow: UnitOfWork, caller: Caller) -> str:
    key = _day_key(uow, day_of(uow.clock.now()))
    return visitor_hash(key, caller.address or "", caller.hit.user_agent)


def _day_key(uow: UnitOfWork, day: date) -> bytes:
    remembered = uow.around.day_keys.get(day)
    if remembered is not None:
        return remembered
    wanted = select(VisitorKey.key).where(VisitorKey.day == day)
    if (key := uow.session.scalar(wanted)) is not None:
        return uow.around.day_keys.keep(day, bytes(key))
    # not remembered yet: should this unit of work fail, the key was never made
    uow.session.execute(
        insert(VisitorKey).values(day=day, key=secrets.token_bytes(32)).on_conflict_do_nothing()
    )
    return bytes(uow.session.scalars(wanted).one())
