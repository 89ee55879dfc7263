"""Thirty days of visitors: who scanned, looked, passed on and left a number, and who only seemed to.

The shape is what such links see: mornings, noons and evenings, quiet weekends, a steep curve over
advisors, interest that fades with the days. Among it are link previews, bots, colleagues, and a ring
of advisors who open each other's links every morning. Everything comes from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.domain.organisation import Actor
from app.domain.tracking import (
    TENANT_ZONE,
    EventKind,
    HitClass,
    LinkChannel,
    day_of,
    visitor_hash,
)
from app.embedded.demo.people import People
from app.embedded.demo.pieces import diligence
from app.embedded.demo.timeline import Timeline
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.publication import Publication
from app.models.tenant import Tenant
from app.models.tracking import Event, Lead, ShortLink, Visit
from app.services.lead import consent_to
from app.services.rollup import fold_stale_days

DAYS: Final = 30
_ARRIVALS: Final = 36_000
_RING: Final = 6
_RING_UNIT: Final = "CD03"

_HOURS: Final = (1, 0, 0, 0, 0, 1, 4, 12, 20, 14, 10, 9, 14, 13, 8, 7, 7, 8, 10, 13, 19, 22, 14, 5)
_WEEKDAYS: Final = (1.25, 1.05, 1.0, 1.0, 1.1, 0.6, 0.5)
_FADES_OVER_DAYS: Final = 10.0
_NEVER_BELOW: Final = 0.15  # pictures stay in albums and on office walls
_CHANNELS: Final = {
    LinkChannel.QR: 34,
    LinkChannel.MOMENTS: 30,
    LinkChannel.GROUP: 21,
    LinkChannel.OA: 7,
    LinkChannel.SMS: 5,
    LinkChannel.OFFLINE: 3,
}
_SOURCES: Final = {
    LinkChannel.QR: (("wechat", 78), ("browser", 12), ("alipay", 6), ("wecom", 4)),
    LinkChannel.MOMENTS: (("wechat", 97), ("browser", 3)),
    LinkChannel.GROUP: (("wechat", 82), ("wecom", 13), ("dingtalk", 5)),
    LinkChannel.OA: (("wechat", 96), ("browser", 4)),
    LinkChannel.SMS: (("browser", 88), ("wechat", 12)),
    LinkChannel.OFFLINE: (("wechat", 70), ("browser", 20), ("alipay", 10)),
}
# What each class is known by; the reasons are those of domain.tracking and services.tracking.
_HUMAN: Final = (HitClass.HUMAN, "browser")
_INTERNAL: Final = (HitClass.INTERNAL, "signed in as staff")
_PREVIEW: Final = (HitClass.PREVIEW, "link preview client")
_PREFETCH: Final = (HitClass.PREVIEW, "prefetch")
_BOT: Final = (HitClass.BOT, "automated client")
_AS_ARRIVAL: Final = "as the arrival"
_NO_AGENT: Final = (HitClass.BOT, "no user agent")
_CLASSES: Final = {
    LinkChannel.QR: ((_HUMAN, 95), (_INTERNAL, 5)),
    LinkChannel.MOMENTS: ((_HUMAN, 80), (_INTERNAL, 5), (_PREVIEW, 10), (_PREFETCH, 2), (_BOT, 3)),
    LinkChannel.GROUP: ((_HUMAN, 76), (_INTERNAL, 9), (_PREVIEW, 13), (_BOT, 2)),
    LinkChannel.OA: ((_HUMAN, 84), (_INTERNAL, 3), (_PREVIEW, 4), (_BOT, 7), (_NO_AGENT, 2)),
    LinkChannel.SMS: ((_HUMAN, 78), (_PREFETCH, 11), (_BOT, 8), (_NO_AGENT, 3)),
    LinkChannel.OFFLINE: ((_HUMAN, 97), (_INTERNAL, 3)),
}
_AGENTS: Final = ("MicroMessenger/8.0.50 Android", "MicroMessenger/8.0.53 iPhone", "Chrome Mobile", "Safari")
_LOOKS: Final = 0.78  # of people who arrive, how many see the page to its end
_FORWARDS: Final = 0.075
_LEADS: Final = 0.014
_LONGEST_CHAIN: Final = 3
_CALLERS: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
_MESSAGES: Final = (
    "",
    "",
    "想了解一下定投怎么开始。",
    "方便的话周末给我打电话。",
    "我妈妈想问问到期的钱怎么安排。",
    "看了您发的图，想约个时间聊聊。",
    "之前在别的银行买过，想对比一下风险。",
    "网点周六开门吗？",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """An edition while its piece is public: what an event is counted under."""

    edition_id: UUID
    piece_id: UUID
    advisor_id: UUID
    org_unit_id: UUID
    number: int  # the advisor's place in the list
    opens: datetime
    closes: datetime
    codes: dict[LinkChannel, str]


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who comes, as far as it is kept."""

    visitor: str
    network: str
    source: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """One arrival, to which everything that follows on the page belongs."""

    token: str
    place: _Place
    channel: LinkChannel
    hit: tuple[HitClass, str]
    caller: _Caller
    at: datetime


