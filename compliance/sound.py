"""L3: words written by their sound, their parts, a look-alike or a picture.

The text is read as a row of toneless syllables, each standing for a Han character or a run
of Latin letters. A guarded word is found where its syllables are, unless it is written out
(then an earlier layer has it) or ordinary words explain the characters. Look-alikes, pictures,
initials and words set backwards are tried only where a text contains such things at all.

What is heard is not a finding yet: the text is read again with the guarded words in place
(`as_heard`), and whatever a rule then finds on them stops at review.
"""

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from types import MappingProxyType

from daachorse import CharwiseDoubleArrayAhoCorasick

from compliance.disguises import ABBREVIATIONS, CONFUSABLES, PARTS, PICTURES
from compliance.finding import Span
from compliance.installed import file_of
from compliance.normalise import CharTable, Normalised, fold, is_han, normalise
from compliance.sight import starts
from compliance.words import LONGEST, common_words

_CODE_BASE = 0xE000  # syllables are coded in the private use area for the automaton
_MAX_READINGS = 8
_MAX_FORMS = 64
_LATIN = re.compile("[a-z]")
_LATIN_RUN = re.compile(r"[a-z]{1,24}")
_LATIN_RUNS = re.compile(r"[a-z]{2,24}")
_MIN_LATIN_SYLLABLES = 2
_MIN_INITIALS = 3
_MIN_PLAIN_REVERSED = 4
_REACH = 10  # how far round a disguised character its word may stretch

_INITIALS = re.compile(r"(?<![a-z0-9])[a-z]{3,6}(?![a-z0-9])")
_AFTER_INITIALS = re.compile("型|款|产品|理财|基金|固收|收益|消息|票")
_PLAIN_INITIALS = 4  # so many letters are no accident
_BACKWARDS = re.compile("(?:倒|反)(?:着|过来|过去)?(?:念|读|看|拼)|从右(?:往|到|向)左|从后往前")
_AFTER_REVERSED = re.compile("型|的|产品|理财|基金|收益")
_PICTURED = frozenset(PICTURES)
_AMONG_PICTURES = re.compile("[☎-⭕🆙-🪿]")  # where pictures are; a class of ranges is fast to search for
_MOST_READINGS = max(map(len, PICTURES.values()))


def _toneless(reading: str) -> str:
    stripped = unicodedata.normalize("NFD", reading)
    return "".join(char for char in stripped if "a" <= char <= "z")


@cache
def _readings() -> Mapping[str, tuple[str, ...]]:
    """Return the toneless readings of every Han character, the usual one first.

    The table is read as a file because importing the package would read its phrases as well: two
    hundred thousand lists, which every full garbage collection would walk through.
    """
    table = json.loads(file_of("pypinyin", "pinyin_dict.json").read_text("utf-8"))
    return MappingProxyType(
        {
            char: tuple(dict.fromkeys(filter(None, map(_toneless, readings.split(",")))))
            for char, readings in ((chr(int(code)), readings) for code, readings in table.items())
            if is_han(char)
        }
    )


@cache
def _codes() -> Mapping[str, str]:
    names = sorted({readings[0] for readings in _readings().values() if readings})
    return MappingProxyType({name: chr(_CODE_BASE + i) for i, name in enumerate(names)})


class _Row(CharTable):
    """The syllable codes of characters; others stand for themselves."""

    def _become(self, char: str) -> str:
        readings = _readings().get(char)
        if readings:
            return _codes()[readings[0]]
        return " " if unicodedata.category(char) == "Co" else char


_ROW = _Row()


@dataclass(frozen=True, slots=True)
class _Token:
    """A syllable in the text, with the range of the normalised text it was read from."""

    code: str
    char: str  # the Han character, or "" for Latin letters
    start: int
    end: int
    run: int  # start of the Latin run, -1 for Han
    run_end: int


@cache
def _segment(letters: str) -> tuple[str, ...] | None:
    """Cut a run of letters into the fewest syllables, or `None` when letters are left over."""
    codes = _codes()
    best: list[tuple[str, ...] | None] = [(), *([None] * len(letters))]
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - 6), end):
            head = best[start]
            if head is not None and letters[start:end] in codes:
                tail = best[end]
                if tail is None or len(head) + 1 < len(tail):
                    best[end] = (*head, letters[start:end])
    return best[-1]


def _tokens(text: str, position: int, stop: int) -> Iterator[_Token]:
    while position < stop:
        char = text[position]
        if (run := _LATIN_RUN.match(text, position)) is not None:
            parts = _segment(run.group())
            at = position
            for syllable in parts or [run.group()]:
                code = _codes()[syllable] if parts else " "
                yield _Token(code, "", at, at + len(syllable), position, run.end())
                at += len(syllable)
            position = run.end()
        elif char in " '-" and _between_latin(text, position):
            position += 1  # bao ben, gu-ding
        else:
            code = _ROW[ord(char)]
            yield _Token(code, char, position, position + 1, -1, -1)
            position += 1


