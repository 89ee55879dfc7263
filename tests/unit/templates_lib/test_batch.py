import os
import subprocess
import sys
from pathlib import Path

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
from templates_lib.compose import PDF, PNG
from templates_lib.ledger import FolderTaken, Ledger, OtherDesign
from templates_lib.picture_store import Disk
from templates_lib.scout import FOUND_NAME
from templates_lib.studio import BatchStopped, steady_slots
from tests.unit.templates_lib.batch_run import JOBS
from tests.unit.templates_lib.factories import MANIFEST, URL, picture, write_template

PROJECT = Path(__file__).parents[3]


class Witness(Disk):
    """Remembers in a file which process wrote which picture, and how often."""

    def __init__(self, book: Path) -> None:
        self._book = book

    def put(self, path: Path, data: bytes) -> None:
        with self._book.open("a") as book:
            book.write(f"{path.name} {os.getpid()}\n")
        super().put(path, data)


class Full(Disk):
    def put(self, path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_template(tmp_path_factory.mktemp("note"))


@pytest.fixture(scope="module")
def note(source):
    return compile_template(source)


def pictures(folder):
    """Every picture of a folder by name, and anything else that a run may have left there."""
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name != ".imprimatur-ledger.jsonl"
    }


def freshly(results):
    """Which jobs were drawn, and not kept."""
    return {result.key for result in results if result.fresh}


def test_one_bad_job_does_not_stop_the_others(note, tmp_path):
    jobs = [
        ("a", {"qr": URL}),
        ("b", {"qr": URL, "mood": "午安"}),
        ("../c", {"qr": URL}),
        ("", {"qr": URL}),
        ("d", {"qr": URL}),
    ]

    results = list(render_many(note, jobs, tmp_path / "out"))

    assert [type(result) for result in results] == [Rendered, Failed, Failed, Failed, Rendered]
    assert [result.place for result in results] == [0, 1, 2, 3, 4]
    assert "备选语句" in results[1].reason
    assert "不能作文件名" in results[2].reason
    assert set(pictures(tmp_path / "out")) == {"a.jpg", "d.jpg"}


def test_a_picture_that_cannot_be_opened_fails_its_own_job(note, tmp_path):
    good, gone = tmp_path / "photo.jpg", tmp_path / "gone.jpg"
    good.write_bytes(picture())
    jobs = [("a", {"qr": URL, "photo": gone}), ("b", {"qr": URL, "photo": good})]

    failed, done = render_many(note, jobs, tmp_path / "out")

    assert failed == Failed("a", "图片文件 gone.jpg 打不开", 0)
    assert done.key == "b"


def test_two_jobs_of_one_name_are_never_both_drawn(note, tmp_path):
    jobs = [("a", {"qr": URL, "name": "甲"}), ("A", {"qr": URL, "name": "乙"})]

    first, second = render_many(note, jobs, tmp_path)

    assert first.fresh
    assert "不止一次" in second.reason


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(note, tmp_path):
    (first,) = render_many(note, [("a", {"qr": URL})], tmp_path)
    untouched = first.files[0].stat().st_mtime_ns

    again = list(render_many(note, [("a", {"qr": URL}), ("b", {"qr": URL})], tmp_path))

    assert [(job.key, job.fresh) for job in again] == [("a", False), ("b", True)]
    assert first.files[0].stat().st_mtime_ns == untouched


def test_changed_values_are_drawn_again(note, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture(colour="#884422"))
    jobs = [
        ("a", {"qr": URL}),
        ("b", {"qr": URL, "name": "甲"}),
        ("c", {"qr": URL, "photo": photo}),
    ]
    list(render_many(note, jobs, tmp_path / "out"))
    before = pictures(tmp_path / "out")

    photo.write_bytes(picture(colour="#224488"))
    jobs[1] = ("b", {"qr": URL, "name": "乙"})
    assert freshly(render_many(note, jobs, tmp_path / "out")) == {"b", "c"}

    after = pictures(tmp_path / "out")
    assert {name for name in after if after[name] != before[name]} == {"b.jpg", "c.jpg"}


def test_another_quality_is_drawn_again(note, tmp_path):
    list(render_many(note, [("a", {"qr": URL})], tmp_path, quality=90))

    assert freshly(render_many(note, [("a", {"qr": URL})], tmp_path, quality=60)) == {"a"}


def test_two_formats_stand_side_by_side(note, tmp_path):
    jobs = [("a", {"qr": URL})]
    list(render_many(note, jobs, tmp_path))
    list(render_many(note, jobs, tmp_path, picture_format=PNG))

    assert set(pictures(tmp_path)) == {"a.jpg", "a.png"}
    assert freshly(render_many(note, jobs, tmp_path)) == set()
    assert freshly(render_many(note, jobs, tmp_path, picture_format=PNG)) == set()


def test_a_picture_that_was_damaged_is_drawn_again(note, tmp_path):
    jobs = [("a", {"qr": URL}), ("b", {"qr": URL}), ("c", {"qr": URL})]
    list(render_many(note, jobs, tmp_path))
    whole = pictures(tmp_path)

    (tmp_path / "a.jpg").write_bytes(whole["a.jpg"][:100])
    (tmp_path / "b.jpg").unlink()

    assert freshly(render_many(note, jobs, tmp_path)) == {"a", "b"}
    assert pictures(tmp_path) == whole


