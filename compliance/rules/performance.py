"""Performance figures: a number, what it measures, over which window, and whose it is.

近三年年化4.1% of a fund is past performance and owes its warning; 沪指本周涨1.2% is news,
管理费0.5% a price, 业绩比较基准 a yardstick, 近一年最大回撤8% a warning. So each number is read
with the words round it, in the sentence it stands in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from compliance.document import Sector
from compliance.match import DocumentView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule


class FigureKind(StrEnum):
    """What makes a number a performance figure."""

    PERIOD = "period"  # over a stretch of time up to now
    INCEPTION = "inception"  # since the product exists
    PICKED = "picked"  # since a day somebody chose
    YEAR = "year"  # of a calendar year


_HAN = "一二两三四五六七八九十百几仨俩廿"
_N = f"(?:(?<!\\d)\\d{{1,3}}|[{_HAN}]{{1,3}}|半|整百)"
# The first two characters of a number: whatever else stands in a text is passed over at a glance.
_NUMBER_BEGINS = re.compile(f"[-+\\d翻{_HAN}](?=[\\d.%个点成倍番了分{_HAN}])")
_NUMBER = re.compile(
    r"(?:[+-]?\d{1,4}(?:\.\d{1,4})?%|百分之[一二两三四五六七八九十百点零几]{1,6}"
    rf"|(?:\d{{1,3}}(?:\.\d{{1,2}})?|[{_HAN}]{{1,3}})(?:(?:个多|个)(?:点|百分点)|点多)"
    rf"|翻了?(?:[{_HAN}]{{1,2}}|\d{{1,3}})?(?:倍|番)|(?<!增)(?:\d{{1,3}}(?:\.\d{{1,2}})?|[{_HAN}]{{1,2}})倍"
    rf"|[{_HAN}]成[{_HAN}]?(?![立功为交本员长绩果就都人仓客用以])"
    r"|(?<![\d.])[12]\.\d{3,4}(?![\d%])"
    r"|(?<=净值|已经|冲上|站上|升到|涨到|已是|来到|达到|突破)[12]\.\d{2}(?![\d%.万元亿])"
    r"|(?<=折年|年化|收益|回报|到手|做到|涨了|赚了)\d{1,2}\.\d{1,2}(?![\d%.万元亿]))"
)
_SENTENCE_END = "。!?;\n"
_LEFT, _RIGHT = 56, 16
_NEAR_LEFT, _NEAR_RIGHT = 20, 10

_MEASURE = re.compile(
    "收益|回报|涨|增长|增值|(?<!利率)(?<!利率[(])年化|折年|净值|盈利|盈余|赚|跑赢|跑出|超额|超越|战胜|领先|上升|上升了|升|业绩|战绩|成绩|表现|"
    "年均|算下来|吃到|各年度|完整年度|年度:|蹿|窜|拱|长了|做了|高出|蹦|拔高|多出|折成|折合|翻|斩获|拿下|挣|进账|落袋|正收益|赢|收红|红利|浮盈"
)
# What a number beside these words measures is no gain of the product.
_OTHER_MEASURE = re.compile(
    "比较基准|业绩基准|基准利率|费|税|折|占比|仓位|比例|不超过|上限|以内|增速|同比|环比|回撤|回落|下滑|走低|跌|下降|降|亏|损|蚀|波动|"
    "利息|中签|股息|贴息|通胀|cpi|gdp|pmi|失业|首付|利率|lpr|演示|预定|合格率|满意|人数|份额|配置|权重|覆盖|"
    "误差|贴现|增持|减持|加仓|减仓|收取|按|占|持有期|胜率|概率|目标|预期|预计|预测|有望|将|保底|保证|承诺"
)
_SUPPOSED = re.compile(
    "[别勿]当|不要当|别按|假设|假如|假定|比如|例如|举例|举个例|如果|倘若|若是|试想|设想|好比"
)
_SEVEN_DAYS = re.compile("(?<!近)(?:七|7)日(?:的)?年化(?:收益率|收益)?[^,。;%]{0,4}$")
_NET_VALUE = re.compile("净值[^,。;回跌]{0,8}$")
_SHORTEST_VALUE = 3
_WINDOW_BEFORE = re.compile(f"(?:20\\d{{2}}年?(?:度)?|近{_N}个?[年月周天日]|以来|今年|去年)[:,| ]{{0,2}}$")
_INDEX = re.compile(
    "(?:指数|沪指|深成指|成指|上证|深证|创业板指|科创50|沪深300|中证\\d{2,4}|恒指|恒生|标普|纳指|道指|大盘|a股|美股|港股|市场|"
    "国债|国开债|收益率曲线|信用债|债券收益率|板块|行业|金价|油价|房价|物价|cpi|gdp|工资|营收|营业收入|净利润|利润|销售额|同类平均|存款|贷款|现货|期货|汇率|人民币|美元)"
    "(?!基金|etf|增强|产品|联接|[^,]{0,4}etf)"
)
_PRODUCT = re.compile(
    "基金|etf|产品|理财|组合|策略|账户|混合|债|fof|我们|我司|我行|本行|这只|这款|这支|该只|经理|任职|净值|客户|私募|专户|"
    "代表作|旗下|量化|固收|红利低波|持有人|计划|信托|持有期|优选|[a-z]类|份额|实盘|跟投"
)
_INDEX_BEATEN = re.compile("跑赢|超越|战胜|领先|超过|跑出|击败|超额|大幅超")

_UNITS = {
    "日": 1,
    "天": 1,
    "晨昏": 1,
    "昼夜": 1,
    "日夜": 1,
    "周": 7,
    "星期": 7,
    "礼拜": 7,
    "月": 30,
    "季": 91,
    "季度": 91,
    "年": 365,
}
_HAN_VALUES = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "几": 3,
    "仨": 3,
    "俩": 2,
    "廿": 20,
}
_UNIT = "(?:个)?(?:交易|自然|完整)?(日|天|晨昏|昼夜|日夜|周|星期|礼拜|月|季度|季|年)"
_SPAN_BACK = re.compile(
    f"(?:近|最近|过去|过往|前|这|刚过去的|才|仅|短短|不到|满|刚满|刚|用了|只用|只花|不过)({_N}){_UNIT}(?!前|期|份)"
)
_SPAN_SINCE = re.compile(
    "(?:新发|诞生|成立|运作|上线|上市|运行|建仓|发行|持有|买入|买进|买了|上车|接手|管理|封闭)"
    f"(?:了|才|仅|刚|不到|短短|已|满|以来|至今|还|只有|,|不过|才刚){{0,4}}({_N}){_UNIT}"
)
_SPAN_PLAIN = re.compile(
    f"(?<![第满\\d.月年{_HAN}])({_N}){_UNIT}(?:时间|里|内|以来|下来|来|就|累计|收益|回报|涨|长了|蹿|窜|赚|净值|年化|折合|折算|涨幅|已|\\+|:|,|(?=\\d{{1,3}}(?:个|%|\\.|点))|\\()"
)
_NAMED_SPANS = (
    (re.compile("昨[天日]|今[天日]|当[天日]|单日|隔夜|前天|一天|盘中"), 1),
    (re.compile("上周|本周|这周|单周|一周|上一周|上星期|这星期"), 7),
    (
        re.compile(
            "成立满月|刚满月|满月|上月|上个月|本月|这个月|当月|单月|首月|[0-9十一二三四五六七八九]{1,2}月(?:份|单月|收益|涨|净值)"
        ),
        30,
    ),
    (re.compile("上季度|本季|单季|[一二三四]季度|q[1-4]|首季"), 91),
    (re.compile("半年|上一?(?:个)?(?:运作|封闭|持有)?(?:周期|封闭期|持有期)"), 182),
    (re.compile("七日|7日"), 7),
)
_YEAR = re.compile(
    "各年度|去年|前年|上一年|上年|全年(?!口径)|20\\d{2}(?:年度?)?(?![-./年]?\\d)|(?<![三五十两几])年年(?!化)|每年|往年"
)
_THIS_YEAR = re.compile("今年以来|今年来|年初至今|年初以来|开年以来|年内|今年")
_INCEPTION = re.compile(
    "(?:成立|上线|运作|发行|设立|运行|生效|创立|任职|管理|接手|诞生|面世|存续)(?:以来|至今|迄今|期间|[^,。]{0,6}(?:以来|至今|到现在))"
    "|至(?:20\\d{2}年)?\\d{1,2}月\\d{1,2}日|年均|自成立|任期|任职回报|从业以来|累计|历史|过往|往期|上期|上一期|历年|到期|实际|截至"
)
_VAGUE = re.compile("累计|历史|过往|实际")
_PICKED = re.compile(
    "(?:低点|底部|低位|反弹|触底|抄底|调整|年后|节后|节前|春节|国庆(?:开仓|建仓)?|行情启动|启动|回调)[^,。]{0,4}(?:以来|至今|到现在|后|起)"
    "|\\d{1,2}月[到至]\\d{1,2}月[这那]?一?[波轮段]"
    "|自?(?:20\\d{2}年)?\\d{1,2}月(?:\\d{1,2}[日号])?(?:底|初|中旬|末)?(?:以来|至今|到现在)|从\\d{1,2}月"
)
# Windows that count their time, and those that name it: of what kind, of how many days where that is said.
_COUNTED = (_SPAN_BACK, _SPAN_SINCE, _SPAN_PLAIN)
_NAMED: tuple[tuple[re.Pattern[str], FigureKind, int | None], ...] = (
    *((pattern, FigureKind.PERIOD, days) for pattern, days in _NAMED_SPANS),
    (_YEAR, FigureKind.YEAR, None),
    (_THIS_YEAR, FigureKind.YEAR, None),
    (_PICKED, FigureKind.PICKED, None),
    (_INCEPTION, FigureKind.INCEPTION, None),
)
_ANY_WINDOW = re.compile("|".join(one.pattern for one in (*_COUNTED, *(pattern for pattern, _, _ in _NAMED))))
_ANNUALISED = re.compile(
    "年化|折年|折合年|折合全年|折成全年|全年口径|折算全年|换算成年|按全年|换成年|合成年|年均化|算下来一年"
)

_NUMBER_WORDS = frozenset(
    {
        "%",
        "百分之",
        "个点",
        "个多点",
        "个百分点",
        "个多百分点",
        "点多",
        "倍",
        "番",
        "成",
        "净值",
        "折年",
        "年化",
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A performance figure as found: where, what kind, over how many days where that is said."""

    start: int
    end: int
    kind: FigureKind
    days: int | None
    annualised: bool


