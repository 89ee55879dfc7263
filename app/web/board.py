"""Head office's board: reach as figures, and every figure down to the events behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput, Missing
from app.domain.organisation import Permission, Scope
from app.domain.reach import (
    ACTIVE_ADVISORS,
    DEFINITIONS,
    PIECES_IN_USE,
    PRESET_DAYS,
    Counting,
    Metric,
    Period,
    Question,
)
from app.domain.spreadsheet import plain_cell
from app.domain.tracking import TENANT_ZONE, EventKind, HitClass, LinkChannel
from app.queries import reach
from app.queries.reach import Choice, Line, Tally
from app.services.access import require
from app.services.reach import record_export
from app.services.rollup import today
from app.services.unit_of_work import UnitOfWork
from app.web.edge import render_page, unit_of_work
from app.web.i18n import translate as _

bp = Blueprint("board", __name__)

_PAGE_ROWS: Final = 50
_EXPORT_ROWS: Final = 200_000
_DEFAULT_DAYS: Final = 30

TABLES: Final = {
    "unit": "按机构",
    "advisor": "按客户经理",
    "piece": "按作品",
    "channel": "按渠道",
    "source": "按打开方式",
    "class": "按计数口径",
}
CHANNELS: Final = {
    LinkChannel.QR: "图片二维码",
    LinkChannel.MOMENTS: "朋友圈",
    LinkChannel.GROUP: "微信群",
    LinkChannel.OA: "公众号",
    LinkChannel.SMS: "短信",
    LinkChannel.OFFLINE: "线下",
}
SOURCES: Final = {
    "wechat": "微信",
    "wecom": "企业微信",
    "alipay": "支付宝",
    "dingtalk": "钉钉",
    "browser": "浏览器",
}
KINDS: Final = {
    EventKind.SCAN: "扫码",
    EventKind.CLICK: "点击",
    EventKind.FORWARD: "转发打开",
    EventKind.VIEW: "浏览",
    EventKind.LEAD: "留资",
}
CLASSES: Final = {
    HitClass.HUMAN: "真人",
    HitClass.PREVIEW: "链接预览",
    HitClass.BOT: "机器",
    HitClass.INTERNAL: "本机构员工",
}
REASONS: Final = {
    "browser": "普通浏览器",
    "signed in as staff": "登录状态的员工",
    "browser of staff": "员工用过的浏览器",
    "HEAD request": "只探测地址，没有打开",
    "prefetch": "浏览器预先加载",
    "link preview client": "聊天软件生成预览",
    "no user agent": "没有报出程序名",
    "automated client": "自动程序",
    "as the arrival": "与到达时相同",
}


@dataclass(frozen=True, slots=True)
class _Filters:
    """What the address asks for, checked against what the person may see."""

    question: Question
    days: int | None  # None: a period of one's own
    units: Sequence[Choice]
    unit: Choice | None
    piece: Choice | None
    advisor: Choice | None
    fault: InvalidInput | None

    def presets(self, path: str, kept: dict[str, object]) -> list[tuple[str, str, bool]]:
        """The usual periods, as chips."""
        return [
            (
                _("最近 {days} 天").format(days=days),
                self.address(path, **{**kept, "days": days, "from": None, "until": None}),
                self.days == days,
            )
            for days in PRESET_DAYS
        ]

    def address(self, path: str = "/board", /, **changes: object) -> str:
        """An address that keeps these filters but for the changes; None takes one away."""
        question = self.question
        kept: dict[str, object] = {
            "days": self.days,
            "from": None if self.days else question.period.first.isoformat(),
            "until": None if self.days else question.period.last.isoformat(),
            "unit": self.unit.id if self.unit else None,
            "own": 1 if question.only_this_unit else None,
            "piece": self.piece.id if self.piece else None,
            "advisor": self.advisor.id if self.advisor else None,
            "channel": question.channel.value if question.channel else None,
            "source": question.source,
            "class": question.hit_class.value if question.hit_class else None,
            "reason": question.class_reason,
        }
        query = {name: value for name, value in (kept | changes).items() if value not in {None, ""}}
        return f"{path}?{urlencode(query)}" if query else path


@bp.get("/board")
def show_board() -> ResponseReturnValue:
    by = _chosen(request.args.get("by"), TABLES, "unit")
    page = max(1, request.args.get("page", 1, type=int))
    with unit_of_work() as uow:
        filters = _filters(uow, require(uow, Permission.REACH_VIEW))
        session, question = uow.session, filters.question
        headline = reach.headline(session, question)
        days = reach.by_day(session, question)
        lines, total = _lines(uow, filters, by, offset=(page - 1) * _PAGE_ROWS, limit=_PAGE_ROWS)
        classes = reach.by_class(session, question) if by == "class" else []
        pieces = reach.pieces_in(session, question)
    return render_page(
        "board/index.html",
        filters=filters,
        question=question,
        headline=headline,
        figures=_figures(filters, headline),
        days=days,
        chart=_chart(filters, days),
        by=by,
        tables=[
            (_(label), filters.address(by=name) + "#table", name == by, None)
            for name, label in TABLES.items()
        ],
        table_name=_(TABLES[by]).removeprefix("按"),
        lines=[_shown(filters, by, line) for line in lines],
        classes=classes,
        total=headline.tally,
        pager=_pager(filters, page, total, by=by),
        pieces=pieces,
        words={"class": CLASSES, "reason": REASONS},
        channel_words=CHANNELS,
    )


@bp.get("/board/events")
def show_events() -> ResponseReturnValue:
    """The very events behind one figure: as many as the figure says."""
    metric = Metric(_chosen(request.args.get("metric"), {one.value: one for one in Metric}, "arrivals"))
    counting = Counting(_chosen(request.args.get("count"), {one.value: one for one in Counting}, "human"))
    page = max(1, request.args.get("page", 1, type=int))
    with unit_of_work() as uow:
        filters = _filters(uow, require(uow, Permission.REACH_VIEW), of_events=True)
        total = reach.count_events(uow.session, filters.question, metric, counting)
        found = reach.events(
            uow.session,
            filters.question,
            metric,
            counting,
            offset=(page - 1) * _PAGE_ROWS,
            limit=_PAGE_ROWS,
        )
    return render_page(
        "board/events.html",
        filters=filters,
        question=filters.question,
        metric=metric,
        counting=counting,
        definition=DEFINITIONS[metric],
        events=found,
        total=total,
        pager=_pager(filters, page, total, "/board/events", metric=metric.value, count=counting.value),
        countings=[
            (label, filters.address("/board/events", metric=metric.value, count=one.value), one is counting)
            for one, label in (
                (Counting.HUMAN, _("只看真人")),
                (Counting.ALL, _("全部")),
                (Counting.OTHER, _("只看未计入的")),
            )
        ],
        export=filters.address(
            "/board/export.csv", table="events", metric=metric.value, count=counting.value
        ),
        zone=TENANT_ZONE,
        channel_words=CHANNELS,
        words={
            "kind": KINDS,
            "class": CLASSES,
            "reason": REASONS,
            "channel": CHANNELS,
            "source": SOURCES,
        },
    )


@bp.get("/board/export.csv")
def export() -> ResponseReturnValue:
    """A table as shown, or the events behind a figure, for a spreadsheet; every export is on record."""
    table = _chosen(request.args.get("table"), {**TABLES, "day": "", "events": ""}, "unit")
    with unit_of_work() as uow:
        filters = _filters(uow, require(uow, Permission.REACH_EXPORT), of_events=table == "events")
        if filters.fault is not None:
            raise filters.fault
        header, rows = _export_rows(uow, filters, table)
        record_export(uow, filters.question, table=table, rows=len(rows))
    period = filters.question.period
    label = {"events": "事件明细", "day": "按日"}.get(table) or TABLES[table]
    return _csv(f"触达_{label}_{period.first:%Y%m%d}-{period.last:%Y%m%d}.csv", header, rows)


def _filters(uow: UnitOfWork, scope: Scope, *, of_events: bool = False) -> _Filters:
    """Read the filters of the address; raises Missing for what this person may not see.

    of_events: those as well that only lists of events know.
    """
    now = today(uow)
    days, period, fault = _period(now)
    session, tenant_id = uow.session, uow.tenant_id
    units = reach.units_in(session, tenant_id, scope)
    unit_id, piece_id, advisor_id = (_id(request.args.get(name)) for name in ("unit", "piece", "advisor"))
    unit = _found({one.id: one for one in units}.get(unit_id), "org_unit") if unit_id else None
    piece = _found(reach.piece_choice(session, tenant_id, scope, piece_id), "piece") if piece_id else None
    advisor = (
        _found(reach.advisor_choice(session, tenant_id, scope, advisor_id), "advisor") if advisor_id else None
    )
    channel = request.args.get("channel", "")
    hit_class = request.args.get("class", "") if of_events else ""
    return _Filters(
        question=Question(
            tenant_id=tenant_id,
            scope=scope,
            period=period,
            today=now,
            unit_path=unit.path if unit else None,
            only_this_unit=unit is not None and request.args.get("own") == "1",
            piece_id=piece_id,
            advisor_id=advisor_id,
            channel=LinkChannel(channel) if channel in set(LinkChannel) else None,
            source=_chosen(request.args.get("source"), SOURCES, "") or None if of_events else None,
            hit_class=HitClass(hit_class) if hit_class in set(HitClass) else None,
            class_reason=_chosen(request.args.get("reason"), REASONS, "") or None if of_events else None,
        ),
        days=days,
        units=units,
        unit=unit,
        piece=piece,
        advisor=advisor,
        fault=fault,
    )


def _period(now: date) -> tuple[int | None, Period, InvalidInput | None]:
    """The period asked for; where it makes no sense, the usual one and what was wrong."""
    usual = Period.of_days(_DEFAULT_DAYS, today=now)
    days = request.args.get("days", type=int)
    if days in PRESET_DAYS:
        return days, Period.of_days(days, today=now), None
    first, last = request.args.get("from", ""), request.args.get("until", "")
    if not first and not last:
        return _DEFAULT_DAYS, usual, None
    try:
        period = Period.between(
            date.fromisoformat(first) if first else usual.first, date.fromisoformat(last) if last else now
        )
    except InvalidInput as fault:
        return _DEFAULT_DAYS, usual, fault
    except ValueError:
        return _DEFAULT_DAYS, usual, InvalidInput.of("from", "bad_date", "日期请写成 2026-11-21 的样子。")
    usual_days = next((one for one in PRESET_DAYS if Period.of_days(one, today=now) == period), None)
    return usual_days, period, None


def _id(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Missing(noun="filter") from None


def _found(choice: Choice | None, noun: str) -> Choice:
    if choice is None:
        raise Missing(noun=noun)
    return choice


def _chosen(given: str | None, known: Iterable[str] | dict[str, Any], otherwise: str) -> str:
    return given if given is not None and given in known else otherwise


def _lines(uow: UnitOfWork, filters: _Filters, by: str, *, offset: int, limit: int) -> tuple[list[Line], int]:
    session, question = uow.session, filters.question
    match by:
        case "advisor":
            return reach.by_advisor(session, question, offset=offset, limit=limit)
        case "piece":
            return reach.by_piece(session, question, offset=offset, limit=limit)
        case "unit":
            lines = reach.by_unit(session, question)
        case "channel":
            lines = reach.by_channel(session, question)
        case "source":
            lines = reach.by_source(session, question)
        case _:
            lines = []
    return lines, 0


def _shown(filters: _Filters, by: str, line: Line) -> dict[str, Any]:
    """A line with its words, the way down, and the way to its events."""
    label, note, narrower = line.label, line.note, {}
    down: str | None = None
    match by:
        case "unit":
            narrower = {"unit": line.key, "own": 1 if line.own_level else None}
            if line.own_level:
                note = _("本级，不含下级机构")
            else:
                down = filters.address(unit=line.key, own=None)
        case "advisor":
            narrower = {"advisor": line.key}
            down = filters.address(advisor=line.key, by="piece")
        case "piece":
            narrower = {"piece": line.key}
            note = note or _("总部作品")
            down = filters.address(piece=line.key, by="advisor")
        case "channel":
            narrower = {"channel": line.key}
            label = _(CHANNELS[LinkChannel(line.key)])
        case "source":
            narrower = {"source": line.key}
            label = _(SOURCES.get(line.key, line.key))

    def events(metric: str, count: str = "human") -> str:
        return filters.address("/board/events", metric=metric, count=count, **narrower)

    return {"label": label, "note": note, "down": down, "tally": line.tally, "events": events}


def _figures(filters: _Filters, headline: reach.Headline) -> list[dict[str, Any]]:
    """The figures at the top, each with its 口径 and the way to what is behind it."""
    tally = headline.tally

    def behind(metric: Metric) -> str:
        return filters.address("/board/events", metric=metric.value, count="human")

    def of(metric: Metric, value: int, note: str | None) -> dict[str, Any]:
        definition = DEFINITIONS[metric]
        return {
            "label": _(definition.name),
            "value": value,
            "unit": _(definition.unit),
            "meaning": _(definition.meaning),
            "href": behind(metric),
            "note": note,
        }

    not_counted = tally.arrivals_all - tally.arrivals
    return [
        of(Metric.PEOPLE, headline.people, _("估算")),
        of(
            Metric.ARRIVALS,
            tally.arrivals,
            _("另有 {count:,} 次未计入").format(count=not_counted) if not_counted else _("没有未计入的到访"),
        ),
        of(Metric.VIEWS, tally.views, _share(tally.views, tally.arrivals)),
        of(Metric.LEADS, tally.leads, None),
        {
            "label": _(ACTIVE_ADVISORS.name),
            "value": headline.active_advisors,
            "unit": _(ACTIVE_ADVISORS.unit),
            "meaning": _(ACTIVE_ADVISORS.meaning),
            "href": filters.address(by="advisor") + "#table",
            "note": _("共 {count:,} 人").format(count=headline.advisors),
        },
        {
            "label": _(PIECES_IN_USE.name),
            "value": headline.pieces_in_use,
            "unit": _(PIECES_IN_USE.unit),
            "meaning": _(PIECES_IN_USE.meaning),
            "href": filters.address(by="piece") + "#table",
            "note": None,
        },
    ]


def _share(part: int, whole: int) -> str | None:
    return _("占到访 {share:.0%}").format(share=part / whole) if whole else None


def _chart(filters: _Filters, days: Sequence[reach.DayLine]) -> dict[str, Any]:
    def behind(day: date, count: str) -> str:
        on = {"days": None, "from": day.isoformat(), "until": day.isoformat()}
        return filters.address("/board/events", metric="arrivals", count=count, **on)

    return {
        "kind": "line",
        "unit": _("次"),
        "categories": [f"{line.day.month}/{line.day.day}" for line in days],
        "series": [
            {
                "name": _("真人到访"),
                "values": [line.tally.arrivals for line in days],
                "hrefs": [behind(line.day, "human") for line in days],
            },
            {
                "name": _("全部到访"),
                "values": [line.tally.arrivals_all for line in days],
                "hrefs": [behind(line.day, "all") for line in days],
            },
        ],
    }


def _pager(
    filters: _Filters, page: int, total: int, path: str = "/board", **more: object
) -> dict[str, Any] | None:
    if total <= _PAGE_ROWS:
        return None
    anchor = "#table"
    first = (page - 1) * _PAGE_ROWS + 1
    return {
        "first": min(first, total),
        "last": min(page * _PAGE_ROWS, total),
        "total": total,
        "previous": filters.address(path, page=page - 1, **more) + anchor if page > 1 else None,
        "next": filters.address(path, page=page + 1, **more) + anchor if page * _PAGE_ROWS < total else None,
    }


_TALLY_HEADER: Final = (
    "触达人次",
    "全部到访",
    "扫码",
    "点击",
    "转发打开",
    "浏览",
    "全部浏览",
    "留资",
    "全部留资",
)


def _tally_cells(tally: Tally) -> list[int]:
    return [
        tally.arrivals,
        tally.arrivals_all,
        tally.scans,
        tally.clicks,
        tally.forwards,
        tally.views,
        tally.views_all,
        tally.leads,
        tally.leads_all,
    ]


def _export_rows(
    uow: UnitOfWork, filters: _Filters, table: str
) -> tuple[Sequence[str], list[Sequence[object]]]:
    session, question = uow.session, filters.question
    if table == "events":
        return _event_rows(uow, question)
    if table == "day":
        days = reach.by_day(session, question)
        return ("日期", *_TALLY_HEADER), [(one.day.isoformat(), *_tally_cells(one.tally)) for one in days]
    if table == "class":
        return ("类别", "原因", "到访"), [
            (CLASSES[one.hit_class], REASONS.get(one.reason, one.reason), one.arrivals)
            for one in reach.by_class(session, question)
        ]
    lines, _total = _lines(uow, filters, table, offset=0, limit=_EXPORT_ROWS)
    return (TABLES[table].removeprefix("按"), "说明", *_TALLY_HEADER), [
        (shown["label"], shown["note"], *_tally_cells(line.tally))
        for line in lines
        for shown in (_shown(filters, table, line),)
    ]


def _event_rows(uow: UnitOfWork, question: Question) -> tuple[Sequence[str], list[Sequence[object]]]:
    metric = Metric(_chosen(request.args.get("metric"), {one.value: one for one in Metric}, "arrivals"))
    counting = Counting(_chosen(request.args.get("count"), {one.value: one for one in Counting}, "human"))
    count = reach.count_events(uow.session, question, metric, counting)
    if count > _EXPORT_ROWS:
        raise InvalidInput.of(
            "period", "too_many", f"共 {count:,} 条，一次最多导出 {_EXPORT_ROWS:,} 条，请缩短时段或选定机构。"
        )
    header = (
        "时间",
        "事件",
        "类别",
        "原因",
        "渠道",
        "打开方式",
        "客户经理",
        "机构",
        "作品",
        "访客（当日匿名标识）",
    )
    return header, [
        (
            f"{one.at.astimezone(TENANT_ZONE):%Y-%m-%d %H:%M:%S}",
            KINDS[one.kind],
            CLASSES[one.hit_class],
            REASONS.get(one.reason, one.reason),
            CHANNELS[one.channel],
            SOURCES.get(one.source, one.source),
            one.advisor,
            one.unit,
            one.piece,
            one.visitor[:8],
        )
        for one in reach.events(uow.session, question, metric, counting)
    ]


def _csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file that spreadsheets read as UTF-8 and take for text, never for formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([plain_cell(cell) for cell in row] for row in rows)
    response = make_response(out.getvalue().encode("utf-8-sig"))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"reach.csv\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
