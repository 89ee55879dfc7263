"""Who may decide, which way a revision goes, and the seal on a decision."""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from app.domain.errors import SelfApproval
from app.domain.piece import canonical_json

ReviewId = NewType("ReviewId", UUID)
DecisionId = NewType("DecisionId", UUID)


class Outcome(StrEnum):
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"


class Route(StrEnum):
    """AUTO: nothing but verified profile and pool phrases differs from cleared material."""

    AUTO = "auto"
    ONE_STEP = "one_step"


class ReviewState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"  # withdrawn or overtaken; never decided


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What routing looks at; all of it is known without a person."""

    verdict: str
    template_cleared: bool
    free_text_slots: Collection[str]
    unverified_slots: Collection[str]
    made_for_everybody: bool


def route_for(facts: RouteFacts) -> Route:
    """Send to a person unless a person has already cleared everything that is on the picture.

    Monotone: one more finding, changed slot or unverified field never turns a person's duty into
    the machine's (gate invariant I12).
    """
    if (
        facts.verdict == "pass"
        and facts.template_cleared
        and not facts.free_text_slots
        and not facts.unverified_slots
        and not facts.made_for_everybody
    ):
        return Route.AUTO
    return Route.ONE_STEP


def require_independence(reviewer: UUID, contributors: Collection[UUID]) -> None:
    """Four eyes: raises SelfApproval when the reviewer had a hand in the work (invariant I2)."""
    if reviewer in contributors:
        raise SelfApproval


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """What the seal covers."""

    decision_id: UUID
    revision_id: UUID
    content_hash: str
    outcome: Outcome
    decided_by: UUID | None
    decided_at: datetime


def seal(facts: DecisionFacts, key: bytes) -> str:
    """The decision's seal: only the platform's key can make it, so a row alone is no approval."""
    record = {
        "decision": str(facts.decision_id),
        "revision": str(facts.revision_id),
        "content": facts.content_hash,
        "outcome": facts.outcome.value,
        "by": str(facts.decided_by) if facts.decided_by else None,
        "at": facts.decided_at.isoformat(),
    }
    return hmac.new(key, b"decision\0" + canonical_json(record), hashlib.sha256).hexdigest()


def seal_holds(facts: DecisionFacts, key: bytes, found: str) -> bool:
    return hmac.compare_digest(seal(facts, key), found)
