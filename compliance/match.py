"""A piece as the rules see it: every field read once, with what stands in it and how it sounds."""

import dataclasses
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import accumulate
from operator import or_
from typing import Self

from compliance.document import Channel, Document, FieldKind, ProductType, Sector, TextField
from compliance.finding import Layer
from compliance.normalise import Normalised, normalise
from compliance.pattern import SENTENCE_END, Pattern
from compliance.script import in_script_of
from compliance.sight import Bits, LiteralIndex, Sight, starts
from compliance.sound import SoundIndex, as_heard
from compliance.speech import sells

_LONG_STRETCH = 400
_LONG = 4  # long stretches of so many times a pattern's reach are searched in windows
KEPT_READINGS = 512
KEPT_LENGTH = 400  # the reading of a longer text is not kept: it would fill the memory


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


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text as read under one ruleset, wherever it stands.

    `heard` is the text as it sounds, where that is not how it is written; `places` is given in that:
    there stand the words that were only heard.
    """

    normalised: Normalised
    sight: Sight
    heard: "Reading | None" = None
    places: tuple[tuple[int, int], ...] | None = None
    _known_matches: dict[Pattern, Sequence[tuple[int, int]]] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    def matches(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        """Return where a pattern matches, in order."""
        known = self._known_matches.get(pattern)
        if known is None:
            known = self._known_matches[pattern] = self._find(pattern, self.sight.where(pattern))
        return known

    def counting(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        """Return where a triggering pattern matches, as far as it may count."""
        if self.places is None:
            return self.matches(pattern)
        return self._find(pattern, self.sight.where(pattern, counting=True))

    def _find(self, pattern: Pattern, stretches: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
        text, looks, find = self.normalised.text, pattern.looks, pattern.regex.finditer
        found: list[tuple[int, int]] = []
        for start, stop in stretches:
            if stop - start > _LONG_STRETCH and stop - start > _LONG * pattern.reach:
                found += self._in_windows(start, stop, pattern)
                continue
            for one in find(text, start, stop + looks):
                span = one.span()
                if span[0] >= stop:
                    break  # of another stretch, only looked at
                if span[1] > span[0]:
                    found.append(span)
        return found or ()

    def _in_windows(self, start: int, stop: int, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Search only round the words of the rarest gate: every match holds one of them."""
        text, room = self.normalised.text, pattern.reach + pattern.looks
        windows: list[tuple[int, int]] = []
        words = self.sight.seen(pattern.gate)
        for at in sorted({at for word in words for at in starts(word, text, start, stop)}):
            low, high = max(start, at - pattern.reach), at + room
            if windows and low <= windows[-1][1]:
                windows[-1] = (windows[-1][0], high)
            else:
                windows.append((low, high))
        for low, high in windows:
            for near in pattern.regex.finditer(text, low, high):
                if near.start() >= stop:
                    break
                # again without the window's end, so that guards see what stands behind it
                found = pattern.regex.match(text, near.start())
                if found is not None and found.end() > found.start():
                    yield found.span()


