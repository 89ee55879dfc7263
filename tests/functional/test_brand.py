"""An institution's own colour, chosen once and seen on all of its pages."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.colour import READABLE, Colour, contrast
from app.models.audit import AuditEntry
from app.web.brand_sheet import DARKEST_GROUND
from tests.factories import House
from tests.functional.pages import words

CRIMSON = "#8c1d2e"
YELLOW = "#ffd400"


def sheet_of(client: FlaskClient, page: str) -> str:
    """The sheet of colours that a page asks for."""
    address = re.search(r'href="(/brand\.css[^"]*)"', client.get(page).text)
    assert address is not None
    return client.get(address.group(1)).text


def brand_in(sheet: str) -> Colour:
    found = re.search(r"--brand: (#[0-9a-f]{6});", sheet)
    assert found is not None
    return Colour.parse(found.group(1))


def test_a_colour_chosen_by_brand_is_on_every_ones_next_page(client: FlaskClient, small_house: House) -> None:
    small_house.log_in(client, "brand")
    answer = client.post("/brand", data={"colour": CRIMSON})

    assert answer.location == "/brand"
    assert brand_in(sheet_of(client, "/templates")) == Colour.parse(CRIMSON)
    small_house.log_in(client, "advisor")
    assert brand_in(sheet_of(client, "/today")) == Colour.parse(CRIMSON)


def test_whoever_has_not_signed_in_sees_the_colour_as_well(client: FlaskClient, small_house: House) -> None:
    small_house.log_in(client, "administrator")
    client.post("/brand", data={"colour": CRIMSON.removeprefix("#")})
    client.post("/logout")

    assert brand_in(sheet_of(client, "/login")) == Colour.parse(CRIMSON)


def test_a_colour_too_light_to_read_is_darkened_and_the_page_says_so(
    client: FlaskClient, small_house: House
) -> None:
    small_house.log_in(client, "brand")
    client.post("/brand", data={"colour": YELLOW})

    shown = brand_in(sheet_of(client, "/brand"))
    assert contrast(shown, DARKEST_GROUND) >= READABLE
    page = client.get("/brand").text
    assert "太浅" in words(page)
    assert YELLOW in page
    assert str(shown) in page


def test_an_empty_field_gives_the_colour_of_the_house_back(client: FlaskClient, small_house: House) -> None:
    small_house.log_in(client, "brand")
    client.post("/brand", data={"colour": CRIMSON})
    client.post("/brand", data={"colour": ""})

    assert "--brand" not in sheet_of(client, "/brand")


@pytest.mark.parametrize("written", ["红", "#12345", "#1234567", "red; } body { display: none"])
def test_what_is_no_colour_is_refused_and_stays_in_the_field(
    client: FlaskClient, small_house: House, written: str
) -> None:
    small_house.log_in(client, "brand")
    client.post("/brand", data={"colour": CRIMSON})
    answer = client.post("/brand", data={"colour": written})

    assert answer.status_code == 422
    assert "#17456b" in words(answer.text)
    assert f'value="{written}"' in answer.text
    assert brand_in(sheet_of(client, "/templates")) == Colour.parse(CRIMSON)


@pytest.mark.parametrize("who", ["advisor", "reviewer", "operator"])
def test_nobody_else_chooses_it(client: FlaskClient, small_house: House, who: str) -> None:
    small_house.log_in(client, who)

    assert client.get("/brand").status_code == 403
    assert client.post("/brand", data={"colour": CRIMSON}).status_code == 403
    assert "--brand" not in sheet_of(client, "/account")


def test_who_changed_it_from_what_to_what_is_kept(client: FlaskClient, small_house: House) -> None:
    small_house.log_in(client, "brand")
    client.post("/brand", data={"colour": CRIMSON})
    client.post("/brand", data={"colour": CRIMSON})

    with small_house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "brand:colour")).one()
    assert json.loads(entry.record)["details"] == {"before": "", "after": CRIMSON}


@pytest.mark.parametrize("colour", ["", "red", "8c1d2", "8c1d2e;", "}*{display:none}"])
def test_only_a_colour_comes_into_the_sheet(client: FlaskClient, small_house: House, colour: str) -> None:
    sheet = client.get("/brand.css", query_string={"colour": colour})

    assert sheet.status_code == 200
    assert sheet.text == ""
