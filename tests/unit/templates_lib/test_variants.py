"""One design in many sizes: the same values, another page."""

import io

import pytest
from PIL import Image

from templates_lib.batch import check_template, contact_sheet, render_one
from templates_lib.compile import compile_template
from templates_lib.compose import compose
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrors, fill, without_omitted
from templates_lib.manifest import ManifestError, UnknownSizeError
from templates_lib.qr import decode_qr
from templates_lib.twin import text_twin
from tests.unit.templates_lib.factories import BODY, MANIFEST, STYLE, URL, picture, write_template

VARIANTS = """\
variants:
  - {name: square, label: 方图 1:1, width_px: 400, height_px: 400}
  - {name: cover, label: 封面, width_px: 400, height_px: 170, omits: [photo, name, qr]}
"""
WITH_VARIANTS = MANIFEST.replace("slots:\n", VARIANTS + "slots:\n").replace(
    "profile_field: photo}",
    "profile_field: photo}\n  - {name: bank, label: 机构, kind: text, source: profile, "
    "profile_field: institution, default: 示例银行, max_chars: 12}",
)
BODY_WITH_BANK = BODY.replace("设计里的字", '设计里的字 <span data-field="bank">{{ bank }}</span>')
SQUARE_STYLE = STYLE.replace("400px 300px", "400px 400px").replace("height: 300px", "height: 400px")
COVER_BODY = """\
<section class="page">
  <div class="words" data-frame="words"><h1 data-field="headline">{{ headline }}</h1></div>
  <p class="fixed">封面的字 <span data-field="seal">{{ seal }}</span></p>
  <p class="fixed" data-field="bank">{{ bank }}</p>
  <p class="disclosure" data-field="disclosure">{{ disclosure }}</p>
</section>
"""
COVER_STYLE = """\
@page { size: 400px 170px; margin: 0 }
* { margin: 0; padding: 0 }
body { font-family: "Noto Sans CJK SC" }
.page { position: relative; width: 400px; height: 170px; background: #eef }
.words { position: absolute; left: 20px; top: 20px; width: 90px; height: 60px }
h1 { font-size: 20px; line-height: 30px }
.fixed { position: absolute; left: 20px; top: 90px; font-size: 14px; line-height: 20px }
.disclosure { position: absolute; left: 20px; top: 140px; width: 360px; font-size: 12px; line-height: 20px }
"""
VALUES = {"headline": "山有四季", "name": "丁一", "made_on": "2026-11-21", "qr": URL}


