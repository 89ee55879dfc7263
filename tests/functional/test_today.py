"""今日: only what is meant for this advisor, at most three things first, one tap to their own copy."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.review import Outcome
from app.models.edition import Edition
from app.models.tracking import ShortLink
from app.services.publication import publish_piece, take_down
from tests.factories import POSTER, House
from tests.functional.pages import pictures, words


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def hand_out(
    house: House,
    slug: str = POSTER,
    *,
    path: str = "/HQ/",
    tags: tuple[str, ...] = (),
    days: int = 20,
    why: str = "",
    **entered: str,
) -> UUID:
    """A piece of head office's, approved and handed to an audience."""
    piece_id = house.in_review("operator", slug, **entered)
    house.decide(piece_id)
    with house.by("operator") as uow:
        publish_piece(
            uow,
            piece_id,
            path=path,
            tags=tags,
            valid_until=house.platform.clock.now() + timedelta(days=days),
            why=why,
        )
    return piece_id


def offered(phone: FlaskClient) -> list[str]:
    return [src.split("/")[2] for src in pictures(phone.get("/today").text) if src.startswith("/today/")]


def test_a_day_without_anything_says_where_to_go_next(phone):
    page = words(phone.get("/today").text)
    assert "李知遥" in page
    assert "今天还没有总部下发的内容" in page


def test_a_piece_for_everybody_is_there_with_why_and_until_when(phone, house):
    piece_id = hand_out(house, why="市场波动，宜作提醒", days=20)
    page = phone.get("/today").text
    assert offered(phone) == [str(piece_id)]
    assert "市场波动，宜作提醒" in words(page)
    assert "可用至12月13日" in words(page)


def test_the_picture_on_today_is_this_advisors_own(phone, house):
    piece_id = hand_out(house)
    mine = phone.get(f"/today/{piece_id}/picture.jpg").data
    other = house.log_in(phone.application.test_client(), "advisor_b")
    assert other.get(f"/today/{piece_id}/picture.jpg").data != mine


@pytest.mark.parametrize("audience", [{"path": "/HQ/SZ/"}, {"tags": ("私人银行",)}])
def test_a_piece_meant_for_others_is_not_there_and_answers_as_a_missing_one(phone, house, audience):
    piece_id = hand_out(house, **audience)
    assert offered(phone) == []
    for foreign in (piece_id, uuid4()):
        assert phone.get(f"/today/{foreign}/picture.jpg").status_code == 404
        assert phone.post(f"/today/{foreign}").status_code == 404


def test_a_piece_whose_product_needs_a_licence_is_not_offered_without_it(house, client):
    hand_out(house)
    newcomer = house.advisor("孟一", "/HQ/SH/01/", licences=[])
    assert offered(house.log_in(client, newcomer)) == []


def test_at_most_three_come_first_and_what_ends_soon_leads(phone, house, clock):
    ids = []
    for days in (20, 20, 20, 2):
        ids.append(hand_out(house, "daily-morning", days=days))
        clock.advance(timedelta(minutes=1))
    ending, newest, second = str(ids[3]), str(ids[2]), str(ids[1])
    assert offered(phone)[:3] == [ending, newest, second]
    assert "更多可用" in words(phone.get("/today").text)


def test_one_tap_gives_an_edition_with_a_link_for_every_channel(phone, house):
    piece_id = hand_out(house)
    answer = phone.post(f"/today/{piece_id}")
    assert answer.status_code == 303
    with house.platform.sessions() as session:
        edition = session.scalars(select(Edition)).one()
        assert answer.location == f"/editions/{edition.id}"
        assert len(session.scalars(select(ShortLink)).all()) == 6


def test_two_taps_give_one_edition(phone, house):
    piece_id = hand_out(house)
    assert phone.post(f"/today/{piece_id}").location == phone.post(f"/today/{piece_id}").location


def test_what_was_taken_down_is_gone_from_today_at_once(phone, house):
    piece_id = hand_out(house)
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="数据有误")
    assert offered(phone) == []
    assert phone.post(f"/today/{piece_id}").status_code == 410


def test_what_expired_is_gone_from_today_by_the_clock_alone(phone, house, clock):
    piece_id = hand_out(house, days=1)
    clock.advance(timedelta(hours=25))
    assert offered(house.log_in(phone, "advisor")) == []
    assert phone.post(f"/today/{piece_id}").status_code == 410


def test_a_returned_piece_is_news_before_an_approved_one(phone, house):
    house.published("advisor", headline="先想清楚")
    returned = house.in_review("advisor", "daily-morning", greeting="早呀")
    house.decide(returned, Outcome.REQUEST_CHANGES, reason="请换一个词。")
    page = words(phone.get("/today").text)
    assert page.index("退回修改") < page.index("已通过")


def test_the_desk_has_no_today(house, client):
    assert house.log_in(client, "brand").get("/today").status_code == 403
