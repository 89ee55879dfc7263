"""One pass of the automaton over a text: which listed words stand where, which patterns may match."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter, or_

import ahocorasick_rs

from compliance.normalise import Normalised
from compliance.pattern import SENTENCE_END, Pattern

_LANES = 3  # so many gates of a pattern, the rarest, are asked for before it is tried
_STRETCH = 60  # characters from one cut to the next, so that cutting costs less than it spares
_SENTENCE_ENDS = re.compile(f"[{SENTENCE_END}]")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text in which no sentence is left open, and the patterns it may match, as bits."""

    start: int
    stop: int
    patterns: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What the automaton saw in a text.

    `words` are the listed words in it. `ready` are the triggering patterns that may match where it
    counts, with the stretches; `where` tells that of all patterns, and of the whole text.
    """

    words: frozenset[str]
    ready: Mapping[Pattern, Sequence[Stretch]]
    stretches: Sequence[Stretch]
    whole: Stretch
    bits: "Bits"

    def may_match(self, patterns: tuple[Pattern, ...]) -> bool:
        """Tell whether any of the patterns may match: of its rarest gates a word each was seen."""
        return bool(self.whole.patterns & self.bits[patterns])

    def where(self, pattern: Pattern) -> Sequence[Stretch]:
        """Return the stretches in which a pattern may match."""
        number = self.bits.numbers[pattern]
        if not self.whole.patterns >> number & 1:
            return ()
        if pattern.crosses:
            return (self.whole,)
        return [stretch for stretch in self.stretches if stretch.patterns >> number & 1]


class Bits(dict[tuple[Pattern, ...], int]):
    """The bits of groups of patterns, as they are asked for."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        super().__init__()
        self.numbers = {pattern: at for at, pattern in enumerate(patterns)}

    def __missing__(self, group: tuple[Pattern, ...]) -> int:
        bits = self[group] = reduce(or_, (1 << self.numbers[pattern] for pattern in group), 0)
        return bits


class LiteralIndex:
    """All literals of a ruleset: terms, allowed phrases, and the gates of patterns.

    One automaton finds them. Which patterns a stretch may match is told with a bit for each in three
    lanes, one for each of its rarest gates: a pattern passes whose bit is set in all three. Only the
    few patterns that spell out a sentence's end are asked of the text as a whole.
    """

    def __init__(
        self,
        words: Iterable[str],
        triggers: Iterable[Pattern] = (),
        others: Iterable[Pattern] = (),
    ) -> None:
        triggering = dict.fromkeys(triggers)
        self._patterns = (*triggering, *(one for one in dict.fromkeys(others) if one not in triggering))
        self._bits = Bits(self._patterns)
        self._triggering = (1 << len(triggering)) - 1
        self._crossing = sum(1 << at for at, pattern in enumerate(self._patterns) if pattern.crosses)
        self._within = (1 << len(self._patterns)) - 1 & ~self._crossing
        self._ungated, by_word = _lanes_of(self._patterns)
        self._words = sorted({*words, *by_word})
        self._lanes = [by_word.get(word, 0) for word in self._words]
        self._automaton = (
            ahocorasick_rs.AhoCorasick(self._words, matchkind=ahocorasick_rs.MatchKind.Standard)
            if self._words
            else None
        )

    def scan(self, normalised: Normalised, places: Sequence[tuple[int, int]] | None = None) -> Sight:
        """Return what stands in a text, of which only what touches the places counts, where given."""
        text, lanes = normalised.text, self._lanes
        # in the order of their ends, so that those of a stretch lie side by side
        found: Sequence[tuple[int, int, int]] = (
            self._automaton.find_matches_as_indexes(text, overlapping=True) if self._automaton else ()
        )
        stretches: list[Stretch] = []
        ready: dict[Pattern, list[Stretch]] = {}
        words: set[str] = set()
        seen_anywhere = may_match = start = first = 0
        for end in _ends_of_stretches(text):
            last = bisect_right(found, end + 1, first, key=itemgetter(2))
            here = {at for at, _, _ in found[first:last]}
            seen = reduce(or_, map(lanes.__getitem__, here), self._ungated)
            words.update(map(self._words.__getitem__, here))
            stretch = Stretch(start, end, self._passing(seen) & self._within)
            stretches.append(stretch)
            seen_anywhere |= seen
            may_match |= stretch.patterns
            if places is None or any(low < end and start < high for low, high in places):
                for pattern in self._triggers_in(stretch.patterns):
                    ready.setdefault(pattern, []).append(stretch)
            start, first = end, last
        crossing = self._passing(seen_anywhere) & self._crossing if self._crossing else 0
        whole = Stretch(0, len(text), may_match | crossing)
        ready |= {pattern: [whole] for pattern in self._triggers_in(crossing)}
        return Sight(frozenset(words), ready, stretches, whole, self._bits)

    def _passing(self, seen: int) -> int:
        """Return the patterns whose bit is set in every lane, and what stands above the lowest."""
        passing = seen
        for _ in range(_LANES - 1):
            seen >>= len(self._patterns)
            passing &= seen
        return passing

    def _triggers_in(self, patterns: int) -> Iterator[Pattern]:
        patterns &= self._triggering
        while patterns:
            lowest = patterns & -patterns
            patterns ^= lowest
            yield self._patterns[lowest.bit_length() - 1]


def _lanes_of(patterns: Sequence[Pattern]) -> tuple[int, dict[str, int]]:
    """Return the bits of gates that patterns do not have, and for every word those of the gates it is in."""
    ungated = 0
    by_gate: dict[frozenset[str], int] = {}
    for lane in range(_LANES):
        for at, pattern in enumerate(patterns, lane * len(patterns)):
            if lane < len(pattern.gates):
                gate = pattern.gates[lane]
                by_gate[gate] = by_gate.get(gate, 0) | 1 << at
            else:
                ungated |= 1 << at
    by_word: dict[str, int] = {}
    same: dict[int, int] = {}  # many words stand in the same gates: they share a number
    for gate, bits in by_gate.items():
        for word in gate:
            lanes = by_word.get(word, 0) | bits
            by_word[word] = same.setdefault(lanes, lanes)
    return ungated, by_word


def _ends_of_stretches(text: str) -> list[int]:
    """Return where the text may be cut: at ends of sentences, not too close to each other."""
    ends = []
    past = _STRETCH
    for found in _SENTENCE_ENDS.finditer(text):
        if found.start() >= past:
            ends.append(found.start())
            past = found.start() + _STRETCH
    ends.append(len(text))
    return ends
