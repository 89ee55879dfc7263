"""Who may decide, which way a revision goes, and the seal on a decision."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
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


# Longer than anybody looks at one item; after it the item is free again, also on a holiday.
CLAIM_TERM: Final = timedelta(minutes=30)


def claim_holds(claimed_at: datetime | None, *, at: datetime) -> bool:
    """Whether somebody who took an item is still on it."""
    return claimed_at is not None and at - claimed_at < CLAIM_TERM


class Ground(StrEnum):
    """Why something is not approved, in the words that reports count by."""

    PROMISE = "承诺或暗示收益"
    SUPERLATIVE = "绝对化用语"
    DISCLOSURE = "风险揭示不足"
    SOURCE = "数据缺少出处或时间"
    SUITABILITY = "与产品或客群不符"
    RIGHTS = "肖像或版权未授权"
    BRAND = "不符合品牌规范"
    OTHER = "其他"


_WORDING: Final = re.compile(r"^建议措辞〔([a-z0-9_]+)〕：", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a piece goes back, and the wording that would do, by slot.

    It is kept as one text that a person can read as it stands: grounds, words, wordings.
    """

    words: str
    grounds: tuple[Ground, ...] = ()
    wordings: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """The text to keep as a decision's reason; empty where nothing was said at all."""
        lines = []
        if self.grounds:
            lines.append("；".join(self.grounds))
        if self.words.strip():
            lines.append(self.words.strip())
        lines.extend(f"建议措辞〔{slot}〕：{words.strip()}" for slot, words in self.wordings.items())
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> "Refusal":
        """Read back what `to_text` wrote; any other text is all words."""
        head, *rest = _WORDING.split(text)
        wordings = dict(zip(rest[::2], (words.strip() for words in rest[1::2]), strict=True))
        first, _, words = head.partition("\n")
        named = {ground.value: ground for ground in Ground}
        parts = first.strip().split("；")
        if all(part in named for part in parts):
            return cls(words.strip(), tuple(named[part] for part in parts), wordings)
        return cls(head.strip(), (), wordings)


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
        # the instant, however the clock or the database spells its zone
        "at": facts.decided_at.astimezone(UTC).isoformat(),
    }
    return hmac.new(key, b"decision\0" + canonical_json(record), hashlib.sha256).hexdigest()


def seal_holds(facts: DecisionFacts, key: bytes, found: str) -> bool:
    return hmac.compare_digest(seal(facts, key), found)
