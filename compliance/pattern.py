"""The language of patterns with slots, in which rules say what no single word says.

    (亏|跌) ~8 我 (补|赔)         alternatives, and a gap of at most eight characters
    年年 (都)? <percent>          an optional part, and a slot from the vocabulary
    !(不) -(并) [A-Za-z]{2,9}     not followed by, not preceded by, a bounded class

Spaces mean nothing. A gap crosses neither a sentence end nor a negation: 市场波动 ~8 被隔绝
leaves 市场波动无法被隔绝 alone. Nothing is unbounded and the
product of all gaps is limited, so matching is linear in the text; and every pattern must
contain literals of which one is always present. Those are its *gate*: the pattern is only
tried where the automaton saw one of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compliance.normalise import fold

_SENTENCE_END = "。!?;\\n"
# Negators a gap must not cross; 不断, 特别 and their like negate nothing.
_NEGATOR = (
    "不(?![断错仅但管论同少只光单止])|没(?!关系|事|问题)|无法|勿|未必|并非|"
    "(?<![特个区级识性类告])别(?![家人的处])"
)
_DEFAULT_GAP = 6
_MAX_GAP = 40
_MAX_FREEDOM = 60_000
_SYNTAX = frozenset("()|?~<>[]{}!-")

# Numbers as people write them; digits are matched after folding.
_DIGITS = r"[0-9]{1,12}(?:[.,][0-9]{1,6}){0,4}"
_HAN_NUMERAL = "一二两三四五六七八九十百千万零〇半几壹贰叁肆伍陆柒捌玖拾"
_HAN_DIGITS = f"[{_HAN_NUMERAL}]{{1,8}}(?:点[{_HAN_NUMERAL}]{{1,4}})?"
_NUMBER = f"(?:{_DIGITS}|{_HAN_DIGITS})"
_UNITS = "(?:%|个百分点|个点|个多点|个基点|厘|分利|分息|成(?!立|功|为|交|本|员|长|绩|果|就|都|人))"
_BUILT_IN_SLOTS: Mapping[str, str] = {
    "number": _NUMBER,
    "digits": _DIGITS,
    "percent": f"(?:百分之{_HAN_DIGITS}|{_NUMBER}(?:[-~到至]{_NUMBER})?%(?:[-~到至]{_DIGITS}%)?"
    f"|{_NUMBER}{_UNITS})",
    "money": f"(?:{_NUMBER}(?:多|余|来)?(?:元|块|万|千|百|亿|w|k))",
    "period": f"(?:{_NUMBER}?(?:个)?(?:工作日|交易日|年|月|天|日|周|星期|礼拜|季度|季))",
    "date": (
        r"(?:[0-9]{2,4}[-年./][0-9]{1,2}(?:[-月./][0-9]{1,2}日?)?"
        r"|[0-9]{1,2}月[0-9]{1,2}[日号]?)"
    ),
    "year": r"(?:20[0-9]{2})",
}
# One of these always stands in what a slot matches.
_SLOT_GATES: Mapping[str, frozenset[str]] = {
    "number": frozenset("0123456789" + _HAN_NUMERAL),
    "digits": frozenset("0123456789"),
    "percent": frozenset({"%", "点", "厘", "分利", "分息", "成", "百分之"}),
    "money": frozenset("元块万千百亿wk"),
    "period": frozenset({"日", "年", "月", "天", "周", "星期", "礼拜", "季"}),
    "date": frozenset("-年./月"),
    "year": frozenset({"20"}),
}


class PatternError(ValueError):
    """A pattern that cannot be read or would not be linear; the message says which part."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Word groups a pattern may name in angle brackets, and phrases that are patterns themselves."""

    groups: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: its source, its expression on normalised text, its gate."""

    source: str
    regex: re.Pattern[str]
    gate: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A parsed piece: expression, literals of which one must occur, number of ways to match."""

    regex: str
    gate: frozenset[str] | None
    freedom: int = 1


def compile_pattern(source: str, vocabulary: Vocabulary) -> Pattern:
    """Compile a pattern.

    Raises PatternError.
    """
    part = _Parser(source, vocabulary).parse()
    if part.gate is None:
        raise PatternError(f"no literal is always present in {source!r}; it would run on every text")
    if part.freedom > _MAX_FREEDOM:
        raise PatternError(f"the gaps of {source!r} leave too much freedom")
    return Pattern(source, re.compile(part.regex), part.gate)


