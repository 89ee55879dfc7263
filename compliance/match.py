"""One pass of the automaton over a text: which listed words stand where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ahocorasick_rs

from compliance.document import Channel, Document, FieldKind, ProductType, Sector, TextField
from compliance.finding import Layer
from compliance.normalise import Normalised, normalise
from compliance.pattern import Pattern
from compliance.sound import SoundHit, SoundIndex


class LiteralIndex:
    """All literals of a ruleset in one automaton: terms, allowed phrases, gates."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(sorted(set(words)))
        self._automaton = (
            ahocorasick_rs.AhoCorasick(self._words, matchkind=ahocorasick_rs.MatchKind.Standard)
            if self._words
            else None
        )

    def scan(self, text: str) -> dict[str, list[int]]:
        """Return every occurring word with the positions where it starts."""
        seen: dict[str, list[int]] = {}
        if self._automaton is not None:
            for index, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
                seen.setdefault(self._words[index], []).append(start)
        return seen


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

    `heard` are the guarded words that are there by their sound only.
    """

    index: int
    field: TextField
    normalised: Normalised
    seen: Mapping[str, list[int]]
    heard: tuple[SoundHit, ...]

    @property
    def text(self) -> str:
        return self.normalised.text

    @property
    def offends(self) -> bool:
        """Whether rules may have hits here; a registered disclosure never offends."""
        return self.field.kind is not FieldKind.DISCLOSURE

    def matches(self, pattern: Pattern) -> Iterable[tuple[int, int]]:
        """Yield where a pattern matches, if the automaton saw its gate."""
        if self.seen.keys().isdisjoint(pattern.gate):
            return
        for found in pattern.regex.finditer(self.text):
            if found.end() > found.start():
                yield found.span()

    def has(self, pattern: Pattern) -> bool:
        return not self.seen.keys().isdisjoint(pattern.gate) and bool(pattern.regex.search(self.text))


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as the rules see it."""

    fields: tuple[FieldView, ...]
    sector: Sector
    channel: Channel
    product_type: ProductType | None

    def has_any(self, patterns: Iterable[Pattern]) -> bool:
        """Tell whether any field, disclosures included, matches any of the patterns."""
        return any(field.has(pattern) for pattern in patterns for field in self.fields)


def view(document: Document, index: LiteralIndex, sounds: SoundIndex) -> DocumentView:
    """Normalise every field and scan it once."""
    fields = []
    for position, field in enumerate(document.fields):
        normalised = normalise(field.text)
        seen = index.scan(normalised.text)
        heard = tuple(sounds.find(normalised.text))
        fields.append(FieldView(position, field, normalised, seen, heard))
    return DocumentView(tuple(fields), document.sector, document.channel, document.product_type)


def without_allowed(
    hits: Iterable[tuple[int, int]], allowed: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Drop hits inside a longer allowed span; of overlapping hits keep the longest."""
    shelters: dict[int, list[tuple[int, int]]] = {}
    for low, high in allowed:
        for position in range(low, high):
            shelters.setdefault(position, []).append((low, high))
    taken: set[int] = set()
    kept: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0])):
        sheltered = any(end <= high and high - low > end - start for low, high in shelters.get(start, ()))
        if not sheltered and taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            kept.append((start, end))
    return sorted(kept)
