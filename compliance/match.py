"""One pass of the automaton over a text: which listed words stand where, which patterns may match."""

import dataclasses
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import accumulate

import ahocorasick_rs

from compliance.document import Channel, Document, FieldKind, ProductType, Sector, TextField
from compliance.finding import Layer
from compliance.normalise import Normalised, normalise
from compliance.pattern import SENTENCE_END, Pattern
from compliance.sound import Heard, SoundIndex, as_heard

_LONG = 4  # texts of so many times a pattern's reach are searched in windows
_MOST_BITS = 16_384  # positions kept as bits of one number: of longer texts that would not be linear
_GUARD_ROOM = 40  # what a guard behind a match may look at
_STRETCH = 60  # characters from one cut to the next, so that cutting costs less than it spares
_SENTENCE_ENDS = re.compile(f"[{SENTENCE_END}]")


@dataclass(frozen=True, slots=True)
class Sight:
    """What the automaton saw in a text.

    `positions` are of words of two characters and more; `words` are those and the single
    characters. `ready` are the triggering patterns all of whose gates were seen.
    """

    positions: Mapping[str, list[int]]
    words: frozenset[str]
    ready: frozenset[Pattern]

    def may_match(self, pattern: Pattern) -> bool:
        """Tell whether a word of every gate of a pattern was seen."""
        return not any(map(self.words.isdisjoint, pattern.gates))


class LiteralIndex:
    """All literals of a ruleset: terms, allowed phrases, and the gates of patterns.

    Single characters are looked up in the set of the text's characters, all longer words are
    found by one automaton. Which patterns a sentence may match is told with a bit for each: the
    words seen of the patterns' first gates let some through, those of the second fewer. Only the
    few patterns that spell out a sentence's end are asked of the text as a whole.
    """

    def __init__(
        self,
        words: Iterable[str],
        triggers: Iterable[Pattern] = (),
        others: Iterable[Pattern] = (),
    ) -> None:
        self._triggering = tuple(dict.fromkeys(triggers))
        listed = set(words)
        for pattern in (*self._triggering, *others):
            listed.update(pattern.head or (), *pattern.gates)
        self._first, self._second = (_by_word(self._triggering, nth) for nth in (0, 1))
        # a pattern without a second gate passes that sieve
        self._single_gated = sum(1 << at for at, one in enumerate(self._triggering) if len(one.gates) == 1)
        self._crossing = sum(1 << at for at, pattern in enumerate(self._triggering) if pattern.crosses)
        self._singles = frozenset(word for word in listed if len(word) == 1)
        self._first_singles = self._singles & self._first.keys()
        self._words = sorted(word for word in listed if len(word) > 1)
        self._automaton = (
            ahocorasick_rs.AhoCorasick(self._words, matchkind=ahocorasick_rs.MatchKind.Standard)
            if self._words
            else None
        )

    def scan(self, normalised: Normalised) -> Sight:
        """Return what stands in a text."""
        text = normalised.text
        ends = _ends_of_stretches(text)
        positions: dict[str, list[int]] = {}
        told: list[set[str]] = [set() for _ in ends]
        if self._automaton is not None:
            words, sentence = self._words, 0
            # hits come in the order of their ends, so sentences come in order as well
            for index, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
                word = words[index]
                positions.setdefault(word, []).append(start)
                while start > ends[sentence]:
                    sentence += 1
                told[sentence].add(word)
        seen = (self._singles & normalised.alphabet).union(positions)
        ready: list[Pattern] = []
        if self._crossing:
            ready += self._ready(seen, self._through_first(seen) & self._crossing)
        begin = 0
        for end, words_here in zip(ends, told, strict=True):
            sentence_text = text[begin : end + 1]
            begin = end
            through = self._through_first(words_here) | self._through_first(
                self._first_singles.intersection(sentence_text)
            )
            if through:
                words_here.update(self._singles.intersection(sentence_text))
                ready += self._ready(words_here, through)
        return Sight(positions, seen, frozenset(ready))

    def _through_first(self, seen: Iterable[str]) -> int:
        """Return the patterns of whose first gate a word was seen, as bits."""
        first = self._first
        through = 0
        for word in seen:
            if word in first:
                through |= first[word]
        return through

    def _ready(self, seen: AbstractSet[str], through: int) -> Iterator[Pattern]:
        """Yield those of the patterns through the first sieve all of whose gates were seen."""
        second = self._second
        let = self._single_gated
        for word in seen:
            if word in second:
                let |= second[word]
        through &= let
        while through:
            lowest = through & -through
            through ^= lowest
            pattern = self._triggering[lowest.bit_length() - 1]
            if not any(map(seen.isdisjoint, pattern.gates[2:])):
                yield pattern


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


