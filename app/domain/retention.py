"""How long records are kept, and what stands against destroying one: both only ever grow."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from app.domain.errors import InvalidInput, TermOnlyGrows


class RecordClass(StrEnum):
    """What is kept, by the reason for keeping it."""

    # checkpoints of the audit trail
    AUDIT = "audit"
    # what was public, as it was shown, with the review behind it
    PUBLICATION = "publication"


class HoldScope(StrEnum):
    """What a hold lies on."""

    EVERYTHING = "everything"
    PIECE = "piece"
    ADVISOR = "advisor"
    PRODUCT = "product"


# Nobody's legal advice: the longest term we found named, to be confirmed by the institution's counsel.
DEFAULT_YEARS: Final = 20
_MOST_YEARS: Final = 100


def longer_term(years: int, *, than: int) -> int:
    """The new term in years; raises TermOnlyGrows, InvalidInput."""
    if years < than:
        raise TermOnlyGrows(years=than)
    if years > _MOST_YEARS:
        raise InvalidInput.of("years", "too_long", f"保存期限最长 {_MOST_YEARS} 年。")
    return years


def term_end(begun_at: datetime, years: int) -> datetime:
    """The end of a term of whole years; one begun on 29 February ends on 1 March."""
    try:
        return begun_at.replace(year=begun_at.year + years)
    except ValueError:
        return begun_at.replace(year=begun_at.year + years, month=3, day=1)
