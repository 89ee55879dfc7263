"""L3: words written by their sound, and characters taken apart.

The text is read as a row of toneless syllables, each standing for a Han character or a run
of Latin letters. A guarded word is found where its syllables are, unless it is written out
(then an earlier layer has it) or ordinary words explain the characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import ahocorasick_rs
from pypinyin.pinyin_dict import pinyin_dict

from compliance.normalise import is_han

_CODE_BASE = 0xE000  # syllables are coded in the private use area for the automaton
_MIN_COMMON_FREQUENCY = 3
_LATIN_RUN = re.compile(r"[a-z]{1,24}")
_MIN_LATIN_SYLLABLES = 2

# Characters commonly written as their two parts.
_SPLITS = MappingProxyType(
    {
        "阝佥": "险", "阝金": "险", "自心": "息", "禾厶": "私", "亻呆": "保", "贝兼": "赚",
        "禾急": "稳", "讠正": "证", "又欠": "欢", "氵又": "汉", "贝口": "员", "木几": "机",
        "禾刂": "利", "讠者": "诸", "贝者": "赌", "丷三": "兰", "艹存": "荐",
    }
)  # fmt: skip


def _toneless(reading: str) -> str:
    stripped = unicodedata.normalize("NFD", reading)
    return "".join(char for char in stripped if "a" <= char <= "z")


@cache
def _syllables() -> MappingProxyType[str, str]:
    """Return the first toneless reading of every Han character."""
    return MappingProxyType(
        {
            chr(code): _toneless(readings.partition(",")[0])
            for code, readings in pinyin_dict.items()
            if is_han(chr(code))
        }
    )


@cache
def _codes() -> MappingProxyType[str, str]:
    names = sorted({syllable for syllable in _syllables().values() if syllable})
    return MappingProxyType({name: chr(_CODE_BASE + i) for i, name in enumerate(names)})


@cache
def _common_pairs() -> frozenset[str]:
    """Return the two-character words of jieba's dictionary.

    Read as a file, on the first homophone only: importing jieba would build its tree, and
    detection never segments.
    """
    spec = find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:  # pragma: no cover - a broken install
        raise RuntimeError("jieba is not installed")
    pairs: set[str] = set()
    path = Path(spec.submodule_search_locations[0], "dict.txt")
    for line in path.read_text("utf-8").splitlines():
        word, frequency, _ = line.split(" ", 2)
        if len(word) == 2 and int(frequency) >= _MIN_COMMON_FREQUENCY:  # noqa: PLR2004 - a pair
            pairs.add(word)
    return frozenset(pairs)


@dataclass(frozen=True, slots=True)
class _Token:
    """A syllable in the text, with the range of the normalised text it was read from."""

    code: str
    char: str  # the Han character, or "" for Latin letters
    start: int
    end: int
    run: int  # start of the Latin run, -1 for Han
    run_end: int


def _segment(letters: str) -> list[str] | None:
    """Cut a run of letters into the fewest syllables, or `None` when letters are left over."""
    codes = _codes()
    best: list[list[str] | None] = [[]] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - 6), end):
            head = best[start]
            if head is not None and letters[start:end] in codes:
                tail = best[end]
                if tail is None or len(head) + 1 < len(tail):
                    best[end] = [*head, letters[start:end]]
    return best[-1]


def _tokens(text: str) -> Iterator[_Token]:
    syllables, codes = _syllables(), _codes()
    position = 0
    while position < len(text):
        char = text[position]
        split = _SPLITS.get(text[position : position + 2])
        if split is not None:
            yield _Token(codes[syllables[split]], split, position, position + 2, -1, -1)
            position += 2
        elif is_han(char):
            code = codes.get(syllables.get(char, ""), char)
            yield _Token(code, char, position, position + 1, -1, -1)
            position += 1
        elif (run := _LATIN_RUN.match(text, position)) is not None:
            parts = _segment(run.group())
            at = position
            for part in parts or [run.group()]:
                code = codes[part] if parts else " "
                yield _Token(code, "", at, at + len(part), position, run.end())
                at += len(part)
            position = run.end()
        elif char in " '-" and _between_latin(text, position):
            position += 1  # bao ben, gu-ding
        else:
            yield _Token(" ", char, position, position + 1, -1, -1)
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
class SoundHit:
    """A guarded word heard in `text[start:end]` of the normalised text."""

    word: str
    start: int
    end: int


class SoundIndex:
    """The guarded words of a ruleset, by their syllables."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(sorted({word for word in words if all(map(is_han, word))}))
        syllables, codes = _syllables(), _codes()
        keys = ["".join(codes[syllables[char]] for char in word) for word in self._words]
        self._automaton = (
            ahocorasick_rs.AhoCorasick(keys, matchkind=ahocorasick_rs.MatchKind.Standard) if keys else None
        )

    def find(self, text: str) -> list[SoundHit]:
        """Return the guarded words heard but not written in a normalised text."""
        if self._automaton is None:
            return []
        tokens = list(_tokens(text))
        row = "".join(token.code for token in tokens)
        hits = []
        for index, start, end in self._automaton.find_matches_as_indexes(row, overlapping=True):
            word, heard = self._words[index], tokens[start:end]
            if _is_disguise(word, heard, text):
                hits.append(SoundHit(word, heard[0].start, heard[-1].end))
        return hits


def _is_disguise(word: str, heard: list[_Token], text: str) -> bool:
    written = text[heard[0].start : heard[-1].end]
    if written == word:
        return False
    latin = [token for token in heard if token.run >= 0]
    if latin:
        # letters must be used up: `simu` is a word, the same four letters in `simulate` not
        whole = all(heard[0].start <= token.run and token.run_end <= heard[-1].end for token in latin)
        return whole and (len(latin) < len(heard) or len(heard) >= _MIN_LATIN_SYLLABLES)
    if any(token.end - token.start > 1 for token in heard):
        return all(a.char == b for a, b in zip(heard, word, strict=True) if a.end - a.start > 1)
    return not _explained(word, heard, text)


def _explained(word: str, heard: list[_Token], text: str) -> bool:
    """Tell whether an ordinary word accounts for one of the characters that differ."""
    pairs = _common_pairs()
    return any(
        text[max(0, token.start - 1) : token.end] in pairs or text[token.start : token.end + 1] in pairs
        for token, char in zip(heard, word, strict=True)
        if token.char != char
    )
