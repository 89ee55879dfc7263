"""`imprimatur check`: the contract of its lines and exit codes."""

import json

import pytest
from click.testing import CliRunner

from app.cli.check import check
from compliance.ruleset import load_ruleset


def run(*arguments, given=""):
    return CliRunner().invoke(check, list(arguments), input=given)


@pytest.mark.parametrize(
    ("text", "code"),
    [("祝您秋安。", 0), ("基本bǎo本的哈。", 10), ("稳赚不赔！", 20), ("谨防“稳赚不赔”骗局。", 0)],
)
def test_the_exit_code_tells_the_verdict(text, code):
    assert run("-", given=text).exit_code == code


def test_a_text_gets_a_report_for_people(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\ufeff这款稳赚不赔。", "utf-8")
    result = run(str(path))
    assert "不能发布" in result.stdout
    assert "建议改为：有赚有赔" in result.stdout
    assert "《广告法》第二十五条" in result.stdout


def test_a_line_in_is_a_line_out_with_exactly_the_agreed_keys():
    lines = [
        {"id": "a", "text": "稳赚不赔", "sector": "bank", "channel": "朋友圈"},
        {"id": 2, "text": "祝您秋安"},
    ]
    result = run("-", "--jsonl", given="\n".join(json.dumps(line) for line in lines))
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == ["id", "verdict", "findings", "ruleset"]
    assert first["id"] == "a"
    assert first["verdict"] == "block"
    assert first["ruleset"] == load_ruleset().version
    assert list(first["findings"][0]) == [
        "rule", "severity", "start", "end", "text", "basis", "reason", "suggestion", "layer",
    ]  # fmt: skip
    assert second == {"id": 2, "verdict": "pass", "findings": [], "ruleset": first["ruleset"]}
    assert result.exit_code == 20


def test_the_worst_line_decides_the_exit_code():
    given = '{"id":1,"text":"基本bǎo本的哈"}\n\n{"id":2,"text":"早安"}\n'
    assert run("--jsonl", given=given).exit_code == 10


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"id":1}', '{"text":"x"}', '{"id":1,"text":5}', '{"id":1,"text":"x","channel":3}'],
)
def test_a_malformed_line_is_named(line):
    result = run("--jsonl", given='{"id":1,"text":"早安"}\n' + line)
    assert result.exit_code == 2
    assert "line 2" in result.stderr


def test_options_apply_where_a_line_names_none():
    message = "【江海银行】新户有礼，欢迎咨询。"
    given = json.dumps({"id": 1, "text": message})
    assert run("--jsonl", "--channel", "sms", given=given).exit_code == 20
    assert run("--jsonl", "--channel", "海报", given=given).exit_code == 0


def test_a_missing_file_and_a_wrong_option_are_usage_errors():
    assert run("/nonexistent/text").exit_code == 2
    assert run("--sector", "circus").exit_code == 2


def test_lone_surrogates_survive_the_way_through():
    result = run("--jsonl", given='{"id":"\\ud800","text":"\\ud800稳赚不赔"}')
    assert result.exit_code == 20
