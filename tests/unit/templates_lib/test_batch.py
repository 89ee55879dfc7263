import pytest

from templates_lib.batch import (
    Failed,
    Rendered,
    check_template,
    contact_sheet,
    render_many,
    render_one,
)
from templates_lib.catalog import LIBRARY
from templates_lib.compile import compile_template
from templates_lib.compose import PDF
from tests.unit.templates_lib.factories import URL, write_template


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return compile_template(write_template(tmp_path_factory.mktemp("note")))


def test_one_bad_job_does_not_stop_the_others(note, tmp_path):
    jobs = [
        ("a", {"qr": URL}),
        ("b", {"qr": URL, "mood": "午安"}),
        ("../c", {"qr": URL}),
        ("d", {"qr": URL}),
    ]

    results = list(render_many(note, jobs, tmp_path / "out"))

    assert [type(result) for result in results] == [Rendered, Failed, Failed, Rendered]
    assert "备选语句" in results[1].reason
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.jpg", "d.jpg"]


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(note, tmp_path):
    first = render_one(note, {"qr": URL}, "a", tmp_path)
    untouched = first.files[0].stat().st_mtime_ns

    again = list(render_many(note, [("a", {"qr": URL}), ("b", {"qr": URL})], tmp_path))

    assert [(job.key, job.fresh) for job in again] == [("a", False), ("b", True)]
    assert first.files[0].stat().st_mtime_ns == untouched


def test_a_pdf_is_one_file(note, tmp_path):
    made = render_one(note, {"qr": URL}, "a", tmp_path, picture_format=PDF)

    assert [file.name for file in made.files] == ["a.pdf"]


def test_a_sound_folder_is_called_sound_and_shown(tmp_path):
    check = check_template(LIBRARY / "daily-morning" / "1")

    assert check.sound
    assert contact_sheet(check, thumb_width_px=60).size[1] > 3 * 100


def test_a_faulty_folder_is_explained_not_raised(tmp_path):
    write_template(tmp_path)
    (tmp_path / "body.html").write_text("{{ ''.__class__ }}", encoding="utf-8")

    check = check_template(tmp_path)

    assert not check.sound
    assert "body.html" in check.fault
    assert contact_sheet(check).size == (360, 360)


def test_a_sample_that_does_not_fit_is_named(tmp_path):
    write_template(tmp_path)
    (tmp_path / "samples.yaml").write_text(
        f"- {{name: long, label: 太长, values: {{qr: '{URL}', headline: {'长' * 50}}}}}\n",
        encoding="utf-8",
    )

    (sample,) = check_template(tmp_path).samples

    assert sample.fault is not None
    assert "标题" in sample.fault
