"""What the second opinion is taught, and whether it knows texts it was not taught.

    python -m benchmarks.second_opinion [--write]

It learns from the labelled texts beside (`benchmarks/texts`) and from the examples of all rules: runs of
one to three characters that stand in at least twelve of them, weighed by rarity, and logistic regression.
Then each set of texts is judged by an opinion that was taught all others, the pairs of `dev2` by voices,
and every slug by one that was taught no violation of it. So that what stands beside a promise does not
buy it off, every violation is taught once more between two clauses of lawful texts; and each that is still
stopped is judged between two clauses that were not taught (`bought off`). With `--write` the opinion
taught by all of them replaces the shipped one. Needs scikit-learn.
"""

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.compliance_accuracy import Share, judge, read_cases
from compliance.normalise import normalise
from compliance.opinion import Opinion, runs_of
from compliance.pattern import SENTENCE_END
from compliance.report import Verdict
from compliance.ruleset import RULESETS, Ruleset, load_ruleset

TEXTS = Path(__file__).parent / "texts"
SHIPPED = RULESETS / "second-opinion.yaml"
AGREES_FROM = 0.28
_LEAST_TEXTS = 12
_STRENGTH = 3.0
_EXAMPLE_WEIGHT = 0.3  # an example is one sentence, and written for its rule
_VOICE_FOLDS = 5
_PAIRED = "dev2"
_BESIDE_WEIGHT = 0.5
_KEPT_BESIDE = 80  # characters of a long violation that are taught beside other words
_CLAUSES = re.compile(f"[{SENTENCE_END}]")
_CLAUSE_LENGTHS = range(8, 41)

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an opinion makes of the texts that rules alone stop, those it was not taught."""

    name: str
    violations: Share  # still stopped, of those the rules stop
    lawful: Share  # still stopped, of those the rules stop
    bought_off: Share  # no longer stopped between lawful clauses, of the violations still stopped

    def __str__(self) -> str:
        return (
            f"{self.name:28} violations still stopped {self.violations.hits:4} of {self.violations.total:4}"
            f"   lawful texts still stopped {self.lawful.hits:3} of {self.lawful.total:3}"
            f"   bought off {self.bought_off.hits:2} of {self.bought_off.total:3}"
        )


def examples() -> list[tuple[str, bool]]:
    """Return the examples of all shipped rules, and whether each is a violation."""
    return [
        (text, offends)
        for rule in load_ruleset().rules
        for offends, texts in ((True, rule.examples.violations), (False, rule.examples.compliant))
        for text in texts
    ]


def teach(cases: Iterable[Case]) -> Opinion:
    """Return the opinion that labelled texts and the examples of rules teach."""
    cases = [*cases]
    taught = [(case["text"], case["label"] == "violation", 1.0) for case in cases]
    taught += [(text, True, _BESIDE_WEIGHT) for text in beside_lawful(cases, cases)]
    taught += [(text, offends, _EXAMPLE_WEIGHT) for text, offends in examples()]
    vectors = TfidfVectorizer(analyzer=_runs, min_df=_LEAST_TEXTS, sublinear_tf=True)
    said = vectors.fit_transform(text for text, _, _ in taught)
    model = LogisticRegression(C=_STRENGTH, max_iter=3000, class_weight="balanced")
    model.fit(said, [offends for _, offends, _ in taught], [weight for _, _, weight in taught])
    weights = {
        run: (round(float(vectors.idf_[at]), 2), round(float(model.coef_[0][at]), 2))
        for run, at in sorted(vectors.vocabulary_.items())
    }
    return Opinion(AGREES_FROM, round(float(model.intercept_[0]), 3), weights)


def beside_lawful(cases: Iterable[Case], others: Iterable[Case]) -> Iterator[str]:
    """Yield every violation, or a stretch of a long one, between two clauses of the lawful ones of others."""
    dice = random.Random(0)
    clauses = [
        clause
        for case in others
        if case["label"] != "violation"
        for clause in _CLAUSES.split(case["text"])
        if len(clause) in _CLAUSE_LENGTHS
    ]
    for case in cases:
        if case["label"] == "violation" and clauses:
            text = case["text"]
            start = dice.randrange(max(1, len(text) - _KEPT_BESIDE))
            yield f"{dice.choice(clauses)}。{text[start : start + _KEPT_BESIDE]}。{dice.choice(clauses)}"


def _runs(text: str) -> list[str]:
    return [*runs_of(normalise(text).text)]


def outcome(name: str, cases: Iterable[Case], opinion: Opinion, rules: Ruleset) -> Outcome:
    """Judge anew what the rules alone stop."""
    cases, advised = [*cases], replace(rules, opinion=opinion)
    stopped = [case for case in cases if _stops(case, rules)]
    still = [case for case in stopped if _stops(case, advised)]
    of = Counter(case["label"] for case in stopped)
    held = Counter(case["label"] for case in still)
    beside = [{**case, "text": text} for case in still for text in beside_lawful([case], cases)]
    # only those whose rule still sees them there: what scope makes of company is tested elsewhere
    beside = [case for case in beside if _stops(case, rules)]
    return Outcome(
        name,
        Share(held["violation"], of["violation"]),
        Share(held["compliant"], of["compliant"]),
        Share(sum(not _stops(case, advised) for case in beside), len(beside)),
    )


def _stops(case: Case, ruleset: Ruleset) -> bool:
    return judge(case, ruleset).verdict.rank >= Verdict.REVIEW.rank


def outcomes(sets: Mapping[str, Sequence[Case]]) -> Iterator[Outcome]:
    """Yield what each set, voice and slug comes to when nothing of it was taught."""
    rules = replace(load_ruleset(), opinion=None)
    everything = [case for cases in sets.values() for case in cases]
    for name, cases in sets.items():
        kept = cases if name != _PAIRED else []
        if kept:
            yield outcome(f"set {name}", kept, teach(_without(everything, kept)), rules)
    by_voice = _grouped(sets.get(_PAIRED, ()), lambda case: [str(case.get("voice"))])
    for fold in range(_VOICE_FOLDS if by_voice else 0):
        voices = sorted(by_voice)[fold::_VOICE_FOLDS]
        kept = [case for voice in voices for case in by_voice[voice]]
        yield outcome(f"{_PAIRED}, voices {' '.join(voices)}", kept, teach(_without(everything, kept)), rules)
    for slug, kept in sorted(_grouped(everything, lambda case: case.get("rules") or ()).items()):
        yield outcome(f"slug {slug}", kept, teach(_without(everything, kept)), rules)


def _without(cases: Iterable[Case], kept: Iterable[Case]) -> list[Case]:
    left_out = {case["id"] for case in kept}
    return [case for case in cases if case["id"] not in left_out]


def _grouped(cases: Iterable[Case], keys_of: Callable[[Case], Iterable[str]]) -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        for key in keys_of(case):
            groups[key].append(case)
    return groups


def written(opinion: Opinion) -> str:
    """Return an opinion as a rule file."""
    lines = "".join(
        f"      {run} {rarity:g} {weight:g}\n" for run, (rarity, weight) in sorted(opinion.weights.items())
    )
    return (
        "# What labelled texts taught: a run of one to three characters, its rarity, and how much it speaks\n"
        "# for a violation. Made by `python -m benchmarks.second_opinion --write`; not to be edited.\n"
        f"dated: {datetime.now(UTC).date().isoformat()}\n"
        f"opinion:\n  agrees_from: {opinion.agrees_from}\n  bias: {opinion.bias}\n  weights: |\n{lines}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="replace the shipped opinion")
    options = parser.parse_args(argv)
    sets = {path.stem: read_cases(path) for path in sorted(TEXTS.glob("*.jsonl"))}
    if options.write:
        opinion = teach(case for cases in sets.values() for case in cases)
        SHIPPED.write_text(written(opinion), "utf-8")
        print(f"{len(opinion.weights)} runs, {SHIPPED.stat().st_size // 1024} KiB")
        return
    for one in outcomes(sets):
        print(one, flush=True)


if __name__ == "__main__":
    main()