def _by_word(patterns: Sequence[Pattern], nth: int) -> dict[str, int]:
    """Return, for every word of the patterns' nth gates, the patterns as bits."""
    found: dict[str, int] = {}
    for at, pattern in enumerate(patterns):
        for word in pattern.gates[nth] if nth < len(pattern.gates) else ():
            found[word] = found.get(word, 0) | 1 << at
    return found


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule's hit in one field, in positions of the normalised text.

    `suggestion` is the wording for exactly this hit, where the rule has one; `remark` what is to be
    said of it beyond the rule's reason. `layer` is given where the rule knows better than the offset map.
    """

    field: int
    start: int
    end: int
    suggestion: str | None = None
    layer: Layer | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as the rules see it: normalised, with the listed words it contains.

    `places` is given where the text is read with the words that were only heard: they stand there.
    """

    index: int
    field: TextField
    normalised: Normalised
    sight: Sight
    places: tuple[tuple[int, int], ...] | None = None
    # what was looked up once: where words and groups of them stand, whether a pattern matches
    _word_places: dict[str, int] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    _known_places: dict[frozenset[str], int] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    _known_matches: dict[Pattern, Sequence[tuple[int, int]]] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def text(self) -> str:
        return self.normalised.text

    @property
    def offends(self) -> bool:
        """Whether rules may have hits here; a registered disclosure never offends."""
        return self.field.kind is not FieldKind.DISCLOSURE

    def starts(self, word: str) -> list[int]:
        """Return where a listed word stands."""
        if len(word) > 1:
            return self.sight.positions.get(word, [])
        starts, at = [], self.text.find(word)
        while at >= 0:
            starts.append(at)
            at = self.text.find(word, at + 1)
        return starts

    def seen(self, words: Iterable[str]) -> list[str]:
        """Return those of the listed words that stand in the field."""
        seen = self.sight.words
        return [word for word in words if word in seen]

    def completed(self, start: int, end: int, wording: str | None) -> str | None:
        """Return a wording for `text[start:end]`, of which a leading … stands for what is written."""
        if wording is None or not wording.startswith("…"):
            return wording
        span = self.normalised.span(start, end)
        return self.field.text[span.start : span.end] + wording[1:]

    def matches(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        """Return where a pattern matches, in order, if the automaton saw its gates."""
        known = self._known_matches.get(pattern)
        if known is None:
            known = self._known_matches[pattern] = self._find(pattern)
        return known

    def _find(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        if pattern not in self.sight.ready and not self.sight.may_match(pattern):
            return ()
        if pattern.head is not None and len(self.text) <= _MOST_BITS:
            return self._from_heads(pattern, pattern.head)
        if len(self.text) > _LONG * pattern.reach:
            return [*self._in_windows(pattern)]
        return [found.span() for found in pattern.regex.finditer(self.text) if found.end() > found.start()]

    def _from_heads(self, pattern: Pattern, head: frozenset[str]) -> list[tuple[int, int]]:
        """Try a pattern only where the words stand that it begins with, the others within reach."""
        heads = self._places_of(head)
        for gate in pattern.beyond:
            if not heads:
                return []
            heads &= _before(self._places_of(gate), pattern.reach)
        spans: list[tuple[int, int]] = []
        past = 0
        while heads:
            lowest = heads & -heads
            heads ^= lowest
            start = lowest.bit_length() - 1
            if start >= past and (found := pattern.regex.match(self.text, start)) and found.end() > start:
                past = found.end()
                spans.append((start, past))
        return spans

    def _places_of(self, group: frozenset[str]) -> int:
        """Return where words of a group stand: a bit for every position."""
        known = self._known_places.get(group)
        if known is None:
            known = 0
            for word in group & self.sight.words:
                places = self._word_places.get(word)
                if places is None:
                    places = 0
                    for start in self.starts(word):
                        places |= 1 << start
                    self._word_places[word] = places
                known |= places
            self._known_places[group] = known
        return known

    def _in_windows(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Search only round the words of the rarest gate: every match holds one of them."""
        windows: list[tuple[int, int]] = []
        for at in sorted({at for word in self.seen(pattern.gate) for at in self.starts(word)}):
            low, high = max(0, at - pattern.reach), at + pattern.reach + _GUARD_ROOM
            if windows and low <= windows[-1][1]:
                windows[-1] = (windows[-1][0], high)
            else:
                windows.append((low, high))
        for low, high in windows:
            for near in pattern.regex.finditer(self.text, low, high):
                # again without the window's end, so that guards see what stands behind it
                found = pattern.regex.match(self.text, near.start())
                if found is not None and found.end() > found.start():
                    yield found.span()

    def has(self, pattern: Pattern) -> bool:
        return bool(self.matches(pattern))


def _before(places: int, reach: int) -> int:
    """Return all positions from which a place is not further off than `reach`, and a few more."""
    step = 1
    while step <= reach:
        places |= places >> step
        step *= 2
    return places


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as the rules see it."""

    fields: tuple[FieldView, ...]
    sector: Sector
    channel: Channel
    product_type: ProductType | None

    def has_any(self, patterns: Iterable[Pattern]) -> bool:
        """Tell whether any field, disclosures included, matches any of the patterns."""
        return any(view.has(pattern) for pattern in patterns for view in self.fields)


def view(document: Document, literals: LiteralIndex) -> DocumentView:
    """Normalise every field and scan it once."""
    fields = []
    for position, given in enumerate(document.fields):
        normalised = normalise(given.text)
        fields.append(FieldView(position, given, normalised, literals.scan(normalised)))
    return DocumentView(tuple(fields), document.sector, document.channel, document.product_type)


def heard_view(document: DocumentView, literals: LiteralIndex, sounds: SoundIndex) -> DocumentView | None:
    """Return the document as it sounds, or `None` where it sounds as it is written."""
    heard: dict[int, list[Heard]] = {
        one.index: found for one in document.fields if one.offends and (found := sounds.find(one.normalised))
    }
    if not heard:
        return None
    fields = []
    for one in document.fields:
        if one.index in heard:
            normalised, places = as_heard(one.normalised, heard[one.index])
            sight = literals.scan(normalised)
            fields.append(FieldView(one.index, one.field, normalised, sight, tuple(places)))
        else:
            fields.append(one)
    return DocumentView(tuple(fields), document.sector, document.channel, document.product_type)


class Shelters:
    """Spans inside which shorter hits do not count; asked in the time of a search, however many."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        # how far any span reaches that begins no later than this one
        self._reach = [*accumulate((end for _, end in ordered), max)]

    def cover(self, start: int, end: int) -> bool:
        """Tell whether a longer span lies over a hit."""
        upto = bisect_right(self._starts, start)
        if upto and self._reach[upto - 1] > end:
            return True
        before = bisect_left(self._starts, start)
        return before > 0 and self._reach[before - 1] >= end

    def touch(self, start: int, end: int) -> bool:
        """Tell whether any span overlaps a hit."""
        upto = bisect_left(self._starts, end)
        return upto > 0 and self._reach[upto - 1] > start


def without_allowed(
    hits: Iterable[tuple[int, int]], allowed: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Drop hits inside a longer allowed span; of overlapping hits keep the longest."""
    shelters = Shelters(allowed)
    taken: set[int] = set()
    kept: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0])):
        if not shelters.cover(start, end) and taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            kept.append((start, end))
    return sorted(kept)