class Reader:
    """Reads texts by what a ruleset looks for, and remembers short ones that come again.

    Pieces have many texts in common, but most bodies come once: keeping those as well costs more than
    it ever spares, for each takes memory that has to be fetched, and the place of another. A reading
    depends on the text and the ruleset alone, so one that is remembered is as good as a new one, for
    whatever thread. The index has among its words the other forms of those that are listened for.
    """

    def __init__(self, index: LiteralIndex, sounds: SoundIndex) -> None:
        self._index = index
        self.bits = index.bits
        self.sounds = sounds
        self._remembered = lru_cache(KEPT_READINGS)(self._read)
        self._lately: OrderedDict[int, bool] = OrderedDict()  # the hashes of short texts, the latest last

    def read(self, text: str) -> Reading:
        """Return a text normalised, with what stands in it and how it sounds."""
        if len(text) <= KEPT_LENGTH and self._came_lately(text):
            return self._remembered(text)
        return self._read(text)

    def _came_lately(self, text: str) -> bool:
        """Tell whether a text, or at worst another of its hash, is among the latest, and note it."""
        came = self._lately.pop(hash(text), False)
        self._lately[hash(text)] = True
        if len(self._lately) > KEPT_READINGS:
            self._lately.popitem(last=False)
        return came

    def _read(self, text: str) -> Reading:
        normalised = normalise(text)
        sight = self._index.scan(normalised)
        return Reading(normalised, sight, self._hear(normalised, sight))

    def _hear(self, normalised: Normalised, sight: Sight) -> Reading | None:
        found = self.sounds.find(normalised, sight.words)
        if not found:
            return None
        heard, places = as_heard(normalised, found)
        return Reading(heard, self._index.scan(heard, places), places=tuple(places))


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as the rules see it."""

    index: int
    field: TextField
    reading: Reading

    @property
    def normalised(self) -> Normalised:
        return self.reading.normalised

    @property
    def text(self) -> str:
        return self.reading.normalised.text

    @property
    def sight(self) -> Sight:
        return self.reading.sight

    @property
    def places(self) -> tuple[tuple[int, int], ...] | None:
        return self.reading.places

    @property
    def offends(self) -> bool:
        """Whether rules may have hits here; a registered disclosure never offends."""
        return self.field.kind is not FieldKind.DISCLOSURE

    @property
    def speaks(self) -> bool:
        """Whether this is said of what is offered: it is neither a disclosure nor whose card it is."""
        return self.field.kind not in (FieldKind.DISCLOSURE, FieldKind.PROFILE)

    def starts(self, word: str) -> Iterator[int]:
        """Yield where a word stands."""
        return starts(word, self.text)

    def seen(self, words: Iterable[str]) -> list[str]:
        """Return those of the listed words that stand in the field."""
        seen = self.sight.words
        return [word for word in words if word in seen]

    def completed(self, start: int, end: int, wording: str | None) -> str | None:
        """Return a wording for `text[start:end]`, in the script of the field.

        A leading … stands for what is written.
        """
        if wording is None:
            return None
        wording = in_script_of(self.field.text, wording)
        if not wording.startswith("…"):
            return wording
        span = self.normalised.span(start, end)
        return self.field.text[span.start : span.end] + wording[1:]

    def matches(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        """Return where a pattern matches, in order."""
        return self.reading.matches(pattern)

    def counting(self, pattern: Pattern) -> Sequence[tuple[int, int]]:
        """Return where a triggering pattern matches, as far as it may count."""
        return self.reading.counting(pattern)

    def all_matches(self, patterns: tuple[Pattern, ...]) -> list[tuple[int, int]]:
        """Return where any of the patterns matches, in order."""
        return sorted(
            span for pattern in self.sight.possible(patterns) for span in self.reading.matches(pattern)
        )

    def has_any(self, patterns: tuple[Pattern, ...]) -> bool:
        """Tell whether the field matches any of the patterns."""
        doubtful = self.reading.sight.doubtful(patterns)
        return doubtful is None or any(map(self.reading.matches, doubtful))

    def sentence(self, start: int, end: int) -> str:
        """Return the sentence, or the line, in which a place stands."""
        text = self.text
        low = max(text.rfind(char, 0, start) for char in SENTENCE_END) + 1
        high = min((at for char in SENTENCE_END if (at := text.find(char, end)) >= 0), default=len(text))
        return text[low:high]

    def has_any_between(self, patterns: tuple[Pattern, ...], low: int, high: int) -> bool:
        """Tell whether any of the patterns matches wholly between two places."""
        matches = self.reading.matches
        return any(
            _has_between(matches(pattern), low, high) for pattern in self.reading.sight.possible(patterns)
        )


def _has_between(spans: Sequence[tuple[int, int]], low: int, high: int) -> bool:
    """Tell whether one of the spans, which are in order, lies between two places."""
    at = bisect_left(spans, (low, low))
    while at < len(spans) and spans[at][0] <= high:
        if spans[at][1] <= high:
            return True
        at += 1
    return False


@dataclass(frozen=True)
class DocumentView:
    """A document as the rules see it.

    `judged` are the fields where hits may count: of a piece as it sounds, those that sound otherwise.
    `may_match` are the patterns that any field, disclosures included, may match, as bits.
    """

    fields: tuple[FieldView, ...]
    judged: tuple[FieldView, ...]
    may_match: int
    sector: Sector
    channel: Channel
    product_type: ProductType | None
    bits: Bits

    @classmethod
    def of(cls, fields: tuple[FieldView, ...], document: "Document | DocumentView", bits: Bits) -> Self:
        """Return a document whose fields are read so."""
        heard = tuple(field for field in fields if field.places)
        return cls(
            fields,
            heard or tuple(field for field in fields if field.offends or field.field.lettering),
            reduce(or_, [field.sight.patterns for field in fields], 0),
            document.sector,
            document.channel,
            document.product_type,
            bits,
        )

    @cached_property
    def sells(self) -> bool:
        """Whether the piece offers something outright, by its words or by what the forms say of it."""
        declared = self.product_type not in (None, ProductType.NONE)
        return declared or any(sells(field.text) for field in self.fields if field.offends)

    def may_have_any(self, patterns: tuple[Pattern, ...]) -> bool:
        """Tell whether `has_any` is worth asking, for next to nothing."""
        return self.may_match & self.bits.of(patterns) != 0

    def at_most(self, groups: tuple[tuple[Pattern, ...], ...]) -> int:
        """Return a number than which no more of the groups are there, for next to nothing."""
        return (self.may_match & self.bits.of_all(groups)).bit_count()

    def has_any(self, patterns: tuple[Pattern, ...]) -> bool:
        """Tell whether any field, disclosures included, matches any of the patterns."""
        return self.may_have_any(patterns) and any(field.has_any(patterns) for field in self.fields)

    def says_any(self, patterns: tuple[Pattern, ...]) -> bool:
        """Tell whether what is said of the matter matches any of the patterns."""
        return self.may_have_any(patterns) and any(
            field.speaks and field.has_any(patterns) for field in self.fields
        )

    def has_any_near(self, patterns: tuple[Pattern, ...], hit: Hit, distance: int) -> bool:
        """Tell whether any of the patterns matches so near a hit, or in another field.

        The fields of a piece stand side by side; within one field a text goes on to other things.
        """
        return self.may_have_any(patterns) and any(
            field.has_any_between(patterns, hit.start - distance, hit.end + distance)
            if field.index == hit.field
            else field.has_any(patterns)
            for field in self.fields
        )


def view(document: Document, reader: Reader) -> DocumentView:
    """Return the document as it is written."""
    fields = tuple(FieldView(at, given, reader.read(given.text)) for at, given in enumerate(document.fields))
    return DocumentView.of(fields, document, reader.bits)


def heard_view(document: DocumentView) -> DocumentView | None:
    """Return the document as it sounds, or `None` where it sounds as it is written."""
    heard = [one.reading.heard if one.offends else None for one in document.fields]
    if not any(heard):
        return None
    fields = tuple(
        FieldView(one.index, one.field, reading or one.reading)
        for one, reading in zip(document.fields, heard, strict=True)
    )
    return DocumentView.of(fields, document, document.bits)


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
