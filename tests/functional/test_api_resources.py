"""Lists, checks, templates and reach, as machines of each role read them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from app.cli.check import read_requests, result_line
from compliance.check import check
from compliance.document import Channel, Sector
from tests.factories import House
from tests.functional.machine import Machine, Switchboard, named, problem

NOTE = "note"


@pytest.fixture(scope="module")
def switchboard(standing_house: House) -> Switchboard:
    return Switchboard(standing_house)


def all_of(machine: Machine, path: str, /, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = machine.get(path, **query, **({"cursor": cursor} if cursor else {})).get_json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_a_branch_head_sees_the_advisors_of_their_branch(switchboard: Switchboard) -> None:
    paths = {one["org_path"] for one in all_of(switchboard.of("branch_head"), "/advisors")}
    assert paths == {"/HQ/SH/01/"}


def test_a_list_comes_whole_page_by_page(standing_house: House, switchboard: Switchboard) -> None:
    for number in range(5):
        standing_house.advisor(f"顾问{number}", "/HQ/SH/")
    operator = switchboard.of("operator")

    by_two = [one["id"] for one in all_of(operator, "/advisors", limit=2)]

    assert len(by_two) == len(set(by_two))
    assert set(by_two) == {one["id"] for one in all_of(operator, "/advisors")}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "知遥"}, {"李知遥"}),
        ({"q": "100%"}, set()),
        ({"path": "/HQ/SZ/"}, {"欧阳𠮷"}),
        ({"tag": ["理财经理", "没有这个"]}, set()),
        ({"is_active": "false"}, set()),
    ],
)
def test_a_list_of_advisors_is_narrowed(
    switchboard: Switchboard, query: dict[str, Any], names: set[str]
) -> None:
    found = all_of(switchboard.of("operator"), "/advisors", **query)
    assert {one["name"] for one in found} == names


def test_one_advisor_is_found_by_id(standing_house: House, switchboard: Switchboard) -> None:
    advisor_id = standing_house.people["advisor_b"].advisor_id
    assert switchboard.of("operator").get(f"/advisors/{advisor_id}").get_json()["name"] == "欧阳𠮷"
    assert switchboard.of("branch_head").get(f"/advisors/{advisor_id}").status_code == 404


def test_a_template_says_what_may_be_entered(switchboard: Switchboard) -> None:
    opened = switchboard.of("advisor").get(f"/templates/{NOTE}/1").get_json()
    slots = {slot["name"]: slot for slot in opened["slots"]}
    assert slots["headline"]["source"] == "advisor"
    assert slots["headline"]["max_chars"] == 12
    assert slots["name"]["source"] == "profile"
    assert opened["disclosure"]


def test_instants_are_utc(switchboard: Switchboard) -> None:
    (one,) = switchboard.of("brand").get("/templates").get_json()["items"]
    assert one["published_at"] == "2026-11-23T01:30:00Z"


def test_a_check_answers_exactly_as_the_command_does(standing_house: House, switchboard: Switchboard) -> None:
    line = {"id": "7", "text": "本产品保本保息，稳赚不赔", "sector": "bank", "channel": "moments"}
    (request,) = read_requests(StringIO(json.dumps(line)), Sector.GENERAL, Channel.OTHER)
    ruleset = standing_house.platform.surroundings.ruleset
    said = json.loads(result_line(request.id, check(request.document, ruleset)))

    answered = switchboard.of("advisor").post("/checks", line).get_json()

    assert answered == said
    assert answered["verdict"] == "block"


def test_a_check_of_a_template_names_the_slot(switchboard: Switchboard) -> None:
    asked = {"template": {"slug": NOTE}, "values": {"headline": "稳赚不赔"}}
    answered = switchboard.of("advisor").post("/checks", asked).get_json()
    assert answered["verdict"] == "block"
    assert {finding["field"] for finding in answered["findings"]} == {"headline"}


def test_a_check_of_two_things_at_once_is_refused(switchboard: Switchboard) -> None:
    asked = {"text": "早安", "template": {"slug": NOTE}}
    assert named(switchboard.of("advisor").post("/checks", asked)) == {"text"}


def test_a_batch_is_answered_in_its_order(switchboard: Switchboard) -> None:
    items = [{"id": "a", "text": "早安"}, {"id": "b", "text": "稳赚不赔"}]
    answered = switchboard.of("brand").post("/checks/batch", {"items": items}).get_json()["items"]
    assert [(one["id"], one["verdict"]) for one in answered] == [("a", "pass"), ("b", "block")]


def test_a_batch_above_the_limit_is_refused_with_the_limit(switchboard: Switchboard) -> None:
    refused = switchboard.of("brand").post("/checks/batch", {"items": [{"text": "早安"}] * 101})
    assert refused.status_code == 413
    assert "100" in problem(refused)["title"]


def test_a_preview_is_drawn_and_nothing_is_kept(switchboard: Switchboard) -> None:
    advisor = switchboard.of("advisor")
    before = advisor.get("/pieces").get_json()["items"]

    drawn = advisor.post(
        "/renders", {"template": {"slug": NOTE}, "values": {"headline": "早"}, "format": "png"}
    )

    assert drawn.mimetype == "image/png"
    assert drawn.data.startswith(b"\x89PNG")
    assert advisor.get("/pieces").get_json()["items"] == before


def test_reach_adds_up_and_leads_to_its_events(standing_house: House, switchboard: Switchboard) -> None:
    piece_id = standing_house.published("advisor", NOTE, headline="常联系")
    (edition,) = switchboard.of("advisor").get("/editions", piece_id=piece_id).get_json()["items"]
    code = next(link["code"] for link in edition["links"] if link["channel"] == "moments")
    visitor = switchboard.app.test_client()
    visitor.get(f"/s/{code}", headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"})
    operator = switchboard.of("operator")

    by_piece = operator.get("/reach", by="piece", piece_id=piece_id).get_json()
    events = operator.get("/reach/events", piece_id=piece_id).get_json()

    assert by_piece["total"]["clicks"] == 1
    assert [line["key"] for line in by_piece["lines"]] == [str(piece_id)]
    assert [(event["kind"], event["channel"]) for event in events["items"]] == [("click", "moments")]
    days = operator.get("/reach", by="day", piece_id=piece_id).get_json()
    assert sum(line["tally"]["arrivals"] for line in days["lines"]) == 1
    assert len(days["lines"]) == 30


def test_reach_outside_ones_branch_is_not_there(standing_house: House, switchboard: Switchboard) -> None:
    head = switchboard.of("branch_head")
    assert head.get("/reach", path="/HQ/SZ/").status_code == 404
    assert head.get("/reach", advisor_id=standing_house.people["advisor_b"].advisor_id).status_code == 404


def test_the_docs_page_shows_our_own_document(switchboard: Switchboard) -> None:
    page = switchboard.nobody().get("/docs")
    assert page.status_code == 200
    assert 'data-openapi-url="/api/v1/openapi.json"' in page.text
    assert "//cdn" not in page.text
