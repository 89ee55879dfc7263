"""The language of patterns with slots, in which rules say what no single word says.

    (亏|跌) ~8 我 (补|赔)         alternatives, and a gap of at most eight characters
    年年 (都)? <percent>          an optional part, and a slot from the vocabulary
    !(不) -(并) [A-Za-z]{2,9}     not followed by, not preceded by, a bounded class

Spaces mean nothing. A gap crosses neither a sentence end nor a negation: 市场波动 ~8 被隔绝
leaves 市场波动无法被隔绝 alone. Nothing is unbounded and the
product of all gaps is limited, so matching is linear in the text; and every pattern must
contain literals of which one is always present. Sets of literals of which a match holds one
each are its *gates*: the pattern is only tried on sentences in which one of each was seen.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import NamedTuple
from weakref import WeakValueDictionary

from compliance.compounds import around
from compliance.gates import NOTHING, Gate, Gates, gates_of_any, rarity, the_one
from compliance.normalise import fold

SENTENCE_END = "。!?;\n"
# Negators a gap must not cross; 不断, 特别 and their like negate nothing.
_NEGATOR = (
    "不(?![断错仅但管论同少只光单止])|没(?!关系|事|问题)|无法|勿|未必|并非|"
    "(?<![特个区级识性类告])别(?![家人的处])"
)
# A step of a gap. Most characters begin no negator, and for those nothing is looked ahead.
_NEGATOR_HEADS = "不没无勿未并别"
_GAP_STEP = f"[^{SENTENCE_END}{_NEGATOR_HEADS}]|(?!{_NEGATOR})[{_NEGATOR_HEADS}]"
_DEFAULT_GAP = 6
_LONGEST_SLOT = 130
_MAX_GAP = 40
_MAX_FREEDOM = 60_000
# Up to what has a meaning of its own; the last character before "?" is optional by itself, as everywhere.
_CHARACTER = r"(?:\\.|[^\s\\()|?~<>\[\]{}!-]|[!-](?!\())"
_LITERAL = re.compile(rf"{_CHARACTER}(?:{_CHARACTER}(?!\?))*", re.DOTALL)
_LITERALS = re.compile(rf"\(({_CHARACTER}+(?:\|{_CHARACTER}+)*)\)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_KEPT = 8_192  # many patterns are put together from the same words

# Numbers as people write them; digits are matched after folding.
_DIGITS = r"(?<![0-9])(?<![0-9][.,])[0-9]{1,12}(?:[.,][0-9]{1,6}){0,4}"
_HAN_NUMERAL = "一二两三四五六七八九十百千万零〇半几壹贰叁肆伍陆柒捌玖拾"
_HAN_DIGITS = f"[{_HAN_NUMERAL}]{{1,8}}(?:点[{_HAN_NUMERAL}]{{1,4}})?"
_NUMBER = f"(?:{_DIGITS}|{_HAN_DIGITS})"
_UNITS = "(?:%|个百分点|个点|个多点|个基点|厘|分利|分息|成(?!立|功|为|交|本|员|长|绩|果|就|都|人))"
_BUILT_IN_SLOTS: Mapping[str, str] = {
    "number": _NUMBER,
    "digits": _DIGITS,
    "percent": f"(?:百分之{_HAN_DIGITS}|{_NUMBER}(?:[-~到至]{_NUMBER})?%(?:[-~到至]{_DIGITS}%)?"
    f"|{_NUMBER}{_UNITS})",
    "money": f"(?:{_NUMBER}(?:多|余|来)?(?:元|块|蚊|万|千|百|亿|w|k))",
    "period": f"(?:{_NUMBER}?(?:个)?(?:工作日|交易日|年|月|天|日|周|星期|礼拜|季度|季))",
    "date": (
        r"(?:[0-9]{2,4}[-年./][0-9]{1,2}(?:[-月./][0-9]{1,2}日?)?"
        r"|[0-9]{1,2}月[0-9]{1,2}[日号]?)"
    ),
    "year": r"(?:20[0-9]{2})",
}
_NUMERALS = frozenset("0123456789" + _HAN_NUMERAL)
# Of each of these one always stands in what a slot matches.
_SLOT_GATES: Mapping[str, tuple[Gate, ...]] = {
    "number": (_NUMERALS,),
    "digits": (frozenset("0123456789"),),
    "percent": (frozenset({"%", "点", "厘", "分利", "分息", "成", "百分之"}), _NUMERALS),
    "money": (frozenset("元块蚊万千百亿wk"), _NUMERALS),
    "period": (frozenset({"日", "年", "月", "天", "周", "星期", "礼拜", "季"}),),
    "date": (frozenset("-年./月"), frozenset("0123456789")),
    "year": (frozenset({"20"}),),
}
_SHORT_CLASS = 40
_MOST_ALTERNATIVES = 1_024
_NEGATOR_REACH = 4  # what a step of a gap looks at to tell a negator


class PatternError(ValueError):
    """A pattern that cannot be read or would not be linear; the message says which part."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Word groups a pattern may name in angle brackets, and phrases that are patterns themselves."""

    groups: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Pattern:
    """A compiled pattern: its source, its expression on normalised text, its gates.

    `gates` come with the rarest first. `reach` is the length of its longest match, `looks` how far
    its guards see beyond; `crosses` tells whether a match may go over the end of a sentence, as no
    gap does; `plain` whether it matches wherever a word of its only gate stands.
    """

    source: str
    expression: str
    gates: tuple[Gate, ...]
    reach: int
    looks: int
    crosses: bool
    plain: bool

    @property
    def gate(self) -> Gate:
        """Return the gate that lets the fewest texts through."""
        return self.gates[0]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Return the expression, compiled when it is first needed: most never are."""
        return re.compile(self.expression)


@dataclass(frozen=True, slots=True)
class _Part:
    """A parsed piece.

    Its expression; sets of literals of which one each must occur; the length of its longest
    match; the number of ways to match; everything it can match, where that is little.
    """

    regex: str
    gates: tuple[Gate, ...] = ()
    reach: int = 0
    freedom: int = 1
    wordings: frozenset[str] | None = None


def compile_pattern(source: str, vocabulary: Vocabulary) -> Pattern:
    """Compile a pattern.

    A pattern that was compiled with the same words is given again, as long as somebody holds it.
    Raises PatternError.
    """
    meant = _meant(source, vocabulary)
    known = _compiled.get(meant)
    if known is None:
        known = _compiled[meant] = _compile(source, vocabulary)
    return known


_Meant = tuple[str, tuple[tuple[str, ...], ...]]
_compiled: WeakValueDictionary[_Meant, "Pattern"] = WeakValueDictionary()
_NAMED = re.compile("<([^<>]+)>")


def _meant(source: str, vocabulary: Vocabulary) -> _Meant:
    """Return a pattern with all that the names in it stand for, in their order."""
    words: list[tuple[str, ...]] = []
    for name in _NAMED.findall(source):
        phrase = vocabulary.phrases.get(name)
        if phrase is not None:
            words.append(phrase)
        inside = _NAMED.findall(" ".join(phrase)) if phrase is not None else (name,)
        words += (vocabulary.groups.get(group, ()) for group in inside)
    return source, tuple(words)


def _compile(source: str, vocabulary: Vocabulary) -> Pattern:
    parser = _Parser(source, vocabulary)
    part = parser.parse()
    if not part.gates:
        raise PatternError(f"no literal is always present in {source!r}; it would run on every text")
    if part.freedom > _MAX_FREEDOM:
        raise PatternError(f"the gaps of {source!r} leave too much freedom")
    gates = sorted(set(part.gates), key=rarity)
    return _the_only(
        Pattern(
            source,
            part.regex,
            tuple(map(the_one, gates)),
            part.reach,
            parser.looks + _NEGATOR_REACH,
            parser.crosses,
            plain=part.wordings is not None and not parser.guarded,
        )
    )


# What several rules look for is looked for once.
_known: WeakValueDictionary[tuple[str, str], Pattern] = WeakValueDictionary()


def _the_only(pattern: Pattern) -> Pattern:
    """Return always the same object for patterns that say and mean the same."""
    return _known.setdefault((pattern.source, pattern.expression), pattern)


def _any_of(words: Iterable[str], within: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """Return an expression for the words, longest first, each first character tried once.

    None matches `within` another word: between what would stand before it and behind it there.
    """
    by_first: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        whole = _not_between(word, within[word]) if word in within else ""
        by_first.setdefault(word[0], []).append(re.escape(word[1:]) + whole)
    branches = []
    for first, rests in by_first.items():
        rest = "|".join(rests)
        branches.append(re.escape(first) + (f"(?:{rest})" if rest else ""))
    return "(?:" + "|".join(branches) + ")"


def _not_between(word: str, places: Iterable[tuple[str, str]]) -> str:
    """Return what must hold behind a word that stands for itself.

    Most other words are one character longer: those make two classes, quick to compile and to try.
    """
    before, behind, rest = "", "", []
    for left, right in places:
        if not right and len(left) == 1:
            before += left
        elif not left and len(right) == 1:
            behind += right
        else:
            rest.append((f"(?<={re.escape(left + word)})" if left else "") + re.escape(right))
    return (
        (f"(?<![{re.escape(before)}]{re.escape(word)})" if before else "")
        + (f"(?![{re.escape(behind)}])" if behind else "")
        + ("(?!" + "|".join(rest) + ")" if rest else "")
    )


class _Words(NamedTuple):
    """What words make that stand for each other.

    `sight` is how far they look behind them so as not to match inside other words, `None` where none could.
    """

    part: _Part
    sight: int | None
    crosses: bool


@lru_cache(_KEPT)
def _one_of(words: tuple[str, ...], *, alone: bool) -> _Words:
    """Return what one of some words makes, the longest first; `alone`, none matches inside another word."""
    within = {word: found for word in words if alone and (found := around(word))}
    gate = frozenset(words)
    return _Words(
        _Part(_any_of(words, within), (gate,), max(map(len, words)), wordings=gate),
        max((len(behind) for places in within.values() for _, behind in places), default=None),
        any(map(_ends_a_sentence, words)),
    )


@lru_cache(_KEPT)
def _literals(written: str, *, alone: bool) -> _Words:
    """Return what literals with bars between them make; what follows a backslash is meant as itself."""
    folded = [fold(_ESCAPED.sub(r"\1", found.group())) for found in _LITERAL.finditer(written)]
    found = [_one_of((word,), alone=alone) if word else _NO_WORD for word in folded]
    if len(found) == 1:
        return found[0]
    return _Words(
        _alternative([words.part for words in found]),
        max((words.sight for words in found if words.sight is not None), default=None),
        any(words.crosses for words in found),
    )


_NO_WORD = _Words(_Part(""), None, crosses=False)


def _ends_a_sentence(written: str) -> bool:
    return any(end in written for end in SENTENCE_END)


def _alternative(parts: Sequence[_Part]) -> _Part:
    gates = [sorted(part.gates, key=rarity) if len(part.gates) > 1 else part.gates for part in parts]
    return _Part(
        regex="(?:" + "|".join(part.regex for part in parts) + ")",
        gates=gates_of_any(gates) if all(gates) else (),
        reach=max(part.reach for part in parts),
        # plain alternatives exclude one another; only those with gaps add up
        freedom=max(1, sum(part.freedom for part in parts if part.freedom > 1)),
        wordings=_all_of([part.wordings for part in parts]),
    )


def _all_of(wordings: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: set[str] = set()
    for one in wordings:
        if one is None or len(found) + len(one) > _MOST_ALTERNATIVES:
            return None
        found |= one
    return frozenset(found)


def _members_of(written: str) -> frozenset[str] | None:
    """Return the characters of a class, or `None` where they are many or all but some."""
    if written.startswith("^"):
        return None
    found: set[str] = set()
    for part in re.finditer(r"(.)-(.)|(.)", written):
        first, last = (part[1], part[2]) if part[1] else (part[3], part[3])
        if len(found) + ord(last) - ord(first) > _SHORT_CLASS:
            return None
        found.update(map(chr, range(ord(first), ord(last) + 1)))
    return frozenset(found)


class _Parser:
    def __init__(self, source: str, vocabulary: Vocabulary) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._at = 0
        self.crosses = False
        self.guarded = False
        self._guarding = False
        self.looks = 0  # how far all guards together see

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
        gates = Gates()
        reach = 0
        freedom = 1
        while self._peek() not in {"", "|", ")"}:
            part = self._element()
            if self._peek() == "?":
                self._at += 1
                part = _Part(
                    f"(?:{part.regex})?",
                    reach=part.reach,
                    freedom=part.freedom + 1,
                    wordings=_all_of([part.wordings, NOTHING]),
                )
            regex.append(part.regex)
            gates.add(part.gates, part.wordings)
            reach += part.reach
            freedom *= part.freedom
        if not regex:
            raise PatternError(f"an empty alternative in {self._source!r}")
        wordings = gates.end()
        return _Part("".join(regex), tuple(gates.found), reach, freedom, wordings)

    def _element(self) -> _Part:
        char = self._peek()
        if char == "(":
            found = _LITERALS.match(self._source, self._at)
            if found is not None:
                self._at = found.end()
                return self._words(_literals(found.group(1), alone=not self._guarding))
            self._at += 1
            part = self._alternatives()
            self._take(")")
            return replace(part, regex=f"(?:{part.regex})")
        if self._is_guard():
            return self._guard(char)
        if char == "~":
            return self._gap()
        if char == "<":
            return self._slot()
        if char == "[":
            return self._class()
        return self._literal()

    def _literal(self) -> _Part:
        found = _LITERAL.match(self._source, self._at)
        if found is None:
            raise PatternError(f"unexpected {self._source[self._at]!r} at {self._at} in {self._source!r}")
        self._at = found.end()
        return self._words(_literals(found.group(), alone=not self._guarding))

    def _words(self, words: _Words) -> _Part:
        self.crosses = self.crosses or words.crosses
        if words.sight is not None:
            self.guarded = True
            self.looks = max(self.looks, words.sight)
        return words.part

    def _is_guard(self) -> bool:
        return self._source[self._at : self._at + 2] in {"!(", "-("}

    def _guard(self, char: str) -> _Part:
        """Parse `!(…)`, not followed by, or `-(…)`, not preceded by."""
        crosses, guarding = self.crosses, self._guarding
        self._guarding = True
        self._at += 1
        self._take("(")
        part = self._alternatives()
        self._take(")")
        self.crosses, self._guarding = crosses, guarding  # a guard only looks
        self.guarded = True
        if char == "!":
            self.looks += part.reach
            return _Part(f"(?!{part.regex})", wordings=NOTHING)
        words = sorted(part.gates[0]) if part.gates else ()
        if not words:
            raise PatternError(f"only literals may stand in -(…) of {self._source!r}")
        return _Part("".join(f"(?<!{re.escape(word)})" for word in words), wordings=NOTHING)

    def _gap(self) -> _Part:
        self._at += 1
        width = re.compile(r"\d*").match(self._source, self._at)
        assert width is not None  # noqa: S101 - \d* matches everywhere
        self._at = width.end()
        size = int(width.group() or _DEFAULT_GAP)
        if size > _MAX_GAP:
            raise PatternError(f"a gap of {size} is wider than {_MAX_GAP} in {self._source!r}")
        return _Part(f"(?:{_GAP_STEP}){{0,{size}}}?", reach=size, freedom=size + 1)

    def _slot(self) -> _Part:
        end = self._source.find(">", self._at)
        name = self._source[self._at + 1 : end]
        self._at = end + 1
        if name in _BUILT_IN_SLOTS:
            return _Part(_BUILT_IN_SLOTS[name], _SLOT_GATES[name], _LONGEST_SLOT, freedom=2)
        if end > 0 and name in self._vocabulary.phrases:
            return self._phrase(name)
        words = self._vocabulary.groups.get(name)
        if end < 0 or words is None:
            raise PatternError(f"unknown slot <{name}> in {self._source!r}")
        folded = sorted(set(map(fold, words)), key=lambda word: (-len(word), word))
        return self._words(_one_of(tuple(folded), alone=not self._guarding))

    def _phrase(self, name: str) -> _Part:
        """Parse every wording of a phrase; it may name word groups, not phrases again."""
        words = Vocabulary(self._vocabulary.groups)
        parsers = [_Parser(source, words) for source in self._vocabulary.phrases[name]]
        part = _alternative([parser.parse() for parser in parsers])
        self.crosses = self.crosses or any(parser.crosses for parser in parsers)
        self.guarded = self.guarded or any(parser.guarded for parser in parsers)
        self.looks += sum(parser.looks for parser in parsers)
        return part

    def _class(self) -> _Part:
        found = re.compile(r"\[([^\[\]\\]+)\](?:\{(\d+),(\d+)\})?").match(self._source, self._at)
        if found is None:
            raise PatternError(f"a class needs [...] or [...]{{m,n}} in {self._source!r}")
        self._at = found.end()
        members, low, high = found.group(1), found.group(2) or "1", found.group(3) or "1"
        self.crosses = self.crosses or members.startswith("^") or _ends_a_sentence(members)
        if int(high) > _MAX_GAP or int(low) > int(high):
            raise PatternError(f"the bound {{{low},{high}}} is not usable in {self._source!r}")
        one_of = _members_of(members.lower()) if int(low) else None
        return _Part(
            f"[{members.lower()}]{{{low},{high}}}",
            gates=() if one_of is None else (one_of,),
            reach=int(high),
            freedom=int(high) - int(low) + 1,
            wordings=one_of if int(high) == 1 else None,
        )
