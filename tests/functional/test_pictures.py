"""What was found in uploaded pictures, as reviewers, makers and machines see it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser, expect
from sqlalchemy import func, select

from app.bootstrap import Platform
from app.cli.check import check as check_command
from app.domain.review import Outcome
from app.embedded.valkey import ValkeyServer
from app.models.profile import ProfileChange
from app.models.reading import KeptReading
from app.services.advisor import upload_portrait
from app.services.reading import read_picture
from app.services.rendition import asset_key
from compliance.reading import Box, PictureReading, SeenLine
from tests.factories import PASSWORD, House
from tests.fakes import BlankReader, MemoryObjectStore
from tests.functional.machine import Switchboard, named
from tests.live import desk, live_platform
from tests.painted import Painting
from tests.processes import eventually

PORTRAIT = Painting(360, 450).jpeg
PORTRAIT_SHA256 = hashlib.sha256(PORTRAIT).hexdigest()
PROMISE = PictureReading(360, 450, (SeenLine("保·本保收益", Box(60, 200, 240, 40), 0.98, 36, 12.0),))
POSTER = "poster-qiushi"  # its portrait is 192 × 260 on a page of 1080 × 1920


@pytest.fixture
def pictured(platform: Platform, store: MemoryObjectStore) -> House:
    """Somebody with a portrait on their posters."""
    house = House.build(platform)
    with house.by("reviewer") as uow:
        store.put(asset_key(uow, PORTRAIT_SHA256), PORTRAIT, "image/jpeg")
    house.people["pictured"] = house.advisor("周敏", "/HQ/SH/01/", photo_sha256=PORTRAIT_SHA256)
    return house


def crop_on(page: str) -> Image.Image:
    found = re.search(r'im-finding__crop" src="data:image/jpeg;base64,([^"]+)"', page)
    assert found is not None
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


def test_a_reviewer_sees_the_box_on_the_picture_and_the_crop_beside_it(
    pictured: House, client: FlaskClient, reader: BlankReader
) -> None:
    reader.seen = PROMISE
    item = f"/reviews/{pictured.review_of(pictured.in_review('pictured', POSTER)).id}"
    pictured.log_in(client, "reviewer")

    page = client.get(item).text
    assert "保·本保收益" in page
    crop = crop_on(page)
    assert (crop.width, crop.height) == (320, 120)  # the line with as much again round it
    red, green, _ = (band.tobytes() for band in crop.split())
    assert sum(1 for pixel in zip(red, green, strict=True) if pixel[0] > 190 and pixel[1] < 90) > 200

    x, y, width, height = (
        float(side)
        for side in re.findall(
            r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"',
            client.get(f"{item}/marks").text,
        )[0]
    )
    # two thirds of the portrait's width, a line of it high, with a margin of 6
    assert 110 <= width <= 160
    assert 30 <= height <= 45
    assert x > 0
    assert y > 0


def test_the_maker_sees_what_was_found_in_the_picture(
    pictured: House, client: FlaskClient, reader: BlankReader
) -> None:
    reader.seen = PROMISE
    piece = pictured.in_review("pictured", POSTER)
    pictured.decide(piece, Outcome.REQUEST_CHANGES, reason="照片里有承诺")
    pictured.log_in(client, pictured.people["pictured"])
    page = client.get(f"/works/{piece}").text
    assert "投资产品不得明示或者暗示保本" in page
    assert crop_on(page).width == 320


def test_a_picture_that_could_not_be_read_is_shown_whole(
    pictured: House, client: FlaskClient, reader: BlankReader
) -> None:
    reader.fault = "too_slow"
    item = f"/reviews/{pictured.review_of(pictured.in_review('pictured', POSTER)).id}"
    pictured.log_in(client, "reviewer")
    page = client.get(item).text
    assert "没能自动读出来" in page
    assert crop_on(page).size == (360, 450)
    assert "<rect" in client.get(f"{item}/marks").text


def test_whoever_decides_on_a_portrait_sees_what_is_written_in_it(
    pictured: House, client: FlaskClient, reader: BlankReader
) -> None:
    reader.seen = PROMISE
    with pictured.by("advisor") as uow:
        asset = upload_portrait(uow, Painting(400, 500).jpeg, attested=True, most_pixels=10_000_000)
    with pictured.by("advisor") as uow:
        read_picture(uow, asset.sha256)
    pictured.log_in(client, "reviewer")
    page = client.get(f"/profile-changes/{change_of(pictured)}").text
    assert "照片里的文字" in page
    assert "保·本保收益" in page


# ── machines ──


@pytest.fixture
def switchboard(standing_house: House) -> Switchboard:
    return Switchboard(standing_house)


def reader_of(house: House) -> BlankReader:
    reader = house.platform.surroundings.reader
    assert isinstance(reader, BlankReader)
    return reader


def test_a_machine_gets_the_words_of_a_picture_and_boxes(
    standing_house: House, switchboard: Switchboard
) -> None:
    reader_of(standing_house).seen = PROMISE
    asked = {"id": "7", "picture": base64.b64encode(PORTRAIT).decode(), "sector": "bank"}
    answered = switchboard.of("advisor").post("/checks/picture", asked).get_json()
    assert (answered["id"], answered["verdict"], answered["text"]) == ("7", "review", "保·本保收益")
    assert answered["findings"][0]["boxes"] == [[60.0, 200.0, 240.0, 40.0]]


def test_a_machine_hears_that_a_picture_could_not_be_read(
    standing_house: House, switchboard: Switchboard
) -> None:
    reader = reader_of(standing_house)
    reader.fault = "too_slow"
    asked = {"picture": base64.b64encode(PORTRAIT).decode()}
    answered = switchboard.of("advisor").post("/checks/picture", asked).get_json()
    reader.fault = None
    assert (answered["verdict"], answered["text"]) == ("review", None)
    assert [one["rule"] for one in answered["findings"]] == ["picture-unread"]


def test_a_machine_reads_where_in_the_portrait_a_piece_offends(
    pictured: House, client: FlaskClient, reader: BlankReader
) -> None:
    reader.seen = PROMISE
    piece = pictured.in_review("pictured", POSTER)
    shown = Switchboard(pictured).of("reviewer").get(f"/pieces/{piece}").get_json()
    (boxes,) = {
        str(one["boxes"]) for one in shown["check"]["findings"] if one["rule"] == "guarantee-principal"
    }
    assert boxes == "[[60.0, 200.0, 240.0, 40.0]]"


def test_what_is_not_base64_is_refused(switchboard: Switchboard) -> None:
    assert named(switchboard.of("advisor").post("/checks/picture", {"picture": "照片"})) == {"picture"}


def test_the_command_says_where_in_the_picture_a_promise_stands(tmp_path) -> None:
    path = tmp_path / "poster.png"
    path.write_bytes(Painting(400, 300).write("保·本保收益", (60, 120)).png)
    result = CliRunner().invoke(check_command, ["--image", "--jsonl", str(path)])
    line = json.loads(result.stdout)
    assert result.exit_code == 10
    assert line["verdict"] == "review"
    left, top, _, height = line["findings"][0]["boxes"][0]
    assert 45 <= left <= 75
    assert 110 <= top <= 145
    assert 35 <= height <= 60


def test_the_command_refuses_what_is_no_picture(tmp_path) -> None:
    path = tmp_path / "poster.png"
    path.write_bytes(b"no picture")
    result = CliRunner().invoke(check_command, ["--image", str(path)])
    assert result.exit_code == 2
    assert "只支持 JPEG" in result.stderr


# ── the whole way, with a worker and real eyes ──


def test_a_worker_reads_an_uploaded_portrait_and_whoever_decides_sees_the_promise_in_it(
    database_url: str, valkey: ValkeyServer, browser: Browser, tmp_path: Path
) -> None:
    portrait = Painting(480, 600).write("保·本保收益", (120, 300))
    with live_platform(database_url, valkey, str(tmp_path / "objects"), tmp_path) as live:
        house = House.build(live.platform, templates=False)
        with house.by("advisor") as uow:
            upload_portrait(uow, portrait.jpeg, attested=True, most_pixels=10_000_000)
        eventually(lambda: readings(house))
        with desk(browser) as context:
            page = context.new_page()
            page.goto(f"{live.url}/login")
            page.get_by_label("工号或账号").fill(Switchboard(house).login_of("reviewer"))
            page.get_by_label("密码").fill(PASSWORD)
            page.get_by_role("button", name="登录", exact=True).click()
            page.wait_for_url(lambda url: "/login" not in url)
            page.goto(f"{live.url}/profile-changes/{change_of(house)}")
            expect(page.locator(".im-finding__crop").first).to_be_visible()
            expect(page.get_by_text("不得明示或者暗示保本").first).to_be_visible()


def readings(house: House) -> int:
    with house.platform.sessions() as session:
        return session.scalar(select(func.count()).where(KeptReading.fault.is_(None))) or 0


def change_of(house: House) -> UUID:
    with house.platform.sessions() as session:
        return session.scalars(select(ProfileChange.id)).one()
