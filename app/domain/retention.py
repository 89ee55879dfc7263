"""How long records are kept: terms only grow."""

from datetime import datetime
from enum import StrEnum
from typing import Final


class RecordClass(StrEnum):
    """What is kept, by the reason for keeping it."""

    # checkpoints of the audit trail
    AUDIT = "audit"
    # what was public, as it was shown, with the review behind it
    PUBLICATION = "publication"


# Nobody's legal advice: the longest term we found named, to be confirmed by the institution's counsel.
DEFAULT_YEARS: Final = 20


def term_end(begun_at: datetime, years: int) -> datetime:
    """The end of a term of whole years; one begun on 29 February ends on 1 March."""
    try:
        return begun_at.replace(year=begun_at.year + years)
    except ValueError:
        return begun_at.replace(year=begun_at.year + years, month=3, day=1)
