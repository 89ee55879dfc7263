"""Layers of normalisation, each position mapped back to the original text.

L0 is the text itself. L1 folds every character by itself: width and compatibility forms,
traditional to simplified script, case, tone marks; characters nobody sees are dropped. L2
drops noise between Han characters, so that 保·本 reads 保本. The stored text never changes;
a hit in the normalised text is shown as the original span that produced it.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from compliance.finding import Layer, Span

# Pictures and look-alikes people put in the place of a word; the folding of any single
# character must not depend on its neighbours, so two-character splits live in sound.py.
_SHAPES = MappingProxyType(
    {
        "夲": "本", "嬴": "赢", "俫": "保", "💰": "钱", "🧧": "红包",
        "🉐": "得", "🈚": "无", "🈶": "有", "🈵": "满", "🈲": "禁", "🉑": "可", "🈹": "割",
        "🐂": "牛", "🐮": "牛", "👀": "眼", "⺓": "幺", "⻋": "车", "⻛": "风", "⻢": "马",
        "⻓": "长", "⻅": "见", "⻚": "页", "⻔": "门", "⻩": "黄", "⻥": "鱼", "⻦": "鸟",
        "⻬": "齐", "⻝": "食",
    }
)  # fmt: skip

_NOISE = frozenset(" ·•‧・∙.*_-~|/\\+=^#@&`﹏¯°")
_SYMBOL_CATEGORIES = frozenset({"So", "Sk"})
# between two phrases these divide; only inside a torn word are they noise
_DIVIDERS = frozenset(" |/\n")
_MAX_NOISE_RUN = 2
# What a whole category folds to: a lone surrogate cannot be encoded but keeps its place.
_CATEGORY_FORMS = MappingProxyType({"Cs": "\ufffd", "Zl": "\n", "Zp": "\n", "Zs": " ", "Mn": "", "Me": ""})
_LAYOUT_CONTROLS = MappingProxyType({"\n": "\n", "\t": " ", "\x0b": " ", "\x0c": " ", "\x85": " "})
_MAX_VERTICAL_LINE = 2
_MAX_TORN = 2  # a torn word leaves at most this many characters on one side


@cache
def _simplified() -> MappingProxyType[int, str]:
    """Return OpenCC's character table, traditional to simplified.

    Only characters, never phrases: a phrase conversion changes lengths. The table is read
    as a file because importing the package would build its converters.
    """
    spec = find_spec("opencc")
    if spec is None or not spec.submodule_search_locations:  # pragma: no cover - a broken install
        raise RuntimeError("opencc-python-reimplemented is not installed")
    path = Path(spec.submodule_search_locations[0], "dictionary", "TSCharacters.txt")
    table: dict[int, str] = {}
    for line in path.read_text("utf-8").splitlines():
        traditional, _, simplified = line.partition("\t")
        if len(traditional) == 1 and simplified:
            table[ord(traditional)] = simplified.split()[0]
    return MappingProxyType(table)


def is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char >= "\U00020000"


def _is_invisible(char: str) -> bool:
    """Tell whether a character takes no place on the page."""
    category = unicodedata.category(char)
    return category in {"Cf", "Cc"} or "\ufe00" <= char <= "\ufe0f" or char in "\u115f\u1160\u3164"


def _fold_once(char: str) -> str:
    known = _SHAPES.get(char) or _LAYOUT_CONTROLS.get(char)
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


def fold(text: str) -> str:
    """Fold a text character by character, without the map."""
    return "".join(map(fold_char, text))


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text and the way back.

    `origins[i]` is the position in the original of the character that produced `text[i]`;
    `steps[i]` its position in the folded text, from which the layer of a hit is told;
    `joints` are the positions before which noise was dropped; `hidden` are the original
    spans of invisible characters between two Han characters.
    """

    original: str
    text: str
    origins: tuple[int, ...]
    steps: tuple[int, ...]
    joints: frozenset[int]
    hidden: tuple[Span, ...]

    def span(self, start: int, end: int) -> Span:
        """Return the original span of `text[start:end]`, the noise inside it included."""
        return Span(self.origins[start], self.origins[end - 1] + 1)

    def layer(self, start: int, end: int) -> Layer:
        span = self.span(start, end)
        if self.original[span.start : span.end] == self.text[start:end]:
            return Layer.RAW
        if self.steps[end - 1] - self.steps[start] == end - 1 - start:
            return Layer.FOLD
        return Layer.SKIP


