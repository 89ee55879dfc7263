"""What the API refuses, and how it says so: a problem that names the field, never a 500."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.factories import PASSWORD, House
from tests.functional.machine import Machine, Switchboard, named, problem

NOTE = "note"


@pytest.fixture(scope="module")
def switchboard(standing_house: House) -> Switchboard:
    return Switchboard(standing_house)


@pytest.fixture(scope="module")
def brand(switchboard: Switchboard) -> Machine:
    return switchboard.of("brand")


@pytest.fixture(scope="module")
def operator(switchboard: Switchboard) -> Machine:
    return switchboard.of("operator")


def test_without_a_token_nothing_is_told(switchboard: Switchboard) -> None:
    refused = switchboard.nobody().get("/pieces")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert problem(refused)["code"] == "token_required"


def test_a_cookie_is_no_token(standing_house: House, switchboard: Switchboard) -> None:
    switchboard.app.config["WTF_CSRF_ENABLED"] = False
    browser = standing_house.log_in(switchboard.app.test_client(), "operator")
    assert browser.get("/api/v1/pieces").status_code == 401


@pytest.mark.parametrize("carried", ["imp_wrong", "Basic x", "Bearer", "Bearer \u00e9", "bearer imp_wrong"])
def test_a_wrong_token_is_no_token(switchboard: Switchboard, carried: str) -> None:
    answer = switchboard.nobody().send("GET", "/pieces", headers={"Authorization": carried})
    assert answer.status_code == 401


def test_a_token_is_shown_once_and_ends_when_told_to(switchboard: Switchboard) -> None:
    asked = {"login": switchboard.login_of("auditor"), "password": PASSWORD, "label": "nightly report"}
    made = switchboard.nobody().post("/tokens", asked)
    assert made.status_code == 201
    machine = Machine(switchboard.app, made.get_json()["token"])
    assert machine.get("/pieces").status_code == 200

    assert machine.delete("/tokens/current").status_code == 204

    assert machine.get("/pieces").status_code == 401


def test_a_wrong_password_gives_no_token_and_soon_a_pause(switchboard: Switchboard) -> None:
    wrong = {"login": switchboard.login_of("branch_head"), "password": "guess", "label": "x"}
    answers = [switchboard.nobody().post("/tokens", wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_role_that_may_not_gets_403(switchboard: Switchboard) -> None:
    assert switchboard.of("administrator").get("/pieces").status_code == 403


def test_a_foreign_piece_answers_as_a_missing_one(standing_house: House, switchboard: Switchboard) -> None:
    theirs = standing_house.draft("advisor_b", NOTE)
    advisor = switchboard.of("advisor")

    foreign, missing = advisor.get(f"/pieces/{theirs}"), advisor.get(f"/pieces/{uuid4()}")

    assert foreign.status_code == missing.status_code == 404
    assert {**problem(foreign), "request_id": ""} == {**problem(missing), "request_id": ""}


def test_an_unknown_address_and_a_wrong_method_are_problems_too(operator: Machine) -> None:
    assert operator.get("/nothing").status_code == 404
    wrong = operator.delete("/pieces")
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["Allow"]
    problem(wrong)


TEMPLATE = {"template": {"slug": NOTE}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "template"),
        ({"template": NOTE}, "template"),
        ({"template": {}}, "template.slug"),
        ({"template": {"slug": 7}}, "template.slug"),
        ({"template": {"slug": NOTE, "version": "1"}}, "template.version"),
        ({"template": {"slug": NOTE, "version": 10**30}}, "template.version"),
        ({"template": {"slug": NOTE, "version": 0}}, "template.version"),
        ({**TEMPLATE, "values": []}, "values"),
        ({**TEMPLATE, "values": {"headline": None}}, "values.headline"),
        ({**TEMPLATE, "values": {"headline": "早\0安"}}, "values.headline"),
        ({**TEMPLATE, "values": {"headline": "\ud83d"}}, "values.headline"),
        ({**TEMPLATE, "values": {"\ud83d": "x"}}, "values.\\ud83d"),
        ({**TEMPLATE, "values": {"headline": "早" * 4001}}, "values.headline"),
        ({**TEMPLATE, "values": {"headline": "asset:../../etc/passwd"}}, "headline"),
        ({**TEMPLATE, "values": {"headline": "🀄🀄"}}, "headline"),
        ({**TEMPLATE, "values": {"headline": "超过十二个字的一句话放不进这里"}}, "headline"),
        ({**TEMPLATE, "values": {"motto": "x"}}, "motto"),
        ({**TEMPLATE, "values": {"name": "别人"}}, "name"),
        ({**TEMPLATE, "title": ""}, "title"),
        ({**TEMPLATE, "title": "题" * 201}, "title"),
        ({**TEMPLATE, "tags": [1]}, "tags.0"),
        ({**TEMPLATE, "tags": "基金"}, "tags"),
        ({**TEMPLATE, "state": "published"}, "state"),
        ([TEMPLATE], "body"),
    ],
)
def test_a_piece_that_cannot_be_made_names_its_field(brand: Machine, body: Any, field: str) -> None:
    refused = brand.post("/pieces", body)
    assert refused.status_code == 422, refused.text
    assert field in named(refused)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"template": 1, "template": 2}',
        b"[" * 100_000,
        b'{"template": {"slug": "note", "version": ' + b"9" * 5000 + b"}}",
    ],
)
def test_what_is_not_json_is_a_bad_request(brand: Machine, sent: bytes) -> None:
    refused = brand.post("/pieces", data=sent, content_type="application/json")
    assert refused.status_code == 400
    assert problem(refused)["code"] == "malformed_body"


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_refused(brand: Machine, kind: str | None) -> None:
    refused = brand.post("/pieces", data=b'{"template": {"slug": "note"}}', content_type=kind)
    assert refused.status_code == 415
    problem(refused)


def test_too_much_is_refused_by_size(brand: Machine) -> None:
    refused = brand.post("/pieces", data=b" " * (2 * 1024 * 1024 + 1), content_type="application/json")
    assert refused.status_code == 413
    problem(refused)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=zzz", "cursor"),
        ("cursor=WyIxMDAwLTAxLTAxIiwgIngiXQ", "cursor"),
        ("state=gone", "state"),
        ("template=%00", "template"),
        ("unknown=1", "unknown"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_parameter(brand: Machine, query: str, field: str) -> None:
    refused = brand.send("GET", f"/pieces?{query}")
    assert refused.status_code == 422, refused.text
    assert field in named(refused)


@pytest.mark.parametrize(
    ("period", "field"),
    [
        ({"valid_until": "2027-01-01T00:00:00"}, "valid_until"),
        ({"valid_until": "2026-01-01T00:00:00Z"}, "valid_until"),
        ({"valid_until": "2030-01-01T00:00:00Z"}, "valid_until"),
        ({"valid_from": "2026-11-20T00:00:00Z"}, "valid_from"),
        ({"valid_from": "2026-12-02T00:00:00Z", "valid_until": "2026-12-01T00:00:00Z"}, "valid_until"),
        ({"valid_from": "9999-12-31T23:59:59-14:00"}, "valid_from"),
        ({"valid_from": "2026-02-30T00:00:00Z"}, "valid_from"),
        ({"valid_from": 1764547200}, "valid_from"),
        ({"audience": {"path": "上海"}}, "audience.path"),
        ({"audience": {"path": "/XX/"}}, "path"),
    ],
)
def test_a_publication_with_a_wrong_period_or_audience_is_refused(
    standing_house: House, operator: Machine, period: dict[str, Any], field: str
) -> None:
    piece_id = standing_house.in_review("brand", NOTE)
    standing_house.decide(piece_id)

    refused = operator.post("/publications", {"piece_id": str(piece_id), **period})

    assert refused.status_code == 422, refused.text
    assert field in named(refused)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "template"),
        ({"piece_id": str(uuid4()), "edition_id": str(uuid4())}, "template"),
        ({"piece_id": "1"}, "piece_id"),
        ({"piece_id": str(uuid4()), "values": {}}, "values"),
        ({**TEMPLATE, "format": "gif"}, "format"),
        ({**TEMPLATE, "page": -1}, "page"),
        ({**TEMPLATE, "page": 1}, "page"),
        ({**TEMPLATE, "page": True}, "page"),
    ],
)
def test_a_render_that_cannot_be_made_names_its_field(brand: Machine, body: Any, field: str) -> None:
    refused = brand.post("/renders", body)
    assert refused.status_code == 422, refused.text
    assert field in named(refused)


@pytest.mark.parametrize("key", ["", " ", "a" * 65, "one two", "é"])
def test_a_malformed_key_is_refused(brand: Machine, key: str) -> None:
    refused = brand.post("/pieces", TEMPLATE, headers={"Idempotency-Key": key})
    assert named(refused) == {"Idempotency-Key"}


@pytest.mark.parametrize(
    "path",
    [
        "/pieces/1",
        "/pieces/%00",
        "/templates/note/0",
        "/templates/note/" + "9" * 5000,
        "/templates/%00/1",
        "/templates/NOTE/1",
        "/renditions/zz",
        f"/renditions/{'0' * 64}",
    ],
)
def test_a_path_that_leads_nowhere_is_missing(brand: Machine, path: str) -> None:
    assert brand.get(path).status_code == 404


def test_a_login_that_no_database_can_hold_is_refused(switchboard: Switchboard) -> None:
    refused = switchboard.nobody().post("/tokens", {"login": "a\0b", "password": "x", "label": "x"})
    assert named(refused) == {"login"}
