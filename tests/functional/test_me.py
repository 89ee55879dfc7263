"""我的: what of a profile is verified, the licence and its end, and one's own photo."""

from __future__ import annotations

import io
from datetime import date

import pytest
from flask.testing import FlaskClient
from PIL import Image

from app.models.advisor import Advisor
from tests.factories import House
from tests.functional.pages import words


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def photo(width_px: int = 900, height_px: int = 1600) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (width_px, height_px), "#456").save(file, "JPEG")
    file.seek(0)
    return file


def own(house: House) -> Advisor:
    with house.platform.sessions() as session:
        return session.get_one(Advisor, house.people["advisor"].advisor_id)


def test_each_field_says_whether_somebody_has_verified_it(house, client):
    phone = house.log_in(client, house.advisor("孟一", "/HQ/SH/01/", verified_fields=["name"]))
    page = words(phone.get("/me").text)
    assert "姓名孟一 已核验" in page
    assert "职务理财经理 待核验" in page


@pytest.mark.parametrize(
    ("until", "said"), [(date(2026, 12, 1), "请尽快更新"), (date(2026, 11, 1), "资格已到期")]
)
def test_the_end_of_a_licence_is_said_in_time(house, client, until, said):
    phone = house.log_in(client, house.advisor("孟一", "/HQ/SH/01/", licence_until=until))
    assert said in words(phone.get("/me").text)


def test_a_photo_of_ones_own_is_kept_cut_to_shape_and_waits_for_verification(phone, house):
    sent = phone.post("/me/portrait", data={"photo": (photo(), "me.jpg"), "attested": "1"})
    assert sent.status_code == 303
    picture = Image.open(io.BytesIO(phone.get("/me/portrait/pending.jpg").data))
    assert picture.width / picture.height == pytest.approx(4 / 5, abs=0.01)
    assert own(house).photo_sha256 is None
    assert "待审核" in words(phone.get("/me").text)


def test_a_photo_without_the_attestation_is_refused_at_the_box(phone, house):
    sent = phone.post("/me/portrait", data={"photo": (photo(), "me.jpg")})
    assert sent.status_code == 422
    assert "请先确认照片是本人肖像" in words(sent.text)
    assert own(house).photo_sha256 is None


def test_a_file_that_is_no_picture_is_refused(phone, house):
    sent = phone.post("/me/portrait", data={"photo": (io.BytesIO(b"<svg/>"), "me.jpg"), "attested": "1"})
    assert sent.status_code in {415, 422}
    assert own(house).photo_sha256 is None


def test_a_photo_can_be_taken_off_again(phone, house):
    phone.post("/me/portrait", data={"photo": (photo(), "me.jpg"), "attested": "1"})
    house.approve_profiles()
    assert phone.get("/me/portrait.jpg").status_code == 200
    phone.post("/me/portrait/remove")
    assert own(house).photo_sha256 is None
    assert phone.get("/me/portrait.jpg").status_code == 404


def test_colleagues_at_a_desk_are_led_to_their_account(house, client):
    assert house.log_in(client, "reviewer").get("/me").location == "/account"
