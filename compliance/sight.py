"""One pass of the automaton over a text: which listed words stand where, which patterns may match."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import compress, repeat
from operator import itemgetter, or_

from daachorse import CharwiseDoubleArrayAhoCorasick

from compliance.normalise import Normalised
from compliance.pattern import SENTENCE_END, Pattern

_LANES = 4  # so many gates of a pattern, the rarest, are asked for before it is tried
# from one end of a sentence to another, ten characters at least, so that cutting costs less than it spares
_STRETCH = re.compile(f".{{10}}[^{SENTENCE_END}]*|.+", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Sight:
    """What the automaton saw in a text.

    `words` are the listed words in it. The text is cut where no sentence is left open, into `stretches`,
    each with its `passing` patterns, as bits: those that may match in it, and with its `counting` ones, that
    may match where it counts. `patterns` are those of all stretches, and those that may match over the end
    of one; `ready` are the triggering ones of them that may match where it counts.
    """

    words: frozenset[str]
    stretches: Sequence[tuple[int, int]]
    passing: Sequence[int]
    counting: Sequence[int]
    patterns: int
    ready: int
    bits: "Bits"
    _numbers: Sequence[int]

    def possible(self, patterns: tuple[Pattern, ...]) -> Iterator[Pattern]:
        """Yield those of a rule's patterns that may match: of their rarest gates a word each was seen."""
        return self.bits.patterns_in(self.patterns & self.bits.of(patterns))

    def doubtful(self, patterns: tuple[Pattern, ...]) -> Iterator[Pattern] | None:
        """Yield those that may match but need not, or return `None` where one matches for certain."""
        possible = self.patterns & self.bits.of(patterns)
        return None if possible & self.bits.plain else self.bits.patterns_in(possible)

    def where(self, pattern: Pattern, *, counting: bool = False) -> Sequence[tuple[int, int]]:
        """Return the stretches in which a pattern may match; with `counting`, where it may count."""
        bit = self.bits.by_pattern[pattern]
        if not self.patterns & bit:
            return ()
        if pattern.crosses:
            return ((0, self.stretches[-1][1]),)
        passing = self.counting if counting else self.passing
        return [*compress(self.stretches, map(bit.__and__, passing))]

    def ready_of(self, patterns: tuple[Pattern, ...]) -> Iterator[Pattern]:
        """Yield those of a rule's triggering patterns that may match where it counts."""
        return self.bits.patterns_in(self.ready & self.bits.of(patterns))

    def seen(self, words: Iterable[str]) -> list[str]:
        """Return those of the words, listed ones or of gates, that stand in the text."""
        return [word for word in words if word in self._seen]

    @cached_property
    def _seen(self) -> frozenset[str]:
        longest = map(self.bits.words.__getitem__, frozenset(self._numbers))
        return frozenset(word[at:] for word in longest for at in range(len(word)))


class Bits:
    """What the bits of patterns stand for, alone and in groups, and the words by their numbers."""

    def __init__(self, patterns: Sequence[Pattern], words: Sequence[str]) -> None:
        self._patterns = patterns
        self.plain = sum(1 << at for at, pattern in enumerate(patterns) if pattern.plain)
        self._bits = [1 << at for at in range(len(patterns))]
        self.by_pattern = dict(zip(patterns, self._bits, strict=True))
        self.words = words
        # by the identity of what rules keep; which is kept here too, so that nothing else takes that identity
        self._by_group: dict[int, int] = {}
        self._kept: list[object] = []

    def of(self, group: tuple[Pattern, ...]) -> int:
        """Return the bits of a group that a rule keeps."""
        bits = self._by_group.get(id(group))
        if bits is None:
            self._kept.append(group)
            bits = self._by_group[id(group)] = reduce(or_, map(self.by_pattern.__getitem__, group), 0)
        return bits

    def of_all(self, groups: tuple[tuple[Pattern, ...], ...]) -> int:
        """Return the bits of all groups that a rule keeps together."""
        bits = self._by_group.get(id(groups))
        if bits is None:
            self._kept.append(groups)
            bits = self._by_group[id(groups)] = reduce(or_, map(self.of, groups), 0)
        return bits

    def patterns_in(self, bits: int) -> Iterator[Pattern]:
        """Yield the patterns that the bits stand for, the last first: then one operation drops each."""
        while bits:
            at = bits.bit_length() - 1
            bits ^= self._bits[at]
            yield self._patterns[at]


