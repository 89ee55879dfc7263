"""Layers of normalisation, each position mapped back to the original text.

L0 is the text itself. L1 folds every character by itself: width and compatibility forms,
traditional and Japanese forms to simplified script, case, tone marks, the particles of other
Chinese speech (唔, 咗); characters nobody sees are dropped. L2 drops noise between Han characters,
so that 保·本 reads 保本. The stored text never changes; a hit in the normalised text is shown as
the original span that produced it.

A text that needs none of this, and nearly every text is one, is seen to need none by a few passes
in C and costs no map.
"""

import re
import unicodedata
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from types import MappingProxyType

import numpy as np

from compliance.disguises import DIALECT, LOOK_ALIKES
from compliance.finding import Layer, Span
from compliance.installed import file_of

# What a whole category folds to: a lone surrogate cannot be encoded but keeps its place.
_CATEGORY_FORMS = MappingProxyType({"Cs": "\ufffd", "Zl": "\n", "Zp": "\n", "Zs": " ", "Mn": "", "Me": ""})
_LAYOUT_CONTROLS = MappingProxyType({"\n": "\n", "\t": " ", "\x0b": " ", "\x0c": " ", "\x85": " "})
_MARKS = frozenset({"Mn", "Me"})

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_SYMBOL_CATEGORIES = frozenset({"So", "Sk"})
_SYMBOL_BLOCKS = (range(0xA0, 0x300), range(0x2010, 0x2C00), range(0x3000, 0x3400))
_PICTURE_BLOCKS = "\U0001f000-\U0001faff"
_NOISE_CHARS = " ·•‧・∙.*_-~|/\\+=^#@&`﹏¯°—–\n"
# between two phrases these divide; only inside a torn word are they noise
_DIVIDERS = frozenset(" |/+=&—–-~\n")
_MAX_NOISE_RUN = 6
_SHORT_NOISE_RUN = 2  # a longer run divides phrases as well
_MAX_TORN = 2  # a torn word leaves at most this many characters on one side
_MAX_ROUNDS = 4
_PLANE = 0x10000  # the characters that UTF-16 writes as one number
_SURROGATES = range(0xD800, 0xE000)
_CODE = np.dtype("<u2")
_WORD = 12  # what is no longer than a word is read sooner character by character
# The space that typesetters put between Han and letters or figures, and what is spelled out one
# sign at a time: w e i x i n, V X, 1 3 8. The space comes first: it is what is quickly searched for.
_SPACING = re.compile(
    f" (?:(?<=[{_HAN}] )(?=[a-z0-9])|(?<=[a-z0-9%] )(?=[{_HAN}])|(?<=[0-9] )(?=%)"
    "|(?<=(?<![a-z0-9])[a-z] )(?=[a-z0-9](?![a-z0-9]))|(?<=(?<![a-z0-9])[0-9] )(?=[a-z](?![a-z0-9]))"
    "|(?<=(?<![a-z0-9])[0-9] )(?=[0-9] [0-9](?![a-z0-9]))|(?<= [0-9] )(?=[0-9](?![a-z0-9])))"
)
# Lines of one or two characters: words set down a column.
_COLUMN = re.compile(f"(?:^|(?<=\n))[{_HAN}]{{1,2}}(?:\n[{_HAN}]{{1,2}})+(?=\n|$)")
# One character of a word in brackets or quotation marks: 保【本】. What is rare comes first, as above.
_BRACED = re.compile(
    f"([(\\[{{<【〔「『“‘《])(?<=[{_HAN}][(\\[{{<【〔「『“‘《])[{_HAN}]([)\\]}}>】〕」』”’》])"
)
# Single characters in a row, every two of them kept apart: 稳,赚,不,赔.
_KEPT_APART = re.compile(f"[、,][{_HAN}][、,][{_HAN}][、,]")
_ENUMERATED = re.compile(f"(?<![{_HAN}])[{_HAN}](?:[、,][{_HAN}]){{3,}}(?![{_HAN}])")


@cache
def _noise_run() -> re.Pattern[str]:
    """Return the expression of what may be set between the characters of a word."""
    symbols = "".join(
        chr(code)
        for block in _SYMBOL_BLOCKS
        for code in block
        if unicodedata.category(chr(code)) in _SYMBOL_CATEGORIES
    )
    noise = re.escape(_NOISE_CHARS + symbols)
    return re.compile(f"[{noise}{_PICTURE_BLOCKS}]+")


