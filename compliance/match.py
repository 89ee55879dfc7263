"""One pass of the automaton over a text: which listed words stand where, which patterns may match."""

import dataclasses
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


@dataclass(frozen=True, slots=True)
class Sight:
    """What the automaton saw in a text.

    `positions` are of words of two characters and more; single characters are in `chars`.
    `mask` has a bit for every gate of which a word was seen; `ready` are the triggering
    patterns all of whose gates were.
    """

    positions: Mapping[str, list[int]]
    chars: frozenset[str]
    mask: int
    ready: frozenset[Pattern]


class LiteralIndex:
    """All literals of a ruleset: terms, allowed phrases, and the gates of patterns.

    Single characters are looked up in the set of the text's characters, all longer words are
    found by one automaton.
    """

    def __init__(
        self,
        words: Iterable[str],
        triggers: Iterable[Pattern] = (),
        others: Iterable[Pattern] = (),
    ) -> None:
        triggering = tuple(dict.fromkeys(triggers))
        bits: dict[frozenset[str], int] = {}
        listed = set(words)
        self._needs: dict[Pattern, int] = {}
        for pattern in dict.fromkeys((*triggering, *others)):
            need = 0
            for gate in pattern.gates:
                need |= 1 << bits.setdefault(gate, len(bits))
            self._needs[pattern] = need
            listed |= pattern.head or set()
        masks: dict[str, int] = {}
        for gate, bit in bits.items():
            for word in gate:
                masks[word] = masks.get(word, 0) | 1 << bit
        listed |= masks.keys()
        # for each of a pattern's rarest two gates: which patterns does a word let through?
        self._triggering = triggering
        self._lone = sum(1 << at for at, pattern in enumerate(triggering) if len(pattern.gates) == 1)
        first, second = (_by_word(triggering, nth) for nth in (0, 1))
        self._lets = {word: (masks.get(word, 0), first.get(word, 0), second.get(word, 0)) for word in masks}
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
        chars = self._singles & normalised.alphabet
        lets = self._lets
        mask = first = 0
        second = self._lone
        for seen in (positions, chars):
            for word in seen:
                if word in lets:
                    gates, one, two = lets[word]
                    mask |= gates
                    first |= one
                    second |= two
        return Sight(positions, chars, mask, self._ready(first & second, mask))

    def _ready(self, likely: int, mask: int) -> frozenset[Pattern]:
        """Return those of the likely patterns, given as bits, all of whose gates were seen."""
        ready = []
        while likely:
            lowest = likely & -likely
            pattern = self._triggering[lowest.bit_length() - 1]
            need = self._needs[pattern]
            if need & mask == need:
                ready.append(pattern)
            likely ^= lowest
        return frozenset(ready)

    def may_match(self, pattern: Pattern, sight: Sight) -> bool:
        """Tell whether every gate of a pattern was seen."""
        need = self._needs[pattern]
        return need & sight.mask == need


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
    literals: LiteralIndex = dataclasses.field(repr=False, compare=False)
    places: tuple[tuple[int, int], ...] | None = None

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
        sight = self.sight
        return [word for word in words if word in sight.positions or word in sight.chars]

    def completed(self, start: int, end: int, wording: str | None) -> str | None:
        """Return a wording for `text[start:end]`, of which a leading … stands for what is written."""
        if wording is None or not wording.startswith("…"):
            return wording
        span = self.normalised.span(start, end)
        return self.field.text[span.start : span.end] + wording[1:]

    def matches(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Yield where a pattern matches, if the automaton saw its gates."""
        if not self.literals.may_match(pattern, self.sight):
            return
        text = self.text
        if pattern.head is not None:
            past = 0
            for start in self._starts_of(pattern.head):
                if start >= past and (found := pattern.regex.match(text, start)) and found.end() > start:
                    yield found.span()
                    past = found.end()
        elif len(text) > _LONG * pattern.reach:
            yield from self._in_windows(pattern)
        else:
            for found in pattern.regex.finditer(text):
                if found.end() > found.start():
                    yield found.span()

    def _starts_of(self, words: Iterable[str]) -> list[int]:
        starts = {start for word in self.seen(words) for start in self.starts(word)}
        return sorted(starts)

    def _in_windows(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Search only round the words of the rarest gate: every match holds one of them."""
        past = 0
        for at in self._starts_of(pattern.gate):
            low, high = max(past, at - pattern.reach), at + pattern.reach + _GUARD_ROOM
            if at < past:
                continue
            for near in pattern.regex.finditer(self.text, low, high):
                # again without the window's end, so that guards see what stands behind it
                found = pattern.regex.match(self.text, near.start())
                if found is not None and found.end() > found.start():
                    yield found.span()
                    past = found.end()

    def has(self, pattern: Pattern) -> bool:
        return next(self.matches(pattern), None) is not None


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
        fields.append(FieldView(position, given, normalised, literals.scan(normalised), literals))
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
            fields.append(FieldView(one.index, one.field, normalised, sight, literals, tuple(places)))
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