def _between_latin(text: str, position: int) -> bool:
    """Tell whether a space joins letters to letters or to a Han character."""
    neighbours = text[max(0, position - 1) : position + 2]
    if len(neighbours) < 3:  # noqa: PLR2004 - one on each side
        return False
    before, after = neighbours[0], neighbours[2]
    latin = ("a" <= before <= "z", "a" <= after <= "z")
    return any(latin) and (all(latin) or is_han(before) or is_han(after))


@dataclass(frozen=True, slots=True)
class Heard:
    """A guarded word that is there by another writing, in place of `text[start:end]`.

    `text` is the normalised text; `span` is what the reader sees of it in the original.
    """

    word: str
    start: int
    end: int
    span: Span


class _Finder:
    """An automaton over keys that stand for words."""

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        meant: dict[str, list[str]] = {}
        for key, word in sorted(set(keys)):
            meant.setdefault(key, []).append(word)
        self._words = [*meant.values()]
        self._automaton = CharwiseDoubleArrayAhoCorasick([*meant]) if meant else None

    def find(self, row: str) -> Iterator[tuple[str, int, int]]:
        if self._automaton is not None:
            for start, end, number in self._automaton.find_overlapping(row):
                for word in self._words[number]:
                    yield word, start, end


def _initials_of(word: str) -> str:
    return "".join(_readings()[char][0][0] for char in word)


def _half_spelled(word: str) -> Iterator[str]:
    """Yield the word with some characters, never all, as the first letter of their sound."""
    initials = _initials_of(word)
    for kept in product((True, False), repeat=len(word)):
        if any(kept) and not all(kept):
            yield "".join(a if keep else b for a, b, keep in zip(word, initials, kept, strict=True))


@cache
def _parts() -> Mapping[str, list[str]]:
    """Return the ways a character is taken apart."""
    return _turned(PARTS)


@cache
def _lookalikes() -> Mapping[str, list[str]]:
    """Return the everyday characters a character looks like."""
    return _turned(CONFUSABLES)


def _turned(table: Mapping[str, str]) -> Mapping[str, list[str]]:
    turned: dict[str, list[str]] = {}
    for key, value in table.items():
        turned.setdefault(value, []).append(key)
    return MappingProxyType(turned)


