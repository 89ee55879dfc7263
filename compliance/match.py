"""One pass of the automaton over a text: which listed words stand where, which patterns may match."""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from compliance.document import Channel, Document, FieldKind, ProductType, Sector, TextField
from compliance.finding import Layer
from compliance.normalise import Normalised, normalise
from compliance.pattern import Pattern
from compliance.sound import Heard, SoundIndex, as_heard

_LONG = 4  # texts of so many times a pattern's reach are searched in windows
_GUARD_ROOM = 40  # what a guard behind a match may look at
_SIEVES = 3


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
    found by one automaton. Which patterns a text may match is told with a bit for each: the
    words seen of the patterns' first gates let some through, those of the second fewer.
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
        every = (1 << len(self._triggering)) - 1
        let: dict[str, list[int]] = {}
        for at, pattern in enumerate(self._triggering):
            for nth, gate in enumerate(pattern.gates[:_SIEVES]):
                for word in gate:
                    let.setdefault(word, [0] * _SIEVES)[nth] |= 1 << at
        self._lets = {word: tuple(bits) for word, bits in let.items()}
        # a pattern that has no such gate passes that sieve
        self._passed = tuple(
            every & sum(1 << at for at, pattern in enumerate(self._triggering) if len(pattern.gates) <= nth)
            for nth in range(_SIEVES)
        )
        self._singles = frozenset(word for word in listed if len(word) == 1)
        self._words = sorted(word for word in listed if len(word) > 1)
        self._automaton = (
            ahocorasick_rs.AhoCorasick(self._words, matchkind=ahocorasick_rs.MatchKind.Standard)
            if self._words
            else None
        )

    def scan(self, normalised: Normalised) -> Sight:
        """Return what stands in a text."""
        positions: dict[str, list[int]] = {}
        if self._automaton is not None:
            words = self._words
            for index, start, _ in self._automaton.find_matches_as_indexes(normalised.text, overlapping=True):
                word = words[index]
                if word in positions:
                    positions[word].append(start)
                else:
                    positions[word] = [start]
        seen = (self._singles & normalised.alphabet).union(positions)
        lets = self._lets
        one, two, three = self._passed
        for word in seen:
            if word in lets:
                first, second, third = lets[word]
                one |= first
                two |= second
                three |= third
        return Sight(positions, seen, self._ready(one & two & three, seen))

    def _ready(self, likely: int, seen: frozenset[str]) -> frozenset[Pattern]:
        """Return those of the likely patterns, given as bits, all of whose gates were seen."""
        ready = []
        while likely:
            lowest = likely & -likely
            pattern = self._triggering[lowest.bit_length() - 1]
            if len(pattern.gates) <= _SIEVES or not any(map(seen.isdisjoint, pattern.gates[_SIEVES:])):
                ready.append(pattern)
            likely ^= lowest
        return frozenset(ready)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule's hit in one field, in positions of the normalised text.

    `suggestion` is the wording for exactly this hit, where the rule has one. `layer` is
    given where the rule knows better than the offset map.
    """

    field: int
    start: int
    end: int
    suggestion: str | None = None
    layer: Layer | None = None


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
    # what was looked up once: where the words of a group stand, whether a pattern matches
    _known_starts: dict[frozenset[str], Sequence[int]] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    _known_answers: dict[Pattern, bool] = dataclasses.field(default_factory=dict, repr=False, compare=False)

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

    def matches(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Yield where a pattern matches, if the automaton saw its gates."""
        if pattern not in self.sight.ready and not self.sight.may_match(pattern):
            return
        text = self.text
        if pattern.head is not None:
            past = 0
            near = self._starts_of(pattern.beyond) if pattern.beyond else None
            for start in self._starts_of(pattern.head):
                if start < past or (near is not None and not _follows(near, start, pattern.reach)):
                    continue
                found = pattern.regex.match(text, start)
                if found is not None and found.end() > start:
                    yield found.span()
                    past = found.end()
        elif len(text) > _LONG * pattern.reach:
            yield from self._in_windows(pattern)
        else:
            for found in pattern.regex.finditer(text):
                if found.end() > found.start():
                    yield found.span()

    def _starts_of(self, group: frozenset[str]) -> Sequence[int]:
        """Return, in order, where words of a group stand."""
        known = self._known_starts.get(group)
        if known is None:
            words = group & self.sight.words
            if len(words) == 1:
                known = self.starts(next(iter(words)))
            else:
                known = sorted({start for word in words for start in self.starts(word)})
            self._known_starts[group] = known
        return known

    def _in_windows(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Search only round the words of the rarest gate: every match holds one of them."""
        windows: list[tuple[int, int]] = []
        for at in self._starts_of(pattern.gate):
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
        known = self._known_answers.get(pattern)
        if known is None:
            known = self._known_answers[pattern] = next(self.matches(pattern), None) is not None
        return known


def _follows(starts: Sequence[int], start: int, reach: int) -> bool:
    """Tell whether one of the places lies behind a start and within reach of it."""
    at = bisect_left(starts, start)
    return at < len(starts) and starts[at] <= start + reach


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


def without_allowed(
    hits: Iterable[tuple[int, int]], allowed: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Drop hits inside a longer allowed span; of overlapping hits keep the longest."""
    shelters = sorted(allowed)
    taken: set[int] = set()
    kept: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0])):
        if not is_sheltered(start, end, shelters) and taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            kept.append((start, end))
    return sorted(kept)


def is_sheltered(start: int, end: int, shelters: Iterable[tuple[int, int]]) -> bool:
    """Tell whether an allowed span that is longer lies over a hit."""
    return any(low <= start and end <= high and high - low > end - start for low, high in shelters)
