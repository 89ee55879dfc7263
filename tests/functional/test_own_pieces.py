"""作品: where each of an advisor's own pieces stands, what happened to it, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.models.check import Finding
from app.models.piece import Piece
from app.services.publication import take_down
from tests.factories import POSTER, House
from tests.functional.pages import links, words


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def test_nothing_made_yet_says_how_to_begin(phone):
    page = phone.get("/works")
    assert "还没有作品" in words(page.text)
    assert "/library" in links(page.text)


def test_each_piece_stands_on_its_shelf(phone, house):
    house.draft("advisor")
    house.in_review("advisor", headline="先想清楚")
    house.published("advisor", headline="想好再走")
    page = words(phone.get("/works").text)
    for shelf in ("待处理 1", "审核中 1", "可用 1", "已结束 0"):
        assert shelf in page


@pytest.mark.parametrize("what", ["", "/picture.jpg"])
def test_a_foreign_piece_answers_exactly_as_a_missing_one(phone, house, what):
    ask = {"Accept": "application/json"}
    foreign = phone.get(f"/works/{house.draft('advisor_b')}{what}", headers=ask)
    missing = phone.get(f"/works/{uuid4()}{what}", headers=ask)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json | {"request_id": ""} == missing.json | {"request_id": ""}


@pytest.mark.parametrize("deed", ["submit", "withdraw"])
def test_nobody_acts_on_a_foreign_piece(phone, house, deed):
    foreign = house.in_review("advisor_b", headline="先想清楚")
    assert phone.post(f"/works/{foreign}/{deed}").status_code == 404
    assert house.piece(foreign).state is PieceState.IN_REVIEW


def test_while_the_check_runs_the_page_asks_again_and_then_stops(phone, house):
    piece_id = house.draft("advisor", headline="先想清楚")
    phone.post(f"/works/{piece_id}/submit")
    ask = {"HX-Request": "true"}
    running = phone.get(f"/works/{piece_id}", headers=ask).text
    assert "检测中" in words(running)
    assert "hx-get" in running
    assert "<html" not in running
    house.run_checks()
    done = phone.get(f"/works/{piece_id}", headers=ask).text
    assert "审核中" in words(done)
    assert "hx-get" not in done


def test_a_withdrawn_piece_can_be_edited_again(phone, house):
    piece_id = house.in_review("advisor", headline="先想清楚")
    assert phone.post(f"/works/{piece_id}/withdraw").status_code == 303
    page = phone.get(f"/works/{piece_id}").text
    assert "已撤回" in words(page)
    assert f"/make/{POSTER}?piece={piece_id}" in links(page)


def test_a_returned_piece_shows_what_the_reviewer_said(phone, house):
    piece_id = house.in_review("advisor", headline="先想清楚")
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="请说明适合哪类客户。")
    page = words(phone.get(f"/works/{piece_id}").text)
    assert "退回修改" in page
    assert "请说明适合哪类客户。" in page


def test_a_returned_piece_takes_the_offered_wording_and_goes_back_in_one_tap(phone, house):
    piece_id = house.in_review("advisor", headline="“闭眼买”的养老规划")
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="请改掉淡化风险的说法。")
    with house.platform.sessions() as session:
        found = session.scalars(select(Finding).where(Finding.suggestion.is_not(None))).first()
    assert found is not None
    answer = phone.post(f"/works/{piece_id}/adopt/{found.id}")
    assert answer.status_code == 303
    with house.platform.sessions() as session:
        piece = session.get_one(Piece, piece_id)
        assert piece.state is PieceState.CHECKING
    page = words(phone.get(f"/works/{piece_id}").text)
    assert found.suggestion in page


def test_a_finding_of_another_piece_cannot_be_adopted(phone, house):
    theirs = house.in_review("advisor_b", headline="“闭眼买”的养老规划")
    with house.platform.sessions() as session:
        foreign = session.scalars(select(Finding.id).where(Finding.suggestion.is_not(None))).first()
    assert foreign is not None
    mine = house.in_review("advisor", headline="先想清楚")
    house.decide(mine, Outcome.REQUEST_CHANGES, reason="请改。")
    for piece_id in (mine, theirs):
        assert phone.post(f"/works/{piece_id}/adopt/{foreign}").status_code == 404


def test_a_published_piece_leads_to_its_edition(phone, house):
    piece_id = house.published("advisor", headline="先想清楚")
    page = phone.get(f"/works/{piece_id}").text
    assert any(href.startswith("/editions/") for href in links(page))
    assert "审核编号 YX" in words(page)


def test_a_piece_that_was_taken_down_says_why_and_offers_a_new_start(phone, house):
    piece_id = house.published("advisor", headline="先想清楚")
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="文案引用了过期数据")
    page = phone.get(f"/works/{piece_id}").text
    assert "文案引用了过期数据" in words(page)
    assert f"/make/{POSTER}" in links(page)


def test_an_expired_piece_says_so_by_the_clock_before_any_job_ran(phone, house, clock):
    piece_id = house.published("advisor", headline="先想清楚")
    clock.advance(timedelta(days=31))
    house.log_in(phone, "advisor")
    assert "已过期" in words(phone.get(f"/works/{piece_id}").text)
    assert "已结束 1" in words(phone.get("/works").text)
