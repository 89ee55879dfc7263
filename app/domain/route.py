"""Which steps a piece goes through before it may be public, and who may take each of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from app.domain.organisation import ROOT_PATH, Grant, Permission, Role, permits
from app.domain.template import ProductType

RouteId = NewType("RouteId", UUID)

MOST_STEPS: Final = 5
MOST_QUORUM: Final = 5
MOST_TERM_HOURS: Final = 24 * 30
# An escalation comes while there is still time to decide.
ESCALATES_AT: Final = 0.8


class Risk(StrEnum):
    """How much there is to look at, told without a person; a higher one is never less work."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class UseChannel(StrEnum):
    """Where a piece is meant to be shown."""

    MOMENTS = "moments"
    GROUP = "group"
    WECOM = "wecom"
    OFFICIAL_ACCOUNT = "official_account"
    PRINT = "print"


# Verdicts of the checker after which somebody must read closely, and those that only remark.
_READ_CLOSELY: Final = frozenset({"review", "block"})


def risk_of(verdict: str, *, own_words: Collection[str], unread: bool) -> Risk:
    """The risk of an item: hits are high; words or pictures nobody has read yet are medium.

    Monotone: one more finding or one more unread word never lowers it.
    """
    if verdict in _READ_CLOSELY:
        return Risk.HIGH
    return Risk.MEDIUM if verdict != "pass" or own_words or unread else Risk.LOW


@dataclass(frozen=True, slots=True)
class RoutedItem:
    """What of an item decides its route."""

    path: str
    product_type: ProductType
    kind: str
    risk: Risk
    channel: UseChannel


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Which items a route takes; an empty set of anything takes all of it."""

    path: str = ROOT_PATH
    product_types: frozenset[ProductType] = frozenset()
    kinds: frozenset[str] = frozenset()
    risks: frozenset[Risk] = frozenset()
    channels: frozenset[UseChannel] = frozenset()

    def takes(self, item: RoutedItem) -> bool:
        return (
            item.path.startswith(self.path)
            and (not self.product_types or item.product_type in self.product_types)
            and (not self.kinds or item.kind in self.kinds)
            and (not self.risks or item.risk in self.risks)
            and (not self.channels or item.channel in self.channels)
        )

    @property
    def takes_everything(self) -> bool:
        return self == RouteRule()


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step: how many different people must say yes, and who counts as one of them."""

    name: str
    role: Role = Role.REVIEWER
    quorum: int = 1
    # the unit on which, or above which, the role must be held; None: anywhere above the piece
    seat_path: str | None = None
    term: timedelta = timedelta(hours=24)

    def may_be_taken_by(self, grants: Iterable[Grant], *, item_path: str) -> bool:
        """Whether these grants make somebody a decider of this step, for an item of that unit."""
        return any(
            grant.role is self.role
            and item_path.startswith(grant.path)
            and (self.seat_path is None or self.seat_path.startswith(grant.path))
            for grant in grants
        )


# The roles a step may ask for: those that may decide at all.
DECIDING_ROLES: Final = tuple(role for role in Role if permits(role, Permission.REVIEW_DECIDE))


def is_complete(quorums: Collection[int], approvals: Collection[int]) -> bool:
    """Whether every step has as many approvals as it asks for; both in the order of the steps."""
    return len(quorums) == len(approvals) and all(
        have >= need for need, have in zip(quorums, approvals, strict=True)
    )


class StepState(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    PASSED = "passed"
    ENDED = "ended"  # the round came to its end before or in this step, without passing it


@dataclass(frozen=True, slots=True)
class Term:
    """The time a step has: when it began and when it is over."""

    opened_at: datetime
    due_at: datetime

    @property
    def escalates_at(self) -> datetime:
        return self.opened_at + (self.due_at - self.opened_at) * ESCALATES_AT

    def is_over(self, at: datetime) -> bool:
        return at >= self.due_at

    def has_escalated(self, at: datetime) -> bool:
        return at >= self.escalates_at