@dataclass(slots=True)
class _Rows:
    """What is written in the end, in the order of the columns named below."""

    visits: dict[str, list[Any]] = field(default_factory=dict)  # by token
    events: list[tuple[Any, ...]] = field(default_factory=list)
    leads: list[tuple[Any, ...]] = field(default_factory=list)


_VISIT_COLUMNS: Final = [
    "token",
    "tenant_id",
    "code",
    "visitor",
    "hit_class",
    "parent_token",
    "arrived_at",
    "viewed_at",
]
_EVENT_COLUMNS: Final = [
    "id",
    "tenant_id",
    "occurred_on",
    "occurred_at",
    "kind",
    "hit_class",
    "class_reason",
    "piece_id",
    "edition_id",
    "advisor_id",
    "org_unit_id",
    "channel",
    "source",
    "visitor",
    "network",
    "visit_token",
]
_LEAD_COLUMNS: Final = [
    "id",
    "tenant_id",
    "piece_id",
    "edition_id",
    "advisor_id",
    "visit_token",
    "name",
    "phone",
    "message",
    "consent_text",
    "consented_at",
    "created_at",
]


def keep_events(timeline: Timeline, people: People, seed: int) -> None:
    """Write the events with their visits and leads, and fold every day."""
    with timeline.by(Actor.system("demo", people.tenant_id)) as uow:
        uow.session.execute(
            text("SELECT ensure_event_partitions(:first, :last)"),
            {"first": timeline.day(DAYS - 1), "last": timeline.day(0)},
        )
        tenant = uow.session.get_one(Tenant, people.tenant_id)
        crowd = _Crowd(timeline, tenant, random.Random(seed))  # noqa: S311 - the same each time
        places = _places(uow.session, timeline, people)
        crowd.come(places, np.random.default_rng(seed))
        crowd.open_each_other(places, people.under(_RING_UNIT)[:_RING])
        rows = crowd.rows
        _copy(uow.session, Visit.__tablename__, _VISIT_COLUMNS, rows.visits.values())
        _copy(uow.session, Event.__tablename__, _EVENT_COLUMNS, rows.events)
        _copy(uow.session, Lead.__tablename__, _LEAD_COLUMNS, rows.leads)
    with timeline.by(Actor.system("fold", people.tenant_id)) as uow:
        fold_stale_days(uow)


def _places(session: Session, timeline: Timeline, people: People) -> list[_Place]:
    """Every edition that was public within the thirty days, in an order that is always the same."""
    numbers = {facts.id: number for number, facts in enumerate(people.facts)}
    codes: dict[UUID, dict[LinkChannel, str]] = {}
    for link in session.scalars(select(ShortLink)):
        codes.setdefault(link.edition_id, {})[link.channel] = link.code
    began = timeline.when(DAYS - 1, 0)
    places = []
    for edition, publication, unit_id in session.execute(
        select(Edition, Publication, Advisor.org_unit_id)
        .join(Publication, Publication.piece_id == Edition.piece_id)
        .join(Advisor, Advisor.id == Edition.advisor_id)
        .order_by(Publication.valid_from, Advisor.staff_no)
    ):
        opens = max(publication.valid_from, edition.created_at, began)
        closes = min(publication.ended_at or publication.valid_until, timeline.now)
        if opens < closes:
            places.append(
                _Place(
                    edition_id=edition.id,
                    piece_id=edition.piece_id,
                    advisor_id=edition.advisor_id,
                    org_unit_id=unit_id,
                    number=numbers[edition.advisor_id],
                    opens=opens,
                    closes=closes,
                    codes=codes[edition.id],
                )
            )
    return places


