"""A suggestion replaces exactly the span, and what comes out may be published."""

import pytest

from compliance.check import check
from compliance.document import Document
from compliance.finding import Severity
from compliance.proof import judged_alone
from compliance.report import Verdict
from compliance.rules.wording import WordingRule
from compliance.ruleset import load_ruleset

RULESET = load_ruleset()
WORDINGS = sorted(
    {
        (rule.id, term, wording or rule.suggestion)
        for rule in RULESET.rules
        if isinstance(rule, WordingRule)
        for term, wording in rule.terms.items()
        if wording or rule.suggestion
    }
)


@pytest.mark.parametrize(("rule_id", "term", "wording"), WORDINGS)
def test_a_suggested_wording_passes_in_place_of_the_term(rule_id, term, wording):
    for sentence in ("{}", "江海银行提示：这只基金{}，欢迎咨询。基金有风险，投资须谨慎。"):
        report = check(Document.of_text(sentence.format(wording)), RULESET)
        stopped = [f for f in report.findings if f.severity is not Severity.NOTE]
        assert stopped == []


COMPLETED = [
    (rule, text)
    for rule in RULESET.rules
    if (rule.suggestion or "").startswith("…")
    for text in rule.examples.violations
]


@pytest.mark.parametrize(
    ("rule", "text"), COMPLETED, ids=[f"{rule.id} {text[:24]}" for rule, text in COMPLETED]
)
def test_what_a_statement_owes_may_be_added_in_place(rule, text):
    finding = next(f for f in judged_alone(rule, text).findings if f.severity is not Severity.NOTE)
    assert finding.suggestion is not None
    mended = text[: finding.span.start] + finding.suggestion + text[finding.span.end :]
    assert finding.text in mended
    assert judged_alone(rule, mended).verdict is Verdict.PASS


def test_one_tap_makes_a_promise_publishable():
    text = "这个办法稳赚不赔！"
    report = check(Document.of_text(text), RULESET)
    (finding,) = [f for f in report.findings if f.severity is Severity.BLOCK]
    assert finding.text == "稳赚不赔"
    assert finding.suggestion == "有赚有赔"
    mended = text[: finding.span.start] + finding.suggestion + text[finding.span.end :]
    assert check(Document.of_text(mended), RULESET).verdict is Verdict.PASS


def test_a_benchmark_gets_its_caveat_in_place():
    text = "本期业绩比较基准3.35%，理财非存款、产品有风险、投资须谨慎。"
    report = check(Document.of_text(text), RULESET)
    (finding,) = [f for f in report.findings if f.rule == "benchmark-no-caveat"]
    assert finding.suggestion is not None
    mended = text[: finding.span.start] + finding.suggestion + text[finding.span.end :]
    assert check(Document.of_text(mended), RULESET).verdict is Verdict.PASS


def test_a_wording_is_given_in_the_script_of_the_text():
    for text, wording in (("美元計劃，零風險高回報。", "有風險"), ("美元计划，零风险高回报。", "有风险")):
        (finding,) = [f for f in check(Document.of_text(text), RULESET).findings if f.rule == "no-risk"]
        assert finding.suggestion == wording


def test_a_disguise_in_a_simplified_text_changes_no_wording():
    (finding,) = check(Document.of_text("理财产品零風险，欢迎了解。"), RULESET).findings[:1]
    assert finding.suggestion == "有风险"
