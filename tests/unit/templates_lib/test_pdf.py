"""The sheet for the press: its boxes, its marks, its bleed, and how dense its pictures lie."""

import contextlib
import io

import pypdfium2
import pytest
from PIL import Image

from templates_lib import layout
from templates_lib.compile import compile_template
from templates_lib.compose import PDF, PRINT, compose, compose_pages
from templates_lib.pictures import ImageValue
from templates_lib.qr import QrError, decode_qr
from tests.unit.templates_lib.factories import BODY, MANIFEST, STYLE, URL, picture, write_template

VALUES = {"headline": "山有四季", "name": "丁一", "made_on": "2026-11-21", "qr": URL}
RED = STYLE.replace("height: 300px; background: #fff", "height: 300px; background: #c02020").replace(
    ".qr {", ".qr { background: #fff; padding: 8px;"
)
DPI = 254  # ten pixels a millimetre
PX_MM = (111 + 6.5) / 300  # a pixel of the design on paper: the page's height covers cut and bleed


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return compile_template(write_template(tmp_path_factory.mktemp("note"), style=RED))


@contextlib.contextmanager
def opened(made, page=0):
    document = pypdfium2.PdfDocument(made.data)
    sheet = document[page]
    try:
        yield sheet
    finally:
        sheet.close()
        document.close()


def drawn(made):
    return layout.draw_page(made.data, 0, DPI)


def measure_mm(box):
    left, bottom, right, top = box
    return round((right - left) / 72 * 25.4, 2), round((top - bottom) / 72 * 25.4, 2)


def inset_mm(outer, inner):
    return {round(abs(a - b) / 72 * 25.4, 2) for a, b in zip(outer, inner, strict=True)}


def test_the_sheet_is_cut_at_its_size_on_paper_with_three_millimetres_to_spare(note):
    with opened(compose(note, VALUES, format=PRINT)) as sheet:
        assert measure_mm(sheet.get_trimbox()) == (148, 111)
        assert measure_mm(sheet.get_bleedbox()) == (154, 117)
        assert inset_mm(sheet.get_bleedbox(), sheet.get_trimbox()) == {3}
        assert inset_mm(sheet.get_mediabox(), sheet.get_trimbox()) == {9}


@pytest.mark.parametrize(("kind", "width_mm"), [("poster", 210), ("card", 148), ("business_card", 90)])
def test_a_kind_of_design_has_its_usual_width_on_paper(tmp_path, kind, width_mm):
    source = write_template(tmp_path, manifest=MANIFEST.replace("kind: card", f"kind: {kind}"))

    with opened(compose(compile_template(source), VALUES, format=PRINT)) as sheet:
        assert measure_mm(sheet.get_trimbox()) == (width_mm, width_mm * 0.75)


def test_a_design_may_say_how_wide_it_is_on_paper(tmp_path):
    manifest = MANIFEST.replace("disclosure_min_px: 12", "disclosure_min_px: 12\nprint_width_mm: 105.5")

    with opened(
        compose(compile_template(write_template(tmp_path, manifest=manifest)), VALUES, format=PRINT)
    ) as s:
        assert measure_mm(s.get_trimbox())[0] == 105.5


def test_words_stay_words(note):
    with opened(compose(note, VALUES, format=PRINT)) as sheet:
        words = sheet.get_textpage()
        text = words.get_text_range()
        words.close()

    assert "山有四季" in text
    assert "基金有风险，投资须谨慎。" in text


def test_the_artwork_fills_the_bleed_to_its_last_pixel(note):
    image = drawn(compose(note, VALUES, format=PRINT))
    left, top = 61, 61  # one pixel inside the bleed, which begins 6 mm from the edge of the sheet
    right, bottom = image.width - 62, image.height - 62
    edge = [image.getpixel((x, y)) for x in range(left, right) for y in (top, bottom)]
    edge += [image.getpixel((x, y)) for y in range(top, bottom) for x in (left, right)]

    assert set(edge) == {(0xC0, 0x20, 0x20)}


def test_crop_marks_point_at_the_cut_from_outside_the_bleed(note):
    image = drawn(compose(note, VALUES, format=PRINT)).convert("L")
    cut = 90  # 9 mm

    def darkest(box):
        return image.crop(box).getextrema()[0]

    for x in (cut, image.width - cut):
        for y in (20, image.height - 40):
            assert darkest((x - 2, y, x + 2, y + 20)) < 140
    for y in (cut, image.height - cut):
        for x in (20, image.width - 40):
            assert darkest((x, y - 2, x + 20, y + 2)) < 140


def test_nothing_but_the_marks_lies_outside_the_bleed(tmp_path):
    """What a design lets hang over its page must not run into the marks."""
    style = (
        RED
        + ".over { position: absolute; left: -90px; top: 0; width: 200px; height: 300px; background: #000 }"
    )
    body = BODY.replace('<div class="words"', '<div class="over"></div><div class="words"')
    design = compile_template(write_template(tmp_path, style=style, body=body))
    image = drawn(compose(design, VALUES, format=PRINT))

    assert image.crop((0, 100, 58, image.height - 100)).getextrema() == ((255, 255),) * 3


