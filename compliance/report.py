"""The verdict on a document and its canonical form."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compliance.finding import Finding, Severity


class Verdict(StrEnum):
    """What may happen to the piece; the order is the order of definition."""

    PASS = "pass"  # noqa: S105 - the word of the trade, no password
    WARN = "warn"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        return _VERDICTS.index(self)


_VERDICTS = tuple(Verdict)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the gravest finding; notes leave a pass a pass."""
    gravest = max((finding.severity.rank for finding in findings), default=Severity.NOTE.rank)
    return _VERDICTS[gravest]


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one document under one ruleset, in the order of fields and spans."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    ruleset_version: str
    ruleset_digest: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "findings": [finding.to_dict() for finding in self.findings],
            "ruleset_version": self.ruleset_version,
            "ruleset_digest": self.ruleset_digest,
        }

    def to_json(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, the same bytes for the same report.

        Lone surrogates, which UTF-8 cannot carry, stay escaped.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
