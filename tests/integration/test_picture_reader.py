"""Reading pictures with real eyes, in their own confined process."""

from __future__ import annotations

import os
from functools import cache

import pytest
from PIL import Image

from app.adapters.picture_reader.rapid import LIMITS, RapidPictureReader
from app.ports import PictureNotRead
from compliance.check import check
from compliance.document import Channel, Document, Sector
from compliance.finding import Severity
from compliance.reading import Box, PictureReading, around
from compliance.report import Report, Verdict
from compliance.ruleset import load_ruleset
from templates_lib.catalog import Catalog
from templates_lib.compile import compile_template
from templates_lib.compose import PictureFormat, compose
from templates_lib.fill import without_omitted
from templates_lib.samples import load_samples
from templates_lib.sandbox import Limits
from tests.painted import SERIF, Painting


@cache
def offer() -> PictureReading:
    """A promise with a dot in it, one in traditional script, and a warning nobody can see."""
    painting = (
        Painting()
        .write("稳健理财", (40, 40), 52)
        .write("保·本保收益", (150, 160))
        .write("零風險 穩賺不賠", (40, 300), font=SERIF)
        .write("理财有风险，投资需谨慎。", (40, 490), 13, ink="#d8cfbb")
    )
    return RapidPictureReader().read(painting.jpeg)


def judged(reading: PictureReading) -> Report:
    return check(Document((reading.field("photo"),), Sector.BANK, Channel.POSTER), load_ruleset())


def place_of(reading: PictureReading, rule: str) -> Box:
    found = next(one for one in judged(reading).findings if one.rule == rule)
    box = around(reading.boxes_of(found.span.start, found.span.end))
    assert box is not None
    return box


def test_a_disguised_promise_is_stopped_with_a_box_where_it_stands():
    assert judged(offer()).verdict is Verdict.REVIEW
    box = place_of(offer(), "guarantee-principal")
    # painted from (150, 160), letters of 40 pixels
    assert 135 <= box.left <= 165
    assert 150 <= box.top <= 185
    assert 190 <= box.bottom <= 220


def test_a_promise_in_traditional_script_is_stopped():
    box = place_of(offer(), "no-risk")
    assert 290 <= box.top <= 330


def test_a_pale_and_tiny_warning_is_measured():
    (found,) = (one for one in judged(offer()).findings if one.rule == "picture-illegible")
    assert found.severity is Severity.REVIEW
    assert "反差约为 1." in found.reason


def test_columns_are_read_from_the_right():
    painting = Painting(360, 400).column("稳赚不赔", (260, 60)).column("保本保息", (150, 60))
    assert RapidPictureReader().read(painting.png).text == "稳赚不赔\n保本保息"


def test_a_poster_of_ours_passes():
    compiled = compile_template(Catalog().source("poster-insurance", 1))
    values = without_omitted(compiled.manifest, load_samples(compiled.source)[0].values)
    poster = compose(compiled, values, format=PictureFormat.JPEG)
    reading = RapidPictureReader().read(poster.data)
    assert len(reading.text) > 100
    assert (reading.width, reading.height) == (1080, 1920)
    assert judged(reading).verdict is Verdict.PASS


def test_what_stands_far_down_a_long_picture_is_read():
    painting = Painting(400, 2_600).write("绝对安全", (60, 2_500))
    reading = RapidPictureReader().read(painting.jpeg)
    assert reading.text == "绝对安全"
    assert 2_490 <= reading.lines[0].box.top <= 2_530


def test_noise_says_nothing():
    painting = Painting(300, 300)
    painting.image = Image.frombytes("RGB", (300, 300), os.urandom(270_000))
    assert judged(RapidPictureReader().read(painting.png)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Painting().jpeg[:900], "bad_image"),
        (b"GIF89a no picture at all", "unsupported_image"),
        (Painting(8_400, 60).png, "too_many_pixels"),
        (b"\xff" * (12 * 1024 * 1024 + 1), "too_large"),
    ],
    ids=["broken", "no picture", "huge", "heavy"],
)
def test_what_is_no_picture_is_not_read(data, code):
    with pytest.raises(PictureNotRead) as refused:
        RapidPictureReader().read(data)
    assert refused.value.code == code


def test_reading_that_takes_too_long_is_stopped():
    hasty = RapidPictureReader(Limits(wall_s=0.5, cpu_s=LIMITS.cpu_s, memory_bytes=LIMITS.memory_bytes))
    with pytest.raises(PictureNotRead) as refused:
        hasty.read(Painting().jpeg)
    assert refused.value.code == "too_slow"


def test_reading_that_takes_too_much_memory_is_stopped():
    narrow = RapidPictureReader(Limits(wall_s=LIMITS.wall_s, memory_bytes=420 * 1024 * 1024))
    with pytest.raises(PictureNotRead):
        narrow.read(Painting().write("稳健理财", (40, 40)).jpeg)
