"""Reach: figures, and the very events behind each of them.

`_facts` alone decides where a figure comes from: past days from the rollup, the latest days from
their events. Everything that can be counted by day, piece, advisor, unit, channel and kind is a sum
over those facts, so sums agree at every level. What the rollup does not keep (people, source,
class) is counted from the events themselves.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    false,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.organisation import Scope
from app.domain.reach import DEFINITIONS, Counting, Metric, Question, last_folded_day
from app.domain.tracking import ARRIVALS, EventKind, HitClass, LinkChannel
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.tracking import DailyRollup, Event

_AnySelect: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Tally:
    """The figures of one line. `…_all` is every event of the kind, whoever made it."""

    arrivals: int = 0
    arrivals_all: int = 0
    scans: int = 0
    clicks: int = 0
    forwards: int = 0
    views: int = 0
    views_all: int = 0
    leads: int = 0
    leads_all: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Tally)))


@dataclass(frozen=True, slots=True)
class Headline:
    tally: Tally
    people: int
    active_advisors: int
    advisors: int
    pieces_in_use: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what it is about, and its figures."""

    key: str
    label: str
    note: str
    tally: Tally
    own_level: bool = False  # of a unit itself, without the units below it


@dataclass(frozen=True, slots=True)
class DayLine:
    day: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class ClassLine:
    """Arrivals of one class, with the reason they were put there."""

    hit_class: HitClass
    reason: str
    arrivals: int


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime
    kind: EventKind
    hit_class: HitClass
    reason: str
    channel: LinkChannel
    source: str
    advisor: str
    unit: str
    piece: str
    visitor: str


def headline(session: Session, question: Question) -> Headline:
    facts = _facts(question)
    came = and_(facts.c.kind.in_(ARRIVALS), facts.c.human > 0)
    row = session.execute(
        select(
            *_tally_columns(facts),
            func.count(distinct(case((came, facts.c.advisor_id)))),
            func.count(distinct(case((came, facts.c.piece_id)))),
        )
    ).one()
    *figures, active, in_use = row
    return Headline(
        tally=_tally(figures),
        people=count_events(session, question, Metric.PEOPLE, Counting.HUMAN),
        active_advisors=active,
        advisors=_advisors_in_scope(session, question),
        pieces_in_use=in_use,
    )


def by_day(session: Session, question: Question) -> list[DayLine]:
    """Every day of the period, those without events as zero."""
    facts = _facts(question)
    found = {
        row[0]: _tally(row[1:])
        for row in session.execute(select(facts.c.day, *_tally_columns(facts)).group_by(facts.c.day))
    }
    return [DayLine(day, found.get(day, Tally())) for day in question.period.days]


def by_unit(session: Session, question: Question) -> list[Line]:
    """The units one level below the one asked for (or below one's own), and its own level."""
    facts = _facts(question)
    counted = [
        (row[0], _tally(row[1:]))
        for row in session.execute(select(facts.c.path, *_tally_columns(facts)).group_by(facts.c.path))
    ]
    roots = (question.unit_path,) if question.unit_path else question.scope.paths
    units = session.execute(
        select(OrgUnit.id, OrgUnit.name, OrgUnit.path).where(
            OrgUnit.tenant_id == question.tenant_id, or_(false(), *(_below(root) for root in roots))
        )
    ).all()
    sums: dict[str, Tally] = {unit.path: Tally() for unit in units}
    for path, tally in counted:
        root = next(one for one in roots if path.startswith(one))
        below = path[len(root) :].split("/", 1)[0]
        line = f"{root}{below}/" if below else root
        sums[line] = sums.get(line, Tally()) + tally
    lines = [
        Line(str(unit.id), unit.name, "", sums[unit.path], own_level=unit.path in roots)
        for unit in units
        if unit.path not in roots or sums[unit.path].arrivals_all or sums[unit.path].views_all
    ]
    return sorted(lines, key=lambda line: (-line.tally.arrivals, line.own_level, line.label))


