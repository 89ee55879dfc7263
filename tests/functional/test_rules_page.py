"""规则: an officer reads what stops a text, and tries a sentence of their own."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.models.check import CheckRun
from compliance.ruleset import load_ruleset
from tests.factories import House
from tests.functional.pages import words


@pytest.fixture
def officer(small_house: House, client: FlaskClient) -> FlaskClient:
    return small_house.log_in(client, "reviewer")


def test_a_rule_is_found_by_its_id_with_clause_reason_and_examples(officer: FlaskClient) -> None:
    rule = load_ruleset().rules[0]
    page = words(officer.get(f"/rules?q={rule.id}").text)
    for told in (rule.title, rule.basis, rule.reason, *rule.examples.violations, *rule.examples.compliant):
        assert " ".join(told.split()) in page


def test_every_rule_can_be_reached_page_by_page(officer: FlaskClient) -> None:
    rules = load_ruleset().rules
    pages = [officer.get(f"/rules?page={number}").text for number in range(1, len(rules) // 25 + 2)]
    for rule in rules:
        assert any(f">{rule.id}<" in page for page in pages), rule.id
    assert officer.get("/rules?page=9999").text.count("<details") == pages[-1].count("<details")


def test_a_sector_leaves_out_what_it_does_not_read(officer: FlaskClient) -> None:
    other = next(rule for rule in load_ruleset().rules if rule.sectors and "bank" not in rule.sectors)
    assert f">{other.id}<" in officer.get(f"/rules?q={other.id}").text
    assert f">{other.id}<" not in officer.get(f"/rules?q={other.id}&sector=bank").text
    assert "没有符合条件的规则" in officer.get("/rules?q=没有这样的规则").text


def test_a_typed_text_is_judged_and_kept_nowhere(officer: FlaskClient, small_house: House) -> None:
    answer = officer.post("/rules/try", data={"text": "这款稳赚不赔，放心。", "channel": "moments"})
    assert answer.status_code == 200
    assert "「稳赚不赔」" in words(answer.text)
    assert "guarantee-return/promise" in answer.text
    assert "秋分" in (calm := officer.post("/rules/try", data={"text": "秋分过后早晚温差大。"}).text)
    assert "未命中规则" in calm
    with small_house.platform.sessions() as session:
        assert session.scalar(select(func.count(CheckRun.id))) == 0


def test_a_hit_that_was_found_lawful_is_shown_with_its_reason(officer: FlaskClient) -> None:
    page = officer.post("/rules/try", data={"text": "理财没有稳赚不赔，凡说保本的都要当心。"})
    assert page.status_code == 200
    assert "稳赚不赔" in page.text


def test_nothing_typed_and_too_much_typed_are_said_at_the_field(officer: FlaskClient) -> None:
    for text, said in (("  ", "请输入要试检的文字"), ("字" * 5_001, "最多 5000 字")):
        answer = officer.post("/rules/try", data={"text": text})
        assert answer.status_code == 422
        assert said in answer.text


def test_whoever_only_looks_reads_the_rules_and_tries_nothing(
    small_house: House, client: FlaskClient
) -> None:
    auditor = small_house.log_in(client, "auditor")
    page = auditor.get("/rules")
    assert page.status_code == 200
    assert "试检一段文字" not in page.text
    assert auditor.post("/rules/try", data={"text": "早安"}).status_code == 403


def test_who_does_not_review_does_not_see_the_rules(small_house: House, client: FlaskClient) -> None:
    assert small_house.log_in(client, "operator").get("/rules").status_code == 403
