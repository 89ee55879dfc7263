"""Words a match cannot do without, by which a pattern is kept from sentences it cannot match.

A *gate* is a set of literals of which every match holds one.
"""

from collections.abc import Iterable, Sequence
from functools import cache

Gate = frozenset[str]

NOTHING: Gate = frozenset({""})
_MOST_WORDINGS = 64  # of words side by side, put together
# How common a literal of one, two, three … characters is, relative to each other.
_COMMONNESS = (600, 20, 5, 2)
_EVERYDAY = frozenset(
    "0123456789%一二三四五十百千万年月日天元不没我您你的是有在了人就都也到个可以上大行金收利钱点-./"
)
_EVERYDAY_COMMONNESS = 3_000
# What every second text of the trade says.
_TRADE = frozenset(
    {
        "保险",
        "理财",
        "客户",
        "银行",
        "风险",
        "基金",
        "产品",
        "净值",
        "每天",
        "每月",
        "央行",
        "开户",
        "利率",
        "投资",
    }
    | {
        "收益",
        "保障",
        "网点",
        "市场",
        "我们",
        "可以",
        "下跌",
        "上涨",
        "信用",
        "手机",
        "资产",
        "资金",
        "今天",
        "本行",
    }
    | {
        "我行",
        "公司",
        "服务",
        "业务",
        "办理",
        "证券",
        "股票",
        "存款",
        "贷款",
        "买入",
        "持有",
        "赎回",
        "申购",
        "认购",
    }
    | {"费率", "期限", "年化", "业绩", "投保", "保单", "家庭", "养老", "行情", "一年", "三年", "没有", "一个"}
)
_TRADE_COMMONNESS = 300


@cache
def the_one(gate: Gate) -> Gate:
    """Return always the same object for equal gates, so that looking one up compares nothing."""
    return gate


def rarity(gate: Gate) -> tuple[int, list[str]]:
    """Return what sorts gates, the rarest first."""
    return _commonness(gate), sorted(gate)


def _commonness(gate: Gate) -> int:
    """Estimate how many texts a gate lets through: short words are common, long ones rare."""
    return sum(map(_word_commonness, gate))


def _word_commonness(word: str) -> int:
    if word in _EVERYDAY:
        return _EVERYDAY_COMMONNESS
    if word in _TRADE:
        return _TRADE_COMMONNESS
    return _COMMONNESS[min(len(word), len(_COMMONNESS)) - 1]


def gates_of_any(gates: Sequence[Sequence[Gate]]) -> tuple[Gate, ...]:
    """Return the gates of alternatives, each with its own, the rarest first.

    One of them matches, so a word of its rarest gate is there, and one of its next, as far as it has one.
    """
    most = max(map(len, gates))
    return tuple(
        dict.fromkeys(frozenset().union(*(own[min(at, len(own) - 1)] for own in gates)) for at in range(most))
    )


class Gates:
    """Gathers the gates of a sequence: what stands side by side is put together, and rarer so."""

    def __init__(self) -> None:
        self.found: list[Gate] = []
        self._row = NOTHING
        self._broken = False

    def add(self, gates: Iterable[Gate], wordings: Gate | None) -> None:
        """Add a part: its gates, and everything it can match where that is little."""
        if wordings is not None and len(self._row) * len(wordings) <= _MOST_WORDINGS:
            self._row = frozenset(before + after for before in self._row for after in wordings)
            return
        self._close()
        if wordings is not None:
            self._row = wordings
        else:
            self.found += gates
            self._broken = True

    def end(self) -> Gate | None:
        """Close the last row, and return it where it was the only one."""
        whole = None if self._broken else self._row
        self._close()
        return whole

    def _close(self) -> None:
        if "" not in self._row:
            self.found.append(self._row)
        if self._row != NOTHING:
            self._broken = True
        self._row = NOTHING
