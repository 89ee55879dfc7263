"""Making a poster on a phone: the advisor's own picture, hints in time, and honest words below."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.models.piece import Piece
from app.models.tracking import ShortLink
from app.services.template import clear_template
from templates_lib.qr import decode_qr
from tests.factories import POSTER, House
from tests.functional.pages import form_fields, links, pictures, words

FORBIDDEN = "山有四季稳赚不赔"


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def open_page(phone: FlaskClient, slug: str = POSTER) -> dict[str, str]:
    """The making page's form as it stands."""
    answer = phone.get(f"/make/{slug}")
    assert answer.status_code == 200
    return form_fields(answer.text, f"/make/{slug}")


def send(phone: FlaskClient, fields: dict[str, str], action: str, slug: str = POSTER):
    return phone.post(f"/make/{slug}", data=fields | {"action": action})


def made(house: House) -> list[Piece]:
    with house.platform.sessions() as session:
        return list(session.scalars(select(Piece).where(Piece.advisor_id.is_not(None))))


def test_the_library_shows_every_template_as_the_advisors_own_picture(phone, house):
    page = phone.get("/library").text
    shown = [src for src in pictures(page) if src.startswith("/library/")]
    assert len(shown) == len(house.platform.surroundings.shelf.catalog.versions())
    for src in shown:
        answer = phone.get(src)
        assert answer.mimetype == "image/jpeg"
        assert answer.headers["Cache-Control"].startswith("private")


def test_two_advisors_see_two_pictures_of_one_template(phone, house):
    src = f"/library/{POSTER}/1.jpg"
    mine = phone.get(src).data
    other = house.log_in(phone.application.test_client(), "advisor_b")
    assert other.get(src).data != mine


def test_a_template_is_found_by_word_by_pinyin_and_by_initials(phone):
    for typed in ("晨光", "chenguang", "cgrq"):
        page = words(phone.get("/library", query_string={"q": typed}).text)
        assert "晨光日签" in page
        assert "求是" not in page


def test_a_search_that_finds_nothing_says_what_to_do_next(phone):
    assert "没有找到" in words(phone.get("/library", query_string={"q": "zzzz"}).text)


def test_a_template_without_the_licence_for_it_is_shown_with_the_reason_and_does_not_open(house, client):
    newcomer = house.advisor("孟一", "/HQ/SH/01/", licences=[])
    phone = house.log_in(client, newcomer)
    page = phone.get("/library").text
    assert "需基金从业资格" in words(page)
    assert f"/make/{POSTER}" not in links(page)
    assert phone.get(f"/make/{POSTER}").status_code == 403


def test_a_profile_that_lacks_a_needed_field_is_named_instead_of_a_broken_picture(house, client):
    phone = house.log_in(client, house.advisor("孟一", "/HQ/SH/01/", title=""))
    page = phone.get("/library").text
    assert "缺职务" in words(page)
    assert not [src for src in pictures(page) if src.startswith("/library/")]


def test_only_what_the_template_opens_to_the_advisor_can_be_typed(phone, house):
    fields = {name for name in open_page(phone) if name.startswith("slot.")}
    assert fields == {"slot.headline", "slot.message"}


def test_the_preview_shows_the_words_as_they_are_typed(phone):
    fields = open_page(phone)
    before = phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields).data
    after = phone.get(
        f"/make/{POSTER}/preview.jpg", query_string=fields | {"slot.headline": "先想清楚\n再迈一步"}
    ).data
    assert before != after


def test_typing_a_forbidden_promise_shows_the_place_the_reason_and_the_wording_to_use(phone):
    fields = open_page(phone) | {"slot.headline": FORBIDDEN}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    said = words(answer.text)
    assert "「稳赚不赔」" in said
    assert "有赚有赔" in said
    assert "广告法" in said
    assert 'data-start="4"' in answer.text
    assert "请先修改" in said  # the bar below comes along


@pytest.mark.parametrize(
    ("typed", "found", "fault"),
    [
        ("稳赚不赔🎉", "稳赚不赔", "U+1F389"),
        ("保\u2060本", "保\u2060本", "U+2060"),
        ("保\u00ad本", "保\u00ad本", "U+00AD"),
        ("稳赚不赔" + "长" * 30, "稳赚不赔", "最多 17 个字"),
    ],
)
def test_words_that_cannot_be_drawn_are_judged_all_the_same(phone, typed, found, fault):
    fields = open_page(phone) | {"slot.headline": typed}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    said = words(answer.text)
    assert fault in said
    assert f"「{found}」" in said
    assert "请先修改" in said


def test_a_profile_that_lacks_a_needed_field_hides_no_finding(house, client):
    phone = house.log_in(client, house.advisor("孟一", "/HQ/SH/01/", title=""))
    fields = open_page(phone) | {"slot.headline": FORBIDDEN}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    assert "「稳赚不赔」" in words(answer.text)