def write_variants(folder, *, manifest=WITH_VARIANTS, **files):
    """A template in three sizes; `files` replaces one of its files, or leaves it out with None."""
    written = {
        "square.css": SQUARE_STYLE,
        "cover.css": COVER_STYLE,
        "cover.html": COVER_BODY,
    } | {name.replace("_", "."): text for name, text in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return write_template(folder, manifest=manifest, body=BODY_WITH_BANK)


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return write_variants(tmp_path_factory.mktemp("variants"))


def in_size(source, name):
    return compile_template(source.variant(name))


def test_every_size_is_drawn_at_its_own_measure_from_one_set_of_values(note):
    drawn = {}
    for name in note.manifest.sizes:
        design = in_size(note, name)
        made = compose(design, without_omitted(design.manifest, VALUES))
        drawn[name] = Image.open(io.BytesIO(made.data)).size

    assert drawn == {"": (400, 300), "square": (400, 400), "cover": (400, 170)}


def test_a_size_without_a_body_of_its_own_shows_the_designs(note):
    square = in_size(note, "square")

    assert decode_qr(compose(square, VALUES).data) == (URL,)


def test_a_size_shows_what_it_does_not_omit_and_nothing_else(note):
    manifest = note.variant("cover").manifest

    told = text_twin(manifest, fill(manifest, without_omitted(manifest, VALUES)))

    assert [line.text for line in told if line.slot == "headline"] == ["山有四季"]
    assert not any("丁一" in line.text for line in told)
    assert any("封面的字" in line.text for line in told)


def test_a_value_for_no_slot_of_the_design_is_refused_in_every_size(note):
    manifest = note.variant("cover").manifest

    with pytest.raises(SlotErrors, match="nonsense"):
        fill(manifest, without_omitted(manifest, {**VALUES, "nonsense": "x"}))


def test_the_design_in_its_own_size_is_the_design(note):
    assert note.variant("") == note


def test_an_unknown_size_is_refused_with_the_known_ones(note):
    with pytest.raises(UnknownSizeError, match="square, cover"):
        note.variant("banner")


def test_each_size_has_a_digest_of_its_own_and_the_designs_covers_them_all(note, tmp_path):
    other = write_variants(tmp_path, cover_css=COVER_STYLE.replace("#eef", "#fff"))

    assert len({note.variant(name).digest() for name in note.manifest.sizes}) == 3
    assert note.digest() != other.digest()


def test_values_are_drawn_to_a_file_in_a_size_that_omits_some_of_them(note, tmp_path):
    made = render_one(in_size(note, "cover"), VALUES, "a", tmp_path)

    assert Image.open(io.BytesIO(made.files[0].read_bytes())).size == (400, 170)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"square_css": None}, r"manifest\.yaml:\d+: variants\[0\]\.name: .*square\.css is missing"),
        ({"cover_html": None}, r"manifest\.yaml:\d+: variants\[1\]\.name: .*cover\.html is missing"),
    ],
)
def test_a_missing_file_is_named_with_line_and_field(tmp_path, change, fault):
    with pytest.raises(ManifestError, match=fault):
        write_variants(tmp_path, **change)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "omits: [photo, name, qr]",
            "omits: [disclosure]",
            r"variants\[1\]\.omits: disclosure stands on every",
        ),
        ("omits: [photo, name, qr]", "omits: [bank]", r"variants\[1\]\.omits: bank stands on every size"),
        ("omits: [photo, name, qr]", "omits: [ghost]", r"variants\[1\]\.omits: ghost is not a slot"),
        (
            "- {name: square",
            "- {name: square, label: 又一, width_px: 9, height_px: 9}\n  - {name: square",
            "declared twice",
        ),
        ("name: cover,", "name: style,", r"variants\[1\]\.name: is that of the design's own files"),
        ("name: cover,", "name: ../cover,", r"variants\[1\]\.name: must be lower-case"),
        ("height_px: 170,", "", r"variants\[1\]\.height_px: is missing"),
        ("height_px: 170,", "height_px: 170, pages: 2,", r"variants\[1\]\.pages: is not a field"),
    ],
)
def test_a_faulty_variant_is_said_with_its_field(tmp_path, before, after, fault):
    with pytest.raises(ManifestError, match=fault):
        write_variants(tmp_path, manifest=WITH_VARIANTS.replace(before, after))


def test_a_fault_in_the_style_of_a_size_names_its_file_and_line(tmp_path):
    source = write_variants(tmp_path, cover_css="h1 { color: red }\nh1 { behavior: none }\n")

    with pytest.raises(TemplateError, match=r"^cover\.css:2: behavior"):
        in_size(source, "cover")


def test_a_fault_in_the_body_of_a_size_names_its_file_and_line(tmp_path):
    source = write_variants(tmp_path, cover_html="<section class='page'>\n{{ name }}</section>")

    with pytest.raises(TemplateError, match=r"^cover\.html:2: name is not a slot"):
        in_size(source, "cover")


def test_a_page_of_another_measure_than_declared_is_the_fault_of_its_own_style(tmp_path):
    source = write_variants(tmp_path, cover_css=COVER_STYLE.replace("400px 170px", "400px 171px"))

    with pytest.raises(TemplateError, match=r"^cover\.css: @page must say size:400px 170px"):
        in_size(source, "cover")


def write_sample(source, values):
    (source.directory / "samples.yaml").write_text(f"- {{name: one, label: 一, values: {values}}}\n", "utf-8")
    return source


def test_a_check_draws_every_sample_in_every_size(tmp_path):
    source = write_sample(write_variants(tmp_path), f"{{qr: '{URL}'}}")

    check = check_template(source.directory)

    assert check.sound
    assert [one.size.name for one in check.samples] == ["小", "方图 1:1", "封面"]
    assert contact_sheet(check, thumb_width_px=100).width > 3 * 100


def test_a_value_that_fits_the_design_but_not_a_size_is_told_by_size_and_slot(tmp_path):
    source = write_sample(write_variants(tmp_path), f"{{qr: '{URL}', headline: 山有四季路在脚下云在天}}")

    check = check_template(source.directory)

    assert not check.sound
    assert {one.size.name: one.fault for one in check.samples} == {
        "小": None,
        "方图 1:1": None,
        "封面": "headline: 封面：「标题」排成了 3 行，最多 2 行",
    }


def test_a_check_says_which_pictures_are_coarse_on_paper(tmp_path):
    source = write_sample(write_variants(tmp_path), f"{{qr: '{URL}', photo: me.jpg}}")
    (source.directory / "me.jpg").write_bytes(picture(size=(80, 80)))

    own, _square, cover = check_template(source.directory).samples

    assert [(one.name, one.low_dpi) for one in own.rasters] == [("photo", True)]
    assert cover.rasters == ()
