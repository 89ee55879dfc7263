"""`imprimatur rules`: an officer reads what the rules say, a writer tries a pack."""

import pytest
from click.testing import CliRunner

from app.cli.rules import rules
from compliance.ruleset import load_ruleset

PACK = """\
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


def run(*arguments):
    return CliRunner().invoke(rules, [str(argument) for argument in arguments])


@pytest.fixture
def pack(tmp_path):
    def write(text):
        path = tmp_path / "pack.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_the_list_has_a_line_for_every_rule():
    lines = run("list").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [rule.id for rule in load_ruleset().rules]


def test_the_list_is_cut_down_to_a_slug():
    lines = run("list", "--slug", "urgency").stdout.splitlines()
    assert lines
    assert all(line.startswith("urgency/") for line in lines)


def test_a_rule_is_shown_with_its_clause_and_how_sure_of_it_we_are():
    rule = load_ruleset().rules[0]
    shown = run("show", rule.id).stdout
    assert rule.basis in shown
    assert rule.certainty in shown
    assert all(text in shown for text in rule.examples.violations)


def test_a_rule_nobody_wrote_is_said_to_be_unknown():
    result = run("show", "slug/nothing")
    assert result.exit_code == 1
    assert "slug/nothing" in result.stderr


def test_a_sound_pack_passes(pack):
    result = run("check", pack(PACK))
    assert result.exit_code == 0
    assert "1 rules, 6 examples, 0 failed" in result.stdout


def test_a_refused_pack_is_named_with_line_and_fault(pack):
    path = pack(PACK.replace("<fruit> ~2", "<nut> ~2"))
    result = run("check", path)
    assert result.exit_code == 1
    assert f"{path}, line 5" in result.stderr
    assert "unknown slot <nut>" in result.stderr


def test_an_example_that_fails_is_named_with_what_went_wrong(pack):
    result = run(
        "check",
        pack(PACK.replace("苹果真最甜]", "桃最甜]").replace("compliant: [苹果,", "compliant: [苹果最甜,")),
    )
    assert result.exit_code == 1
    assert "fails\tslug/apple\t桃最甜\tnot found" in result.stdout
    assert "fails\tslug/apple\t苹果最甜\tstopped for “苹果最甜”" in result.stdout


def test_a_rule_nobody_would_miss_is_named(pack):
    again = PACK[PACK.index("  - id") :].replace("slug/apple", "slug/again")
    result = run("check", pack(PACK + again))
    assert result.exit_code == 0
    assert "unmissed\tslug/apple" in result.stdout
