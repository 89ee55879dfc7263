"""`imprimatur recheck`: what it lists, how it ends, and where it leads."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from app.bootstrap import Platform
from app.cli import imprimatur, recheck
from app.cli.edge import PlatformHandle
from compliance.ruleset import load_ruleset
from tests.factories import House
from tests.integration.test_recheck import NOTE, judge_by, run_of, stricter


@pytest.fixture
def run(platform: Platform):
    handle = PlatformHandle(lambda: platform)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(imprimatur, ["recheck", *map(str, arguments)], obj=handle)

    return run


def test_where_nothing_changed_it_ends_with_0(run, small_house: House) -> None:
    small_house.published("operator", NOTE)
    result = run()
    assert result.exit_code == 0, result.output
    assert "复核 1 件，0 件结论或提示有变化" in result.output


@pytest.mark.parametrize(("severity", "code"), [("warn", 0), ("review", 10), ("block", 20)])
def test_it_ends_as_gravely_as_what_is_new(run, small_house: House, severity: str, code: int) -> None:
    piece_id = small_house.published("operator", NOTE)
    judge_by(small_house, stricter("早安", severity))
    result = run()
    assert result.exit_code == code, result.output
    assert str(piece_id) in result.output
    assert f"own_word/{severity}" in result.output
    assert "依据：《本行用语规范》第一条" in result.output


def test_each_new_finding_leads_to_the_recall_of_its_rule(run, small_house: House, client) -> None:
    piece_id = small_house.published("operator", NOTE)
    judge_by(small_house, stricter("早安"))
    (changed,) = json.loads(run("--json").output)["changed"]
    assert (changed["piece"], changed["before"], changed["after"]) == (str(piece_id), "pass", "block")
    (new,) = changed["new"]
    address = new["recall"].removeprefix("http://imprimatur.test")
    page = small_house.log_in(client, "operator").get(address)
    assert page.status_code == 200
    assert "便签" in page.text


def test_only_what_went_out_since_a_day_is_judged(run, small_house: House) -> None:
    small_house.published("operator", NOTE)
    assert json.loads(run("--json", "--since", "2026-11-23").output)["judged"] == 1
    assert json.loads(run("--json", "--since", "2026-11-24").output)["judged"] == 0


def test_several_processes_say_what_one_says(run, small_house: House, monkeypatch) -> None:
    for headline in ("早安", "晚安", "早安各位"):
        small_house.published("operator", NOTE, headline=headline)
    # the processes read the shipped rules: by those nothing changed, unless a run says otherwise
    judge_by(small_house, load_ruleset())
    monkeypatch.setattr(recheck, "_AT_ONCE", 1)
    one, two = (json.loads(run("--json", "--processes", count).output) for count in (1, 2))
    assert one == two
    assert one["judged"] == 3


def test_a_replay_says_that_the_old_verdict_comes_again(run, small_house: House) -> None:
    judge_by(small_house, stricter("早安", "review"))
    run_id = run_of(small_house, small_house.in_review("operator", NOTE)).id
    judge_by(small_house, load_ruleset())
    result = run("--replay", run_id)
    assert result.exit_code == 0, result.output
    assert "当时：需人工审核，重现：需人工审核，逐条一致" in result.output
    assert json.loads(run("--replay", run_id, "--json").output)["same"] is True


def test_a_replay_of_nothing_is_refused(run, small_house: House) -> None:
    result = run("--replay", uuid4())
    assert result.exit_code == 1
    assert "missing" in result.output
    assert run("--replay", uuid4(), "--since", "2026-11-23").exit_code == 2