def _better(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """Choose the gate that lets fewer texts through: longer literals, then fewer of them."""
    if first is None or second is None:
        return first or second
    return min(first, second, key=lambda gate: (-min(map(len, gate)), len(gate), sorted(gate)))


def _alternative(parts: Sequence[_Part]) -> _Part:
    gates = [part.gate for part in parts]
    known = [gate for gate in gates if gate is not None]
    return _Part(
        regex="(?:" + "|".join(part.regex for part in parts) + ")",
        gate=frozenset().union(*known) if len(known) == len(gates) else None,
        # plain alternatives exclude one another; only those with gaps add up
        freedom=max(1, sum(part.freedom for part in parts if part.freedom > 1)),
    )


class _Parser:
    def __init__(self, source: str, vocabulary: Vocabulary) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._at = 0

    def parse(self) -> _Part:
        part = self._alternatives()
        if self._at != len(self._source):
            raise PatternError(f"unexpected {self._source[self._at]!r} in {self._source!r}")
        return part

    def _peek(self) -> str:
        while self._at < len(self._source) and self._source[self._at].isspace():
            self._at += 1
        return self._source[self._at] if self._at < len(self._source) else ""

    def _take(self, expected: str) -> None:
        if self._peek() != expected:
            raise PatternError(f"{expected!r} is missing at {self._at} in {self._source!r}")
        self._at += 1

    def _alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _alternative(parts)

    def _sequence(self) -> _Part:
        regex: list[str] = []
        gate: frozenset[str] | None = None
        freedom = 1
        while self._peek() not in {"", "|", ")"}:
            part = self._element()
            if self._peek() == "?":
                self._at += 1
                part = _Part(f"(?:{part.regex})?", None, part.freedom + 1)
            regex.append(part.regex)
            gate = _better(gate, part.gate)
            freedom *= part.freedom
        if not regex:
            raise PatternError(f"an empty alternative in {self._source!r}")
        return _Part("".join(regex), gate, freedom)

    def _element(self) -> _Part:
        char = self._peek()
        if char == "(":
            self._at += 1
            part = self._alternatives()
            self._take(")")
            return _Part(f"(?:{part.regex})", part.gate, part.freedom)
        if self._is_guard():
            return self._guard(char)
        if char == "~":
            return self._gap()
        if char == "<":
            return self._slot()
        if char == "[":
            return self._class()
        if char in _SYNTAX and char not in "!-":
            raise PatternError(f"unexpected {char!r} at {self._at} in {self._source!r}")
        return self._literal()

    def _literal(self) -> _Part:
        chars: list[str] = []
        while self._at < len(self._source):
            char = self._source[self._at]
            width = 1
            if char == "\\":  # what follows is meant as itself
                char, width = self._source[self._at + 1 : self._at + 2], 2
            elif char.isspace() or (char in _SYNTAX and char not in "!-") or self._is_guard():
                break
            # the last character before "?" is optional by itself, as everywhere else
            if chars and self._source[self._at + width : self._at + width + 1] == "?":
                break
            chars.append(char)
            self._at += width
        literal = fold("".join(chars))
        return _Part(re.escape(literal), frozenset({literal}) if literal else None)

    def _is_guard(self) -> bool:
        return self._source[self._at : self._at + 2] in {"!(", "-("}

    def _guard(self, char: str) -> _Part:
        """Parse `!(…)`, not followed by, or `-(…)`, not preceded by."""
        self._at += 1
        self._take("(")
        part = self._alternatives()
        self._take(")")
        if char == "!":
            return _Part(f"(?!{part.regex})", None)
        words = sorted(part.gate or ())
        if not words:
            raise PatternError(f"only literals may stand in -(…) of {self._source!r}")
        return _Part("".join(f"(?<!{re.escape(word)})" for word in words), None)

    def _gap(self) -> _Part:
        self._at += 1
        width = re.compile(r"\d*").match(self._source, self._at)
        assert width is not None  # noqa: S101 - \d* matches everywhere
        self._at = width.end()
        size = int(width.group() or _DEFAULT_GAP)
        if size > _MAX_GAP:
            raise PatternError(f"a gap of {size} is wider than {_MAX_GAP} in {self._source!r}")
        return _Part(f"(?:(?!{_NEGATOR})[^{_SENTENCE_END}]){{0,{size}}}?", None, size + 1)

    def _slot(self) -> _Part:
        end = self._source.find(">", self._at)
        name = self._source[self._at + 1 : end]
        self._at = end + 1
        if name in _BUILT_IN_SLOTS:
            return _Part(_BUILT_IN_SLOTS[name], _SLOT_GATES[name], 2)
        if end > 0 and name in self._vocabulary.phrases:
            return self._phrase(name)
        words = self._vocabulary.groups.get(name)
        if end < 0 or words is None:
            raise PatternError(f"unknown slot <{name}> in {self._source!r}")
        folded = sorted(set(map(fold, words)), key=lambda word: (-len(word), word))
        return _Part("(?:" + "|".join(map(re.escape, folded)) + ")", frozenset(folded))

    def _phrase(self, name: str) -> _Part:
        """Parse every wording of a phrase; it may name word groups, not phrases again."""
        words = Vocabulary(self._vocabulary.groups)
        parts = [_Parser(source, words).parse() for source in self._vocabulary.phrases[name]]
        return _alternative(parts)

    def _class(self) -> _Part:
        found = re.compile(r"\[([^\[\]\\]+)\](?:\{(\d+),(\d+)\})?").match(self._source, self._at)
        if found is None:
            raise PatternError(f"a class needs [...] or [...]{{m,n}} in {self._source!r}")
        self._at = found.end()
        members, low, high = found.group(1), found.group(2) or "1", found.group(3) or "1"
        if int(high) > _MAX_GAP or int(low) > int(high):
            raise PatternError(f"the bound {{{low},{high}}} is not usable in {self._source!r}")
        return _Part(f"[{members.lower()}]{{{low},{high}}}", None, int(high) - int(low) + 1)