def by_advisor(session: Session, question: Question, *, offset: int, limit: int) -> tuple[list[Line], int]:
    facts = _facts(question)
    counted = (
        select(facts.c.advisor_id, *_tally_columns(facts))
        .where(facts.c.raw > 0)
        .group_by(facts.c.advisor_id)
        .subquery()
    )
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    figures = list(counted.c)[1:]
    rows = session.execute(
        select(Advisor.id, Advisor.name, OrgUnit.name, *figures)
        .join(counted, counted.c.advisor_id == Advisor.id)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(Advisor.tenant_id == question.tenant_id)
        .order_by(counted.c.arrivals.desc(), Advisor.name, Advisor.id)
        .offset(offset)
        .limit(limit)
    )
    return [Line(str(row[0]), row[1], row[2], _tally(row[3:])) for row in rows], total


def by_piece(session: Session, question: Question, *, offset: int, limit: int) -> tuple[list[Line], int]:
    facts = _facts(question)
    counted = (
        select(facts.c.piece_id, *_tally_columns(facts))
        .where(facts.c.raw > 0)
        .group_by(facts.c.piece_id)
        .subquery()
    )
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    figures = list(counted.c)[1:]
    rows = session.execute(
        select(Piece.id, Piece.title, func.coalesce(Advisor.name, ""), *figures)
        .join(counted, counted.c.piece_id == Piece.id)
        .outerjoin(Advisor, Advisor.id == Piece.advisor_id)
        .where(Piece.tenant_id == question.tenant_id)
        .order_by(counted.c.arrivals.desc(), Piece.title, Piece.id)
        .offset(offset)
        .limit(limit)
    )
    return [Line(str(row[0]), row[1], row[2], _tally(row[3:])) for row in rows], total


def by_channel(session: Session, question: Question) -> list[Line]:
    facts = _facts(question)
    found = {
        row[0]: _tally(row[1:])
        for row in session.execute(select(facts.c.channel, *_tally_columns(facts)).group_by(facts.c.channel))
    }
    return [Line(one.value, one.value, "", found.get(one, Tally())) for one in LinkChannel]


def by_source(session: Session, question: Question) -> list[Line]:
    """By the app the visitor came in; the rollup does not keep it, so it is counted anew."""
    human = case((Event.hit_class == HitClass.HUMAN, 1), else_=0)
    counted = _events(
        question, select(Event.source.label("source"), Event.kind, human.label("human"))
    ).subquery()
    facts = (
        select(
            counted.c.source,
            counted.c.kind,
            func.sum(counted.c.human).label("human"),
            func.count().label("raw"),
        )
        .group_by(counted.c.source, counted.c.kind)
        .subquery()
    )
    rows = session.execute(select(facts.c.source, *_tally_columns(facts)).group_by(facts.c.source))
    lines = [Line(row[0], row[0], "", _tally(row[1:])) for row in rows]
    return sorted(lines, key=lambda line: (-line.tally.arrivals, line.key))


def by_class(session: Session, question: Question) -> list[ClassLine]:
    """Every arrival by what was taken for it, and why: what separates raw from human."""
    rows = session.execute(
        _events(question, select(Event.hit_class, Event.class_reason, func.count()))
        .where(Event.kind.in_(ARRIVALS))
        .group_by(Event.hit_class, Event.class_reason)
        .order_by(func.count().desc(), Event.class_reason)
    )
    return [ClassLine(*row) for row in rows]


def count_events(session: Session, question: Question, metric: Metric, counting: Counting) -> int:
    """How many events stand behind a figure; always the length of what `events` lists."""
    chosen: _AnySelect = select(Event.id)
    if metric is Metric.PEOPLE:
        chosen = select(Event.occurred_on, Event.visitor).distinct()
    listed = _behind(_events(question, chosen), metric, counting).subquery()
    return session.scalar(select(func.count()).select_from(listed)) or 0