@cache
def _simplified() -> MappingProxyType[int, str]:
    """Return OpenCC's character tables: traditional, and Japanese where that is no Chinese character.

    Only characters, never phrases: a phrase conversion changes lengths. The tables are read
    as files because importing the package would build its converters.
    """
    table: dict[int, str] = {}
    for traditional, simplified in character_pairs("TSCharacters"):
        table[ord(traditional)] = simplified
    for traditional, japanese in character_pairs("JPVariants"):
        if not _is_everyday(japanese):
            table.setdefault(ord(japanese), table.get(ord(traditional), traditional))
    return MappingProxyType(table)


def character_pairs(name: str) -> Iterator[tuple[str, str]]:
    """Return the pairs of one of OpenCC's tables, each character with what it becomes first of all."""
    for line in file_of("opencc", "dictionary", f"{name}.txt").read_text("utf-8").splitlines():
        key, _, values = line.partition("\t")
        if len(key) == 1 and values and len(values.split()[0]) == 1:
            yield key, values.split()[0]


def _is_everyday(char: str) -> bool:
    """Tell whether a character belongs to the simplified script as it is printed."""
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char >= "\U00020000"


def _is_invisible(char: str) -> bool:
    """Tell whether a character takes no place on the page."""
    category = unicodedata.category(char)
    return category in {"Cf", "Cc"} or "\ufe00" <= char <= "\ufe0f" or char in "\u115f\u1160\u3164"


def _fold_once(char: str) -> str:
    known = LOOK_ALIKES.get(char) or DIALECT.get(char) or _LAYOUT_CONTROLS.get(char)
    if known is not None:
        return known
    category = unicodedata.category(char)
    if category in _CATEGORY_FORMS:
        return _CATEGORY_FORMS[category]
    if _is_invisible(char):
        return ""
    digit = unicodedata.digit(char, None) if category == "No" else None
    return _fold_form(char) if digit is None else str(digit)


def _fold_form(char: str) -> str:
    """Fold a visible character: compatibility form, tone marks, script, case."""
    folded = unicodedata.normalize("NFKC", char)
    if "\u3200" <= char <= "\u32ff" and any(map(is_han, folded)):
        return "·"  # an enclosed character is an ornament, and reads as noise
    if unicodedata.name(char, "").startswith("LATIN"):
        folded = unicodedata.normalize("NFD", folded)
    return folded.translate(_simplified()).lower()


@cache
def fold_char(char: str) -> str:
    """Fold one character until folding changes nothing more; the empty string drops it."""
    folded = _fold_once(char)
    for _ in range(4):  # measured over all of Unicode: two rounds suffice
        again = "".join(map(_fold_once, folded))
        if again == folded:
            break
        folded = again
    return folded


class CharTable(dict[int, str]):
    """What every character met so far becomes, for `str.translate`; `_become` tells it of a new one.

    A text whose characters have all been met, and all become one character again, is read `at_once`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._codes = np.zeros(_PLANE, _CODE)  # nought where it is not so, or not known yet

    @abstractmethod
    def _become(self, char: str) -> str: ...

    def __missing__(self, code: int) -> str:
        self[code] = new = self._become(chr(code))
        if len(new) == 1 and code < _PLANE and ord(new) < _PLANE and code not in _SURROGATES:
            self._codes[code] = ord(new)
        return new

    def at_once(self, text: str) -> str | None:
        """Return the text translated, or `None` where it takes reading character by character."""
        try:
            raw = text.encode("utf-16-le")
        except UnicodeEncodeError:  # a lone surrogate
            return None
        read = self._codes.take(np.frombuffer(raw, _CODE)).tobytes().decode("utf-16-le")
        return None if "\0" in read else read

    def translate(self, text: str) -> str:
        """Return what a text becomes."""
        read = self.at_once(text) if len(text) > _WORD else None
        return text.translate(self) if read is None else read


class _FoldTable(CharTable):
    """The folded form of characters.

    `resized` holds those whose form is not one character: without any of them in a text,
    positions stay what they were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.resized: set[str] = set()

    def _become(self, char: str) -> str:
        folded = fold_char(char)
        if len(folded) != 1:
            self.resized.add(char)
        return folded


_FOLDS = _FoldTable()


