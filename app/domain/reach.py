"""What each figure of reach means (口径), for which days and whose part of the organisation.

A figure is defined here once: the page shows the words, the queries count by the kinds, and the
list of events behind a figure is selected by the same kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from app.domain.errors import InvalidInput
from app.domain.organisation import Scope
from app.domain.tracking import ARRIVALS, EventKind, HitClass, LinkChannel


class Metric(StrEnum):
    PEOPLE = "people"
    ARRIVALS = "arrivals"
    SCANS = "scans"
    CLICKS = "clicks"
    FORWARDS = "forwards"
    VIEWS = "views"
    LEADS = "leads"


class Counting(StrEnum):
    """Which events a figure takes: a person's, every one, or those that are not a person's."""

    HUMAN = "human"
    ALL = "all"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    unit: str
    meaning: str
    kinds: frozenset[EventKind]


_COUNTED = "只计真人；链接预览、机器访问和本机构员工的打开照样保留，另行列出。"

DEFINITIONS: Final[Mapping[Metric, Definition]] = MappingProxyType(
    {
        Metric.PEOPLE: Definition(
            "触达人数",
            "人",
            "每天不同的访客数相加（估算）。同一访客一天内不论来几次、看几份内容都算 1 人，隔天再来另算；"
            f"访客以当日失效的匿名标识区分，换手机或换网络会多计。{_COUNTED}",
            ARRIVALS,
        ),
        Metric.ARRIVALS: Definition(
            "触达人次",
            "次",
            f"扫码、点击和转发打开的次数之和，同一个人来几次算几次。{_COUNTED}",
            ARRIVALS,
        ),
        Metric.SCANS: Definition(
            "扫码", "次", f"经图片上的二维码到达的次数。{_COUNTED}", frozenset({EventKind.SCAN})
        ),
        Metric.CLICKS: Definition(
            "点击", "次", f"经短链接到达，或隔天重新打开页面的次数。{_COUNTED}", frozenset({EventKind.CLICK})
        ),
        Metric.FORWARDS: Definition(
            "转发打开",
            "次",
            f"访客把页面发给别人、别人在当天打开的次数；发出而没有人打开的不计。{_COUNTED}",
            frozenset({EventKind.FORWARD}),
        ),
        Metric.VIEWS: Definition(
            "浏览",
            "次",
            f"页面真正显示在屏幕上的到访，每次到访最多计 1 次。{_COUNTED}",
            frozenset({EventKind.VIEW}),
        ),
        Metric.LEADS: Definition(
            "留资",
            "条",
            f"访客同意后留下联系方式的次数，同一次到访重复提交只计 1 条。{_COUNTED}",
            frozenset({EventKind.LEAD}),
        ),
    }
)

ACTIVE_ADVISORS: Final = Definition(
    "活跃客户经理",
    "人",
    "所选时段内，名下内容至少有 1 次真人到访（扫码、点击或转发打开）的客户经理。",
    ARRIVALS,
)
PIECES_IN_USE: Final = Definition(
    "使用中的作品",
    "份",
    "所选时段内至少有 1 次真人到访（扫码、点击或转发打开）的作品。",
    ARRIVALS,
)

PRESET_DAYS: Final = (7, 30, 90)
_LONGEST_PERIOD: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included."""

    first: date
    last: date

    @classmethod
    def of_days(cls, days: int, *, today: date) -> "Period":
        """The last so many days, today among them."""
        return cls(today - timedelta(days=days - 1), today)

    @classmethod
    def between(cls, first: date, last: date) -> "Period":
        """Raises InvalidInput for a period that ends before it begins, or is too long to draw."""
        if last < first:
            raise InvalidInput.of("until", "before_start", "结束日期不能早于开始日期。")
        if last - first >= _LONGEST_PERIOD:
            raise InvalidInput.of("from", "too_long", "一次最多查看 366 天。")
        return cls(first, last)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=step) for step in range((self.last - self.first).days + 1))


def last_folded_day(today: date) -> date:
    """The latest day whose figures are read from the rollup instead of from its events.

    Yesterday is still read from the events: the last fold of a day runs when it is over.
    """
    return today - timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose reach is asked for, and when. Nothing outside the scope is ever in an answer."""

    tenant_id: UUID
    scope: Scope
    period: Period
    today: date
    unit_path: str | None = None
    only_this_unit: bool = False
    piece_id: UUID | None = None
    advisor_id: UUID | None = None
    channel: LinkChannel | None = None
    # what the rollup does not keep narrows only lists of events, and figures counted from them
    source: str | None = None
    hit_class: HitClass | None = None
    class_reason: str | None = None

    def on(self, day: date) -> "Question":
        return replace(self, period=Period(day, day))
