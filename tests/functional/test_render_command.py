"""`imprimatur render`: pictures for a table of advisors, and what is said of those it cannot draw."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook
from PIL import Image

from app.cli import imprimatur
from templates_lib.samples import SHARED_PICTURES

HEADINGS = ["staff_no", "institution", "date", "name", "title", "org_name", "photo", "qr"]


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "photo.jpg").write_bytes((SHARED_PICTURES / "portrait-man.jpg").read_bytes())
    return "photo.jpg"


def row(staff_no, **changed):
    usual = {
        "staff_no": staff_no,
        "institution": "示例银行",
        "date": "2026-11-21",
        "name": f"测试{staff_no}",
        "title": "客户经理",
        "org_name": "示例银行城东支行",
        "photo": "",
        "qr": f"https://go.example.com/s/{staff_no}",
    }
    return [(usual | changed)[heading] for heading in HEADINGS]


def table(folder, *rows, encoding="utf-8"):
    text = io.StringIO()
    csv.writer(text).writerows([HEADINGS, *rows])
    file = folder / "advisors.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    return file


def render(*arguments) -> Result:
    return CliRunner().invoke(imprimatur, ["render", "daily-morning", *map(str, arguments)])


def drawn(folder):
    return {file.name for file in folder.iterdir() if file.suffix in {".jpg", ".png", ".pdf"}}


def failures(folder):
    with (folder / "failures.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_picture_is_drawn_for_each_row(tmp_path, photo, encoding):
    file = table(tmp_path, row("A1", photo=photo), row("A2"), encoding=encoding)

    result = render("--advisors", file, "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert "2 / 2" in result.output
    assert drawn(tmp_path / "out") == {"A1.jpg", "A2.jpg"}
    with Image.open(tmp_path / "out" / "A1.jpg") as image:
        assert image.size == (1080, 1920)


def test_a_workbook_does_as_well(tmp_path):
    book = Workbook()
    for cells in (HEADINGS, row("A1")):
        book.active.append(cells)
    book.save(tmp_path / "advisors.xlsx")

    result = render("--advisors", tmp_path / "advisors.xlsx", "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert drawn(tmp_path / "out") == {"A1.jpg"}


def test_each_row_that_cannot_be_drawn_is_named_with_its_reason(tmp_path, photo):
    file = table(
        tmp_path,
        row("A1", photo=photo),
        row("A2", name="太长" * 20),
        row("A3", photo="gone.jpg"),
        row("A1"),
        row("=A4"),
        row("A5"),
    )

    result = render("--advisors", file, "--out", tmp_path / "out")

    assert result.exit_code == 1
    assert "2 / 6" in result.output
    assert drawn(tmp_path / "out") == {"A1.jpg", "A5.jpg"}
    heading, *rows = failures(tmp_path / "out")
    assert heading == ["row", "staff_no", "reason"]
    assert [cells[:2] for cells in rows] == [["3", "A2"], ["4", "A3"], ["5", "A1"], ["6", "'=A4"]]
    for number, key, reason in (("3", "A2", "姓名"), ("4", "A3", "gone.jpg"), ("5", "A1", "不止一次")):
        assert any(line.startswith(f"第 {number} 行\t{key}\t") for line in result.stderr.splitlines())
        assert reason in next(cells[2] for cells in rows if cells[0] == number)


def test_a_cured_row_is_drawn_alone_and_the_list_of_failures_goes(tmp_path):
    render("--advisors", table(tmp_path, row("A1"), row("A2", name="")), "--out", tmp_path / "out")
    assert failures(tmp_path / "out")[1][1] == "A2"
    untouched = (tmp_path / "out" / "A1.jpg").stat().st_mtime_ns

    result = render("--advisors", table(tmp_path, row("A1"), row("A2")), "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert "其中 1 张早已画好" in result.output
    assert (tmp_path / "out" / "A1.jpg").stat().st_mtime_ns == untouched
    assert not (tmp_path / "out" / "failures.csv").exists()


def test_two_processes_draw_what_one_draws(tmp_path, photo):
    file = table(tmp_path, *(row(f"A{number}", photo=photo) for number in range(4)))

    for processes in (1, 2):
        out = tmp_path / f"by-{processes}"
        result = render("--advisors", file, "--out", out, "--jobs", processes)
        assert result.exit_code == 0, result.output

    for name in drawn(tmp_path / "by-1"):
        assert (tmp_path / "by-1" / name).read_bytes() == (tmp_path / "by-2" / name).read_bytes()
    assert drawn(tmp_path / "by-2") == drawn(tmp_path / "by-1") == {f"A{number}.jpg" for number in range(4)}


def test_a_folder_with_another_design_is_refused(tmp_path):
    file = table(tmp_path, row("A1"))
    render("--advisors", file, "--out", tmp_path / "out")

    result = CliRunner().invoke(
        imprimatur,
        ["render", "poster-qiushi", "--advisors", str(file), "--out", str(tmp_path / "out")],
    )

    assert result.exit_code == 1
    assert "daily-morning@1" in result.output


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "out").write_text("a file")

    result = render("--advisors", table(tmp_path, row("A1")), "--out", tmp_path / "out")

    assert result.exit_code == 1
    assert result.output.rstrip().endswith(f"File exists: '{tmp_path / 'out'}'")


def test_one_picture_goes_where_it_was_asked_to(tmp_path, photo):
    values = dict(zip(HEADINGS[1:], row("A1", photo=photo)[1:], strict=True))
    (tmp_path / "values.json").write_text(json.dumps(values), "utf-8")

    for target in (tmp_path / "我的 早安.jpg", tmp_path / "folder"):
        result = render("--values", tmp_path / "values.json", "--out", target)
        assert result.exit_code == 0, result.output

    assert (tmp_path / "我的 早安.jpg").is_file()
    assert drawn(tmp_path / "folder") == {"daily-morning.jpg"}


def test_values_that_do_not_fit_are_explained(tmp_path):
    (tmp_path / "values.json").write_text(json.dumps({"photo": "gone.jpg"}), "utf-8")

    result = render("--values", tmp_path / "values.json", "--out", tmp_path / "x.jpg")

    assert result.exit_code == 1
    assert "gone.jpg" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["daily-morning", "--out", "x"],
        ["no-such-design", "--advisors", "TABLE", "--out", "x"],
        ["daily-morning@9", "--advisors", "TABLE", "--out", "x"],
        ["daily-morning", "--advisors", "KEYLESS", "--out", "x"],
        ["daily-morning", "--advisors", "TABLE", "--out", "x", "--jobs", "0"],
    ],
)
def test_wrong_usage_is_told_by_its_own_exit_code(tmp_path, arguments):
    keyless = tmp_path / "keyless.csv"
    keyless.write_text("name,qr\n测试,https://go.example.com/s/a\n", "utf-8")
    stands_for = {"TABLE": str(table(tmp_path, row("A1"))), "KEYLESS": str(keyless), "x": str(tmp_path / "x")}

    result = CliRunner().invoke(imprimatur, ["render", *(stands_for.get(one, one) for one in arguments)])

    assert result.exit_code == 2, result.output
