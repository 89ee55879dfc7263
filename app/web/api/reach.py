"""Reach: the figures of head office's board, and the events behind each of them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import Blueprint
from marshmallow import fields, validate

from app.domain.errors import Missing
from app.domain.organisation import Permission, Scope
from app.domain.reach import Counting, Metric, Period, Question
from app.domain.tracking import EventKind, HitClass, LinkChannel
from app.queries import reach
from app.queries.reach import Line
from app.services.access import require
from app.services.rollup import today
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Day, Id, Instant, QueryCount, Shown, Strict, one_of, org_path
from app.web.api.operation import operation
from app.web.edge import unit_of_work

bp = Blueprint("reach", __name__)

_USUAL_DAYS = 30


class Table(StrEnum):
    """What a summary is broken down by."""

    DAY = "day"
    UNIT = "unit"
    ADVISOR = "advisor"
    PIECE = "piece"
    CHANNEL = "channel"
    SOURCE = "source"


class TallySchema(Shown):
    """Counts of people's events; `…_all` counts previews, bots and staff as well."""

    arrivals = fields.Integer()
    arrivals_all = fields.Integer()
    scans = fields.Integer()
    clicks = fields.Integer()
    forwards = fields.Integer()
    views = fields.Integer()
    views_all = fields.Integer()
    leads = fields.Integer()
    leads_all = fields.Integer()


class LineSchema(Shown):
    key = fields.String(metadata={"description": "日期、编号或代码，按 by 而定"})
    label = fields.String()
    note = fields.String()
    tally = fields.Nested(TallySchema)


class ReachSchema(Shown):
    first = Day()
    last = Day()
    by = one_of(Table)
    total = fields.Nested(TallySchema)
    people = fields.Integer(metadata={"description": "每天不同的访客数相加（估算）"})
    active_advisors = fields.Integer()
    advisors = fields.Integer()
    pieces_in_use = fields.Integer()
    lines = fields.List(fields.Nested(LineSchema))
    line_count = fields.Integer(metadata={"description": "全部行数；lines 是其中一段"})


class EventSchema(Shown):
    at = Instant()
    kind = one_of(EventKind)
    hit_class = one_of(HitClass)
    reason = fields.String(metadata={"description": "归入该类的依据"})
    channel = one_of(LinkChannel)
    source = fields.String()
    advisor = fields.String()
    unit = fields.String()
    piece = fields.String()
    visitor = fields.String(metadata={"description": "当日失效的匿名标识"})


class EventPageSchema(Shown):
    items = fields.List(fields.Nested(EventSchema))
    total = fields.Integer()


class ReachFilter(Strict):
    """Which days (30 by default) and whose reach; what lies outside one's scope is not there."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="until", load_default=None)
    path = org_path(load_default=None)
    advisor_id = Id(load_default=None)
    piece_id = Id(load_default=None)
    channel = one_of(LinkChannel, load_default=None)
    limit = QueryCount(load_default=50, validate=validate.Range(min=1, max=200))
    offset = QueryCount(load_default=0, validate=validate.Range(min=0, max=1_000_000))


class ReachQuery(ReachFilter):
    by = one_of(Table, load_default=Table.DAY)


class EventQuery(ReachFilter):
    metric = one_of(Metric, load_default=Metric.ARRIVALS)
    counting = one_of(Counting, load_default=Counting.HUMAN)


@bp.get("/reach")
@operation(
    "触达汇总，按日、机构、客户经理、作品或渠道", query=ReachQuery, answers=ReachSchema, refuses={403, 404}
)
def show_reach(query: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        question = _question(uow, query)
        headline = reach.headline(uow.session, question)
        lines, count = _lines(uow, question, query["by"], query["offset"], query["limit"])
    return {
        "first": question.period.first,
        "last": question.period.last,
        "by": query["by"],
        "total": headline.tally,
        "people": headline.people,
        "active_advisors": headline.active_advisors,
        "advisors": headline.advisors,
        "pieces_in_use": headline.pieces_in_use,
        "lines": lines,
        "line_count": count,
    }


@bp.get("/reach/events")
@operation("一个数字背后的全部事件，最新在前", query=EventQuery, answers=EventPageSchema, refuses={403, 404})
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        question = _question(uow, query)
        behind = (uow.session, question, query["metric"], query["counting"])
        return {
            "items": reach.events(*behind, offset=query["offset"], limit=query["limit"]),
            "total": reach.count_events(*behind),
        }


def _question(uow: UnitOfWork, query: dict[str, Any]) -> Question:
    """The question asked; raises Missing for what lies outside this person's reach."""
    scope = require(uow, Permission.REACH_VIEW)
    now = today(uow)
    last: date = query["last"] or now
    first: date = query["first"] or Period.of_days(_USUAL_DAYS, today=last).first
    _require_visible(uow, scope, query["path"], query["piece_id"], query["advisor_id"])
    return Question(
        tenant_id=uow.tenant_id,
        scope=scope,
        period=Period.between(first, last),
        today=now,
        unit_path=query["path"],
        piece_id=query["piece_id"],
        advisor_id=query["advisor_id"],
        channel=query["channel"],
    )


def _require_visible(
    uow: UnitOfWork, scope: Scope, path: str | None, piece_id: UUID | None, advisor_id: UUID | None
) -> None:
    session, tenant_id = uow.session, uow.tenant_id
    if path is not None and all(unit.path != path for unit in reach.units_in(session, tenant_id, scope)):
        raise Missing(noun="org_unit")
    if piece_id is not None and reach.piece_choice(session, tenant_id, scope, piece_id) is None:
        raise Missing(noun="piece")
    if advisor_id is not None and reach.advisor_choice(session, tenant_id, scope, advisor_id) is None:
        raise Missing(noun="advisor")


def _lines(uow: UnitOfWork, question: Question, by: Table, offset: int, limit: int) -> tuple[list[Line], int]:
    session = uow.session
    match by:
        case Table.ADVISOR:
            return reach.by_advisor(session, question, offset=offset, limit=limit)
        case Table.PIECE:
            return reach.by_piece(session, question, offset=offset, limit=limit)
        case Table.DAY:
            lines = [
                Line(one.day.isoformat(), one.day.isoformat(), "", one.tally)
                for one in reach.by_day(session, question)
            ]
        case Table.UNIT:
            lines = reach.by_unit(session, question)
        case Table.CHANNEL:
            lines = reach.by_channel(session, question)
        case Table.SOURCE:
            lines = reach.by_source(session, question)
    return lines[offset : offset + limit], len(lines)