@pytest.mark.parametrize("typed", ["盈利三七", "4%起，稳稳的", "冲就完了"])
def test_words_that_several_rules_hit_are_one_hint_of_the_gravest_with_every_reason(phone, typed):
    fields = open_page(phone) | {"slot.message": typed}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.message"})
    assert answer.text.count(f"「{typed}」") == 1
    assert "须修改" in words(answer.text)
    assert "同时：" in words(answer.text)


def test_a_wording_that_would_not_fit_is_shown_without_the_tap(phone):
    fields = open_page(phone) | {"slot.headline": "保本保息，路在脚下慢慢走，别着急"}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    assert "建议改为不保本不保息" in words(answer.text)
    assert "放不下" in words(answer.text)
    assert "data-adopt" not in answer.text


def test_a_sound_sentence_gets_no_hint(phone):
    fields = open_page(phone)
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    assert "im-finding" not in answer.text


def test_a_designs_disclosure_excuses_no_words_of_the_advisors(phone):
    fields = open_page(phone) | {"slot.message": "跌了也别怕，亏了算我的。"}
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.message"})
    assert "im-finding--review" in answer.text or "im-finding--block" in answer.text


def test_adopting_without_a_script_replaces_exactly_the_hit(phone):
    fields = open_page(phone) | {"slot.headline": FORBIDDEN, "slot.message": "陪您走得更远，更稳。"}
    page = phone.post(f"/make/{POSTER}", data=fields | {"adopt": "slot.headline:4:8"}).text
    after = form_fields(page, f"/make/{POSTER}")
    assert after["slot.headline"] == "山有四季有赚有赔"
    assert after["slot.message"] == "陪您走得更远，更稳。"


def test_an_offer_is_never_taken_from_the_request(phone):
    fields = open_page(phone) | {"slot.headline": FORBIDDEN, "suggestion": "保本保息"}
    page = phone.post(f"/make/{POSTER}", data=fields | {"adopt": "slot.headline:0:2"}).text
    assert form_fields(page, f"/make/{POSTER}")["slot.headline"] == FORBIDDEN


def test_line_ends_of_a_browser_do_not_move_the_hit(phone):
    fields = open_page(phone) | {"slot.headline": "山有四季\r\n稳赚不赔"}
    page = phone.post(f"/make/{POSTER}", data=fields | {"adopt": "slot.headline:5:9"}).text
    assert form_fields(page, f"/make/{POSTER}")["slot.headline"] == "山有四季\n有赚有赔"


def test_a_forbidden_promise_is_stopped_at_submission_and_kept_as_a_draft(phone, house):
    answer = send(phone, open_page(phone) | {"slot.headline": FORBIDDEN}, "submit")
    assert answer.status_code == 422
    assert "稳赚不赔" in words(answer.text)
    assert form_fields(answer.text, f"/make/{POSTER}")["slot.headline"] == FORBIDDEN
    [piece] = made(house)
    assert piece.state is PieceState.DRAFT


def test_after_taking_the_wording_the_same_page_is_sent_for_review(phone, house):
    fields = open_page(phone) | {"slot.headline": FORBIDDEN}
    page = send(phone, fields, "submit").text
    fields = form_fields(page, f"/make/{POSTER}")
    page = phone.post(f"/make/{POSTER}", data=fields | {"adopt": "slot.headline:4:8"}).text
    answer = send(phone, form_fields(page, f"/make/{POSTER}"), "submit")
    [piece] = made(house)
    assert (answer.status_code, answer.location) == (303, f"/works/{piece.id}")
    assert piece.state is PieceState.CHECKING


def test_sending_the_same_page_twice_makes_one_piece(phone, house):
    fields = open_page(phone) | {"slot.headline": "先想清楚"}
    first = send(phone, fields, "submit")
    second = send(phone, fields, "submit")
    assert first.location == second.location
    assert len(made(house)) == 1


def test_where_it_will_be_shown_is_chosen_before_it_is_sent(phone, house):
    fields = open_page(phone)
    assert fields["channel"] == "moments"
    send(phone, fields | {"channel": "official_account"}, "submit")
    [piece] = made(house)
    assert piece.channel == "official_account"


def test_saving_twice_makes_one_draft(phone, house):
    fields = open_page(phone)
    send(phone, fields, "save")
    send(phone, fields | {"slot.headline": "先想清楚"}, "save")
    assert [piece.state for piece in made(house)] == [PieceState.DRAFT]


@pytest.mark.parametrize(
    ("slot", "value"),
    [("kicker", "独家内幕"), ("name", "张三"), ("qr", "https://evil.example/"), ("no_such_slot", "x")],
)
def test_what_the_template_keeps_is_refused_even_when_the_request_brings_it(phone, house, slot, value):
    fields = open_page(phone) | {f"slot.{slot}": value}
    assert send(phone, fields, "submit").status_code == 422
    assert phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields).status_code == 422
    assert made(house) == []


