"""An evidence pack from the asking to its end: where it lies, how often it is begun, how long it stays."""

from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

# It can be made again at any time; what holds records of many people should not lie about.
KEPT_FOR: Final = timedelta(days=7)
# Whatever ends the worker each time would end it for ever.
MOST_TURNS: Final = 8


class PackState(StrEnum):
    WAITING = "waiting"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_under_way(self) -> bool:
        return self in {PackState.WAITING, PackState.MAKING}


def pack_key(tenant_id: UUID, pack_id: UUID, turn: int) -> str:
    """Where the store keeps a pack: each turn at making it writes an object of its own."""
    return f"evidence/{tenant_id}/{pack_id}-{turn}.zip"
