"""What a file of units or advisors may say, cell by cell."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.organisation import OrgLevel
from app.domain.roster import COLUMNS, RosterKind, Sheet, read_advisors, read_units

REQUIRED = {"工号": "000123", "姓名": "李知遥", "机构编码": "SH01"}


def advisors(*rows: dict[str, str]):
    headings = tuple(dict.fromkeys(heading for row in rows for heading in row))
    return Sheet(
        headings,
        tuple((at, tuple(row.get(heading, "") for heading in headings)) for at, row in enumerate(rows, 2)),
    )


def one(**cells: str):
    rows, faults = read_advisors(advisors(REQUIRED | cells))
    assert faults == []
    return rows[0]


def fault(**cells: str):
    _, faults = read_advisors(advisors(REQUIRED | cells))
    assert len(faults) == 1, faults
    return faults[0]


@pytest.mark.parametrize("name", ["欧阳𠮷", "王㛃", "张䶮", "=HYPERLINK(1)", "阿卜杜热合曼·麦麦提", "O'Neil"])
def test_a_name_is_kept_as_it_is_written(name):
    assert one(姓名=name).name == name


def test_white_space_around_a_cell_is_not_part_of_it():
    assert one(姓名="　李知遥 ").name == "李知遥"


@pytest.mark.parametrize("written", ["2027-12-31", "2027/12/31", "2027.12.31", "20271231", "2027年12月31日"])
def test_a_day_may_be_written_as_people_write_it(written):
    assert one(执业到期=written).facts["licence_until"] == date(2027, 12, 31)


@pytest.mark.parametrize("written", ["2027-13-01", "31.12.2027", "明年", "0001-01-01", "2027-12"])
def test_what_is_no_day_is_refused_by_row_and_column(written):
    found = fault(执业到期=written)
    assert (found.row, found.column, found.code) == (2, "执业到期", "malformed")


@pytest.mark.parametrize(
    "written", ["138 0000 0000", "138-0000-0000", "+86 13800000000", "021-60000000", "95000"]
)
def test_a_phone_number_may_be_written_with_the_usual_signs(written):
    assert one(手机=written).facts["phone"].isdigit()


@pytest.mark.parametrize("written", ["138", "23800000000", "电话", "138000000001"])
def test_what_is_no_phone_number_is_refused(written):
    assert fault(手机=written).column == "手机"


@pytest.mark.parametrize("sign", ["\x00", "\u202e", "\u200b", "\ue000", "\n", "\ud800"])
def test_a_sign_that_no_page_may_show_is_refused_by_its_code_point(sign):
    found = fault(姓名=f"李{sign}遥")
    assert found.code == "unprintable"
    assert f"U+{ord(sign):04X}" in found.reason


def test_a_name_beyond_its_length_is_refused_with_both_lengths():
    found = fault(姓名="李" * 51)
    assert found.code == "too_long"
    assert "50" in found.reason
    assert "51" in found.reason


def test_the_same_staff_number_twice_names_the_first_row():
    _, faults = read_advisors(advisors(REQUIRED, REQUIRED))
    assert [(one.row, one.column, one.code) for one in faults] == [(3, "工号", "repeated")]
    assert "第 2 行" in faults[0].reason


def test_every_fault_of_a_file_is_listed_at_once():
    _, faults = read_advisors(
        advisors(REQUIRED | {"手机": "1", "执业到期": "x", "岗位": "厨师"}, {"姓名": "王"})
    )
    assert {(one.row, one.column) for one in faults} >= {
        (2, "手机"),
        (2, "执业到期"),
        (2, "岗位"),
        (3, "工号"),
        (3, "机构编码"),
    }


def test_a_column_that_is_absent_leaves_the_fact_unsaid_and_an_empty_cell_empties_it():
    assert "title" not in one().facts
    assert one(职务="").facts["title"] == ""


def test_several_qualifications_stand_in_one_cell():
    assert one(资格="基金从业、保险销售；基金从业").facts["licences"] == ["基金从业", "保险销售"]


def test_a_heading_nobody_knows_is_refused_so_that_its_data_is_not_lost_silently():
    _, faults = read_advisors(advisors(REQUIRED | {"手 机": "13800000000"}))
    assert [(one.row, one.column, one.code) for one in faults] == [(1, "手 机", "unknown_column")]


def test_a_missing_column_is_named():
    _, faults = read_advisors(advisors({"工号": "1", "姓名": "李"}))
    assert [(one.code, one.column) for one in faults] == [("missing_column", "机构编码")]


def test_a_file_with_headings_alone_says_so():
    _, faults = read_advisors(Sheet(("工号", "姓名", "机构编码"), ()))
    assert [one.code for one in faults] == ["empty"]


def test_levels_are_read_in_the_words_of_banks_and_brokers():
    rows, faults = read_units(
        Sheet(
            ("机构编码", "机构名称", "上级机构编码", "层级"),
            (
                (2, ("HQ", "总部", "", "总部")),
                (3, ("A", "沪分", "HQ", "分公司")),
                (4, ("B", "营", "A", "营业部")),
            ),
        )
    )
    assert faults == []
    assert [row.level for row in rows] == [OrgLevel.HQ, OrgLevel.BRANCH, OrgLevel.SUB_BRANCH]


@pytest.mark.parametrize("kind", list(RosterKind))
def test_the_examples_of_the_template_are_themselves_without_fault(kind):
    columns = COLUMNS[kind]
    sheet = Sheet(
        tuple(column.heading for column in columns),
        tuple((row + 2, tuple(column.examples[row] for column in columns)) for row in range(2)),
    )
    read = read_units if kind is RosterKind.ORGANISATION else read_advisors
    assert read(sheet)[1] == []
