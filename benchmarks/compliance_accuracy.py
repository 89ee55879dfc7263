"""How well the checker tells violations from lawful texts, on labelled files.

    python -m benchmarks.compliance_accuracy FILE… [--json] [--wrong] [--folds N] [--fold K]

A line is `{"id", "text", "label": "violation"|"compliant", "channel"?, "sector"?, "rules"?}`.
Beside `x.jsonl`, `x.meta.jsonl` may name the `voice` of a text and the `kind` of its violation:
`k` a plain keyword, `s` meaning without one, `m` a missing disclosure, `eN` disguise N.
Counted twice: `block` alone, and `stop` = block or review. Intervals are Wilson's at 95 %.
Nothing is fitted here. `--folds` parts the texts by voice, to show how far one author's figures
lie from another's, and `--fold K` (of five) reads no others: so rules can be scored on texts before
anybody reads them, and some texts be kept unread for good.
"""

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.check import check
from compliance.document import Document, parse_channel, parse_sector
from compliance.finding import Severity
from compliance.report import Report, Verdict
from compliance.ruleset import Ruleset, load_ruleset

Judged = tuple[dict[str, Any], Report]

_Z95 = 1.959964
FOLDS = 5
_NUMBER_AT_END = re.compile(r"[0-9]+$")
_KINDS = {"k": "plain", "s": "semantic", "m": "missing disclosure"}


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


def measure(judged: Sequence[Judged], least: Verdict) -> dict[str, Any]:
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


def recall_by(
    judged: Sequence[Judged], keys_of: Callable[[dict[str, Any]], Iterable[str]], least: Verdict
) -> dict[str, Any]:
    """Return, per key of the violations, how many were stopped for any reason."""
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for case, report in judged:
        if case["label"] == "violation":
            for key in keys_of(case):
                totals[key] += 1
                hits[key] += report.verdict.rank >= least.rank
    return {key: Share(hits[key], totals[key]).to_dict() for key in sorted(totals)}


def slugs_of(case: dict[str, Any]) -> Iterable[str]:
    return case.get("rules") or ()


def kinds_of(case: dict[str, Any]) -> Iterable[str]:
    """Return what the violation is: one of the four kinds, and the disguise by its number."""
    kind = case.get("kind")
    if not kind:
        return ()
    return ("disguised", f"disguised {kind}") if kind[0] == "e" else (_KINDS.get(kind, kind),)


def fold_of(case: dict[str, Any], count: int = FOLDS) -> int:
    """Return the fold of a text: voices are dealt round by number, texts of no voice by their line.

    The latter go to the last two folds, odd lines to the last.
    """
    number = _NUMBER_AT_END.search(str(case.get("voice", "")))
    if number is not None:
        return (int(number.group()) - 1) % count + 1
    return count - (int(case["line"]) + 1) % 2


