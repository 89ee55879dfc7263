"""A product named is no offer yet: the signs of selling are weighed against those of teaching."""

import pytest

from compliance.check import check
from compliance.document import Document, ProductType, TextField
from compliance.finding import Severity
from compliance.ruleset import RulesetError, load_ruleset
from compliance.speech import generalises

RULE = """\
dated: 2026-01-02
phrases:
  warned:
    - (有|伴随) ~4 风险
    - 投资须谨慎
rules:
  - id: offer/cake
    title: 蛋糕
    family: offer
    severity: block
    basis: 《糕点法》第一条
    reason: 卖蛋糕要提示。
    suggestion: …（吃甜有风险）
    product: [蛋糕]
    strong: [今日开售]
    weak: [找我, 好吃]
    against: [什么是]
    least: 3
    requires: [<warned>]
    examples:
      violations: [蛋糕今日开售, 新蛋糕今日开售, 蛋糕今日开售找我]
      compliant: [蛋糕, 蛋糕好吃, 什么是蛋糕]
"""


def ruleset(tmp_path, text=RULE):
    path = tmp_path / "cake.yaml"
    path.write_text(text, "utf-8")
    return load_ruleset([path])


def found(rules, text):
    return [f for f in check(Document.of_text(text), rules).findings if f.severity is not Severity.NOTE]


def test_a_product_with_a_day_of_sale_is_an_offer(tmp_path):
    (finding,) = found(ruleset(tmp_path), "栗子蛋糕今日开售。欢迎。")
    assert finding.text == "栗子蛋糕今日开售"


def test_a_lesson_that_names_the_product_is_none(tmp_path):
    rules = ruleset(tmp_path)
    assert found(rules, "蛋糕好吃，找我") == []
    assert found(rules, "什么是蛋糕？今日开售的那种好吃的点心") == []


@pytest.mark.parametrize("warning", ["吃甜有一定风险", "投资须谨慎"])
def test_any_wording_of_the_disclosure_will_do(tmp_path, warning):
    assert found(ruleset(tmp_path), f"蛋糕今日开售。{warning}。") == []


def test_the_suggestion_keeps_what_is_written_and_adds_what_is_owed(tmp_path):
    (finding,) = found(ruleset(tmp_path), "蛋糕今日开售")
    assert finding.suggestion == "蛋糕今日开售（吃甜有风险）"


def test_with_a_reach_only_signs_beside_the_name_count(tmp_path):
    rules = ruleset(tmp_path, RULE.replace("least: 3", "least: 3\n    within: 6"))
    assert found(rules, "蛋糕今日开售")
    assert found(rules, "蛋糕在柜台里，隔着很远的另一条街上有别的店今日开售") == []


def test_a_long_piece_speaks_of_many_things(tmp_path):
    between = "今天的天气很好，街上的人也多，大家都出门走走看看。" * 4
    assert found(ruleset(tmp_path), f"蛋糕在柜台里。{between}新书今日开售") == []


def test_what_is_said_of_a_kind_in_general_offers_none(tmp_path):
    rules = ruleset(tmp_path)
    assert found(rules, "蛋糕通常比面包甜。今日开售") == []
    assert found(rules, "蛋糕通常比面包甜，今日开售")


def test_an_offer_that_no_disclosure_makes_lawful(tmp_path):
    rules = ruleset(tmp_path, RULE.replace("    requires: [<warned>]\n", ""))
    assert found(rules, "蛋糕今日开售。投资须谨慎。")


def test_a_piece_declared_to_offer_nothing_owes_nothing():
    rules = load_ruleset()
    field = TextField("body", "安盈90天理财今日起售，1万元起购。")
    offered = check(Document((field,)), rules)
    assert "missing-risk-warning" in {f.rule for f in offered.findings}
    nothing = check(Document((field,), product_type=ProductType.NONE), rules)
    assert "missing-risk-warning/wealth" not in {f.rule_id for f in nothing.findings}


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        ("least: 0", "least: 3", "least"),
        ("product: []", "product: [蛋糕]", "product"),
        ("least: 3\n    within: 0", "least: 3", "within"),
        ("offers: [cake]\n    least: 3", "least: 3", "offers"),
        ("warned: 有风险", "warned:\n    - (有|伴随) ~4 风险\n    - 投资须谨慎", "warned"),
        ("requires: [<warming>]", "requires: [<warned>]", "unknown slot"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(tmp_path, wrong, right, fault):
    assert right in RULE
    with pytest.raises(RulesetError, match=fault):
        ruleset(tmp_path, RULE.replace(right, wrong))


def test_an_endless_sentence_is_read_once_however_often_it_names_a_product():
    sentence = "作废照样能放一边本保障先险、存款、理财各有用途，请按家04个点卡里里" * 60
    read_before = generalises.cache_info().misses
    check(Document.of_text(sentence), load_ruleset())
    assert generalises.cache_info().misses - read_before <= 1
