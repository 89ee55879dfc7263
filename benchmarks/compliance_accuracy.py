"""How well the checker tells violations from lawful texts, on labelled files.

    python -m benchmarks.compliance_accuracy FILE… [--json] [--wrong]

A line is `{"id", "text", "label": "violation"|"compliant", "channel"?, "sector"?, "rules"?}`.
Counted twice: `block` alone, and `stop` = block or review. Intervals are Wilson's at 95 %.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.check import check
from compliance.document import Document, parse_channel, parse_sector
from compliance.finding import Severity
from compliance.report import Report, Verdict
from compliance.ruleset import load_ruleset

_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its interval."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else 0.0

    def interval(self) -> tuple[float, float]:
        """Return Wilson's score interval."""
        if not self.total:
            return (0.0, 1.0)
        n, p, z2 = self.total, self.value, _Z95**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return (max(0.0, centre - half), min(1.0, centre + half))

    def to_dict(self) -> dict[str, Any]:
        low, high = self.interval()
        return {
            "value": round(self.value, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "hits": self.hits,
            "total": self.total,
        }


def measure(judged: Sequence[tuple[dict[str, Any], Report]], least: Verdict) -> dict[str, Any]:
    """Return recall, precision, F1 and the false-stop rate when `least` or worse stops a text."""
    stopped = dict.fromkeys(("violation", "compliant"), 0)
    totals = Counter(case["label"] for case, _ in judged)
    for case, report in judged:
        stopped[case["label"]] += report.verdict.rank >= least.rank
    recall = Share(stopped["violation"], totals["violation"])
    precision = Share(stopped["violation"], sum(stopped.values()))
    both = recall.value + precision.value
    return {
        "recall": recall.to_dict(),
        "precision": precision.to_dict(),
        "f1": round(2 * recall.value * precision.value / both, 4) if both else 0.0,
        "false_stops": Share(stopped["compliant"], totals["compliant"]).to_dict(),
    }


def recall_by_rule(judged: Sequence[tuple[dict[str, Any], Report]]) -> dict[str, Any]:
    """Return, per slug, how many texts labelled with it were stopped for any reason."""
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for case, report in judged:
        for slug in case.get("rules", ()):
            totals[slug] += 1
            hits[slug] += report.verdict.rank >= Verdict.REVIEW.rank
    return {slug: Share(hits[slug], totals[slug]).to_dict() for slug in sorted(totals)}


def judge(case: dict[str, Any]) -> Report:
    document = Document.of_text(
        case["text"],
        sector=parse_sector(case.get("sector", "")),
        channel=parse_channel(case.get("channel", "")),
    )
    return check(document, load_ruleset())


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--wrong", action="store_true", help="list the texts judged wrongly")
    options = parser.parse_args(argv)
    cases = [
        json.loads(line)
        for path in options.files
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    ]
    judged = [(case, judge(case)) for case in cases]
    result: dict[str, Any] = {
        "ruleset": load_ruleset().version,
        "texts": len(cases),
        "stop": measure(judged, Verdict.REVIEW),
        "block": measure(judged, Verdict.BLOCK),
        "by_rule": recall_by_rule(judged),
    }
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    for name in ("stop", "block"):
        print(f"{name}: F1 {result[name]['f1']:.3f}")
        for key in ("recall", "precision", "false_stops"):
            share = result[name][key]
            print(
                f"  {key:12} {share['value']:.3f}  [{share['low']:.3f}, {share['high']:.3f}]"
                f"  {share['hits']}/{share['total']}"
            )
    for slug, share in result["by_rule"].items():
        print(f"  {slug:32} {share['hits']:3}/{share['total']}")
    if options.wrong:
        print_wrong(judged)


def print_wrong(judged: Sequence[tuple[dict[str, Any], Report]]) -> None:
    for case, report in judged:
        stopped = report.verdict.rank >= Verdict.REVIEW.rank
        if stopped == (case["label"] == "violation"):
            continue
        hits = [
            f"{f.rule_id}「{f.text}」" + (f"({f.scope_reason})" if f.scope_reason else "")
            for f in report.findings
            if not stopped or f.severity is not Severity.NOTE
        ]
        kind = "MISSED" if case["label"] == "violation" else "FALSE "
        text = case["text"].replace("\n", "⏎")
        print(f"{kind} {case['id']} {','.join(case.get('rules', ()))} | {text} | {' ; '.join(hits)}")


if __name__ == "__main__":
    main()
