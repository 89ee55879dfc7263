"""Pins on the picture and notes among reviewers, through the pages."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.domain.organisation import Role
from app.domain.review import Outcome
from app.models.check import CheckRun, Finding
from tests.factories import House

SECRET_WORDS = "内部暗语：此人上月被投诉过"


@pytest.fixture
def reviewer(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "reviewer")


def item(house: House, piece_id: UUID) -> str:
    return f"/reviews/{house.review_of(piece_id).id}"


def add_finding(house: House, piece_id: UUID, field: str, text: str, hit: str) -> None:
    """A finding of no rule in particular: where it is shown is what matters here."""
    with house.platform.sessions.begin() as session:
        run = session.get_one(CheckRun, house.review_of(piece_id).check_run_id)
        start = text.index(hit)
        session.add(
            Finding(
                tenant_id=run.tenant_id,
                run_id=run.id,
                position=99,
                rule="absolute-term",
                severity="review",
                field=field,
                start=start,
                end=start + len(hit),
                text=hit,
                basis="《广告法》第九条",
                reason="请核对",
                layer="L0",
            )
        )


def test_a_pin_left_on_the_picture_is_bound_to_what_stands_there(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")

    left = reviewer.post(
        f"{item(house, piece)}/pins", data={"words": "这里写得太满", "page": 0, "x": 200, "y": 170}
    )

    assert left.status_code == 303
    page = reviewer.get(item(house, piece)).text
    assert "这里写得太满" in page
    assert re.search(r"标题|主标题", page[page.index("这里写得太满") :][:400])
    marks = reviewer.get(f"{item(house, piece)}/marks").text
    assert re.search(r'<circle cx="216.0" cy="326.4"', marks)


def test_a_pin_shows_on_the_next_revision_whether_its_place_was_changed(
    house: House, reviewer: FlaskClient
) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    for slot in ("headline", "message"):
        reviewer.post(f"{item(house, piece)}/pins", data={"words": f"改 {slot}", "slot": slot})
    house.decide(piece, Outcome.REQUEST_CHANGES, reason="见标注")

    house.revise("advisor", piece, headline="路远\n慢慢走")

    page = reviewer.get(item(house, piece)).text
    standing = {
        slot: page[page.index(f'lines">改 {slot}') :].split("</li>")[0] for slot in ("headline", "message")
    }
    assert "此处已改，请确认" in standing["headline"]
    assert "未改" in standing["message"]


def test_a_reviewer_sees_that_a_pin_is_done(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    reviewer.post(f"{item(house, piece)}/pins", data={"words": "换一句", "slot": "headline"})
    address = re.search(rf"{item(house, piece)}/pins/[0-9a-f-]+", reviewer.get(item(house, piece)).text)
    assert address is not None

    reviewer.post(address.group(), data={"state": "fixed"})

    assert "已改好" in reviewer.get(item(house, piece)).text
    assert "<circle" not in reviewer.get(f"{item(house, piece)}/marks").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"words": "", "slot": "headline"}, "请写明这里要改什么"),
        ({"words": "改", "page": 0, "x": 2000, "y": 10}, "请在图上点选位置"),
        ({"words": "改" * 201, "slot": "headline"}, "最多 200 个字"),
    ],
)
def test_a_pin_that_says_nothing_or_points_nowhere_is_refused(
    house: House, reviewer: FlaskClient, form: dict[str, object], words: str
) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")

    reviewer.post(f"{item(house, piece)}/pins", data=form)

    assert words in reviewer.get(item(house, piece)).text


def test_a_hit_is_marked_on_the_picture_where_its_words_stand(house: House, reviewer: FlaskClient) -> None:
    words = "市场有阴晴，计划有节奏。与其追逐每一次起落，不如先想清楚：这笔钱为谁准备。"
    piece = house.in_review("advisor", message=words)
    add_finding(house, piece, "message", words, "计划有节奏")

    marks = reviewer.get(f"{item(house, piece)}/marks").text

    box = re.search(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', marks)
    assert box is not None
    x, y, width, height = (float(one) for one in box.groups())
    # the seventh to eleventh sign of the first line, 32 px each, with a margin of 6 px
    assert abs(x - (84 + 6 * 32 - 6)) < 4
    assert abs(width - (5 * 32 + 12)) < 4
    assert 560 < y < 620
    assert 30 < height < 90


def test_a_note_is_read_by_colleagues(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")

    reviewer.post(f"{item(house, piece)}/notes", data={"note": SECRET_WORDS})

    assert SECRET_WORDS in reviewer.get(item(house, piece)).text


def test_the_maker_never_sees_a_note_on_any_page_nor_in_any_answer(house: House, client: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    house.log_in(client, "reviewer").post(f"{item(house, piece)}/notes", data={"note": SECRET_WORDS})
    house.decide(piece, Outcome.REQUEST_CHANGES, reason="请改标题")
    review = house.review_of(piece).id
    client.post("/logout")
    maker = house.log_in(client, "advisor")

    for address in (
        f"/works/{piece}",
        f"/api/v1/pieces/{piece}",
        "/api/v1/pieces",
        "/api/v1/reviews",
        "/works",
        "/today",
        f"/reviews/{review}",
        f"/api/v1/reviews/{review}",
    ):
        assert SECRET_WORDS not in maker.get(address).text, address
    assert maker.get(f"/reviews/{review}").status_code in {403, 404}


def test_somebody_who_only_reads_leaves_neither_pin_nor_note(house: House, client: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    auditor = house.log_in(client, house.person("reader", Role.AUDITOR, "/HQ/"))

    for address, form in (("pins", {"words": "改", "slot": "headline"}), ("notes", {"note": "看过"})):
        assert auditor.post(f"{item(house, piece)}/{address}", data=form).status_code == 403


def test_items_with_the_same_change_are_decided_together_and_one_can_be_pulled_out(
    house: House, reviewer: FlaskClient
) -> None:
    makers = ["advisor", "advisor_b", house.advisor("王一", "/HQ/SH/01/")]
    pieces = [house.in_review(maker, headline="山高路远\n慢慢走") for maker in makers]
    other = house.in_review(house.advisor("王二", "/HQ/SH/01/"), headline="另一句\n自己写的")
    page = reviewer.get(item(house, pieces[0])).text
    together = re.findall(r'name="alike"[^>]*value="([^"]+)"', page)
    assert len(together) == 2

    reviewer.post(
        f"{item(house, pieces[0])}/decision",
        data={
            "outcome": "approve",
            "content_hash": house.review_of(pieces[0]).revision.content_hash,
            "step": 1,
            "alike": [one for one in together if str(house.review_of(pieces[1]).id) in one],
        },
    )

    assert [str(house.piece(one).state) for one in pieces] == ["published", "published", "in_review"]
    assert str(house.piece(other).state) == "in_review"


def test_the_maker_takes_the_reviewers_wording_in_one_tap_and_sees_the_pins(
    house: House, client: FlaskClient
) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    house.log_in(client, "reviewer")
    client.post(f"{item(house, piece)}/pins", data={"words": "这里太含糊", "slot": "headline"})
    client.post(
        f"{item(house, piece)}/decision",
        data={
            "outcome": "request_changes",
            "content_hash": house.review_of(piece).revision.content_hash,
            "step": 1,
            "reason": "标题请写实",
            "wording.headline": "看清方向\n再出发",
        },
    )
    client.post("/logout")
    maker = house.log_in(client, "advisor")
    page = maker.get(f"/works/{piece}").text
    assert "这里太含糊" in page
    assert "建议措辞〔" not in page

    maker.post(f"/works/{piece}/adopt")

    house.run_checks()
    assert str(house.piece(piece).state) == "in_review"
    assert house.review_of(piece).revision.values["headline"] == "看清方向\n再出发"


def test_a_pin_is_the_reviewers_own_until_the_piece_goes_back(house: House, client: FlaskClient) -> None:
    piece = house.in_review("advisor", headline="山高路远\n慢慢走")
    house.log_in(client, "reviewer")
    client.post(f"{item(house, piece)}/pins", data={"words": "还没想好", "slot": "headline"})
    client.post("/logout")

    assert "还没想好" not in house.log_in(client, "advisor").get(f"/works/{piece}").text
