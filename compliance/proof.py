"""Whether rules do what they say: their examples, and whether anything would miss them.

A rule stands on its own examples. It is *missed* when, with the rule taken out and all others left,
one of its violations is no longer found under its slug; a rule nobody would miss says again what
another one says already.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compliance.check import check
from compliance.document import Channel, Document, Sector
from compliance.finding import Severity
from compliance.report import Report
from compliance.rule import Rule
from compliance.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class ExampleFault:
    """An example that does not show what it is listed for."""

    rule: Rule
    text: str
    fault: str


def judged_alone(rule: Rule, text: str) -> Report:
    """Judge an example by its rule and nothing else, in a sector and on a channel the rule reads."""
    return check(_document(rule, text), Ruleset.of("alone", "", [rule]))


def faults_of(rule: Rule) -> Iterator[ExampleFault]:
    """Yield every example of a rule that fails."""
    alone = Ruleset.of("alone", "", [rule])
    for text in rule.examples.violations:
        report = check(_document(rule, text), alone)
        if not _stopping(report):
            lowered = [found.scope_reason for found in report.findings if found.scope_reason]
            yield ExampleFault(rule, text, f"lowered: {lowered[0]}" if lowered else "not found")
    for text in rule.examples.compliant:
        for found in _stopping(check(_document(rule, text), alone)):
            yield ExampleFault(rule, text, f"stopped for “{found}”")


def unmissed(ruleset: Ruleset, rules: Iterable[Rule] | None = None) -> Iterator[Rule]:
    """Yield the rules without which every one of their violations is still found under their slug."""
    for rule in ruleset.rules if rules is None else rules:
        others = Ruleset.of(
            "others", "", [other for other in ruleset.rules if other.slug == rule.slug and other != rule]
        )
        if all(_stopping(check(_document(rule, text), others)) for text in rule.examples.violations):
            yield rule


def _document(rule: Rule, text: str) -> Document:
    return Document(
        fields=(rule.example(text),),
        sector=min(rule.sectors, default=Sector.GENERAL),
        channel=min(rule.channels, default=Channel.OTHER),
    )


def _stopping(report: Report) -> list[str]:
    return [found.text for found in report.findings if found.severity is not Severity.NOTE]
