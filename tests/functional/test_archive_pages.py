"""The archive on the desk: a quoted sentence finds the poster, the poster says who allowed it."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.organisation import Actor
from app.models.archive import ArchiveItem
from app.models.retention import LegalHold
from app.services.record import seal_record
from tests.factories import House

SENTENCE = "时间，站在耐心的人一边"


@pytest.fixture
def house(small_house: House) -> House:
    return small_house


@pytest.fixture
def item(house: House) -> ArchiveItem:
    house.published("advisor", "note", headline=SENTENCE)
    with house.platform.sessions() as session:
        item_id = session.scalars(select(ArchiveItem.id)).one()
    with house.platform.unit_of_work(Actor.system("record", house.tenant_id)) as uow:
        seal_record(uow, item_id)
    with house.platform.sessions() as session:
        return session.get_one(ArchiveItem, item_id)


def test_a_complaint_finds_the_poster_and_the_poster_who_allowed_it(house, item, client: FlaskClient):
    house.log_in(client, "auditor")
    found = client.get("/archive", query_string={"words": "站在耐心的人一边"}).text
    assert f"/archive/{item.id}" in found
    assert house.publication(item.piece_id).approval_no in found

    page = client.get(f"/archive/{item.id}").text
    assert SENTENCE in page
    assert "与封存时逐字节一致" in page
    assert "demo-reviewer" in page
    picture = re.search(rf"/archive/{item.id}/([0-9a-f]{{64}})\.jpg", page)
    assert picture is not None
    data = client.get(picture.group()).data
    assert hashlib.sha256(data).hexdigest() == picture.group(1)
    record = client.get(f"/archive/{item.id}/record.json").data
    assert hashlib.sha256(record).hexdigest() == item.record_sha256
    assert json.loads(record)["id"] == str(item.id)


def test_what_comes_near_is_offered_and_called_near(house, item, client):
    house.log_in(client, "reviewer")
    assert "没有一字不差的内容" in client.get("/archive?words=时间总站在耐心的人那一边").text
    assert "档案里没有符合条件的内容" in client.get("/archive?words=稳赚不赔保本保息").text
    assert "不是有效的日期" in client.get("/archive?since=yesterday").text


def test_a_record_that_was_changed_in_the_vault_is_said_so(house, item, client, tmp_path):
    kept = next((tmp_path / "vault").rglob(f"{item.id}.json"))
    kept.chmod(0o644)
    kept.write_bytes(kept.read_bytes().replace("李知遥".encode(), "李知近".encode()))
    house.log_in(client, "auditor")
    assert "指纹不符" in client.get(f"/archive/{item.id}").text


def test_whoever_has_no_business_there_is_refused(house, item, client):
    house.log_in(client, "operator")
    for address in (
        "/archive",
        f"/archive/{item.id}",
        "/archive/retention",
        f"/archive/{item.id}/record.json",
    ):
        assert client.get(address).status_code == 403, address


def test_a_picture_that_is_not_the_items_own_is_missing(house, item, client):
    house.log_in(client, "auditor")
    assert client.get(f"/archive/{item.id}/{'0' * 64}.jpg").status_code == 404


class TestHolds:
    def test_a_hold_is_placed_on_the_page_and_lifted_by_two(self, house, item, client):
        house.log_in(client, "reviewer")
        placed = client.post(
            "/archive/retention/holds",
            data={"scope": "piece", "piece": str(item.piece_id), "reason": "投诉 2026-117"},
            follow_redirects=True,
        ).text
        assert "保全已设立" in placed
        assert "投诉 2026-117" in client.get(f"/archive/{item.id}").text
        with house.platform.sessions() as session:
            hold_id = session.scalars(select(LegalHold.id)).one()
        asked = client.post(
            f"/archive/retention/holds/{hold_id}/ask-release",
            data={"reason": "已结案"},
            follow_redirects=True,
        ).text
        assert "等待第二人确认解除" in asked
        assert "/release" not in asked  # whoever asked is not offered it
        assert client.post(f"/archive/retention/holds/{hold_id}/release").status_code == 403
        client.post("/logout")
        house.log_in(client, "reviewer_b")
        assert (
            "保全已解除"
            in client.post(f"/archive/retention/holds/{hold_id}/release", follow_redirects=True).text
        )

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ({"scope": "advisor", "advisor": "nobody", "reason": "x"}, "没有找到要保全的对象"),
            ({"scope": "everything", "reason": " "}, "请写明保全的原因"),
            ({"scope": "moon", "reason": "x"}, "请选择保全的范围"),
            ({"scope": "product", "product": "gold", "reason": "x"}, "没有找到要保全的对象"),
        ],
    )
    def test_what_cannot_be_held_is_refused_with_its_reason(self, house, item, client, sent, said):
        house.log_in(client, "reviewer")
        answer = client.post("/archive/retention/holds", data=sent)
        assert answer.status_code == 422
        assert said in answer.text

    def test_an_auditor_sees_all_of_it_and_changes_nothing(self, house, item, client):
        house.log_in(client, "auditor")
        page = client.get("/archive/retention").text
        assert "设立保全" not in page
        assert (
            client.post("/archive/retention/holds", data={"scope": "everything", "reason": "x"}).status_code
            == 403
        )
        assert client.post("/archive/retention/terms/publication", data={"years": "30"}).status_code == 403
        assert client.post(f"/archive/retention/records/{item.id}/destroy").status_code == 403


def test_a_term_is_lengthened_by_the_administrator_and_never_shortened(house, item, client):
    house.log_in(client, "administrator")
    assert "由法律顾问确认" in client.get("/archive/retention").text
    assert (
        "已有的记录随之延长"
        in client.post(
            "/archive/retention/terms/publication", data={"years": "25"}, follow_redirects=True
        ).text
    )
    for years, said in (("24", "只能延长"), ("many", "整数年"), ("101", "最长 100 年")):
        answer = client.post("/archive/retention/terms/publication", data={"years": years})
        assert answer.status_code == 422
        assert said in answer.text
    assert client.post(f"/archive/retention/records/{item.id}/destroy").status_code == 409
