"""The page behind a code: the published picture, whose it is, and a way to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from app.domain.organisation import Actor
from app.domain.tracking import EventKind, HitClass
from app.models.advisor import Advisor
from app.models.review import Decision
from app.models.tracking import Lead
from app.services.piece import save_piece
from app.services.publication import expire_due, take_down
from tests.factories import POSTER, House
from tests.fakes import FixedClock, MemoryObjectStore
from tests.visitors import Phone, code_of, counted

TYPED = {"name": "王女士", "phone": "138 1234 5678", "message": "想了解养老", "consent": "1"}


def landed(house: House, client: FlaskClient, piece_id: UUID | None = None) -> tuple[Phone, str]:
    phone = Phone(client)
    return phone, phone.scan(code_of(house, piece_id or house.published()))


def form_token(text: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', text)[1]


def leads(house: House) -> list[Lead]:
    with house.platform.sessions() as session:
        return list(session.scalars(select(Lead)))


def test_the_page_says_whose_it_is_and_under_which_number(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    text = phone.get(page).text
    number = house.publication(piece_id).approval_no
    assert "李知遥" in text
    assert "上海静安支行" in text
    assert 'href="tel:13800000000"' in text
    assert "S0000000000000" in text
    assert f'href="/v/{number}"' in text


def test_every_word_of_the_picture_can_be_read_without_seeing_it(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client, house.published(headline="时间会奖励\n耐心的人"))
    text = phone.get(page).text
    assert "时间会奖励\n耐心的人" in text
    assert text.index("时间会奖励") < text.index("为您服务")


def test_the_disclosure_stands_on_the_page_itself(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    disclosure = house.review_of(piece_id).revision.disclosure
    phone, page = landed(house, client, piece_id)
    assert disclosure
    assert f'<p class="disclosure">{disclosure}</p>' in phone.get(page).text


def test_the_picture_is_byte_for_byte_what_was_approved(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    answer = phone.get(f"{page}/picture.jpg")
    with house.platform.sessions() as session:
        shown = session.scalars(select(Decision.shown_sha256).where(Decision.piece_id == piece_id)).one()
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["ETag"] == f'"{shown}"'
    assert phone.get(f"{page}/picture.jpg", headers={"If-None-Match": f'"{shown}"'}).status_code == 304


def test_every_page_of_a_card_is_served_and_none_beyond(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client, house.published(slug="card-benchmark"))
    pages = re.findall(rf'src="({page}/picture\.jpg\?page=\d+)"', phone.get(page).text)
    assert len(pages) > 1
    assert len({phone.get(address).data for address in pages}) == len(pages)
    assert phone.get(f"{page}/picture.jpg?page={len(pages)}").status_code == 404
    assert phone.get(f"{page}/picture.jpg?page=-1").status_code == 404


def test_an_edition_of_a_master_piece_is_in_the_advisors_own_name(house: House, client: FlaskClient) -> None:
    piece_id = house.published("operator")
    one, other = Phone(client), Phone(client)
    first = one.scan(code_of(house, piece_id, who="advisor"))
    second = other.scan(code_of(house, piece_id, who="advisor_b"))
    assert "李知遥" in one.get(first).text
    assert "欧阳𠮷" in other.get(second).text
    assert one.get(f"{first}/picture.jpg").data != other.get(f"{second}/picture.jpg").data


def test_reading_needs_no_script_and_sets_no_cookie(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client)
    answer = phone.get(page)
    assert "Set-Cookie" not in answer.headers
    assert re.findall(r"<script[^>]*>", answer.text) == re.findall(
        r'<script src="/static/js/landing\.js[^"]*" type="module">', answer.text
    )


def test_what_nobody_verified_is_not_shown_to_strangers(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    with house.platform.sessions.begin() as session:
        session.execute(update(Advisor).values(verified_fields=["name"]))
    phone, page = landed(house, client, piece_id)
    card = phone.get(page).text.split("为您服务")[1].split("disclosure")[0]
    assert "李知遥" in card
    assert "tel:" not in card
    assert "S0000000000000" not in card


def test_a_lead_reaches_the_advisor_with_the_consent_that_was_read(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client)
    token = form_token(phone.get(page).text)
    answer = phone.post(page, TYPED | {"csrf_token": token})
    assert answer.status_code == 303
    assert "已收到" in phone.get(answer.location).text
    (lead,) = leads(house)
    assert lead.advisor_id == house.people["advisor"].advisor_id
    assert lead.name == "王女士"
    assert "示例银行" in lead.consent_text
    assert counted(house, HitClass.HUMAN) == {EventKind.SCAN: 1, EventKind.LEAD: 1}


def test_a_lead_sent_twice_is_kept_once(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client)
    token = form_token(phone.get(page).text)
    for _ in range(2):
        assert phone.post(page, TYPED | {"csrf_token": token}).status_code == 303
    assert len(leads(house)) == 1
    assert counted(house)[EventKind.LEAD] == 1


def test_a_lead_from_a_phone_that_changed_its_address_is_still_one_lead(
    house: House, client: FlaskClient
) -> None:
    phone, page = landed(house, client)
    token = form_token(phone.get(page).text)
    phone.post(page, TYPED | {"csrf_token": token})
    Phone(client, address="198.51.100.9").post(page, TYPED | {"csrf_token": token})
    assert len(leads(house)) == 1
    assert EventKind.FORWARD not in counted(house)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "请留下称呼"),
        ({"phone": "12"}, "请填写 11 位手机号"),
        ({"consent": ""}, "需要您勾选同意"),
        ({"message": "长" * 501}, "留言最多"),
    ],
)
def test_a_fault_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, client: FlaskClient, change: dict[str, str], said: str
) -> None:
    phone, page = landed(house, client)
    token = form_token(phone.get(page).text)
    answer = phone.post(page, TYPED | change | {"csrf_token": token})
    assert answer.status_code == 422
    assert said in answer.text
    kept = (TYPED | change)["name" if "phone" in change else "phone"]
    assert f'value="{kept}"' in answer.text
    assert leads(house) == []


@pytest.mark.parametrize("token", ["", "forged", "of-another-page"])
def test_a_form_that_is_not_ours_keeps_nothing(house: House, client: FlaskClient, token: str) -> None:
    phone, page = landed(house, client)
    if token == "of-another-page":
        other, other_page = landed(house, client)
        token = form_token(other.get(other_page).text)
    answer = phone.post(page, TYPED | {"csrf_token": token})
    assert answer.status_code == 400
    assert "请再按一次发送" in answer.text
    assert 'value="王女士"' in answer.text
    assert leads(house) == []


def test_typed_words_are_never_markup(house: House, client: FlaskClient) -> None:
    phone, page = landed(house, client)
    token = form_token(phone.get(page).text)
    answer = phone.post(page, {"name": '"><script>x</script>', "csrf_token": token})
    assert "<script>x" not in answer.text


def test_everything_is_dark_as_soon_as_a_piece_is_taken_down(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    assert phone.get(f"{page}/picture.jpg").status_code == 200
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="利率已调整")
    assert phone.get(page).status_code == 410
    assert phone.get(f"{page}/picture.jpg").status_code == 410
    assert phone.post(page, TYPED).status_code == 410


def test_an_expired_piece_is_dark_by_the_clock_alone(
    house: House, client: FlaskClient, clock: FixedClock
) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    clock.at = house.publication(piece_id).valid_until
    answer = phone.get(page)
    assert answer.status_code == 410
    assert "这份内容已过期" in answer.text
    with house.platform.unit_of_work(Actor.system("expire", house.tenant_id)) as uow:
        expire_due(uow)
    assert phone.get(page).status_code == 410


def test_an_ended_page_says_whom_to_ask_and_shows_what_is_valid(house: House, client: FlaskClient) -> None:
    ended, valid = house.published(), house.published(slug="card-benchmark")
    code = code_of(house, ended)
    with house.by("operator") as uow:
        take_down(uow, ended, note="利率已调整")
    phone = Phone(client)
    text = phone.get(phone.scan(code)).text
    assert "李知遥" in text
    assert "95000" in text
    assert house.piece(valid).title in text
    alternative = re.search(r'class="button" href="(/s/[^"]+)"', text)[1]
    assert phone.get(phone.get(alternative).location).status_code == 200


def test_an_ended_page_offers_nothing_that_has_ended_too(
    house: House, client: FlaskClient, clock: FixedClock
) -> None:
    code = code_of(house, house.published())
    house.published(slug="card-benchmark")
    clock.advance(timedelta(days=40))
    phone = Phone(client)
    assert 'class="button" href="/s/' not in phone.get(phone.scan(code)).text


def test_the_page_of_somebody_who_left_names_the_branch_and_not_the_person(
    house: House, client: FlaskClient
) -> None:
    code = code_of(house, house.published())
    with house.platform.sessions.begin() as session:
        session.execute(update(Advisor).values(is_active=False))
    phone = Phone(client)
    answer = phone.get(phone.scan(code))
    assert answer.status_code == 410
    assert "李知遥" not in answer.text
    assert "上海静安支行" in answer.text


def test_a_genuine_number_says_until_when_and_whose(house: House, client: FlaskClient) -> None:
    number = house.publication(house.published()).approval_no
    text = Phone(client).get(f"/v/{number}").text
    assert "真实，目前有效" in text
    assert "2026-12-23" in text
    assert "李知遥" in text


def test_a_number_may_be_copied_as_people_copy(house: House, client: FlaskClient) -> None:
    number = house.publication(house.published()).approval_no
    for spelling in (number.lower(), number.replace("-", " "), number.replace("-", "—"), f" {number} "):
        answer = Phone(client).get("/v", query_string={"no": spelling})
        assert "真实，目前有效" in Phone(client).get(answer.location).text


def test_an_ended_number_is_genuine_but_not_valid(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="利率已调整")
    text = Phone(client).get(f"/v/{house.publication(piece_id).approval_no}").text
    assert "真实，但已下架" in text


@pytest.mark.parametrize("number", ["YX202611-AAAA-AAAA", "x", "YX" * 200])
def test_a_number_we_never_gave_is_not_found(house: House, client: FlaskClient, number: str) -> None:
    answer = Phone(client).get(f"/v/{number}")
    assert answer.status_code == 404
    assert "没有查到这个编号" in answer.text


def test_a_decision_written_by_other_hands_verifies_nothing(house: House, client: FlaskClient) -> None:
    publication = house.publication(house.published())
    with house.platform.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE decision DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE decision SET seal = 'forged'")
    assert Phone(client).get(f"/v/{publication.approval_no}").status_code == 404


def test_a_working_title_that_nobody_reviewed_is_never_public(house: House, client: FlaskClient) -> None:
    with house.by("advisor") as uow:
        piece_id = save_piece(uow, POSTER, {}, title="内部：稳赚不赔").id
    house.submit("advisor", piece_id)
    house.decide(piece_id)
    phone, address = landed(house, client, piece_id)
    shown = phone.get(address).text + phone.get(f"/v/{house.publication(piece_id).approval_no}").text
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="不再使用")
    assert "稳赚不赔" not in shown + phone.get(address).text


def test_a_page_and_a_picture_cost_one_question_whose_it_is_and_whether_it_may_be_shown(
    house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    phone, page = landed(house, client)
    for path in (page, f"{page}/picture.jpg"):  # what is shown for the first time is noted, and drawn
        assert phone.get(path).status_code == 200
        assert phone.get(path).status_code == 200
    assert count_queries(lambda: phone.get(page)) == 1
    assert count_queries(lambda: phone.get(f"{page}/picture.jpg")) == 1


def test_a_page_that_went_dark_is_told_in_few_questions(
    house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="活动结束")
    assert "这份内容已下架" in phone.get(page).text
    assert count_queries(lambda: phone.get(page)) == 2


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("UPDATE advisor SET phone = '13911112222'", "tel:13800000000", "tel:13911112222"),
        ("UPDATE org_unit SET name = '上海外滩支行'", "上海静安支行", "上海外滩支行"),
        ("UPDATE tenant SET hotline = '95599'", "审批编号", "tel:95599"),
        ("UPDATE template SET name = '另一个名字'", "审批编号", "另一个名字"),
        ("UPDATE publication SET valid_until = valid_until - interval '2 hours'", "审批编号", "07:30"),
        ("UPDATE edition SET ended_at = now()", "审批编号", "这份内容已下架"),
        ("UPDATE advisor SET licences = '{}', is_active = false", "审批编号", "这份内容已停用"),
    ],
)
def test_whatever_is_changed_by_whichever_hand_shows_at_the_very_next_opening(
    house: House, client: FlaskClient, change: str, before: str, after: str
) -> None:
    phone, page = landed(house, client, house.published("operator"))
    for _ in range(2):
        phone.get(page)
    assert before in phone.get(page).text
    with house.platform.engine.begin() as connection:
        connection.execute(text(change))
    assert after in phone.get(page).text


def test_what_ends_by_the_clock_alone_is_dark_at_that_instant(
    house: House, client: FlaskClient, clock: FixedClock
) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    clock.at = house.publication(piece_id).valid_until - timedelta(seconds=1)
    for path in (page, f"{page}/picture.jpg"):
        for _ in range(3):
            assert phone.get(path).status_code == 200
    clock.at += timedelta(seconds=1)
    for path in (page, f"{page}/picture.jpg"):
        assert phone.get(path).status_code == 410


def test_two_visitors_read_one_page_and_neither_reads_the_others_tokens(
    house: House, client: FlaskClient
) -> None:
    code = code_of(house, house.published())
    one, other = Phone(client), Phone(client, address="198.51.100.9")
    addresses = one.scan(code), other.scan(code)
    texts = one.get(addresses[0]).text, other.get(addresses[1]).text
    tokens = [address.removeprefix("/p/") for address in addresses]
    forms = [form_token(text) for text in texts]
    for mine, theirs in ((0, 1), (1, 0)):
        assert f"{addresses[mine]}/picture.jpg" in texts[mine]
        assert tokens[theirs] not in texts[mine]
        assert forms[theirs] not in texts[mine]
    plain = [
        text.replace(form, "").replace(token, "")
        for text, form, token in zip(texts, forms, tokens, strict=True)
    ]
    assert plain[0] == plain[1]


def test_a_picture_that_the_browser_holds_is_not_read_again_and_is_dark_all_the_same(
    house: House, client: FlaskClient, store: MemoryObjectStore
) -> None:
    piece_id = house.published()
    phone, page = landed(house, client, piece_id)
    held = {"If-None-Match": phone.get(f"{page}/picture.jpg").headers["ETag"]}
    for key in list(store.keys("renditions/")):
        store.delete(key)
    answer = phone.get(f"{page}/picture.jpg", headers=held)
    assert answer.status_code == 304
    assert answer.headers["ETag"] == held["If-None-Match"]
    assert "no-cache" in answer.headers["Cache-Control"]

    with house.by("operator") as uow:
        take_down(uow, piece_id, note="活动结束")
    assert phone.get(f"{page}/picture.jpg", headers=held).status_code == 410
