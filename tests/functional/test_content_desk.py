"""The content desk: a piece for everybody is made, approved, handed to an audience, taken down."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.organisation import Role
from app.factory import create_app
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.tracking import ShortLink
from tests.factories import PASSWORD, House

A_BROWSER = {"Accept": "text/html"}
WORDS = "秋收冬藏\n静待春来"


@pytest.fixture
def operator(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "operator")


def form(**more: str) -> dict[str, str]:
    return {
        "template": "poster-qiushi",
        "key": "one-form",
        "title": "立冬问候",
        "tags": "节气，问候",
        "slot.headline": WORDS.replace("\n", "\r\n"),
        **more,
    }


def only_piece(house: House) -> Piece:
    with house.platform.sessions() as session:
        return session.scalars(select(Piece)).one()


def test_a_piece_for_everybody_is_saved_and_sent_for_review(house: House, operator: FlaskClient) -> None:
    answer = operator.post("/pieces", data=form(action="submit"))

    piece = only_piece(house)
    assert (answer.status_code, answer.location) == (303, f"/pieces/{piece.id}")
    assert (piece.title, piece.tags, piece.state) == ("立冬问候", ["节气", "问候"], "checking")


def test_the_channel_is_said_on_the_form_and_stands_with_the_piece(
    house: House, operator: FlaskClient
) -> None:
    operator.post("/pieces", data=form(action="save", channel="print"))

    piece = only_piece(house)
    assert piece.channel == "print"
    assert '<option value="print" selected>' in operator.get(f"/pieces/{piece.id}/edit").text
    assert "用于线下印刷" in operator.get(f"/pieces/{piece.id}").text


def test_a_channel_that_is_none_is_refused_with_everything_kept(operator: FlaskClient) -> None:
    answer = operator.post("/pieces", data=form(action="save", channel="television"))

    assert answer.status_code == 422
    assert "请从列表里选择使用渠道" in answer.text
    assert "立冬问候" in answer.text


def test_two_taps_on_save_make_one_piece(house: House, operator: FlaskClient) -> None:
    operator.post("/pieces", data=form(action="save"))
    operator.post("/pieces", data=form(action="save"))

    assert only_piece(house).state == "draft"


def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_lost(
    house: House, operator: FlaskClient
) -> None:
    answer = operator.post(
        "/pieces", data=form(action="save", **{"slot.headline": "一" * 30}), headers=A_BROWSER
    )

    assert answer.status_code == 422
    assert "最多 17 个字" in answer.text
    assert "一" * 30 in answer.text
    with house.platform.sessions() as session:
        assert session.scalars(select(Piece)).all() == []


def test_a_forbidden_word_is_kept_as_a_draft_and_shown_with_its_remedy(
    house: House, operator: FlaskClient
) -> None:
    answer = operator.post("/pieces", data=form(action="submit", **{"slot.headline": "保本保息\r\n稳赚不赔"}))

    page = operator.get(answer.location, headers=A_BROWSER).text
    assert only_piece(house).state == "draft"
    assert answer.location.endswith("/edit")
    assert "im-finding--block" in page


def test_the_preview_is_drawn_for_a_sample_advisor(operator: FlaskClient) -> None:
    answer = operator.get("/pieces/preview.jpg?template=poster-qiushi&slot.headline=等风来")

    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")


def test_hints_are_given_for_the_field_in_hand(operator: FlaskClient) -> None:
    answer = operator.post(
        "/pieces/hints",
        data=form(**{"slot.headline": "稳赚不赔"}),
        headers={"HX-Request": "true", "HX-Trigger-Name": "slot.headline"},
    )

    assert "「稳赚不赔」" in answer.text


def test_an_approved_piece_is_handed_to_an_audience(house: House, operator: FlaskClient) -> None:
    piece = house.in_review("operator", headline=WORDS)
    house.decide(piece)

    answer = operator.post(
        f"/pieces/{piece}/publish",
        data={
            "path": "/HQ/SH/",
            "tag": ["理财经理"],
            "valid_from": "2026-11-23",
            "valid_until": "2026-12-31",
            "why": "岁末问候",
        },
    )

    publication = house.publication(piece)
    assert answer.status_code == 303
    assert (publication.audience_path, publication.audience_tags) == ("/HQ/SH/", ["理财经理"])
    # the last day counts whole, in the tenant's own time zone
    assert publication.valid_until == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert publication.valid_from == house.platform.clock.now()


def test_the_audience_is_counted_and_named_before_anything_is_published(
    house: House, operator: FlaskClient
) -> None:
    house.advisor("陈思远", "/HQ/SZ/", licences=[])
    piece = house.in_review("operator", headline=WORDS)
    house.decide(piece)

    page = operator.get(f"/pieces/{piece}?path=/HQ/SZ/").text

    assert "将发布给 2 位客户经理" in page
    assert "陈思远（苏州分行）" in page
    assert "李知遥（" not in page
    assert "1 人看不到" in page


def test_an_audience_cannot_reach_outside_the_publishers_scope(house: House, client: FlaskClient) -> None:
    branch = house.person("branch-operator", Role.OPERATOR, "/HQ/SH/")
    piece = house.in_review(branch, headline=WORDS)
    house.decide(piece)
    house.log_in(client, branch)

    page = client.get(f"/pieces/{piece}?path=/HQ/SZ/").text
    answer = client.post(
        f"/pieces/{piece}/publish",
        data={"path": "/HQ/", "valid_from": "", "valid_until": ""},
        headers=A_BROWSER,
    )

    assert 'value="/HQ/SZ/"' not in page
    assert "没有符合条件的客户经理" in page
    assert answer.status_code == 422
    assert "不在您的范围内" in answer.text
    assert house.piece(piece).state == "approved"


def test_an_unapproved_piece_has_no_publish_form_and_is_refused(house: House, operator: FlaskClient) -> None:
    piece = house.in_review("operator", headline=WORDS)

    page = operator.get(f"/pieces/{piece}").text

    assert "发布给受众" not in page
    assert operator.post(f"/pieces/{piece}/publish", data={"path": "/HQ/"}).status_code == 409


def test_taking_down_makes_link_and_picture_dark(house: House, operator: FlaskClient) -> None:
    piece = house.published("advisor", headline=WORDS)
    with house.platform.sessions() as session:
        code = session.scalars(
            select(ShortLink.code).join(Edition).where(Edition.piece_id == piece, ShortLink.channel == "qr")
        ).one()
    landing = operator.get(f"/s/{code}").location
    picture = re.search(r'src="(/p/[^"]+/picture\.jpg[^"]*)"', operator.get(landing).text)
    assert picture is not None
    assert operator.get(picture[1]).status_code == 200

    operator.post(f"/pieces/{piece}/take-down", data={"note": "产品信息有变。"})

    assert operator.get(landing).status_code == 410
    assert operator.get(picture[1]).status_code == 410
    assert house.piece(piece).state == "taken_down"


def test_taking_down_needs_its_reason(house: House, operator: FlaskClient) -> None:
    piece = house.published("advisor", headline=WORDS)

    answer = operator.post(f"/pieces/{piece}/take-down", data={"note": " "}, headers=A_BROWSER)

    assert answer.status_code == 422
    assert "请写明下架原因" in answer.text
    assert house.piece(piece).state == "published"


def test_a_changed_piece_falls_back_to_draft_and_an_unchanged_one_stays_approved(
    house: House, operator: FlaskClient
) -> None:
    piece = house.in_review("operator", headline=WORDS)
    house.decide(piece)

    operator.post(f"/pieces/{piece}", data=form(action="save"))
    unchanged = house.piece(piece).state
    operator.post(f"/pieces/{piece}", data=form(action="save", **{"slot.headline": "岁暮天寒"}))

    assert (unchanged, house.piece(piece).state) == ("approved", "draft")


def test_a_piece_in_review_is_withdrawn_and_leaves_the_queue(house: House, operator: FlaskClient) -> None:
    piece = house.in_review("operator", headline=WORDS)

    operator.post(f"/pieces/{piece}/withdraw")

    assert house.piece(piece).state == "withdrawn"
    assert house.review_of(piece).state == "closed"


def test_the_list_shows_a_branch_head_only_their_own_subtree(house: House, client: FlaskClient) -> None:
    shanghai = house.in_review("advisor", headline=WORDS)
    suzhou = house.in_review("advisor_b", headline=WORDS)
    house.log_in(client, "branch_head")

    page = client.get("/pieces").text

    assert f"/pieces/{shanghai}" in page
    assert f"/pieces/{suzhou}" not in page
    assert client.get(f"/pieces/{suzhou}").status_code == 404


def test_an_advisors_draft_is_their_own_desk(house: House, operator: FlaskClient) -> None:
    draft = house.draft("advisor", headline=WORDS)

    assert f"/pieces/{draft}" not in operator.get("/pieces").text
    assert operator.get(f"/pieces/{draft}").status_code == 404
    assert operator.get(f"/pieces/{draft}/picture.jpg").status_code == 404


def test_the_list_is_filtered_by_state_and_owner(house: House, operator: FlaskClient) -> None:
    own = house.published("advisor", headline=WORDS)
    master = house.draft("operator", headline=WORDS)

    published = operator.get("/pieces?state=published").text
    masters = operator.get("/pieces?owner=master").text

    assert (f"/pieces/{own}" in published, f"/pieces/{master}" in published) == (True, False)
    assert (f"/pieces/{own}" in masters, f"/pieces/{master}" in masters) == (False, True)


def test_the_list_asks_as_much_for_many_pieces_as_for_few(
    house: House, operator: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    house.in_review("advisor", headline=WORDS)
    few = count_queries(lambda: operator.get("/pieces"))
    for who in ("advisor", "advisor_b") * 2:
        house.in_review(who, "card-benchmark")

    assert count_queries(lambda: operator.get("/pieces")) == few


def test_no_form_is_taken_without_its_token(house: House) -> None:
    client = create_app(platform=house.platform).test_client()
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/login").text)
    assert token is not None
    client.post("/login", data={"login": "demo-operator", "password": PASSWORD, "csrf_token": token[1]})
    piece = house.published("advisor", headline=WORDS)

    answer = client.post(f"/pieces/{piece}/take-down", data={"note": "下架"})

    assert answer.status_code == 400
    assert house.piece(piece).state == "published"
