"""What strangers read of a publication's life: not yet, corrected, ended, and what comes after."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask.testing import FlaskClient

from app.domain.publication import CorrectionKind
from app.services.correction import start_correction
from app.services.piece import save_piece
from app.services.publication import publish_piece, set_successor
from app.services.serving import open_edition
from tests.factories import House
from tests.fakes import FixedClock
from tests.functional.pages import form_fields, links, words
from tests.visitors import Phone, code_of, counted

NOTE = "note"


def master(house: House, headline: str = "早安") -> UUID:
    piece_id = house.published("operator", NOTE, headline=headline)
    with house.by("advisor") as uow:
        open_edition(uow, piece_id)
    return piece_id


def corrected(house: House, piece_id: UUID, headline: str) -> None:
    with house.by("operator") as uow:
        start_correction(uow, piece_id, CorrectionKind.FIGURES)
    house.revise("operator", piece_id, headline=headline)
    house.decide(piece_id)


def test_a_correction_is_at_the_same_link_with_its_note_and_its_statistics(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house, "写错了")
    code, visitor = code_of(small_house, piece_id), Phone(client)
    page = visitor.look(code)
    before = visitor.get(f"{page}/picture.jpg").data
    corrected(small_house, piece_id, "更正后")
    text = words(visitor.get(page).text)
    assert "更正：数据或日期有误" in text
    assert "改动的项目：一句话" in text
    assert "更正后" in text
    assert visitor.get(f"{page}/picture.jpg").data != before
    assert code_of(small_house, piece_id) == code
    assert sum(counted(small_house).values()) == 2  # the scan and the view of before


def test_the_number_of_the_version_before_leads_to_the_new_one(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house, "写错了")
    old = small_house.publication(piece_id).approval_no
    corrected(small_house, piece_id, "更正后")
    answer = Phone(client).get(f"/v/{old}")
    assert "真实，但已更正" in answer.text
    (new,) = [href for href in links(answer.text) if href.startswith("/v/")]
    verified = words(Phone(client).get(new).text)
    assert "真实，目前有效" in verified
    assert old in verified


def test_an_embargo_ends_to_the_minute(small_house: House, client: FlaskClient, clock: FixedClock) -> None:
    piece_id = small_house.in_review("operator", NOTE)
    small_house.decide(piece_id)
    operator = small_house.log_in(client.application.test_client(), "operator")
    action = f"/pieces/{piece_id}/publish"
    fields = form_fields(operator.get(f"/pieces/{piece_id}").text, action)
    # 01:30 UTC is 09:30 in Shanghai
    answer = operator.post(
        action, data=fields | {"valid_from": "2026-11-23T09:31", "valid_until": "2026-11-23T09:45"}
    )
    assert answer.status_code == 303, words(answer.text)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, piece_id))
    assert "尚未发布" in visitor.get(page).text
    assert "真实，尚未生效" in visitor.get(f"/v/{small_house.publication(piece_id).approval_no}").text
    clock.advance(timedelta(minutes=1))
    assert visitor.get(page).status_code == 200
    clock.advance(timedelta(minutes=14) - timedelta(seconds=1))
    assert visitor.get(page).status_code == 200
    clock.advance(timedelta(seconds=1))
    ended = visitor.get(page)
    assert ended.status_code == 410
    assert "2026-11-23 09:45" in ended.text


def test_an_expired_page_names_the_person_and_leads_to_the_successor(
    small_house: House, client: FlaskClient, clock: FixedClock
) -> None:
    old = master(small_house)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, old))
    clock.advance(timedelta(days=20))
    # an advisor's newest piece would be offered; the operator's choice comes first
    chosen = small_house.published("operator", NOTE, headline="新的一份")
    master(small_house, "更新的一份")
    with small_house.by("operator") as uow:
        set_successor(uow, old, chosen)
    clock.advance(timedelta(days=11))
    answer = visitor.get(page)
    assert answer.status_code == 410
    assert "李知遥" in answer.text
    (way,) = [href for href in links(answer.text) if href.startswith("/s/")]
    assert "新的一份" in words(visitor.get(visitor.get(way).location).text)


def test_a_successor_that_ended_leads_on(small_house: House, client: FlaskClient, clock: FixedClock) -> None:
    first, second, third = (master(small_house, one) for one in ("甲", "乙", "丙"))
    with small_house.by("operator") as uow:
        set_successor(uow, first, second)
    with small_house.by("operator") as uow:
        set_successor(uow, second, third)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, first))
    clock.advance(timedelta(days=31))
    assert not [href for href in links(visitor.get(page).text) if href.startswith("/s/")]
    live = small_house.in_review("operator", NOTE, headline="丁")
    small_house.decide(live)
    with small_house.by("operator") as uow:
        publish_piece(uow, live, path="/HQ/")
    with small_house.by("operator") as uow:
        set_successor(uow, third, live)
    (way,) = [href for href in links(visitor.get(page).text) if href.startswith("/s/")]
    assert "丁" in words(visitor.get(visitor.get(way).location).text)


def test_an_operator_corrects_and_names_a_successor_on_the_piece(
    small_house: House, client: FlaskClient
) -> None:
    piece_id, other = master(small_house), master(small_house, "另一份")
    operator = small_house.log_in(client.application.test_client(), "operator")
    assert operator.post(f"/pieces/{piece_id}/successor", data={"successor": str(other)}).status_code == 303
    assert f'value="{other}" selected' in operator.get(f"/pieces/{piece_id}").text
    assert (
        operator.post(f"/pieces/{piece_id}/successor", data={"successor": str(piece_id)}).status_code == 422
    )
    assert operator.post(f"/pieces/{piece_id}/correct", data={"kind": "wording"}).location.endswith("/edit")
    page = operator.get(f"/pieces/{piece_id}").text
    assert "正在更正（表述不准确）" in page
    assert operator.post(f"/pieces/{piece_id}/correct/drop").status_code == 303
    assert "正在更正" not in operator.get(f"/pieces/{piece_id}").text


def test_an_advisor_corrects_their_own_piece_while_it_stays_usable(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="写错了")
    phone = small_house.log_in(client.application.test_client(), "advisor")
    assert "内容有误？更正" in phone.get(f"/works/{piece_id}").text
    answer = phone.post(f"/works/{piece_id}/correct", data={"kind": "figures"})
    assert answer.location.startswith("/make/note")
    with small_house.by("advisor") as uow:
        save_piece(uow, NOTE, {"headline": "更正后"}, piece_id=piece_id)
        edition = f"/editions/{open_edition(uow, piece_id).id}"
    assert "更正中，原版可用" in phone.get("/works").text
    assert phone.get(f"{edition}/picture.jpg").status_code == 200
    assert phone.post(f"/works/{piece_id}/correct/drop").status_code == 303
