"""Recall at the edges: the desk's pages, the advisor's phone, the customer's page, the API."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from flask.testing import FlaskClient

from app.domain.recall import RecallBy, RecallTarget
from app.domain.tracking import EventKind
from app.models.advisor import Advisor
from app.services.recall import confirm_recall, propose_recall
from app.services.serving import open_edition
from tests.factories import PASSWORD, House
from tests.fakes import FixedClock
from tests.functional.pages import form_fields, links, words
from tests.visitors import Phone, code_of, counted, keep_event

NOTE = "note"


def shared_master(house: House) -> UUID:
    piece_id = house.published("operator", NOTE)
    with house.by("advisor") as uow:
        open_edition(uow, piece_id)
    return piece_id


def signed_in(house: House, client: FlaskClient, who: str) -> FlaskClient:
    return house.log_in(client.application.test_client(), who)


def recalled(house: House, piece_id: UUID, note: str = "") -> UUID:
    with house.by("operator") as uow:
        target = RecallTarget.of(RecallBy.PIECE, str(piece_id))
        recall_id = propose_recall(uow, target, reason="利率写错", public_note=note).id
    with house.by("reviewer") as uow:
        confirm_recall(uow, recall_id)
    return recall_id


def test_two_people_recall_a_piece_from_its_approval_number(
    small_house: House, client: FlaskClient, clock: FixedClock
) -> None:
    piece_id = shared_master(small_house)
    keep_event(small_house, piece_id, "advisor", clock.now() - timedelta(minutes=1))
    number = small_house.publication(piece_id).approval_no
    operator, reviewer = (signed_in(small_house, client, who) for who in ("operator", "reviewer"))
    preview = operator.get(f"/recalls/new?by=piece&subject={number}")
    assert "看过的客户" in preview.text
    assert "便签" in preview.text
    fields = form_fields(preview.text, "/recalls") | {"reason": "利率写错", "public_note": "请看新版"}
    page = operator.post("/recalls", data=fields).location
    assert "您是发起人" in operator.get(page).text
    assert operator.post(f"{page}/confirm").status_code == 403
    assert "1 件此刻仍可打开" in words(reviewer.get(page).text)
    assert reviewer.post(f"{page}/confirm").status_code == 303
    done = words(reviewer.get(page).text)
    assert "0 件仍可打开：已全部停用" in done
    assert "0 / 1 已确认" in done
    assert reviewer.post(f"{page}/confirm").status_code == 409


def test_the_countdown_asks_until_nothing_is_live_and_then_stops(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = shared_master(small_house)
    with small_house.by("operator") as uow:
        recall_id = propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(piece_id)), reason="利率写错").id
    reviewer = signed_in(small_house, client, "reviewer")
    assert 'hx-trigger="every 1s"' in reviewer.get(f"/recalls/{recall_id}/standing").text
    reviewer.post(f"/recalls/{recall_id}/confirm")
    after = reviewer.get(f"/recalls/{recall_id}/standing").text
    assert "hx-trigger" not in after
    assert "已全部停用" in after


def test_a_recall_without_a_reason_says_so_at_its_field(small_house: House, client: FlaskClient) -> None:
    piece_id = shared_master(small_house)
    operator = signed_in(small_house, client, "operator")
    answer = operator.post(
        "/recalls", data={"by": "piece", "subject": str(piece_id), "public_note": "请看新版"}
    )
    assert answer.status_code == 422
    assert "请写明召回原因" in answer.text
    assert "请看新版" in answer.text


def test_every_kind_of_target_can_be_looked_at(small_house: House, client: FlaskClient) -> None:
    shared_master(small_house)
    operator = signed_in(small_house, client, "operator")
    with small_house.by("operator") as uow:
        rule = uow.around.ruleset.rules[0].slug
    staff_no = "nobody"
    for by, subject in (
        ("template", "note@1"),
        ("product", "none"),
        ("branch", small_house.units["/HQ/"]),
        ("rule", rule),
        ("advisor", staff_no),
        ("asset", "0" * 64),
    ):
        answer = operator.get(f"/recalls/new?by={by}&subject={subject}")
        assert answer.status_code == 200, by
        expected = "没有找到" if by == "asset" else "请选择" if by == "advisor" else "召回"
        assert expected in answer.text, by


def test_the_advisor_is_told_on_today_and_confirms_by_one_tap(
    small_house: House, client: FlaskClient
) -> None:
    recall_id = recalled(small_house, shared_master(small_house))
    phone = signed_in(small_house, client, "advisor")
    today = phone.get("/today")
    assert "有内容被召回" in today.text
    assert "利率写错" in today.text
    assert phone.post(f"/recalls/{recall_id}/acknowledge").location == "/today"
    assert "有内容被召回" not in phone.get("/today").text
    assert "1 / 1 已确认" in words(
        signed_in(small_house, client, "operator").get(f"/recalls/{recall_id}").text
    )


def test_who_has_not_confirmed_is_reminded(small_house: House, client: FlaskClient) -> None:
    recall_id = recalled(small_house, shared_master(small_house))
    operator = signed_in(small_house, client, "operator")
    assert operator.post(f"/recalls/{recall_id}/remind").status_code == 303
    assert "已提醒 1 次" in words(operator.get(f"/recalls/{recall_id}").text)
    assert "第 1 次提醒" in signed_in(small_house, client, "advisor").get("/today").text


def test_link_page_picture_and_portrait_are_dark_in_the_same_moment(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = shared_master(small_house)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, piece_id))
    assert visitor.get(page).status_code == 200
    picture = visitor.get(f"{page}/picture.jpg")
    assert picture.status_code == 200
    assert picture.headers["Cache-Control"] == "private, no-cache"
    recalled(small_house, piece_id, note="起购金额有误，请以新版为准")
    answer = visitor.get(page)
    assert answer.status_code == 410
    assert "已召回" in answer.text
    assert "起购金额有误" in answer.text
    etag = {"If-None-Match": picture.headers["ETag"]}
    assert visitor.get(f"{page}/picture.jpg", headers=etag).status_code == 410
    # the code on a picture saved last month: told and counted
    before = counted(small_house)[EventKind.SCAN]
    late = Phone(client, address="198.51.100.4")
    assert late.get(late.scan(code_of(small_house, piece_id))).status_code == 410
    assert counted(small_house)[EventKind.SCAN] == before + 1


def test_the_picture_and_the_pdf_of_an_edition_are_dark_for_their_advisor(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = shared_master(small_house)
    phone = signed_in(small_house, client, "advisor")
    with small_house.by("advisor") as uow:
        edition = f"/editions/{open_edition(uow, piece_id).id}"
    assert phone.get(f"{edition}/picture.pdf").status_code == 200
    recalled(small_house, piece_id)
    assert [phone.get(f"{edition}/picture.{kind}").status_code for kind in ("jpg", "png", "pdf")] == [410] * 3
    assert "已召回" in phone.get("/works").text


def test_the_recalled_page_offers_what_is_valid(small_house: House, client: FlaskClient) -> None:
    piece_id, other = shared_master(small_house), shared_master(small_house)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, piece_id))
    recalled(small_house, piece_id)
    (way,) = [href for href in links(visitor.get(page).text) if href.startswith("/s/")]
    onward = visitor.get(way).location
    assert visitor.get(onward).status_code == 200
    recalled(small_house, other)
    assert not [href for href in links(visitor.get(page).text) if href.startswith("/s/")]


def test_verification_says_that_it_was_recalled(small_house: House, client: FlaskClient) -> None:
    piece_id = shared_master(small_house)
    recalled(small_house, piece_id)
    number = small_house.publication(piece_id).approval_no
    assert "真实，但已召回" in Phone(client).get(f"/v/{number}").text


def test_machines_recall_by_the_same_rules(small_house: House, client: FlaskClient) -> None:
    piece_id = shared_master(small_house)

    def token(who: str) -> dict[str, str]:
        login = {"login": f"demo-{who}", "password": PASSWORD, "label": "test"}
        answer = client.post("/api/v1/tokens", json=login)
        return {"Authorization": f"Bearer {answer.json['token']}"}

    operator, reviewer = token("operator"), token("reviewer")
    query = f"by=piece&subject={piece_id}"
    seen = client.get(f"/api/v1/recalls/preview?{query}", headers=operator)
    assert seen.json["extent"]["live"] == 1
    wanted = {"by": "piece", "subject": str(piece_id), "reason": "利率写错"}
    made = client.post("/api/v1/recalls", json=wanted, headers=operator)
    assert made.status_code == 201
    address = made.headers["Location"]
    assert client.post(f"{address}/confirm", headers=operator).json["code"] == "self_confirmation"
    done = client.post(f"{address}/confirm", headers=reviewer)
    assert (done.json["state"], done.json["extent"]["live"]) == ("confirmed", 0)
    assert client.post(f"{address}/cancel", headers=reviewer).status_code == 409
    (holder,) = client.get(f"{address}/holders", headers=reviewer).json["items"]
    assert (holder["name"], holder["acknowledged_at"]) == ("李知遥", None)
    assert client.post(f"{address}/reminders", headers=operator).json == {"reminded": 1}
    assert re.fullmatch(
        r"[0-9a-f-]{36}", client.get("/api/v1/recalls", headers=operator).json["items"][0]["id"]
    )


def test_machines_ask_for_and_decide_on_a_profile_by_the_same_rules(
    small_house: House, client: FlaskClient
) -> None:
    def token(login: str) -> dict[str, str]:
        answer = client.post("/api/v1/tokens", json={"login": login, "password": PASSWORD, "label": "test"})
        return {"Authorization": f"Bearer {answer.json['token']}"}

    with small_house.platform.sessions() as session:
        advisor = session.get_one(Advisor, small_house.people["advisor"].advisor_id)
    mine, reviewer = token(advisor.staff_no), token("demo-reviewer")
    administrator = token("demo-administrator")
    made = client.post("/api/v1/profile-changes", json={"title": "财富总监"}, headers=mine)
    assert made.status_code == 201
    waiting = client.get("/api/v1/profile-changes?state=open", headers=reviewer).json["items"]
    assert [one["after"] for one in waiting] == [{"title": "财富总监"}]
    done = client.post(f"{made.headers['Location']}/decision", json={"approve": True}, headers=reviewer)
    assert done.json["state"] == "approved"
    again = client.post(f"{made.headers['Location']}/decision", json={"approve": True}, headers=reviewer)
    assert again.status_code == 409
    address = f"/api/v1/advisors/{advisor.id}"
    assert client.get(address, headers=administrator).json["title"] == "财富总监"
    moved = client.post(
        f"{address}/transfer",
        json={"org_unit_id": str(small_house.units["/HQ/SZ/"])},
        headers=administrator,
    )
    assert moved.json["org_path"] == "/HQ/SZ/"
    assert client.post(f"{address}/leave", json={}, headers=administrator).json["is_active"] is False
    assert client.post(f"{address}/return", headers=administrator).json["is_active"] is True
