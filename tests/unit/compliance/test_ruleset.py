"""A bad pack is refused by file, line and fault; a good one has version and digest."""

import pytest

from compliance.check import check
from compliance.document import Document
from compliance.report import Verdict
from compliance.ruleset import RulesetError, load_ruleset

GOOD = """\
dated: 2026-01-02
vocabulary:
  fruit: [苹果, 梨]
rules:
  - id: slug/apple
    title: 苹果
    severity: block
    basis: 《果品法》第一条
    reason: 不能这样写。
    patterns:
      - <fruit> ~2 最甜
    examples:
      violations: [苹果最甜, 梨最甜, 苹果真最甜]
      compliant: [苹果, 梨, 甜]
"""


def pack(tmp_path, text):
    path = tmp_path / "pack.yaml"
    path.write_text(text, "utf-8")
    return [path]


def test_a_pack_of_one_rule_judges(tmp_path):
    ruleset = load_ruleset(pack(tmp_path, GOOD))
    assert ruleset.version == "2026-01-02"
    assert ruleset.rule("slug/apple").slug == "slug"
    assert check(Document.of_text("梨最甜"), ruleset).verdict is Verdict.BLOCK


def test_the_digest_changes_with_the_content(tmp_path):
    first = load_ruleset(pack(tmp_path, GOOD))
    second = load_ruleset(pack(tmp_path, GOOD.replace("最甜", "最脆")))
    assert first.digest != second.digest
    assert first.digest == load_ruleset(pack(tmp_path, GOOD)).digest


def test_the_shipped_ruleset_is_read_once():
    assert load_ruleset() is load_ruleset()


@pytest.mark.parametrize(
    ("wrong", "right", "line", "fault"),
    [
        ("severity: huge", "severity: block", 5, "huge"),
        ("id: apple", "id: slug/apple", 5, "slug/name"),
        ("basis: ''", "basis: 《果品法》第一条", 5, "basis"),
        ("- <nut> ~2 最甜", "- <fruit> ~2 最甜", 5, "unknown slot <nut>"),
        ("- ~2", "- <fruit> ~2 最甜", 5, "no literal"),
        (
            "violations: [苹果最甜]",
            "violations: [苹果最甜, 梨最甜, 苹果真最甜]",
            12,
            "3 violations",
        ),
        ("family: tarot", "title: 苹果", 5, "tarot"),
        ("colour: red\n    title: 苹果", "title: 苹果", 5, "colour"),
        ("title: 苹果\n    title: 梨", "title: 苹果", 7, "given twice"),
        ("  - [unclosed", "rules:", 4, ""),
        ("when: 2026", "dated: 2026-01-02", 1, "dated"),
    ],
)
def test_a_bad_pack_is_refused_by_file_line_and_fault(tmp_path, wrong, right, line, fault):
    paths = pack(tmp_path, GOOD.replace(right, wrong, 1))
    with pytest.raises(RulesetError) as refused:
        load_ruleset(paths)
    assert refused.value.path == paths[0]
    assert fault in refused.value.fault
    assert str(paths[0]) in str(refused.value)
    if fault:
        assert abs(refused.value.line - line) <= 1


def test_two_rules_may_not_share_an_id(tmp_path):
    twice = GOOD + GOOD[GOOD.index("  - id") :]
    with pytest.raises(RulesetError, match="taken"):
        load_ruleset(pack(tmp_path, twice))