class _Crowd:
    """Everybody who comes by a link, person or not."""

    def __init__(self, timeline: Timeline, tenant: Tenant, rng: random.Random) -> None:
        self.rows = _Rows()
        self._timeline = timeline
        self._tenant_id = tenant.id
        self._consent = consent_to(tenant)
        self._rng = rng
        self._keys = {timeline.day(back): rng.randbytes(32) for back in range(DAYS + 1)}
        self._hours = _weighted(enumerate(_HOURS))
        self._channels = _weighted(_CHANNELS.items())
        self._sources = {channel: _weighted(pairs) for channel, pairs in _SOURCES.items()}
        self._classes = {channel: _weighted(pairs) for channel, pairs in _CLASSES.items()}

    def come(self, places: Sequence[_Place], numbers: np.random.Generator) -> None:
        """Arrivals by edition and day, as many as each deserves, a month's worth in all."""
        shares = [(place, day, share) for place in places for day, share in self._interest(place)]
        total = sum(share for _, _, share in shares)
        counts = numbers.poisson([_ARRIVALS * share / total for _, _, share in shares])
        for (place, day, _), count in zip(shares, counts, strict=True):
            for _ in range(int(count)):
                at = self._time_of(day)
                if place.opens <= at < place.closes:
                    self._arrive(place, at)

    def open_each_other(self, places: Sequence[_Place], ring: Sequence[int]) -> None:
        """Six of one sub-branch open each other's links at breakfast, from one network."""
        theirs: dict[int, list[_Place]] = {number: [] for number in ring}
        for place in places:
            if place.number in theirs:
                theirs[place.number].append(place)
        for days_ago in range(20, 0, -1):
            for friend in ring:
                for number in ring:
                    at = self._timeline.when(days_ago, 7, 50) + timedelta(seconds=self._rng.randrange(1500))
                    live = [place for place in theirs[number] if place.opens <= at < place.closes]
                    if number == friend or not live:
                        continue
                    place = live[(friend + days_ago) % len(live)]
                    agent = _AGENTS[friend % 2]
                    caller = self._caller(at, f"198.19.7.{friend}", agent, "wechat")
                    self._view(self._begin(place, at, LinkChannel.GROUP, EventKind.CLICK, _HUMAN, caller))

    def _interest(self, place: _Place) -> Iterator[tuple[date, float]]:
        day = day_of(place.opens)
        last = day_of(place.closes)
        age = 0
        while day <= last:
            fading = np.exp(-age / _FADES_OVER_DAYS) + _NEVER_BELOW
            yield day, float(diligence(place.number) ** 1.5 * _WEEKDAYS[day.weekday()] * fading)
            day += timedelta(days=1)
            age += 1

    def _arrive(self, place: _Place, at: datetime) -> None:
        channel = self._pick(self._channels)
        hit = self._pick(self._classes[channel])
        kind = EventKind.SCAN if channel is LinkChannel.QR else EventKind.CLICK
        caller = self._anybody(at, self._pick(self._sources[channel]))
        visit = self._begin(place, at, channel, kind, hit, caller)
        if hit is _HUMAN:
            self._look(visit, passed_on=0)
        elif hit is _INTERNAL and self._rng.random() < _LOOKS:
            self._view(visit)

    def _look(self, visit: _Visit, *, passed_on: int) -> None:
        """A person looks, and may leave a number or pass the page on to somebody."""
        if self._rng.random() >= _LOOKS:
            return
        viewed_at = self._view(visit)
        if self._rng.random() < _LEADS:
            self._leave_number(visit, viewed_at)
        if passed_on == _LONGEST_CHAIN or self._rng.random() >= _FORWARDS:
            return
        later = viewed_at + timedelta(minutes=self._rng.expovariate(1 / 50))
        # the next day nobody could tell a forward from a second look: see services.tracking
        if later < visit.place.closes and day_of(later) == day_of(visit.at):
            friend = self._anybody(later, "wechat")
            onward = self._begin(
                visit.place, later, visit.channel, EventKind.FORWARD, _HUMAN, friend, parent=visit.token
            )
            self._look(onward, passed_on=passed_on + 1)

    def _begin(
        self,
        place: _Place,
        at: datetime,
        channel: LinkChannel,
        kind: EventKind,
        hit: tuple[HitClass, str],
        caller: _Caller,
        *,
        parent: str | None = None,
    ) -> _Visit:
        visit = _Visit(self._rng.randbytes(10).hex(), place, channel, hit, caller, at)
        self.rows.visits[visit.token] = [
            visit.token,
            self._tenant_id,
            place.codes[channel],
            caller.visitor,
            hit[0].value,
            parent,
            at,
            None,
        ]
        self._event(visit, kind, at, hit[1])
        return visit

    def _view(self, visit: _Visit) -> datetime:
        at = min(visit.at + timedelta(seconds=self._rng.uniform(1.2, 9)), self._timeline.now)
        self.rows.visits[visit.token][-1] = at
        self._event(visit, EventKind.VIEW, at, visit.hit[1] if visit.hit is _HUMAN else _AS_ARRIVAL)
        return at

    def _leave_number(self, visit: _Visit, viewed_at: datetime) -> None:
        at = min(viewed_at + timedelta(seconds=self._rng.uniform(40, 240)), self._timeline.now)
        self._event(visit, EventKind.LEAD, at, visit.hit[1])
        self.rows.leads.append(
            (
                self._id(),
                self._tenant_id,
                visit.place.piece_id,
                visit.place.edition_id,
                visit.place.advisor_id,
                visit.token,
                self._rng.choice(_CALLERS) + self._rng.choice(("女士", "先生", "阿姨", "老师")),
                f"1390000{self._rng.randrange(10_000):04d}",
                self._rng.choice(_MESSAGES),
                self._consent,
                at,
                at,
            )
        )

    def _event(self, visit: _Visit, kind: EventKind, at: datetime, reason: str) -> None:
        self.rows.events.append(
            (
                self._id(),
                self._tenant_id,
                day_of(at),
                at,
                kind.value,
                visit.hit[0].value,
                reason,
                visit.place.piece_id,
                visit.place.edition_id,
                visit.place.advisor_id,
                visit.place.org_unit_id,
                visit.channel.value,
                visit.caller.source,
                visit.caller.visitor,
                visit.caller.network,
                visit.token,
            )
        )

    def _anybody(self, at: datetime, source: str) -> _Caller:
        # a network set aside for measurements: no real visitor ever has such an address
        address = f"198.18.{self._rng.randrange(256)}.{self._rng.randrange(1, 255)}"
        return self._caller(at, address, self._rng.choice(_AGENTS), source)

    def _caller(self, at: datetime, address: str, agent: str, source: str) -> _Caller:
        visitor = visitor_hash(self._keys[day_of(at)], address, agent)
        return _Caller(visitor, f"{address.rpartition('.')[0]}.0", source)

    def _id(self) -> UUID:
        return UUID(bytes=self._rng.randbytes(16), version=4)

    def _time_of(self, day: date) -> datetime:
        seconds = self._pick(self._hours) * 3600 + self._rng.randrange(3600)
        return datetime.combine(day, time(), TENANT_ZONE) + timedelta(seconds=seconds)

    def _pick(self, weighted: tuple[Sequence[Any], Sequence[float]]) -> Any:
        things, cumulated = weighted
        return self._rng.choices(things, cum_weights=cumulated)[0]


def _weighted(pairs: Iterable[tuple[Any, float]]) -> tuple[Sequence[Any], Sequence[float]]:
    things, weights = zip(*pairs, strict=True)
    return things, tuple(accumulate(weights))


def _copy(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write many rows at once, within the transaction of the session."""
    connection: Any = session.connection().connection.driver_connection
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as target,
    ):
        for row in rows:
            target.write_row(row)