def test_words_that_name_a_stored_file_are_words_and_refused(phone, house):
    fields = open_page(phone) | {"slot.headline": "asset:../../etc/passwd"}
    assert send(phone, fields, "submit").status_code == 422
    assert made(house) == []


def test_a_text_that_is_too_long_is_named_at_its_field(phone, house):
    answer = send(phone, open_page(phone) | {"slot.headline": "长" * 40}, "submit")
    assert answer.status_code == 422
    assert "最多 17 个字" in words(answer.text)
    assert made(house) == []


def test_words_that_leave_their_frame_are_named_while_typing(phone):
    fields = open_page(phone) | {"slot.headline": "山有四季\n有赚有赔也要慢慢走"}
    fields["slot.headline"] = fields["slot.headline"][:17]
    answer = phone.post(f"/make/{POSTER}/hints", data=fields, headers={"HX-Trigger-Name": "slot.headline"})
    assert "最多 2 行" in words(answer.text)
    assert "刚好放得下" in words(answer.text)
    assert "请先调整" in words(answer.text)


def test_a_page_reserved_by_one_advisor_is_of_no_use_to_another(phone, house):
    fields = open_page(phone)
    other = house.log_in(phone.application.test_client(), "advisor_b")
    assert other.post(f"/make/{POSTER}", data=fields | {"action": "save"}).status_code == 422


def test_a_reservation_that_was_tampered_with_is_refused(phone, house):
    fields = open_page(phone)
    fields["reservation"] = fields["reservation"][:-2] + "xx"
    assert send(phone, fields, "save").status_code == 422
    assert made(house) == []


def test_looking_at_a_page_leaves_no_trace(phone, house):
    fields = open_page(phone)
    phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields)
    with house.platform.sessions() as session:
        assert session.scalar(select(func.count()).select_from(ShortLink)) == 0
    assert made(house) == []


def test_what_was_previewed_is_byte_for_byte_what_is_downloaded_after_approval(phone, house):
    fields = open_page(phone) | {"slot.headline": "先想清楚\n再迈一步"}
    preview = phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields).data
    send(phone, fields, "submit")
    house.run_checks()
    [piece] = made(house)
    house.decide(piece.id)
    work = phone.get(f"/works/{piece.id}").text
    edition = next(href for href in links(work) if href.startswith("/editions/"))
    assert phone.get(f"{edition}/picture.jpg").data == preview
    [url] = decode_qr(preview)
    with house.platform.sessions() as session:
        codes = {link.code: link.channel for link in session.scalars(select(ShortLink))}
    assert codes[url.rsplit("/", 1)[-1]] == "qr"


def test_the_bar_says_usable_only_where_no_person_needs_to_look(house, client):
    with house.by("reviewer") as uow:
        clear_template(uow, "daily-morning", 1)
    phone = house.log_in(client, "advisor")
    assert "可直接使用" in words(phone.get("/make/daily-morning").text)
    fields = form_fields(phone.get("/make/daily-morning").text, "/make/daily-morning")
    send(phone, fields, "submit", "daily-morning")
    house.run_checks()
    assert [piece.state for piece in made(house)] == [PieceState.PUBLISHED]


def test_the_bar_says_that_own_words_need_a_person(house, client):
    with house.by("reviewer") as uow:
        clear_template(uow, "daily-morning", 1)
    phone = house.log_in(client, "advisor")
    fields = form_fields(phone.get("/make/daily-morning").text, "/make/daily-morning")
    answer = phone.post("/make/daily-morning/hints", data=fields | {"slot.greeting": "早呀"})
    assert "需人工审核" in words(answer.text)
    assert "问候是您自己写的" in words(answer.text)


def test_a_card_of_several_pages_can_be_looked_at_page_by_page(phone):
    fields = form_fields(phone.get("/make/card-benchmark").text, "/make/card-benchmark")
    seen = {
        phone.get("/make/card-benchmark/preview.jpg", query_string=fields | {"page": str(page)}).data
        for page in range(5)
    }
    assert len(seen) == 5


def test_a_returned_piece_opens_with_its_words_and_keeps_its_code(phone, house):
    piece_id = house.in_review("advisor", headline="先想清楚\n再迈一步")
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="请换一句。")
    page = phone.get(f"/make/{POSTER}", query_string={"piece": str(piece_id)}).text
    fields = form_fields(page, f"/make/{POSTER}")
    assert fields["slot.headline"] == "先想清楚\n再迈一步"
    preview = phone.get(f"/make/{POSTER}/preview.jpg?{urlencode(fields)}").data
    send(phone, fields | {"slot.headline": "想好再走"}, "submit")
    assert len(made(house)) == 1
    with house.platform.sessions() as session:
        codes = {link.code for link in session.scalars(select(ShortLink))}
    assert re.sub(".*/", "", decode_qr(preview)[0]) in codes


def test_somebody_elses_piece_cannot_be_opened_for_making(phone, house):
    foreign = house.draft("advisor_b")
    assert phone.get(f"/make/{POSTER}", query_string={"piece": str(foreign)}).status_code == 404