def _swapped(word: str, others: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the word with one character or more written otherwise."""
    forms = product(*([char, *others.get(char, [])] for char in word))
    yield from (form for form in map("".join, islice(forms, _MAX_FORMS)) if form != word)


class SoundIndex:
    """The guarded words of a ruleset, by the ways in which they may be written."""

    def __init__(self, words: Iterable[str]) -> None:
        readings = _readings()
        known = sorted({word for word in words if len(word) > 1 and all(char in readings for char in word)})
        codes = _codes()
        self._syllables = _Finder(
            ("".join(codes[syllable] for syllable in sounds), word)
            for word in known
            for sounds in islice(
                product(*([r for r in readings[char] if r in codes] for char in word)), _MAX_READINGS
            )
        )
        forms = {word[::-1]: word for word in known if word[::-1] != word}
        self._reversed = frozenset(forms)
        for word in known:
            if len(word) <= _REACH // 2:
                for others in (_half_spelled(word), _swapped(word, _lookalikes()), _swapped(word, _parts())):
                    for form in others:
                        forms.setdefault(form, word)
        for word in known:
            forms.pop(word, None)
        self._forms = forms
        self._initials = {
            _initials_of(word): word
            for word in known
            if len(word) >= _MIN_INITIALS and _initials_of(word) not in ABBREVIATIONS
        }

    @property
    def forms(self) -> AbstractSet[str]:
        """Return the other writings of guarded words: set backwards, in parts, half in letters."""
        return self._forms.keys()

    def find(self, normalised: Normalised, written: AbstractSet[str]) -> list[Heard]:
        """Return the guarded words heard but not written, in order and apart.

        `written` are the words in the text, with all `forms` among them.
        """
        text = normalised.text
        ranges = [
            (start, end, word)
            for word, start, end in self._syllables.find(_ROW.translate(text))
            if text[start:end] != word and not _explained(word, text, start)
        ]
        if forms := self._forms.keys() & written:
            told = _BACKWARDS.search(text) is not None
            ranges += (
                (start, start + len(form), self._forms[form])
                for form in forms
                for start in starts(form, text)
                if self._is_meant(text, start, start + len(form), self._forms[form], told_backwards=told)
            )
        if _LATIN.search(text):
            ranges += self._spelled(text)
        heard = [Heard(word, start, end, normalised.span(start, end)) for start, end, word in ranges]
        original = normalised.original
        if _AMONG_PICTURES.search(original) and not _PICTURED.isdisjoint(original):
            heard += self._pictured(normalised)
        return _apart(heard)

    def _spelled(self, text: str) -> Iterator[tuple[int, int, str]]:
        spans = [found.span() for found in _LATIN_RUNS.finditer(text) if _segment(found.group()) is not None]
        if spans:
            yield from self._in_windows(text, spans)
        for found in _INITIALS.finditer(text):
            meant = self._initials.get(found.group())
            if meant and (len(meant) >= _PLAIN_INITIALS or _AFTER_INITIALS.match(text, found.end())):
                yield found.start(), found.end(), meant

    def _in_windows(self, text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
        """Read the surroundings of Latin syllables as syllables."""
        windows: list[tuple[int, int]] = []
        for low, high in spans:
            start, end = max(0, low - _REACH), min(len(text), high + _REACH)
            if windows and start <= windows[-1][1]:
                windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
            else:
                windows.append((start, end))
        for start, end in windows:
            tokens = list(_tokens(text, start, end))
            row = "".join(token.code for token in tokens)
            for word, first, last in self._syllables.find(row):
                if _is_spelled(word, tokens[first:last]):
                    yield tokens[first].start, tokens[last - 1].end, word

    def _is_meant(self, text: str, start: int, end: int, word: str, *, told_backwards: bool) -> bool:
        """Tell whether another form of a word is one, and not what it says by itself."""
        form = text[start:end]
        if form in self._reversed:
            plain = len(word) >= _MIN_PLAIN_REVERSED or _AFTER_REVERSED.match(text, end) is not None
            return told_backwards or (plain and not _covered(text, start, end))
        if any(map(_is_letter, form)):
            return not _is_letter(text[start - 1 : start]) and not _is_letter(text[end : end + 1])
        return len(form) != len(word) or not _explained(word, text, start)

    def _pictured(self, normalised: Normalised) -> Iterator[Heard]:
        """Read every picture as each thing it may stand for."""
        original = normalised.original
        for choice in range(_MOST_READINGS):
            chosen = {
                picture: readings[min(choice, len(readings) - 1)] for picture, readings in PICTURES.items()
            }
            pieces = [chosen.get(char, char) for char in original]
            origins = [at for at, piece in enumerate(pieces) for _ in piece]
            read = normalise("".join(pieces))
            for word, start, end in self._syllables.find(_ROW.translate(read.text)):
                span = read.span(start, end)
                first, last = origins[span.start], origins[span.end - 1] + 1
                if any(original[origins[read.origins[at]]] in _PICTURED for at in range(start, end)):
                    low = bisect_left(normalised.origins, first)
                    yield Heard(word, low, bisect_left(normalised.origins, last), Span(first, last))


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _apart(heard: list[Heard]) -> list[Heard]:
    """Of words heard in the same place keep the longest, then the first."""
    kept: list[Heard] = []
    end = start = -1
    for one in sorted(heard, key=lambda h: (h.start, h.start - h.end, -len(h.word), h.word)):
        if one.start >= end and one.span.start >= start:
            kept.append(one)
            end, start = one.end, one.span.end
    return kept


def _is_spelled(word: str, heard: list[_Token]) -> bool:
    latin = [token for token in heard if token.run >= 0]
    if not latin:
        return False  # plain characters were read already
    if any(token.char and token.char != char for token, char in zip(heard, word, strict=True)):
        return False  # one trick at a time: the characters that are written must be the right ones
    # letters must be used up: `simu` is a word, the same four letters in `simulate` not
    whole = all(heard[0].start <= token.run and token.run_end <= heard[-1].end for token in latin)
    return whole and (len(latin) < len(heard) or len(heard) >= _MIN_LATIN_SYLLABLES)


def _explained(word: str, text: str, start: int) -> bool:
    """Tell whether ordinary words account for one of the characters that differ."""
    return any(
        _covered(text, start + at, start + at + 1) for at, char in enumerate(word) if text[start + at] != char
    )


def _covered(text: str, start: int, end: int) -> bool:
    """Tell whether an ordinary word stands over the edge of, or inside, `text[start:end]`."""
    words = common_words()
    for at in range(start, end):
        for size in range(2, LONGEST + 1):
            for low in range(max(0, at - size + 1), at + 1):
                if text[low : low + size] in words:
                    return True
    return False


def as_heard(normalised: Normalised, heard: list[Heard]) -> tuple[Normalised, list[tuple[int, int]]]:
    """Return the text with the guarded words in place, and where they stand in it."""
    pieces: list[str] = []
    origins: list[int] = []
    ends: list[int] = []
    steps: list[int] = []
    places: list[tuple[int, int]] = []
    at = length = 0
    for one in [*heard, None]:
        upto = len(normalised.text) if one is None else one.start
        pieces.append(normalised.text[at:upto])
        origins += normalised.origins[at:upto]
        ends += normalised.ends[at:upto]
        steps += normalised.steps[at:upto]
        length += upto - at
        if one is not None:
            word = fold(one.word)
            pieces.append(word)
            origins += [one.span.start] * len(word)
            ends += [one.span.end] * len(word)
            steps += [0] * len(word)
            places.append((length, length + len(word)))
            length += len(word)
            at = one.end
    text = "".join(pieces)
    return (
        Normalised(normalised.original, text, origins, ends, steps, normalised.hidden),
        places,
    )
