"""成品: the picture to keep, words and links to send, its own figures, and a calm end."""

from __future__ import annotations

import io
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from app.domain.tracking import LinkChannel
from app.models.edition import Edition
from app.models.tracking import ShortLink
from app.services.publication import take_down
from tests.factories import House
from tests.functional.pages import tree, words

HUMAN = {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/8.0"}
BOT = {"User-Agent": "Baiduspider/2.0"}


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def edition_of(house: House, piece_id: UUID) -> UUID:
    with house.platform.sessions() as session:
        return session.scalars(select(Edition.id).where(Edition.piece_id == piece_id)).one()


def link_of(house: House, edition_id: UUID, channel: LinkChannel) -> str:
    with house.platform.sessions() as session:
        code = session.scalars(
            select(ShortLink.code).where(ShortLink.edition_id == edition_id, ShortLink.channel == channel)
        ).one()
    return f"/s/{code}"


def test_the_picture_is_saved_under_the_pieces_name_in_every_format(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    for suffix, start in (
        ("jpg", b"\xff\xd8\xff"),
        ("png", b"\x89PNG"),
        ("webp", b"RIFF"),
        ("pdf", b"%PDF"),
        ("print.pdf", b"%PDF"),
    ):
        answer = phone.get(f"/editions/{edition_id}/picture.{suffix}", query_string={"save": 1})
        assert answer.data.startswith(start)
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment")
        assert disposition.isascii()
        assert "filename*=UTF-8''" in disposition


def test_the_picture_to_long_press_has_all_its_pixels_and_is_shown_in_place(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    answer = phone.get(f"/editions/{edition_id}/picture.jpg")
    assert Image.open(io.BytesIO(answer.data)).size == (1080, 1920)
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_the_same_picture_is_not_sent_twice_to_one_browser(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    address = f"/editions/{edition_id}/picture.jpg"
    mark = phone.get(address).headers["ETag"]
    assert phone.get(address, headers={"If-None-Match": mark}).status_code == 304


@pytest.mark.parametrize("address", ["picture.gif", "picture.jpg?page=9", "picture.jpg?page=-1"])
def test_a_format_or_page_that_does_not_exist_is_missing(phone, house, address):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    assert phone.get(f"/editions/{edition_id}/{address}").status_code == 404


def test_a_card_of_five_pages_gives_five_pictures(phone, house):
    edition_id = edition_of(house, house.published("advisor", "card-benchmark", lead="五张小图讲清楚。"))
    page = phone.get(f"/editions/{edition_id}").text
    shown = [i.get("src") for i in tree(page).iter("img") if "finished__picture" in i.get("class", "")]
    assert len({phone.get(src).data for src in shown}) == 5


def test_three_texts_to_copy_are_made_of_approved_words_and_this_editions_links(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    page = tree(phone.get(f"/editions/{edition_id}").text)
    texts = [area.text or "" for area in page.iter("textarea")]
    assert len(texts) == 3
    assert "最近不少朋友问我要不要动" in texts[0]
    assert "市场有阴晴" in texts[1]
    assert texts[1].endswith(link_of(house, edition_id, LinkChannel.GROUP))
    assert texts[2].endswith(link_of(house, edition_id, LinkChannel.SMS))


def test_every_channel_has_a_link_of_its_own(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    page = tree(phone.get(f"/editions/{edition_id}").text)
    shown = {field.get("value") for field in page.iter("input") if field.get("id", "").startswith("link-")}
    assert shown == {
        "http://imprimatur.test" + link_of(house, edition_id, channel)
        for channel in LinkChannel
        if channel is not LinkChannel.QR
    }


def test_people_are_counted_and_machines_apart(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    stranger = phone.application.test_client()
    stranger.get(link_of(house, edition_id, LinkChannel.QR), headers=HUMAN)
    stranger.get(link_of(house, edition_id, LinkChannel.QR), headers=BOT)
    assert "1次 全部 2" in words(phone.get(f"/editions/{edition_id}").text)


def test_somebody_elses_edition_answers_as_a_missing_one(phone, house):
    foreign = edition_of(house, house.published("advisor_b", headline="先想清楚"))
    assert phone.get(f"/editions/{foreign}").status_code == 404
    assert phone.get(f"/editions/{foreign}/picture.jpg").status_code == 404


def test_an_edition_that_was_taken_down_shows_no_picture_and_says_so(phone, house):
    piece_id = house.published("advisor", headline="先想清楚")
    edition_id = edition_of(house, piece_id)
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="数据有误")
    page = phone.get(f"/editions/{edition_id}").text
    assert "请不要再使用这份内容" in words(page)
    assert "picture.jpg" not in page
    assert phone.get(f"/editions/{edition_id}/picture.jpg").status_code == 410


def test_a_picture_costs_the_person_and_the_standing_of_the_edition(
    phone: FlaskClient, house: House, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    edition_id = edition_of(house, house.published("advisor", headline="先想清楚"))
    for path in (f"/editions/{edition_id}/picture.jpg", f"/editions/{edition_id}/picture.pdf"):
        phone.get(path)  # drawn and kept, and noted as shown
        held = {"If-None-Match": phone.get(path).headers["ETag"]}
        assert count_queries(lambda path=path: phone.get(path)) == 2
        assert phone.get(path, headers=held).status_code == 304
