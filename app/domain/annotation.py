"""What reviewers leave on a piece: pins for its maker, and notes that only reviewers read."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

LONGEST_PIN: Final = 200
MOST_PINS: Final = 30  # open at one time on one piece; more than that is a refusal, not a remark
WHOLE_PERMILLE: Final = 1000


class PinState(StrEnum):
    """OPEN: what was asked for is not done; FIXED: a reviewer saw that it is."""

    OPEN = "open"
    FIXED = "fixed"


class PinStanding(StrEnum):
    """How an earlier pin stands on the revision that is looked at now."""

    OPEN = "open"
    CHANGED = "changed"  # the maker changed its place since: somebody must look
    FIXED = "fixed"


def pin_standing(
    state: PinState, slot: str | None, then: Mapping[str, str], now: Mapping[str, str]
) -> PinStanding:
    """Carry a pin over to another revision: at the same slot, open or fixed, or to be looked at.

    `then` and `now` are the slot values of the revision it was left on and of the one looked at.
    """
    if state is PinState.FIXED:
        return PinStanding.FIXED
    changed = then != now if slot is None else then.get(slot, "") != now.get(slot, "")
    return PinStanding.CHANGED if changed else PinStanding.OPEN