def test_another_version_of_the_design_is_not_mixed_in(note, tmp_path):
    list(render_many(note, [("a", {"qr": URL})], tmp_path / "out"))
    second = write_template(tmp_path / "second", manifest=MANIFEST.replace("version: 1", "version: 2"))

    with pytest.raises(OtherDesign, match="note@1"):
        list(render_many(second, [("a", {"qr": URL})], tmp_path / "out"))


def test_a_second_run_may_not_write_beside_the_first(note, source, tmp_path):
    results = render_many(note, [("a", {"qr": URL}), ("b", {"qr": URL})], tmp_path)
    next(results)

    with pytest.raises(FolderTaken):
        Ledger.open(tmp_path, None, patience_s=0)


def test_drafts_of_a_killed_run_are_cleared_away(note, tmp_path):
    (tmp_path / ".imprimatur-draft-123-a.jpg").write_bytes(b"half")
    (tmp_path / ".mine.123").write_bytes(b"somebody else's")

    list(render_many(note, [("b", {"qr": URL})], tmp_path))

    assert set(pictures(tmp_path)) == {"b.jpg", ".mine.123"}


def test_a_full_disk_ends_the_run_and_leaves_nothing_half_written(note, tmp_path):
    with pytest.raises(BatchStopped, match="No space left"):
        list(render_many(note, [("a", {"qr": URL}), ("b", {"qr": URL})], tmp_path, store=Full()))

    assert pictures(tmp_path) == {}


def test_several_processes_draw_what_one_draws(source, note, tmp_path):
    alone = list(render_many(note, JOBS, tmp_path / "alone"))
    together = list(render_many(source, JOBS, tmp_path / "together", processes=2))

    assert {job.key for job in together} == {job.key for job in alone}
    assert pictures(tmp_path / "together") == pictures(tmp_path / "alone")


def test_what_stays_the_same_is_found_in_the_jobs(source):
    rows = [
        {"headline": "同", "name": "甲"},
        {"headline": "同", "name": "乙", "photo": "p"},
        {"headline": "同"},
    ]

    assert steady_slots(source.manifest, rows) == {"headline", "seal", "mood", "made_on"}


def test_what_is_drawn_once_for_all_changes_no_byte(note, tmp_path):
    jobs = [(f"k{at}", {"qr": f"{URL}{at}", "headline": "同一句话", "name": f"第{at}位"}) for at in range(4)]
    # one that does not keep what was said of all
    jobs.insert(2, ("odd", {"qr": URL, "headline": "另一句话", "name": "甲"}))

    list(render_many(note, jobs, tmp_path / "each"))
    list(render_many(note, jobs, tmp_path / "once", steady={"headline", "seal", "mood", "made_on"}))

    assert pictures(tmp_path / "once") == pictures(tmp_path / "each")


def test_no_picture_is_written_by_two_processes(source, tmp_path):
    book = tmp_path / "book"

    list(render_many(source, JOBS, tmp_path / "out", processes=2, store=Witness(book)))

    written = [line.split() for line in book.read_text().splitlines()]
    assert sorted(name for name, _pid in written) == sorted(f"{key}.jpg" for key, _values in JOBS)
    assert len({pid for _name, pid in written}) == 2


def test_a_template_that_cannot_be_used_ends_the_run_with_its_fault(tmp_path):
    broken = write_template(tmp_path / "broken", body="{{ ''.__class__ }}")

    with pytest.raises(BatchStopped, match=r"body\.html"):
        list(render_many(broken, JOBS, tmp_path / "out", processes=2))


def test_a_run_killed_in_the_middle_is_finished_with_the_same_bytes(source, note, tmp_path):
    list(render_many(note, JOBS, tmp_path / "undisturbed"))
    killed = subprocess.run(
        [
            *(sys.executable, "-m", "tests.unit.templates_lib.batch_run"),
            *(str(source.directory), str(tmp_path / "out"), "k17"),
        ],
        cwd=PROJECT,
        check=False,
        capture_output=True,  # both pipes end when the last process of the run has
    )
    assert killed.returncode == -9
    left = pictures(tmp_path / "out")
    assert any(name.startswith(".imprimatur-draft") for name in left)
    assert 0 < sum(name.endswith(".jpg") and name[0] == "k" for name in left) < len(JOBS)

    finished = list(render_many(source, JOBS, tmp_path / "out", processes=2))

    assert pictures(tmp_path / "out") == pictures(tmp_path / "undisturbed")
    assert len(freshly(finished)) < len(JOBS)


def test_what_the_scout_of_a_killed_run_left_is_taken_away_though_nothing_is_to_be_drawn(note, tmp_path):
    list(render_many(note, JOBS, tmp_path))
    whole = pictures(tmp_path)
    (tmp_path / FOUND_NAME).write_bytes(b"half")

    again = list(render_many(note, JOBS, tmp_path))

    assert not freshly(again)
    assert pictures(tmp_path) == whole


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