def _vertical_line_ends(text: str) -> frozenset[int]:
    """Return the line ends inside text set one or two characters a line."""
    ends: set[int] = set()
    start = 0
    previous: tuple[int, int] | None = None  # (length of the line, position of its end)
    for position in [i for i, char in enumerate(text) if char == "\n"] + [len(text)]:
        length = position - start
        short = 0 < length <= _MAX_VERTICAL_LINE and all(map(is_han, text[start:position]))
        if short and previous is not None:
            ends.add(previous[1])
        previous = (length, position) if short else None
        start = position + 1
    return frozenset(ends)


def _noise_between(text: str, start: int, vertical: frozenset[int]) -> int:
    """Return the end of a noise run that starts at `start` and may be dropped, else `start`."""
    end = start
    while end < len(text) and end - start <= _MAX_NOISE_RUN:
        char = text[end]
        if char == "\n":
            if end not in vertical:
                return start
        elif not _is_noise(char):
            break
        end += 1
    if end - start > _MAX_NOISE_RUN or end >= len(text) or not is_han(text[end]):
        return start
    if _DIVIDERS.issuperset(text[start:end]) and _divides_phrases(text, start, end):
        return start
    return end


def _is_noise(char: str) -> bool:
    return char in _NOISE or unicodedata.category(char) in _SYMBOL_CATEGORIES


def _divides_phrases(text: str, start: int, end: int) -> bool:
    """Tell whether a bar, a slash or spaces divide two phrases instead of splitting a word.

    A word that is pulled apart leaves one or two characters on one side; a column of a
    product page leaves phrases on both.
    """
    left = start - 1
    while left >= 0 and start - left <= _MAX_TORN + 1 and is_han(text[left]):
        left -= 1
    right = end
    while right < len(text) and right - end <= _MAX_TORN and is_han(text[right]):
        right += 1
    return start - left - 1 > _MAX_TORN and right - end > _MAX_TORN


def _is_letter(text: str, position: int) -> bool:
    return 0 <= position < len(text) and "a" <= text[position] <= "z"


def _joins_spelled_letters(text: str, position: int) -> bool:
    """Tell whether a space stands inside a word spelled letter by letter: w e i x i n."""
    return (
        _is_letter(text, position - 1)
        and _is_letter(text, position + 1)
        and not _is_letter(text, position - 2)
        and not _is_letter(text, position + 2)
        and (text[position - 2 : position - 1] == " " or text[position + 2 : position + 3] == " ")
        and (_is_letter(text, position - 3) or _is_letter(text, position + 3))
    )


def normalise(text: str) -> Normalised:
    """Bring a text into the form rules are matched on; linear, for any string."""
    chars: list[str] = []
    origins: list[int] = []
    dropped = False
    for position, char in enumerate(text):
        folded = fold_char(char)
        if len(folded) == 1:
            chars.append(folded)
            origins.append(position)
        elif folded:
            chars.extend(folded)
            origins.extend([position] * len(folded))
        else:
            dropped = True
    folded_text = "".join(chars)
    vertical = _vertical_line_ends(folded_text) if "\n" in folded_text else frozenset()
    out: list[str] = []
    out_origins: list[int] = []
    steps: list[int] = []
    joints: set[int] = set()
    position = 0
    while position < len(folded_text):
        char = folded_text[position]
        if char == " " and _joins_spelled_letters(folded_text, position):
            joints.add(len(out))
            position += 1
            continue
        if out and not is_han(char) and is_han(out[-1]) and (char == "\n" or _is_noise(char)):
            end = _noise_between(folded_text, position, vertical)
            if end > position:
                joints.add(len(out))
                position = end
                continue
        out.append(char)
        out_origins.append(origins[position])
        steps.append(position)
        position += 1
    return Normalised(
        original=text,
        text="".join(out),
        origins=tuple(out_origins),
        steps=tuple(steps),
        joints=frozenset(joints),
        hidden=tuple(_hidden_spans(text)) if dropped else (),
    )


def _hidden_spans(text: str) -> list[Span]:
    """Return the runs of invisible characters that stand between two Han characters."""
    spans: list[Span] = []
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
                spans.append(Span(start, position))
        start = None
    return spans
