"""Text that somebody typed, judged once before it goes anywhere: printable, and of bounded length."""

import unicodedata
from typing import Final

from app.domain.errors import InvalidInput

LONGEST_TITLE: Final = 200
LONGEST_TAG: Final = 64
LONGEST_REMARK: Final = 500  # a reason, a note, a word on why to send it
MOST_TAGS: Final = 30
# A remark may run over lines, and joined emoji (families, professions) carry U+200D.
_IN_REMARKS: Final = str.maketrans("", "", "\n\u200d")
_NOT_SHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def unprintable(text: str) -> str | None:
    """The first sign that no page may show, as U+XXXX; None when there is none.

    Control and formatting signs (NUL, line breaks, text direction, zero width), halves of
    surrogates, and the private area in which old systems kept their home-made characters.
    """
    for sign in text:
        if unicodedata.category(sign) in _NOT_SHOWN:
            return f"U+{ord(sign):04X}"
    return None


def unstorable(text: str) -> str | None:
    """The first sign that no database, file or page can hold, as U+XXXX: NUL, half a surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        if "\0" not in text:
            return None
    return next(f"U+{ord(sign):04X}" for sign in text if sign == "\0" or unicodedata.category(sign) == "Cs")


def clean_text(field: str, value: str, *, longest: int, lines: bool = False) -> str:
    """The text without blanks around it; `lines` allows line breaks in it.

    Raises InvalidInput naming the field where a sign cannot be shown or there are too many.
    """
    text = value.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise InvalidInput.of(field, "too_long", f"最多 {longest} 个字，现有 {len(text)} 个。")
    if sign := unprintable(text.translate(_IN_REMARKS) if lines else text):
        raise InvalidInput.of(field, "unprintable", f"含有不能显示的字符（{sign}），请删除。")
    return text


def without_marks(text: str) -> str:
    """The text without invisible formatting signs, which phones add when they fill in a contact."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()


def clean_tags(field: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    """The tags, each once and in order. Raises InvalidInput for one too long and for too many."""
    cleaned = sorted({clean_text(field, tag, longest=LONGEST_TAG) for tag in tags} - {""})
    if len(cleaned) > MOST_TAGS:
        raise InvalidInput.of(field, "too_many", f"最多 {MOST_TAGS} 个标签。")
    return tuple(cleaned)
