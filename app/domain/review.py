"""Which way a revision goes and why, what a refusal says, and the seal on a decision."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from app.domain.piece import canonical_json
from app.domain.route import Risk, risk_of

ReviewId = NewType("ReviewId", UUID)
DecisionId = NewType("DecisionId", UUID)


class Outcome(StrEnum):
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"


class Route(StrEnum):
    """AUTO: nothing but verified profile and pool phrases differs from cleared material."""

    AUTO = "auto"
    PEOPLE = "people"  # the steps of a configured route


class ReviewState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"  # withdrawn or overtaken; never decided


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What routing looks at; all of it is known without a person."""

    verdict: str
    template_cleared: bool
    # slots whose words are neither the design's, nor its pool's, nor approved before on this piece
    free_text_slots: Collection[str]
    unverified_slots: Collection[str]
    made_for_everybody: bool
    carried_slots: Collection[str] = ()

    @property
    def risk(self) -> Risk:
        unread = not self.template_cleared or bool(self.unverified_slots)
        return risk_of(self.verdict, own_words=self.free_text_slots, unread=unread)


class Reason(StrEnum):
    """Why an item passed by itself, or why people must look; with a slot or verdict behind a colon."""

    CLEARED_DESIGN = "cleared_design"
    VERIFIED_PROFILE = "verified_profile"
    POOL_PHRASES = "pool_phrases"
    CARRIED = "carried"
    APPROVED_PIECE = "approved_piece"
    VERDICT = "verdict"
    OWN_WORDS = "own_words"
    UNVERIFIED = "unverified"
    DESIGN_NOT_CLEARED = "design_not_cleared"
    FOR_EVERYBODY = "for_everybody"


def doubts_of(facts: RouteFacts) -> tuple[str, ...]:
    """Everything that a person must look at, as reasons; empty where there is nothing.

    Monotone: one more finding, changed slot or unverified field is one more doubt, never one less
    (gate invariant I12).
    """
    doubts = []
    if facts.verdict != "pass":
        doubts.append(f"{Reason.VERDICT}:{facts.verdict}")
    if not facts.template_cleared:
        doubts.append(Reason.DESIGN_NOT_CLEARED.value)
    doubts.extend(f"{Reason.OWN_WORDS}:{slot}" for slot in sorted(facts.free_text_slots))
    doubts.extend(f"{Reason.UNVERIFIED}:{slot}" for slot in sorted(facts.unverified_slots))
    if facts.made_for_everybody:
        doubts.append(Reason.FOR_EVERYBODY.value)
    return tuple(doubts)


def route_for(facts: RouteFacts) -> Route:
    """Send to people unless people have already cleared everything that is on the picture."""
    return Route.PEOPLE if doubts_of(facts) else Route.AUTO


def reasons_for(facts: RouteFacts) -> tuple[str, ...]:
    """Why it goes the way it goes, to be kept with the round."""
    return doubts_of(facts) or (
        Reason.CLEARED_DESIGN.value,
        Reason.POOL_PHRASES.value,
        Reason.VERIFIED_PROFILE.value,
        *(f"{Reason.CARRIED}:{slot}" for slot in sorted(facts.carried_slots)),
    )


# Longer than anybody looks at one item; after it the item is free again, also on a holiday.
CLAIM_TERM: Final = timedelta(minutes=30)


def claim_holds(claimed_at: datetime | None, *, at: datetime) -> bool:
    """Whether somebody who took an item is still on it."""
    return claimed_at is not None and at - claimed_at < CLAIM_TERM


# So long does what is alike join the first of its kind in the queue: without an end a steady stream of
# one change would keep everything else waiting.
RANK_TERM: Final = timedelta(days=1)


def rank_since(alike_since: datetime | None, *, at: datetime) -> datetime:
    """Since when a new item counts as waiting: as long as the first that is alike, a day at most."""
    return at if alike_since is None else max(alike_since, at - RANK_TERM)


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
    # None: nobody's step, because the machine let it pass, or there was but one step at the time
    step_id: UUID | None = None
    is_final: bool = True


def seal(facts: DecisionFacts, key: bytes) -> str:
    """The decision's seal: only the platform's key can make it, so a row alone is no approval."""
    record: dict[str, str | bool | None] = {
        "decision": str(facts.decision_id),
        "revision": str(facts.revision_id),
        "content": facts.content_hash,
        "outcome": facts.outcome.value,
        "by": str(facts.decided_by) if facts.decided_by else None,
        # the instant, however the clock or the database spells its zone
        "at": facts.decided_at.astimezone(UTC).isoformat(),
    }
    if facts.step_id is not None:
        record |= {"step": str(facts.step_id), "final": facts.is_final}
    return hmac.new(key, b"decision\0" + canonical_json(record), hashlib.sha256).hexdigest()


def seal_holds(facts: DecisionFacts, key: bytes, found: str) -> bool:
    return hmac.compare_digest(seal(facts, key), found)
