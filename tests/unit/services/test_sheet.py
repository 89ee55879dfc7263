"""Files as people have them, and files nobody should open."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from app.domain.errors import ImportRefused, TooLarge
from app.domain.roster import COLUMNS, RosterKind
from app.services.sheet import read_sheet, roster_template

TABLE = "工号,姓名\r\n000123,欧阳𠮷\r\n"


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def read(data: bytes, most_rows: int = 100):
    return read_sheet(data, most_rows=most_rows)


def refusal(data: bytes) -> str:
    with pytest.raises(ImportRefused) as refused:
        read(data)
    return refused.value.faults[0].code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_people_have(encoding):
    sheet = read(TABLE.encode(encoding))
    assert sheet.headings == ("工号", "姓名")
    assert sheet.rows == ((2, ("000123", "欧阳𠮷")),)


def test_a_table_pasted_as_text_is_separated_by_tabs():
    assert read("工号\t姓名\n1\t李".encode()).rows == ((2, ("1", "李")),)


def test_an_empty_row_is_left_out_and_the_numbers_stay_those_of_the_spreadsheet():
    assert read("工号,姓名\n\n,\n7,王\n".encode()).rows == ((4, ("7", "王")),)


def test_a_cell_of_several_lines_is_one_row():
    assert read('工号,姓名\n1,"李\n遥"\n2,王\n'.encode()).rows[1][0] == 3


def test_a_formula_is_kept_as_the_text_it_is():
    data = workbook(["工号", "姓名"], ["1", '=HYPERLINK("http://x","李")'])
    assert read(data).rows[0][1][1] == '=HYPERLINK("http://x","李")'


def test_numbers_and_days_of_a_workbook_are_read_as_people_see_them():
    data = workbook(["工号", "手机", "执业到期"], [10086.0, 13800000000, date(2027, 12, 31)])
    assert read(data).rows[0][1][:3] == ("10086", "13800000000", "2027-12-31")


def test_more_rows_than_allowed_are_refused_with_the_limit():
    with pytest.raises(TooLarge) as refused:
        read(TABLE.encode() + b"2,x\n", most_rows=1)
    assert "1 行" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \r\n", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old_excel"),
        ("工号".encode("utf-16"), "encoding"),
        (b"\xff\xff\x80\x80", "encoding"),
        ('工号,姓名\n1,"李'.encode(), "malformed"),
        (b"PK\x03\x04 no archive", "malformed"),
        (b"\n" + TABLE.encode(), "no_heading"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(data, code):
    assert refusal(data) == code


def archive(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return target.getvalue()


def test_an_archive_that_is_no_workbook_is_refused():
    assert refusal(archive(readme=b"hello")) == "malformed"


def test_a_workbook_that_would_unpack_without_end_is_never_unpacked():
    assert refusal(archive(**{"xl/worksheets/sheet1.xml": b"0" * 30_000_000})) == "suspicious"


def test_a_workbook_that_declares_entities_is_never_parsed():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert refusal(archive(**{"xl/workbook.xml": bomb})) == "suspicious"


@pytest.mark.parametrize("kind", list(RosterKind))
def test_the_template_can_be_filled_in_and_read_back(kind):
    sheet = read(roster_template(kind))
    assert list(sheet.headings[: len(COLUMNS[kind])]) == [column.heading for column in COLUMNS[kind]]
    assert sheet.rows[0][1][0] == COLUMNS[kind][0].examples[0]


def test_a_staff_number_in_the_template_keeps_its_leading_zeros():
    book = load_workbook(io.BytesIO(roster_template(RosterKind.ADVISORS)))
    assert book.worksheets[0]["A2"].value == "000123"
    assert book.worksheets[0]["A2"].number_format == "@"