def events(
    session: Session,
    question: Question,
    metric: Metric,
    counting: Counting,
    *,
    offset: int = 0,
    limit: int | None = None,
) -> list[EventLine]:
    """The events behind a figure, the latest first; for people, each one's first arrival that day."""
    chosen = select(
        Event.occurred_at,
        Event.kind,
        Event.hit_class,
        Event.class_reason,
        Event.channel,
        Event.source,
        Advisor.name.label("advisor"),
        OrgUnit.name.label("unit"),
        Piece.title.label("piece"),
        Event.visitor,
        Event.id,
    )
    listed = _behind(_events(question, chosen), metric, counting)
    listed = listed.join(Advisor, Advisor.id == Event.advisor_id).join(Piece, Piece.id == Event.piece_id)
    if metric is Metric.PEOPLE:
        listed = listed.ext(distinct_on(Event.occurred_on, Event.visitor)).order_by(
            Event.occurred_on, Event.visitor, Event.occurred_at, Event.id
        )
    found = listed.subquery()
    rows = session.execute(
        select(*list(found.c)[:-1])
        .order_by(found.c.occurred_at.desc(), found.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [EventLine(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit, piece or advisor by which the figures may be narrowed."""

    id: UUID
    name: str
    path: str = ""


def units_in(session: Session, tenant_id: UUID, scope: Scope) -> list[Choice]:
    rows = session.execute(
        select(OrgUnit.id, OrgUnit.name, OrgUnit.path)
        .where(OrgUnit.tenant_id == tenant_id, _inside(scope.paths, OrgUnit.path))
        .order_by(OrgUnit.path)
    )
    return [Choice(*row) for row in rows]


def pieces_in(session: Session, question: Question, *, limit: int = 200) -> list[Choice]:
    """The pieces that anything happened to in the period, the most used first."""
    facts = _facts(question)
    used = select(facts.c.piece_id, func.sum(facts.c.raw).label("raw")).group_by(facts.c.piece_id).subquery()
    rows = session.execute(
        select(Piece.id, Piece.title)
        .join(used, used.c.piece_id == Piece.id)
        .order_by(used.c.raw.desc(), Piece.title)
        .limit(limit)
    )
    return [Choice(*row) for row in rows]


def piece_choice(session: Session, tenant_id: UUID, scope: Scope, piece_id: UUID) -> Choice | None:
    """A piece of this part of the organisation, or one handed down to it from above."""
    from_above = or_(false(), *(_is_prefix_of(OrgUnit.path, path) for path in scope.paths))
    row = session.execute(
        select(Piece.id, Piece.title)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(
            Piece.id == piece_id,
            Piece.tenant_id == tenant_id,
            or_(_inside(scope.paths, OrgUnit.path), from_above),
        )
    ).one_or_none()
    return Choice(*row) if row else None


def advisor_choice(session: Session, tenant_id: UUID, scope: Scope, advisor_id: UUID) -> Choice | None:
    row = session.execute(
        select(Advisor.id, Advisor.name)
        .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
        .where(
            Advisor.id == advisor_id,
            Advisor.tenant_id == tenant_id,
            _inside(scope.paths, OrgUnit.path),
        )
    ).one_or_none()
    return Choice(*row) if row else None


def _facts(question: Question) -> Subquery:
    """Counts by day, piece, advisor, unit, channel and kind: the one place that chooses the source."""
    folded = last_folded_day(question.today)
    period = question.period
    past = (
        select(
            DailyRollup.day,
            DailyRollup.piece_id,
            DailyRollup.advisor_id,
            DailyRollup.channel,
            DailyRollup.kind,
            DailyRollup.human,
            DailyRollup.raw,
            OrgUnit.path,
        )
        .join(OrgUnit, OrgUnit.id == DailyRollup.org_unit_id)
        .where(
            DailyRollup.day.between(period.first, min(period.last, folded)),
            *_conditions(question, DailyRollup),
        )
    )
    # the rollup's key has no visitor and no class, so the latest days are brought to the same shape
    human = func.count().filter(Event.hit_class == HitClass.HUMAN)
    shape = (Event.occurred_on, Event.piece_id, Event.advisor_id, Event.channel, Event.kind)
    latest = (
        select(*shape, human, func.count(), OrgUnit.path)
        .join(OrgUnit, OrgUnit.id == Event.org_unit_id)
        .where(Event.occurred_on.between(period.first, period.last), *_conditions(question, Event))
        .where(Event.occurred_on > folded)
        .group_by(*shape, OrgUnit.path)
    )
    return union_all(past, latest).subquery("facts")


def _events(question: Question, chosen: _AnySelect) -> _AnySelect:
    return (
        chosen.select_from(Event)
        .join(OrgUnit, OrgUnit.id == Event.org_unit_id)
        .where(
            Event.occurred_on.between(question.period.first, question.period.last),
            *_conditions(question, Event),
        )
    )


def _behind(chosen: _AnySelect, metric: Metric, counting: Counting) -> _AnySelect:
    chosen = chosen.where(Event.kind.in_(DEFINITIONS[metric].kinds))
    match counting:
        case Counting.HUMAN:
            return chosen.where(Event.hit_class == HitClass.HUMAN)
        case Counting.OTHER:
            return chosen.where(Event.hit_class != HitClass.HUMAN)
        case Counting.ALL:
            return chosen


def _conditions(question: Question, of: type[Event | DailyRollup]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        of.tenant_id == question.tenant_id,
        _inside(question.scope.paths, OrgUnit.path),
    ]
    if question.unit_path is not None:
        conditions.append(
            OrgUnit.path == question.unit_path
            if question.only_this_unit
            else _inside((question.unit_path,), OrgUnit.path)
        )
    if question.piece_id is not None:
        conditions.append(of.piece_id == question.piece_id)
    if question.advisor_id is not None:
        conditions.append(of.advisor_id == question.advisor_id)
    if question.channel is not None:
        conditions.append(of.channel == question.channel)
    return conditions


def _tally_columns(facts: Subquery) -> list[ColumnElement[int]]:
    def total(column: ColumnElement[Any], kinds: Collection[EventKind]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((facts.c.kind.in_(kinds), column), else_=0)), 0)

    human, raw = facts.c.human, facts.c.raw
    return [
        total(human, ARRIVALS).label("arrivals"),
        total(raw, ARRIVALS).label("arrivals_all"),
        total(human, {EventKind.SCAN}).label("scans"),
        total(human, {EventKind.CLICK}).label("clicks"),
        total(human, {EventKind.FORWARD}).label("forwards"),
        total(human, {EventKind.VIEW}).label("views"),
        total(raw, {EventKind.VIEW}).label("views_all"),
        total(human, {EventKind.LEAD}).label("leads"),
        total(raw, {EventKind.LEAD}).label("leads_all"),
    ]


def _tally(figures: Row[Any] | Iterable[Any]) -> Tally:
    return Tally(*(int(figure) for figure in figures))


def _advisors_in_scope(session: Session, question: Question) -> int:
    conditions = [Advisor.tenant_id == question.tenant_id, _inside(question.scope.paths, OrgUnit.path)]
    if question.unit_path is not None:
        conditions.append(_inside((question.unit_path,), OrgUnit.path))
    return (
        session.scalar(
            select(func.count())
            .select_from(Advisor)
            .join(OrgUnit, OrgUnit.id == Advisor.org_unit_id)
            .where(Advisor.is_active, *conditions)
        )
        or 0
    )


def _inside(paths: Iterable[str], column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return or_(false(), *(column.startswith(path, autoescape=True) for path in paths))


def _is_prefix_of(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """Whether a unit's path is the given one or one above it."""
    codes = path.strip("/").split("/")
    return column.in_(["/", *("/" + "/".join(codes[: step + 1]) + "/" for step in range(len(codes)))])


def _below(root: str) -> ColumnElement[bool]:
    """A unit itself and those one level below it."""
    deeper = OrgUnit.path.startswith(root, autoescape=True)
    return and_(deeper, func.regexp_count(func.substr(OrgUnit.path, len(root) + 1), "/") <= 1)
