"""Which of the items that passed by themselves are looked at afterwards, so that anybody can tell."""

import hashlib
from enum import StrEnum
from typing import Final
from uuid import UUID

LOTS: Final = 10_000
DEFAULT_SHARE_BP: Final = 500


class InspectionOutcome(StrEnum):
    CLEAN = "clean"
    FINDING = "finding"  # it should not have passed: it is taken down


def lot_of(seed: str, item_id: UUID) -> int:
    """The lot an item draws under a seed, from 0 to 9,999: the same for ever, and for anybody."""
    digest = hashlib.sha256(f"{seed}\0{item_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % LOTS


def is_drawn(lot: int, share_bp: int) -> bool:
    """Whether a lot is among those looked at; a larger share draws all that a smaller one did."""
    return lot < share_bp
