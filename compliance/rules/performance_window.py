"""Performance windows: a figure over a window the rules call too short.

Source: 公开募集证券投资基金宣传推介材料管理暂行规定 (six months), 理财产品过往业绩展示行为准则
(one month). Windows written in words are patterns of wording rules; here dates are counted.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from compliance.match import DocumentView, FieldView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule

_DATE = re.compile(r"(20\d{2})[-年./](\d{1,2})[-月./](\d{1,2})日?")
_RATE = re.compile(r"[+-]?\d{1,4}(?:\.\d{1,4})?%")
_START_MARK = re.compile(r"成立|生效|上线|起|区间|自")
_REACH = 60
_YEAR_WORDS = frozenset({"20"})  # in every date


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceWindowRule(Rule):
    """Finds a rate near two dates, start and end of a record, that are too close.

    `when` are the statements that make the rate a performance figure; `days` is the
    shortest lawful window.
    """

    when: tuple[Pattern, ...]
    days: int

    @property
    def words(self) -> frozenset[str]:
        return _YEAR_WORDS

    @property
    def trigger_words(self) -> frozenset[str]:
        return _YEAR_WORDS

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        return self.conditions + self.when

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.fields:
            if field.offends and field.has_any(self.when):
                yield from self._short_windows(field)

    def _short_windows(self, field: FieldView) -> Iterator[Hit]:
        dates = [(found, day) for found in _DATE.finditer(field.text) if (day := _day(found)) is not None]
        for (first, start), (last, end) in pairwise(dates):
            between = field.text[max(0, first.start() - 4) : last.start()]
            if not 0 < (end - start).days < self.days or not _START_MARK.search(between):
                continue
            rate = _RATE.search(field.text, first.end(), last.end() + _REACH)
            if rate is not None:
                yield Hit(field.index, first.start(), max(rate.end(), last.end()))
                return


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(*map(int, found.groups()))
    except ValueError:  # 2月30日 is no date
        return None


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a window rule: `when`, `days`."""
    days = draft.fields.get("days")
    if not isinstance(days, int) or days <= 0:
        raise draft.fault("`days` must be a positive number")
    when = draft.patterns("when")
    if not when:
        raise draft.fault("a window rule needs `when`")
    return PerformanceWindowRule(**common, when=when, days=days)