def fold(text: str) -> str:
    """Fold a text character by character, without the map."""
    return _FOLDS.translate(text)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text and the way back.

    `text[i]` was made from `original[origins[i]:ends[i]]`; `steps[i]` is its position in the
    folded text, from which the layer of a hit is told; `hidden` are the original spans of
    invisible characters between two Han characters.
    """

    original: str
    text: str
    origins: Sequence[int]
    ends: Sequence[int]
    steps: Sequence[int]
    hidden: tuple[Span, ...]

    def span(self, start: int, end: int) -> Span:
        """Return the original span of `text[start:end]`, noise inside and marks behind included.

        So are brackets that were passed over round its first or last character.
        """
        first, last = self.origins[start], self.ends[end - 1]
        while last < len(self.original) and unicodedata.category(self.original[last]) in _MARKS:
            last += 1
        if self._passed_over(last, "Pe", "Pf"):
            last += 1
        if self._passed_over(first - 1, "Ps", "Pi"):
            first -= 1
        return Span(first, last)

    def _passed_over(self, at: int, *categories: str) -> bool:
        """Tell whether a character of the original is such a sign, and nothing was made from it."""
        if not 0 <= at < len(self.original) or unicodedata.category(self.original[at]) not in categories:
            return False
        made = bisect_left(self.origins, at)
        return made == len(self.origins) or self.origins[made] != at

    def layer(self, start: int, end: int) -> Layer:
        if self.original[self.origins[start] : self.ends[end - 1]] == self.text[start:end]:
            return Layer.RAW
        if self.steps[end - 1] - self.steps[start] == end - 1 - start:
            return Layer.FOLD
        return Layer.SKIP


def normalise(text: str) -> Normalised:
    """Bring a text into the form rules are matched on; linear, for any string."""
    origins: Sequence[int] = range(len(text))
    hidden: tuple[Span, ...] = ()
    read = _FOLDS.at_once(text)
    folded = text.translate(_FOLDS) if read is None else read
    if read is None and not (len(folded) == len(text) and _FOLDS.resized.isdisjoint(text)):
        origins = [at for at, char in enumerate(text) for _ in _FOLDS[ord(char)]]
        hidden = tuple(_hidden_spans(text))
    steps: Sequence[int] = range(len(folded))
    for _ in range(_MAX_ROUNDS):
        noise = _noise_in(folded)
        if not noise:
            break
        kept = _outside(noise, len(folded))
        folded = "".join([folded[start:end] for start, end in kept])
        steps = [*chain.from_iterable([steps[start:end] for start, end in kept])]
    if len(steps) < len(origins):
        origins = [*map(origins.__getitem__, steps)]
    ends = range(1, len(text) + 1) if isinstance(origins, range) else [at + 1 for at in origins]
    return Normalised(text, folded, origins, ends, steps, hidden)


def _outside(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Return what lies between the spans, which are in order and apart."""
    starts = [0, *(end for _, end in spans)]
    return [*zip(starts, (*(start for start, _ in spans), length), strict=True)]


def _noise_in(text: str) -> list[tuple[int, int]]:
    """Return the spans, in order, that only keep the parts of words apart."""
    columns = {
        at
        for found in (_COLUMN.finditer(text) if "\n" in text else ())
        for at in range(found.start(), found.end())
        if text[at] == "\n"
    }
    spans = []
    for found in _noise_run().finditer(text):
        start, end = found.span()
        run = found.group()
        if len(run) > _MAX_NOISE_RUN or not start or end == len(text):
            continue
        if not is_han(text[start - 1]) or not is_han(text[end]):
            continue
        if "\n" in run:
            noise = run == "\n" and start in columns
        else:
            noise = (len(run) <= _SHORT_NOISE_RUN and not _DIVIDERS.issuperset(run)) or _tears_word(
                text, start, end
            )
        if noise:
            spans.append((start, end))
    if " " in text:
        spans += (found.span() for found in _SPACING.finditer(text))
    spans += (found.span(side) for found in _BRACED.finditer(text) for side in (1, 2))
    if _KEPT_APART.search(text):
        spans += (
            (at, at + 1)
            for found in _ENUMERATED.finditer(text)
            for at in range(found.start() + 1, found.end(), 2)
        )
    spans.sort()
    return spans


def _tears_word(text: str, start: int, end: int) -> bool:
    """Tell whether a bar, a slash or spaces split a word instead of dividing two phrases.

    A word that is pulled apart leaves one or two characters on one side; a column of a
    product page leaves phrases on both.
    """
    left = start - 1
    while left >= 0 and start - left <= _MAX_TORN + 1 and is_han(text[left]):
        left -= 1
    right = end
    while right < len(text) and right - end <= _MAX_TORN and is_han(text[right]):
        right += 1
    return start - left - 1 <= _MAX_TORN or right - end <= _MAX_TORN


def _hidden_spans(text: str) -> Iterator[Span]:
    """Yield the runs of invisible characters that stand between two Han characters."""
    start: int | None = None
    for position, char in enumerate(text):
        if not char.isascii() or char < " ":
            if char not in "\n\r\t" and _is_invisible(char):
                start = position if start is None else start
                continue
            if (
                start is not None
                and start > 0
                and is_han(fold_char(text[start - 1])[-1:] or " ")
                and is_han(fold_char(char)[:1] or " ")
            ):
                yield Span(start, position)
        start = None