def false_stops_by_rule(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return, per rule, how many lawful texts it stopped, how many it alone, and how many it blocked.

    And beside that how many violations it stopped, and how many it alone.
    """
    table: dict[str, Counter[str]] = {}
    for case, report in judged:
        stops = {f.rule_id: f.severity for f in report.findings if f.severity.rank >= Severity.REVIEW.rank}
        for rule_id, severity in stops.items():
            row = table.setdefault(rule_id, Counter())
            row[case["label"]] += 1
            row[f"{case['label']} alone"] += len(stops) == 1
            row[f"{case['label']} blocked"] += severity is Severity.BLOCK
    worst = sorted(table.items(), key=lambda one: (-one[1]["compliant"], one[0]))
    return {rule_id: dict(row) for rule_id, row in worst}


def judge(case: dict[str, Any], ruleset: Ruleset | None = None) -> Report:
    """Judge a labelled text, by the shipped rules unless others are given."""
    document = Document.of_text(
        case["text"],
        sector=parse_sector(case.get("sector", "")),
        channel=parse_channel(case.get("channel", "")),
    )
    return check(document, ruleset or load_ruleset())


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Read labelled texts, each with what the file beside it knows of voice and kind."""
    beside = path.with_name(f"{path.stem}.meta.jsonl")
    known = {one["id"]: one for one in _lines(beside)} if beside.exists() else {}
    return [
        {**known.get(case["id"], {}), **case, "line": number}
        for number, case in enumerate(_lines(path), start=1)
    ]


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--wrong", action="store_true", help="list the texts judged wrongly")
    parser.add_argument("--folds", type=int, default=0, help="measure as many groups of voices by themselves")
    parser.add_argument(
        "--fold", type=int, action="append", help=f"read only this fold of {FOLDS}; may be repeated"
    )
    options = parser.parse_args(argv)
    cases = [case for path in options.files for case in read_cases(path)]
    judged = [(case, judge(case)) for case in cases if not options.fold or fold_of(case) in options.fold]
    result: dict[str, Any] = {
        "ruleset": load_ruleset().version,
        "rules": len(load_ruleset().rules),
        "texts": len(judged),
        "stop": measure(judged, Verdict.REVIEW),
        "block": measure(judged, Verdict.BLOCK),
        "by_kind": {
            "stop": recall_by(judged, kinds_of, Verdict.REVIEW),
            "block": recall_by(judged, kinds_of, Verdict.BLOCK),
        },
        "by_rule": recall_by(judged, slugs_of, Verdict.REVIEW),
        "false_stops_by_rule": false_stops_by_rule(judged),
        "folds": [
            {
                "fold": number,
                "texts": len(fold),
                **measure(fold, Verdict.REVIEW),
                "by_kind": recall_by(fold, kinds_of, Verdict.REVIEW),
                "block": measure(fold, Verdict.BLOCK),
            }
            for number in range(1, options.folds + 1)
            if (fold := [one for one in judged if fold_of(one[0], options.folds) == number])
        ],
    }
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        print_table(result)
    if options.wrong:
        print_wrong(judged)


def print_table(result: dict[str, Any]) -> None:
    print(f"{result['texts']} texts, {result['rules']} rules of {result['ruleset']}")
    for name in ("stop", "block"):
        print(f"{name}: F1 {result[name]['f1']:.3f}")
        for key in ("recall", "precision", "false_stops"):
            print(f"  {key:24} {_share(result[name][key])}")
    print("recall by kind: block or review; block alone")
    for kind, share in result["by_kind"]["stop"].items():
        print(f"  {kind:24} {_share(share)}   {_share(result['by_kind']['block'][kind])}")
    print("recall by rule: block or review")
    for slug, share in result["by_rule"].items():
        print(f"  {slug:32} {_share(share)}")
    print_false_stops(result["false_stops_by_rule"])
    for fold in result["folds"]:
        print(f"fold {fold['fold']}, {fold['texts']} texts")
        for key in ("recall", "false_stops"):
            print(f"  {key:24} {_share(fold[key])}")
        print(f"  {'precision of block':24} {_share(fold['block']['precision'])}")
        for kind, share in fold["by_kind"].items():
            if not kind.startswith("disguised "):
                print(f"  {kind:24} {_share(share)}")


def print_false_stops(table: dict[str, Any]) -> None:
    print("stops by rule: lawful texts (by it alone, blocked), violations (by it alone)")
    for rule_id, row in table.items():
        if row.get("compliant"):
            lawful = f"{row['compliant']:3} ({row['compliant alone']:3}, {row['compliant blocked']:3})"
            others = f"{row.get('violation', 0):3} ({row.get('violation alone', 0):3})"
            print(f"  {rule_id:48} {lawful}  {others}")


def _share(share: dict[str, Any]) -> str:
    value, low, high = share["value"], share["low"], share["high"]
    return f"{value:.3f}  [{low:.3f}, {high:.3f}]  {share['hits']}/{share['total']}"


def print_wrong(judged: Sequence[Judged]) -> None:
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