def test_a_gradient_does_not_begin_again_at_its_edge(tmp_path):
    """Whether its foot meets a pixel of whoever draws it is chance, so it is drawn many times."""
    style = STYLE + (
        ".band { position: absolute; left: 20px; top: 20px; width: 200px; height: 60px;"
        " background: linear-gradient(#000, #fff) }\n"
    )
    body = BODY.replace('<div class="words"', '<div class="band"></div><div class="words"')
    design = compile_template(write_template(tmp_path, style=style, body=body))
    made = compose(design, {**VALUES, "headline": "一"}, format=PRINT)

    for dpi in range(150, 300, 13):
        image = layout.draw_page(made.data, 0, dpi).convert("L")
        px = dpi / 25.4 * PX_MM
        x, y = round(image.width / 2 - 50 * px), round(image.height / 2 - 70 * px)
        assert image.crop((x, y - 6, x + 40, y + 6)).getextrema()[0] > 200


def test_the_code_reads_back_from_the_sheet(note):
    assert decode_qr(drawn(compose(note, VALUES, format=PRINT))) == (URL,)


def test_a_code_that_does_not_read_back_is_not_printed(tmp_path):
    body = BODY.replace('data-field="qr" data-ink="#000000"', 'data-field="qr" data-ink="#F8F8F8"')
    faint = compile_template(write_template(tmp_path, body=body))

    with pytest.raises(QrError):
        compose(faint, VALUES, format=PRINT)


def test_the_same_values_make_the_same_sheet_again(note):
    once = compose(note, VALUES, format=PRINT)
    compose(note, {**VALUES, "headline": "别的"}, format=PRINT)

    assert compose(note, VALUES, format=PRINT).sha256 == once.sha256


def test_the_plain_pdf_has_no_marks_and_the_size_of_the_screen(note):
    with opened(compose(note, VALUES, format=PDF)) as sheet:
        assert sheet.get_size() == (300, 225)
        assert sheet.get_trimbox() == sheet.get_mediabox()


def test_a_photo_is_reported_at_the_density_it_has_on_paper(note):
    photo = ImageValue(picture(size=(600, 600)))

    (found,) = compose(note, {**VALUES, "photo": photo}, format=PRINT).rasters

    assert (found.name, found.width_px, found.dpi) == ("photo", 600, round(600 / (60 * PX_MM / 25.4)))
    assert not found.low_dpi


def test_a_coarse_photo_is_printed_and_reported(note):
    made = compose(note, {**VALUES, "photo": ImageValue(picture(size=(90, 90)))}, format=PRINT)

    assert [one.low_dpi for one in made.rasters] == [True]
    assert made.data.startswith(b"%PDF")


def test_pictures_in_backgrounds_groups_and_frames_are_found_by_the_name_of_their_file(tmp_path):
    (tmp_path / "paper.png").write_bytes(picture("PNG", (40, 30)))
    (tmp_path / "wood.jpg").write_bytes(picture("JPEG", (400, 300)))
    style = STYLE.replace("background: #fff", "background: url(asset:wood.jpg) no-repeat") + (
        ".words { background: url(asset:paper.png) } .fixed { opacity: 0.5 }\n"
    )
    body = BODY.replace('<p class="fixed">', '<p class="fixed"><img src="asset:paper.png" alt="">')
    made = compose(compile_template(write_template(tmp_path, body=body, style=style)), VALUES, format=PRINT)

    dpi = round(25.4 / PX_MM)
    assert sorted((one.name, one.dpi) for one in made.rasters) == [
        ("paper.png", dpi),
        ("paper.png", dpi),
        ("wood.jpg", dpi),
    ]


def test_every_page_of_a_set_is_cut_alike(tmp_path):
    body = BODY + '<section class="page"><p data-field="disclosure">{{ disclosure }}</p></section>'
    manifest = MANIFEST.replace("pages: 1", "pages: 2")
    (made,) = compose_pages(
        compile_template(write_template(tmp_path, body=body, manifest=manifest)), VALUES, format=PRINT
    )

    with opened(made, 0) as first, opened(made, 1) as second:
        assert first.get_trimbox() == second.get_trimbox()
        assert first.get_mediabox() == second.get_mediabox()


def test_a_transparent_photo_keeps_its_ground_on_paper(note):
    clear = io.BytesIO()
    Image.new("RGBA", (600, 600), (0, 0, 0, 0)).save(clear, "PNG")

    image = drawn(compose(note, {**VALUES, "photo": ImageValue(clear.getvalue())}, format=PRINT))

    px = 10 * PX_MM
    at = round(image.width / 2 + (50 - 200) * px), round(image.height / 2 + (200 - 150) * px)
    assert image.getpixel(at) == (0xC0, 0x20, 0x20)
