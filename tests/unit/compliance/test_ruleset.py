"""A bad pack is refused by file, line and fault; a good one has version and digest."""

import pytest

from compliance.check import check
from compliance.document import Document, Sector
from compliance.report import Verdict
from compliance.ruleset import RulesetError, load_ruleset, read_ruleset

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


def test_a_folder_is_read_with_everything_beneath_it(tmp_path):
    (tmp_path / "general").mkdir()
    (tmp_path / "general" / "apple.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "words.yaml").write_text("dated: 2026-03-04\nvocabulary:\n  root: [萝卜]\n", "utf-8")
    ruleset = load_ruleset([tmp_path])
    assert ruleset.version == "2026-03-04"
    assert [rule.id for rule in ruleset.rules] == ["slug/apple"]


def test_a_file_s_place_is_part_of_the_digest(tmp_path):
    digests = set()
    for sector in ("bank", "fund"):
        (tmp_path / sector / sector).mkdir(parents=True)
        (tmp_path / sector / sector / "apple.yaml").write_text(GOOD, "utf-8")
        digests.add(load_ruleset([tmp_path / sector]).digest)
    assert len(digests) == 2


def test_words_of_a_file_without_rules_are_shared_and_others_stay_at_home(tmp_path):
    (tmp_path / "words.yaml").write_text("dated: 2026-01-02\nvocabulary:\n  root: [萝卜]\n", "utf-8")
    using = GOOD.replace("slug/apple", "slug/root").replace("<fruit>", "<root>")
    (tmp_path / "root.yaml").write_text(using, "utf-8")
    (tmp_path / "apple.yaml").write_text(GOOD, "utf-8")
    assert check(Document.of_text("萝卜最甜"), load_ruleset([tmp_path])).verdict is Verdict.BLOCK
    (tmp_path / "other.yaml").write_text(
        "dated: 2026-01-02\nrules:\n" + GOOD[GOOD.index("  - id") :].replace("slug/apple", "slug/other"),
        "utf-8",
    )
    with pytest.raises(RulesetError, match="unknown slot <fruit>"):
        load_ruleset([tmp_path])


def test_a_shared_word_group_is_not_overruled(tmp_path):
    (tmp_path / "words.yaml").write_text("dated: 2026-01-02\nvocabulary:\n  fruit: [桃]\n", "utf-8")
    (tmp_path / "apple.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(RulesetError, match="shared already"):
        load_ruleset([tmp_path])


def test_an_institution_s_own_words_stand_on_top_and_change_nothing_beneath(tmp_path):
    shipped = load_ruleset(pack(tmp_path, GOOD))
    own = shipped.with_words({"榴莲": "水果"}, allowed=["梨最甜奖"])
    report = check(Document.of_text("榴蓮上市"), own)
    assert [(f.text, f.suggestion) for f in report.findings] == [("榴蓮", "水果")]
    assert report.verdict is Verdict.REVIEW
    assert report.ruleset_digest == own.digest != shipped.digest
    assert check(Document.of_text("榴莲上市"), shipped).verdict is Verdict.PASS
    assert own.digest == shipped.with_words({"榴莲": "水果"}, allowed=["梨最甜奖"]).digest


def test_inside_an_allowed_phrase_no_rule_has_a_hit(tmp_path):
    own = load_ruleset(pack(tmp_path, GOOD)).with_words({}, allowed=["梨最甜奖"])
    assert check(Document.of_text("颁发梨最甜奖"), own).verdict is Verdict.PASS
    assert check(Document.of_text("颁发梨最甜奖，梨最甜"), own).verdict is Verdict.BLOCK


def test_the_longest_allowed_phrase_wins_over_a_term_inside_it(tmp_path):
    terms = GOOD.replace(
        "    patterns:\n      - <fruit> ~2 最甜\n", "    terms: [甜, 最甜]\n    allow: [不是最甜]\n"
    )
    ruleset = load_ruleset(pack(tmp_path, terms))
    assert check(Document.of_text("这不是最甜的"), ruleset).findings == ()
    assert [f.text for f in check(Document.of_text("这是最甜的"), ruleset).findings] == ["最甜"]


def test_fifty_thousand_words_are_found_each_in_its_place(tmp_path):
    words = {f"{chr(0x4E00 + i % 5000)}{chr(0x5E00 + i // 5000)}货": None for i in range(50_000)}
    own = load_ruleset(pack(tmp_path, GOOD)).with_words(words)
    last = next(reversed(words))
    assert [f.text for f in check(Document.of_text(f"我{last}你"), own).findings] == [last]


def test_a_rule_asks_for_its_topic_outside_its_sectors(tmp_path):
    told = GOOD.replace("    patterns:", "    sectors: [bank]\n    topic: [果园]\n    patterns:")
    ruleset = load_ruleset(pack(tmp_path, told))
    assert check(Document.of_text("梨最甜", sector=Sector.BANK), ruleset).verdict is Verdict.BLOCK
    assert check(Document.of_text("梨最甜", sector=Sector.FUND), ruleset).verdict is Verdict.PASS
    assert check(Document.of_text("梨最甜"), ruleset).verdict is Verdict.PASS
    assert check(Document.of_text("果园里，梨最甜"), ruleset).verdict is Verdict.BLOCK
    assert check(Document.of_text("果园里，梨最甜", sector=Sector.FUND), ruleset).verdict is Verdict.BLOCK


def test_a_ruleset_is_read_again_from_its_own_files(tmp_path):
    first = load_ruleset(pack(tmp_path, GOOD))
    again = read_ruleset(first.files)
    assert (again.version, again.digest) == (first.version, first.digest)
    assert check(Document.of_text("梨最甜"), again) == check(Document.of_text("梨最甜"), first)
    shipped = load_ruleset()
    assert read_ruleset(reversed(shipped.files)).digest == shipped.digest


def test_a_bad_file_among_those_handed_over_is_named(tmp_path):
    with pytest.raises(RulesetError, match=r"own/bad\.yaml, line 1"):
        read_ruleset([("own/bad.yaml", b"\xff")])


def test_a_pattern_that_is_unsure_alone_blocks_only_with_a_second_rule(tmp_path):
    unsure = GOOD.replace("severity: block", "severity: block\n    alone: review")
    second = unsure + unsure[unsure.index("  - id:") :].replace("slug/apple", "other/crisp").replace(
        "最甜", "最脆"
    )
    ruleset = load_ruleset(pack(tmp_path, second))
    assert check(Document.of_text("梨最甜"), ruleset).verdict is Verdict.REVIEW
    assert check(Document.of_text("梨最甜，苹果最脆"), ruleset).verdict is Verdict.BLOCK


def test_only_a_rule_that_blocks_can_be_unsure_alone(tmp_path):
    unsure = GOOD.replace("severity: block", "severity: review\n    alone: review")
    with pytest.raises(RulesetError, match="alone"):
        load_ruleset(pack(tmp_path, unsure))
