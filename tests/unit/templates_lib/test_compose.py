import hashlib
import io
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pypdfium2
import pytest
from PIL import Image, ImageChops

from templates_lib import compose as composing
from templates_lib import layout
from templates_lib.compile import compile_template
from templates_lib.compose import JPEG, PDF, PNG, compose, compose_pages, require_fit
from templates_lib.fill import SlotErrorCode, SlotErrors, fill
from templates_lib.pictures import ImageValue
from templates_lib.qr import QrError, decode_qr, qr_image
from tests.unit.templates_lib.factories import BODY, URL, picture, write_template

VALUES = {"headline": "山有四季\n路在脚下", "name": "𠮷䶮", "made_on": "2026-11-21", "qr": URL}


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return compile_template(write_template(tmp_path_factory.mktemp("note")))


def overflow_of(note, **values):
    with pytest.raises(SlotErrors) as caught:
        compose(note, {**VALUES, **values})
    (error,) = caught.value.errors
    assert error.code is SlotErrorCode.OVERFLOW
    return error


@pytest.mark.parametrize(("picture_format", "magic"), [(JPEG, b"\xff\xd8"), (PNG, b"\x89PNG")])
def test_a_picture_has_the_size_of_its_manifest_and_the_hash_of_its_bytes(note, picture_format, magic):
    made = compose(note, VALUES, format=picture_format)

    assert made.data.startswith(magic)
    assert Image.open(io.BytesIO(made.data)).size == (made.width_px, made.height_px) == (400, 300)
    assert made.sha256 == hashlib.sha256(made.data).hexdigest()


def test_the_code_on_the_picture_says_the_address(note):
    assert decode_qr(compose(note, VALUES).data) == (URL,)


def test_a_pdf_carries_its_words_as_text(note):
    document = pypdfium2.PdfDocument(compose(note, VALUES, format=PDF).data)
    page = document[0]
    words = page.get_textpage()
    text = words.get_text_range()
    words.close()
    page.close()
    document.close()

    assert "山有四季" in text
    assert "基金有风险，投资须谨慎。" in text


def test_the_same_values_make_the_same_bytes_again(note):
    for picture_format in (JPEG, PNG, PDF):
        once = compose(note, VALUES, format=picture_format)
        compose(note, {**VALUES, "headline": "别的", "photo": ImageValue(picture())})
        assert compose(note, VALUES, format=picture_format).sha256 == once.sha256


def test_the_same_values_make_the_same_bytes_in_another_process(note):
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from templates_lib.catalog import open_source\n"
        "from templates_lib.compile import compile_template\n"
        "from templates_lib.compose import JPEG, PDF, PNG, compose\n"
        "note = compile_template(open_source(Path(sys.argv[1])))\n"
        "values = json.loads(sys.argv[2])\n"
        "print(json.dumps([compose(note, values, format=f).sha256 for f in (JPEG, PNG, PDF)]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(note.source.directory), json.dumps(VALUES)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )

    assert json.loads(run.stdout) == [
        compose(note, VALUES, format=picture_format).sha256 for picture_format in (JPEG, PNG, PDF)
    ]


def test_threads_of_one_process_do_not_disturb_each_other(note):
    names = ["丁一", "王小二", "𠮷䶮", "欧阳修", "于一", "李四"]
    alone = [compose(note, {**VALUES, "name": name}).sha256 for name in names]

    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda name: compose(note, {**VALUES, "name": name}).sha256, names))

    assert together == alone


def test_one_photo_never_shows_under_another_name(note):
    red = compose(note, {**VALUES, "photo": ImageValue(picture(colour="#ff0000"))}, format=PNG)
    blue = compose(note, {**VALUES, "photo": ImageValue(picture(colour="#0000ff"))}, format=PNG)

    assert Image.open(io.BytesIO(red.data)).getpixel((50, 200))[0] > 240
    assert Image.open(io.BytesIO(blue.data)).getpixel((50, 200))[2] > 240


