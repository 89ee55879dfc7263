"""Short links: every arrival is counted once and apart, and leads where it should."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.tracking import EventKind, HitClass, LinkChannel
from app.models.tracking import Event, Visit
from app.services.publication import take_down
from tests.factories import House
from tests.fakes import FixedClock
from tests.visitors import ANDROID, Phone, code_of, counted


def test_a_scan_is_durable_before_the_browser_is_sent_on(house: House, client: FlaskClient) -> None:
    code = code_of(house, house.published())
    answer = Phone(client).get(f"/s/{code}")
    assert answer.status_code == 302
    assert answer.location.startswith("/p/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert counted(house) == {EventKind.SCAN: 1}


def test_the_browser_owns_up_to_its_visit_for_as_long_as_it_stays_open(
    house: House, client: FlaskClient
) -> None:
    answer = Phone(client).get(f"/s/{code_of(house, house.published())}")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"visit={answer.location.removeprefix('/p/')};")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age" not in cookie
    assert "Expires" not in cookie


@pytest.mark.parametrize(
    ("channel", "kind"), [(LinkChannel.QR, EventKind.SCAN), (LinkChannel.MOMENTS, EventKind.CLICK)]
)
def test_a_scan_and_a_click_are_told_apart(
    house: House, client: FlaskClient, channel: LinkChannel, kind: EventKind
) -> None:
    Phone(client).scan(code_of(house, house.published(), channel))
    assert counted(house) == {kind: 1}


def test_a_page_passed_on_is_a_forward_with_a_visit_of_its_own(house: House, client: FlaskClient) -> None:
    page = Phone(client).look(code_of(house, house.published()))
    answer = Phone(client, address="198.51.100.9", browser=ANDROID).get(page)
    assert answer.status_code == 302
    assert answer.location != page
    assert counted(house) == {EventKind.SCAN: 1, EventKind.VIEW: 1, EventKind.FORWARD: 1}
    with house.platform.sessions() as session:
        parents = session.scalars(select(Visit.parent_token).where(Visit.parent_token.is_not(None))).all()
    assert parents == [page.removeprefix("/p/")]


def test_passing_on_from_hand_to_hand_makes_a_chain(house: House, client: FlaskClient) -> None:
    page = Phone(client).look(code_of(house, house.published()))
    for step in range(3):
        friend = Phone(client, address=f"198.51.100.{step}", browser=ANDROID)
        page = friend.get(page).location
        friend.get(page)
        friend.post(f"{page}/seen")
    assert counted(house)[EventKind.FORWARD] == 3
    with house.platform.sessions() as session:
        parent_of = dict(session.execute(select(Visit.token, Visit.parent_token)).all())
    chain, token = [], page.removeprefix("/p/")
    while token := parent_of[token]:
        chain.append(token)
    assert len(chain) == 3


def test_a_visitor_who_comes_back_to_the_page_is_no_forward(house: House, client: FlaskClient) -> None:
    phone = Phone(client)
    page = phone.look(code_of(house, house.published()))
    assert phone.get(page).status_code == 200
    assert counted(house) == {EventKind.SCAN: 1, EventKind.VIEW: 1}


def test_a_visitor_who_scanned_twice_may_return_to_either_page(
    house: House, client: FlaskClient, clock: FixedClock
) -> None:
    code = code_of(house, house.published())
    phone = Phone(client)
    first, second = phone.look(code), phone.look(code)
    clock.advance(timedelta(days=1))
    assert phone.get(first).status_code == 200
    assert phone.get(second).status_code == 200


def test_a_phone_that_changes_its_address_on_the_way_is_still_the_visitor(
    house: House, client: FlaskClient
) -> None:
    page = Phone(client, address="203.0.113.7").scan(code_of(house, house.published()))
    assert Phone(client, address="2001:db8::7").get(page).status_code == 200
    assert EventKind.FORWARD not in counted(house)


def test_a_page_opened_another_day_is_an_arrival_and_not_called_a_forward(
    house: House, client: FlaskClient, clock: FixedClock
) -> None:
    page = Phone(client).look(code_of(house, house.published()))
    clock.advance(timedelta(days=1))
    assert Phone(client).get(page).status_code == 302
    assert counted(house) == {EventKind.SCAN: 1, EventKind.VIEW: 1, EventKind.CLICK: 1}


def test_a_view_is_counted_once_however_often_the_page_says_so(house: House, client: FlaskClient) -> None:
    phone = Phone(client)
    page = phone.look(code_of(house, house.published()))
    phone.post(f"{page}/seen")
    assert phone.get(f"{page}/seen.gif").mimetype == "image/gif"
    assert counted(house) == {EventKind.SCAN: 1, EventKind.VIEW: 1}


def test_a_browser_without_scripts_is_seen_too(house: House, client: FlaskClient) -> None:
    phone = Phone(client)
    page = phone.scan(code_of(house, house.published()))
    assert f'src="{page}/seen.gif"' in phone.get(page).text
    phone.get(f"{page}/seen.gif")
    assert counted(house)[EventKind.VIEW] == 1


def test_the_same_phone_scanning_again_is_kept_again(house: House, client: FlaskClient) -> None:
    code, phone = code_of(house, house.published()), Phone(client)
    for _ in range(3):
        phone.scan(code)
    assert counted(house) == {EventKind.SCAN: 3}


def test_a_labelled_mix_gives_exactly_the_people(house: House, client: FlaskClient) -> None:
    code = code_of(house, house.published())
    people = [Phone(client, address=f"203.0.113.{n}", browser=b) for n, b in enumerate((ANDROID,) * 3, 1)]
    previewers = [Phone(client, browser=b) for b in ("Twitterbot/1.0", "WhatsApp/2.23.20.0")]
    bots = [Phone(client, browser=b) for b in ("curl/8.9.1", "", "Mozilla/5.0 HeadlessChrome/126.0")]
    staff = Phone(client)
    house.log_in(staff._client, "advisor")

    for visitor in (*people, *previewers, *bots, staff):
        page = visitor.scan(code)
        visitor.get(page)
        visitor.post(f"{page}/seen")
    Phone(client).head(f"/s/{code}")
    Phone(client).get(f"/s/{code}", headers={"Sec-Purpose": "prefetch;prerender"})
    staff.post("/logout")
    staff.scan(code)

    assert counted(house, HitClass.HUMAN) == {EventKind.SCAN: 3, EventKind.VIEW: 3}
    assert counted(house, HitClass.PREVIEW)[EventKind.SCAN] == 4
    assert counted(house, HitClass.BOT)[EventKind.SCAN] == 3
    assert counted(house, HitClass.INTERNAL)[EventKind.SCAN] == 2
    assert counted(house)[EventKind.SCAN] == 12


def test_nobodys_address_is_kept(house: House, client: FlaskClient) -> None:
    Phone(client, address="203.0.113.77").look(code_of(house, house.published()))
    with house.platform.sessions() as session:
        events = session.scalars(select(Event)).all()
    assert {event.network for event in events} == {"203.0.113.0"}
    assert all("203.0.113.77" not in event.visitor for event in events)


@pytest.mark.parametrize("code", ["abcdefghjk", "x", "%00", "0OIl1abcde", "a" * 300, "..%2f..%2fetc"])
def test_an_unknown_code_is_a_calm_page_and_no_redirect(house: House, client: FlaskClient, code: str) -> None:
    answer = Phone(client).get(f"/s/{code}")
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert "Traceback" not in answer.text


def test_the_code_of_a_preview_says_so_and_counts_nothing(house: House, client: FlaskClient) -> None:
    answer = Phone(client).get("/s/preview")
    assert answer.status_code == 200
    assert "这只是预览" in answer.text
    assert counted(house) == {}


def test_an_arrival_at_ended_content_is_counted_and_told_why(house: House, client: FlaskClient) -> None:
    piece_id = house.published()
    code = code_of(house, piece_id)
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="利率已调整")
    phone = Phone(client)
    answer = phone.get(phone.scan(code))
    assert answer.status_code == 410
    assert "这份内容已下架" in answer.text
    assert counted(house) == {EventKind.SCAN: 1}


def test_an_unknown_page_is_the_same_calm_page(house: House, client: FlaskClient) -> None:
    for path in ("/p/nobody", "/p/nobody/picture.jpg", "/p/nobody/seen.gif", "/p/%00"):
        answer = Phone(client).get(path)
        assert answer.status_code == 404
        assert "没有找到这个页面" in answer.text
    assert Phone(client).post("/p/nobody/seen").status_code == 404


def test_an_arrival_costs_one_question_and_one_statement_that_keeps_it(
    house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    code = code_of(house, house.published())
    for _ in range(2):  # the first makes the day's key, the second remembers it
        Phone(client).scan(code)
    assert count_queries(lambda: Phone(client).get(f"/s/{code}")) == 2


def test_a_view_costs_one_question_and_one_statement_that_keeps_it_and_said_again_the_question(
    house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    phone = Phone(client)
    page = phone.scan(code_of(house, house.published()))
    assert count_queries(lambda: phone.post(f"{page}/seen")) == 2
    assert count_queries(lambda: phone.post(f"{page}/seen")) == 1
    assert counted(house)[EventKind.VIEW] == 1


def test_a_view_that_is_said_eight_times_in_one_moment_counts_once(house: House, client: FlaskClient) -> None:
    phone = Phone(client)
    page = phone.scan(code_of(house, house.published()))
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: Phone(client).post(f"{page}/seen").status_code, range(8))
    assert set(answers) == {204}
    assert counted(house)[EventKind.VIEW] == 1
