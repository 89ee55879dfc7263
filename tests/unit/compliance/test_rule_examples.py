"""Every rule finds its violations and leaves its lawful texts alone, all by itself."""

import pytest

from compliance.finding import Severity
from compliance.proof import judged_alone, unmissed
from compliance.rule import Rule
from compliance.ruleset import load_ruleset

RULESET = load_ruleset()
VIOLATIONS = [(rule, text) for rule in RULESET.rules for text in rule.examples.violations]
COMPLIANT = [(rule, text) for rule in RULESET.rules for text in rule.examples.compliant]


def name_of(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)[:24]


@pytest.mark.parametrize(("rule", "text"), VIOLATIONS, ids=name_of)
def test_a_rule_finds_its_violation(rule, text):
    assert judged_alone(rule, text).verdict.rank >= min(rule.severity.rank, Severity.REVIEW.rank), [
        f.scope_reason for f in judged_alone(rule, text).findings
    ]


@pytest.mark.parametrize(("rule", "text"), COMPLIANT, ids=name_of)
def test_a_rule_leaves_a_lawful_text_alone(rule, text):
    stopped = [f for f in judged_alone(rule, text).findings if f.severity is not Severity.NOTE]
    assert stopped == []


@pytest.mark.parametrize("rule", RULESET.rules, ids=name_of)
def test_a_rule_cites_its_clause_and_explains_itself(rule):
    assert rule.basis
    assert rule.reason.endswith("。")
    assert len(rule.examples.violations) >= 3
    assert len(rule.examples.compliant) >= 3


def test_the_starter_ruleset_has_sixty_rules():
    assert len(RULESET.rules) >= 60


def test_every_slug_of_the_list_has_a_rule():
    slugs = {rule.slug for rule in RULESET.rules}
    assert slugs >= {
        "guarantee-principal", "guarantee-return", "no-risk", "loss-compensation",
        "yield-forecast", "risk-ignoring", "absolute-term", "ranking-no-source", "endorsement",
        "gov-endorsement", "urgency", "deposit-comparison", "benchmark-no-caveat",
        "past-performance-no-warning", "past-performance-short", "missing-risk-warning",
        "private-public-promo", "adviser-no-licence", "stock-tip", "unlicensed-activity",
        "insurance-stop-sale", "insurance-benefit-misstate", "insurance-overstate-cover",
        "insurance-misleading-price", "insurance-nondisclosure", "rebate-gift", "disparage",
        "credit-misleading", "personal-info", "suitability-bypass", "off-channel-solicit",
        "sms-no-optout",
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULESET.rules, ids=name_of)
def test_a_rule_is_missed_when_it_is_taken_out(rule):
    assert list(unmissed(RULESET, [rule])) == []