class LiteralIndex:
    """All literals of a ruleset: terms, allowed phrases, and the gates of patterns.

    One automaton finds, for every place, the longest of them that ends there; what else ends there is
    known of it beforehand. Which patterns a stretch may match is told with a bit for each in four
    lanes, one for each of its rarest gates: a pattern passes whose bit is set in all of its lanes. The bit
    above all lanes tells of listed words. Only the few patterns that spell out a sentence's end are asked
    of the text as a whole.
    """

    def __init__(
        self,
        words: Iterable[str],
        triggers: Iterable[Pattern] = (),
        others: Iterable[Pattern] = (),
    ) -> None:
        triggering = frozenset(triggers)
        # those of most gates come first, so that each lane is as narrow as it can be
        self._patterns = sorted(
            triggering.union(others), key=lambda one: (-min(len(one.gates), _LANES), one.source)
        )
        self._triggering = self._bits_where(lambda one: one in triggering)
        self._crossing = self._bits_where(lambda one: one.crosses)
        self._within = self._bits_where(lambda one: not one.crosses)
        self._rarest, *self._lanes = lanes = _lanes_for(self._patterns)
        by_word = _gated_by_word(self._patterns, lanes)
        self._listing = 1 << self._rarest.shift + len(self._patterns)
        for word in words:
            by_word[word] = by_word[word] | self._listing if word in by_word else self._listing
        # what is seen most often, the short ones, lies together; and what a word ends with comes before it
        known = sorted(by_word, key=lambda word: (len(word), word))
        self._gated, self._listed = _with_endings(known, by_word, self._listing)
        self.bits = Bits(self._patterns, known)
        self._automaton = CharwiseDoubleArrayAhoCorasick(known) if known else None

    def _bits_where(self, holds: Callable[[Pattern], bool]) -> int:
        return sum(1 << at for at, pattern in enumerate(self._patterns) if holds(pattern))

    def scan(self, normalised: Normalised, places: Sequence[tuple[int, int]] | None = None) -> Sight:
        """Return what stands in a text, of which only what touches the places counts, where given."""
        text = normalised.text
        # in the order of their ends, so that those of a stretch lie side by side
        found = self._automaton.find_overlapping_no_suffix(text) if self._automaton else []
        _, ends, numbers = zip(*found, strict=True) if found else ((), (), ())
        # of one number alone it would make no tuple; nothing ends where the one more would stand
        gated = itemgetter(*numbers, 0)(self._gated) if numbers else ()
        stretches = [*map(re.Match.span, _STRETCH.finditer(text))] or [(0, 0)]
        passing: list[int] = []
        words: set[str] = set()
        seen_anywhere = first = 0
        for _, end in stretches:
            last = bisect_right(ends, end + 1, first)
            seen = reduce(or_, gated[first:last], 0)
            if seen >= self._listing:  # few stretches hold a listed word
                seen ^= self._listing
                words.update(*map(self._listed.get, numbers[first:last], repeat(())))
            passing.append(self._passing(seen))
            seen_anywhere |= seen
            first = last
        counting = passing
        if places is not None:
            counting = [
                bits if any(low < end and start < high for low, high in places) else 0
                for bits, (start, end) in zip(passing, stretches, strict=True)
            ]
        crossing = self._passing(seen_anywhere) & self._crossing
        return Sight(
            frozenset(words),
            stretches,
            passing,
            counting,
            reduce(or_, passing) & self._within | crossing,
            (reduce(or_, counting) & self._within | crossing) & self._triggering,
            self.bits,
            numbers,
        )

    def _passing(self, seen: int) -> int:
        """Return the patterns whose bit is set in every lane they have."""
        passing = seen >> self._rarest.shift
        for lane in self._lanes:
            passing &= seen >> lane.shift | lane.spared
        return passing


def starts(word: str, text: str, start: int = 0, stop: int | None = None) -> Iterator[int]:
    """Yield where a word stands in a text, or in the part of it between two places."""
    at = text.find(word, start, stop)
    while at >= 0:
        yield at
        at = text.find(word, at + 1, stop)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Where the bits of patterns stand for one of their gates.

    That of a pattern stands `shift` higher than its own; the patterns `spared`, the last, have no such gate.
    """

    shift: int
    spared: int


def _lanes_for(patterns: Sequence[Pattern]) -> list[_Lane]:
    """Return the lane of the rarest gates and then those of others, which stand lower.

    Common words are mostly in those: what is seen most often takes the fewest bits.
    """
    lanes = []
    width = 0
    for lane in reversed(range(_LANES)):
        count = sum(len(pattern.gates) > lane for pattern in patterns)
        lanes.append(_Lane(width, (1 << len(patterns)) - (1 << count)))
        width += count
    return lanes[::-1]


def _gated_by_word(patterns: Sequence[Pattern], lanes: Sequence[_Lane]) -> dict[str, int]:
    """Return for every word the bits of the gates it is in."""
    by_gate: dict[frozenset[str], int] = {}
    for at, pattern in enumerate(patterns):
        for lane, gate in zip(lanes, pattern.gates, strict=False):
            by_gate[gate] = by_gate.get(gate, 0) | 1 << at + lane.shift
    by_word: dict[str, int] = {}
    for gate, bits in by_gate.items():
        for word in gate:
            by_word[word] = by_word[word] | bits if word in by_word else bits
    return by_word


def _with_endings(
    known: Sequence[str], by_word: Mapping[str, int], listing: int
) -> tuple[list[int], dict[int, tuple[str, ...]]]:
    """Return for every word, by its number, the bits of all that ends with it, and which of that are listed.

    What a word ends with comes before it.
    """
    numbers: dict[str, int] = {}
    gated: list[int] = []
    listed: dict[int, tuple[str, ...]] = {}
    joined: dict[tuple[int, int], int] = {}  # many words are in the same gates: they share what is joined
    for number, word in enumerate(known):
        bits = by_word[word]
        own: tuple[str, ...] = (word,) if bits >= listing else ()
        for ending in (word[at:] for at in range(1, len(word))):
            if ending in numbers:  # it brings what is shorter with it
                below = gated[numbers[ending]]
                own += listed.get(numbers[ending], ())
                both = id(bits), id(below)
                if both not in joined:
                    joined[both] = bits | below
                bits = joined[both]
                break
        if own:
            listed[number] = own
        numbers[word] = number
        gated.append(bits)
    return gated, listed
