"""Texts that a spreadsheet will not take for formulas."""

import re
from typing import Final

# A formula begins a cell or, in some programs, any line of it; blanks before it are skipped, and
# Chinese and Japanese editions read the full-width signs as well.
_FORMULA: Final = re.compile(r"(?:\A|[\r\n])[\s\u200b\ufeff]*[=+\-@＝＋－＠]|\A[\s\u200b\ufeff]*[\t\r]")


def plain_cell(value: object) -> str:
    """The value as a cell that stays a text: what looks like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if _FORMULA.search(text) else text