def test_a_missing_photo_is_drawn_as_the_first_character_of_the_name(note):
    one, other = (
        Image.open(io.BytesIO(compose(note, {**VALUES, "name": name}, format=PNG).data))
        for name in ("丁一", "王一")
    )
    place = (20, 170, 80, 230)

    assert one.crop(place).getextrema() != ((255, 255),) * 3
    assert ImageChops.difference(one.crop(place), other.crop(place)).getbbox()


def test_words_are_escaped_not_obeyed(note):
    plain = compose(note, {**VALUES, "headline": "<b>{{ 1 }}</b>"}, format=PDF)
    document = pypdfium2.PdfDocument(plain.data)
    page = document[0]
    words = page.get_textpage()
    text = words.get_text_range()
    words.close()
    page.close()
    document.close()

    assert "<b>{{ 1 }}</b>" in text


def test_too_many_lines_are_an_overflow_that_says_what_fits(note):
    error = overflow_of(note, headline="山有四季路在脚下云在天上人在途中心里有数脚步不慌")

    assert error.slot == "headline"
    assert error.fits == "山有四季路在脚下云在天上人在途中心里有数"


def test_words_of_too_many_lines_are_measured_without_laying_a_page_out(tmp_path, monkeypatch):
    in_lines = BODY.replace("{% if made_on %}", "</p><p>{% if made_on %}")
    in_lines = in_lines.replace('<span data-field="name">', '</p><p><span data-field="name">')
    note = compile_template(write_template(tmp_path, body=in_lines))
    compose(note, VALUES)
    monkeypatch.setattr(layout, "lay_out", None)

    with pytest.raises(SlotErrors) as caught:
        require_fit(
            note, fill(note.manifest, {**VALUES, "headline": "山有四季\n路在脚下\n云在天上\n人在途中"})
        )

    (error,) = caught.value.errors
    assert "排成了 4 行" in error.reason
    assert error.fits == "山有四季\n路在脚下"


def test_one_word_wider_than_its_frame_is_an_overflow(note):
    error = overflow_of(note, headline="W" * 30)

    assert error.slot == "headline"
    assert error.fits
    compose(note, {**VALUES, "headline": error.fits})


def test_words_that_push_fixed_words_out_are_the_ones_blamed(tmp_path):
    body = BODY.replace("</h1></div>", "</h1><p class='tail'>设计的尾巴</p></div>")
    crowded = compile_template(write_template(tmp_path, body=body))

    assert overflow_of(crowded, headline="第一行\n第二行").slot == "headline"


def test_a_page_the_template_lacks_is_refused(note):
    with pytest.raises(IndexError):
        compose(note, VALUES, page=1)


def test_a_code_that_does_not_read_back_is_not_released(tmp_path):
    """A code drawn in the colour of its ground cannot be scanned."""
    body = BODY.replace('data-field="qr" data-ink="#000000"', 'data-field="qr" data-ink="#F8F8F8"')
    faint = compile_template(write_template(tmp_path, body=body))

    with pytest.raises(QrError):
        compose(faint, VALUES)
    with pytest.raises(QrError):
        compose(faint, VALUES, format=PDF)


def test_all_pages_at_once_are_the_pages_one_by_one(note):
    assert compose_pages(note, VALUES) == (compose(note, VALUES),)


@pytest.mark.parametrize("url", [URL, "https://go.example.com/s/" + "x" * 200])
@pytest.mark.parametrize("size_px", [120, 480])
def test_a_code_made_alone_reads_back(url, size_px):
    assert decode_qr(qr_image(url, size_px)) == (url,)


def test_a_code_too_small_for_its_modules_is_refused():
    with pytest.raises(QrError):
        qr_image(URL, 20)


def test_a_picture_carries_no_metadata(note):
    made = Image.open(io.BytesIO(compose(note, VALUES).data))

    assert not made.getexif()
    assert set(made.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_quality_is_the_callers_choice(note):
    high, low = (compose(note, VALUES, quality=quality) for quality in (95, 40))

    assert len(high.data) > len(low.data)
    assert composing.JPEG is composing.PictureFormat.JPEG