@lru_cache(maxsize=64)
def figures_in(text: str) -> tuple[Figure, ...]:
    """Return the performance figures of a normalised text; every rule asks for those of the same."""
    figures = (_figure(text, number) for number in _numbers_in(text))
    return tuple(figure for figure in figures if figure is not None)


def _numbers_in(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while (begins := _NUMBER_BEGINS.search(text, at)) is not None:
        number = _NUMBER.match(text, begins.start())
        at = begins.end() if number is None else number.end()
        if number is not None:
            yield number


def _figure(text: str, number: re.Match[str]) -> Figure | None:
    start, end = number.span()
    left_from = max(0, start - _LEFT)
    left = text[left_from:start]
    cut = max(left.rfind(char) for char in _SENTENCE_END) + 1
    left_from, left = left_from + cut, left[cut:]
    right = text[end : end + _RIGHT]
    right = right[: min((at for char in _SENTENCE_END if (at := right.find(char)) >= 0), default=len(right))]
    if _SEVEN_DAYS.search(left):
        return None  # a money fund's own yardstick, which has rules of its own
    if _SUPPOSED.search(left) or not _measures_gain(left, number.group(), right) or _belongs_to_market(left):
        return None
    window = _window(left, right) or _age_behind(text, end)
    if window is None:
        return None
    kind, days, at, until = window
    if "." in number.group() and "%" not in number.group() and (kind is not FigureKind.PERIOD or days == 1):
        return None  # the value of a unit is a fact; what it rose to in so many weeks is a record
    annualised = bool(_ANNUALISED.search(left[-_LEFT // 2 :]) or _ANNUALISED.search(right))
    return Figure(min(start, left_from + at), max(end, end + until), kind, days, annualised)


def _measures_gain(left: str, number: str, right: str) -> bool:
    """Tell whether the nearest word of measure says that the number is a gain."""
    if number.startswith("-") or left.endswith("负"):
        return False
    if "." in number and not number.endswith("%") and number[:1] in "12" and len(number) > _SHORTEST_VALUE:
        return bool(_NET_VALUE.search(left[-_NEAR_LEFT:]))
    near = left[-_NEAR_LEFT:]
    gain = max((found.end() for found in _MEASURE.finditer(near)), default=-1)
    other = max((found.end() for found in _OTHER_MEASURE.finditer(near)), default=-1)
    if gain >= 0 or other >= 0:
        return gain > other
    if _WINDOW_BEFORE.search(left):
        return True
    after = re.split("[,、]", right, maxsplit=1)[0][:_NEAR_RIGHT]
    return number[0] in "翻+" or bool(_MEASURE.search(after) and not _OTHER_MEASURE.search(after))


def _belongs_to_market(left: str) -> bool:
    """Tell whether the figure is an index's or the economy's, the news of the day."""
    index = max((found for found in _INDEX.finditer(left)), key=re.Match.start, default=None)
    if index is None or _INDEX_BEATEN.search(left):
        return False
    return not _PRODUCT.search(left[index.end() :]) and not _PRODUCT.search(left[: index.start()][-12:])


def _window(left: str, right: str) -> tuple[FigureKind, int | None, int, int] | None:
    """Return the window nearest before the number, else just after: kind, days, where."""
    # 累计 and 历史 name no stretch of time where another word does
    before = max(
        _windows(left),
        key=lambda window: (
            (window.kind is not FigureKind.INCEPTION, window.end, -window.start)
            if _VAGUE.match(left, window.start)
            else (True, window.end, -window.start)
        ),
        default=None,
    )
    if before is not None:
        return before.kind, before.days, before.start, 0
    after = min(_windows(right), key=lambda window: window.start, default=None)
    return None if after is None else (after.kind, after.days, len(left), after.end)


def _age_behind(text: str, end: int) -> tuple[FigureKind, int | None, int, int] | None:
    """Return the age of the product where the next breath tells it: 年化21%!成立45天."""
    found = _SPAN_SINCE.search(text, end, end + _RIGHT)
    if found is None:
        return None
    return FigureKind.PERIOD, _days(found.group(1), found.group(2)), end, found.end() - end


@dataclass(frozen=True, slots=True)
class _Window:
    start: int
    end: int
    kind: FigureKind
    days: int | None = None


def _windows(text: str) -> Iterator[_Window]:
    if _ANY_WINDOW.search(text) is None:
        return
    for pattern in _COUNTED:
        for found in pattern.finditer(text):
            yield _Window(
                found.start(), found.end(2), FigureKind.PERIOD, _days(found.group(1), found.group(2))
            )
    for pattern, kind, days in _NAMED:
        for found in pattern.finditer(text):
            yield _Window(*found.span(), kind, days)


def _days(count: str, unit: str) -> int:
    if count == "半":
        return _UNITS[unit] // 2
    if count == "整百":
        return 100 * _UNITS[unit]
    return (int(count) if count.isdigit() else _han_number(count)) * _UNITS[unit]


def _han_number(word: str) -> int:
    """Read a Han number up to a few hundred; 几 is three, as people mean it."""
    total, digit = 0, 0
    for char in word:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = (
                "零一二三四五六七八九".find(char)
                if char in "一二三四五六七八九"
                else {"两": 2, "几": 3, "仨": 3, "俩": 2, "廿": 20}[char]
            )
    return total + digit


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceRule(Rule):
    """Finds performance figures of the kinds asked for, where the piece owes something for them.

    `shorter_than` counts days; `annualised` asks for figures scaled up to a year. `of` are words
    that say whose performance it is. Without any wording of `requires` (each entry one) the
    figure offends; a rule without `requires` finds it whatever the piece says.
    """

    figures: frozenset[FigureKind]
    shorter_than: int | None
    annualised: bool
    of: tuple[Pattern, ...]
    requires: tuple[tuple[Pattern, ...], ...]

    @property
    def is_duty(self) -> bool:
        return True

    @property
    def words(self) -> frozenset[str]:
        return _NUMBER_WORDS

    @property
    def trigger_words(self) -> frozenset[str]:
        return _NUMBER_WORDS

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        return self.conditions + self.of + tuple(one for group in self.requires for one in group)

    def indispensable(self, sector: Sector) -> Iterator[tuple[Pattern, ...]]:
        yield from Rule.indispensable(self, sector)
        if self.of:
            yield self.of

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        hit = self._figure_in(document)
        if hit is None or (self.of and not document.has_any(self.of)):
            return
        if not self.requires or not all(document.has_any(group) for group in self.requires):
            yield hit

    def _figure_in(self, document: DocumentView) -> Hit | None:
        """Return the first figure the rule is about."""
        for field in document.fields:
            if field.offends:
                for figure in figures_in(field.text):
                    if self._concerns(figure):
                        wording = field.completed(figure.start, figure.end, self.suggestion)
                        return Hit(field.index, figure.start, figure.end, wording)
        return None

    def _concerns(self, figure: Figure) -> bool:
        if figure.kind not in self.figures or (self.annualised and not figure.annualised):
            return False
        return self.shorter_than is None or (figure.days is not None and figure.days < self.shorter_than)


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a performance rule: `figures`, `shorter_than`, `annualised`, `of`, `requires`."""
    try:
        figures = frozenset(FigureKind(name) for name in draft.texts("figures"))
    except ValueError as error:
        raise draft.fault(f"`figures`: {error}") from error
    shorter_than = draft.fields.get("shorter_than")
    if shorter_than is not None and (not isinstance(shorter_than, int) or shorter_than <= 0):
        raise draft.fault("`shorter_than` must be a positive number of days")
    return PerformanceRule(
        **common,
        figures=figures or frozenset(FigureKind),
        shorter_than=shorter_than,
        annualised=draft.fields.get("annualised") is True,
        of=draft.patterns("of"),
        requires=draft.groups("requires"),
    )
