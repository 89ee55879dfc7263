"""访客: who looked, as far as they allowed, and who asked to be called."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.domain.tracking import LinkChannel
from app.queries.visitor import visitor_label
from tests.factories import House
from tests.functional.pages import form_fields, links, words
from tests.functional.test_editions import BOT, HUMAN, edition_of, link_of


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def scan(phone: FlaskClient, house: House, who: str = "advisor", agent: dict[str, str] = HUMAN) -> str:
    """Somebody scans the code on a poster of this advisor's; gives the page they land on."""
    edition_id = edition_of(house, house.published(who, headline="先想清楚"))
    stranger = phone.application.test_client()
    return stranger.get(link_of(house, edition_id, LinkChannel.QR), headers=agent).location


def test_nobody_yet_says_how_visitors_come(phone):
    assert "还没有访客" in words(phone.get("/visitors").text)


def test_a_scan_shows_as_a_visitor_without_a_name(phone, house):
    scan(phone, house)
    page = words(phone.get("/visitors").text)
    assert "访客 A" in page
    assert "微信" in page
    assert "扫了二维码" in page


def test_machines_are_no_visitors_but_are_not_hidden_either(phone, house):
    scan(phone, house)
    scan(phone, house, agent=BOT)
    page = words(phone.get("/visitors").text)
    assert "1 位访客" in page
    assert "另有 1 次来自预览、机器或同事" in page


def test_visitors_of_a_colleague_are_not_shown(phone, house):
    scan(phone, house, "advisor_b")
    assert "还没有访客" in words(phone.get("/visitors").text)


def test_a_lead_with_consent_can_be_called_by_one_tap(phone, house):
    landing = scan(phone, house)
    stranger = phone.application.test_client()
    token = landing.rstrip("/").rpartition("/")[2]
    page = stranger.get(f"/p/{token}", headers=HUMAN).text
    fields = {"name": "王女士", "phone": "138 0013 8000", "message": "想问教育金", "consent": "1"}
    sent = stranger.post(f"/p/{token}", data=form_fields(page, f"/p/{token}#lead") | fields, headers=HUMAN)
    assert sent.status_code == 303
    page = phone.get("/visitors").text
    assert "王女士" in words(page)
    assert "tel:13800138000" in links(page)


def test_visitors_are_lettered_beyond_z():
    assert [visitor_label(number) for number in (0, 25, 26, 27, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AB",
        "ZZ",
        "AAA",
    ]
