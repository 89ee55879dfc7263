"""What the checker says about one span of text."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How far a finding goes; the order is the order of definition."""

    NOTE = "note"  # seen, and found lawful in its context
    WARN = "warn"  # may go out, would read better otherwise
    REVIEW = "review"  # a person decides
    BLOCK = "block"  # may not go out as it is

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Layer(StrEnum):
    """The lightest normalisation under which a hit became visible."""

    RAW = "L0"  # as written
    FOLD = "L1"  # after width, script and invisible characters
    SKIP = "L2"  # after dropping noise between Han characters
    SOUND = "L3"  # only by pinyin, homophone or split character


class BasisStatus(StrEnum):
    IN_FORCE = "in_force"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range in code points of the original field text."""

    start: int
    end: int

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule on one span.

    `rule` is the slug of the rule's family, `rule_id` the rule itself. `suggestion`
    replaces exactly the span; `None` where no wording in place would make it lawful, and
    `reason` then says what to do. `scope_reason` says why a hit was lowered to a note.
    """

    rule: str
    severity: Severity
    field: str
    span: Span
    text: str
    basis: str
    basis_status: BasisStatus
    reason: str
    suggestion: str | None
    layer: Layer
    scope_reason: str | None = None
    rule_id: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "rule_id": self.rule_id,
            "severity": self.severity.value,
            "field": self.field,
            "start": self.span.start,
            "end": self.span.end,
            "text": self.text,
            "basis": self.basis,
            "basis_status": self.basis_status.value,
            "reason": self.reason,
            "suggestion": self.suggestion,
            "layer": self.layer.value,
            "scope_reason": self.scope_reason,
        }
