"""A file of units or advisors, judged cell by cell before anything is written."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from app.domain.advisor import (
    CODE,
    MAX_CODE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    AdvisorKind,
    phone_digits,
    tags_in,
)
from app.domain.errors import Fault
from app.domain.organisation import OrgLevel
from app.domain.text import unprintable

HEADING_ROW: Final = 1
_YEARS: Final = range(1990, 2101)
_DATE: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?: 00:00:00)?")


Fact = str | bool | date | list[str] | None
_Row = TypeVar("_Row", "UnitRow", "AdvisorRow")


class RosterKind(StrEnum):
    ORGANISATION = "organisation"
    ADVISORS = "advisors"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file: the heading people write, and what stands under it."""

    name: str
    heading: str
    meaning: str
    examples: tuple[str, str]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as read: headings, and rows by the number a spreadsheet shows beside them."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class UnitRow:
    row: int
    code: str
    name: str
    parent_code: str
    level: OrgLevel


@dataclass(frozen=True, slots=True)
class AdvisorRow:
    """`facts` holds what the file's optional columns say, by the name of the advisor's field.

    A column the file does not have is absent, so what is stored stays; an empty cell empties the
    field.
    """

    row: int
    staff_no: str
    name: str
    unit_code: str
    facts: Mapping[str, Fact]


COLUMNS: Final[Mapping[RosterKind, tuple[Column, ...]]] = {
    RosterKind.ORGANISATION: (
        Column(
            "code", "机构编码", "字母、数字、点、横线，最多 40 位；再次导入时以它为准。", ("HQ", "SH"), True
        ),
        Column("name", "机构名称", "最多 50 字。", ("示例银行总行", "上海分行"), True),
        Column("parent_code", "上级机构编码", "总行留空；上级可以在同一文件里。", ("", "HQ"), True),
        Column("level", "层级", "总行、分行、支行或网点；下级须低于上级。", ("总行", "分行"), True),
    ),
    RosterKind.ADVISORS: (
        Column(
            "staff_no",
            "工号",
            "字母、数字、点、横线，最多 40 位；再次导入时以它为准。",
            ("000123", "000124"),
            True,
        ),
        Column("name", "姓名", "按证件原样填写，生僻字照录，最多 50 字。", ("李知遥", "欧阳𠮷"), True),
        Column("unit_code", "机构编码", "须是已导入的机构。", ("SH", "SH"), True),
        Column(
            "kind",
            "岗位",
            "客户经理、理财经理、投资顾问、保险代理人或保险经纪人；不填为客户经理。",
            ("理财经理", "客户经理"),
        ),
        Column("title", "职务", "印在海报姓名旁的职务，最多 40 字。", ("高级理财经理", "")),
        Column("phone", "手机", "11 位手机号，或带区号的座机。", ("13800000000", "021-60000000")),
        Column("licence_no", "执业编号", "最多 40 位。", ("S0000000000000", "")),
        Column("licence_until", "执业到期", "例如 2027-12-31。", ("2027-12-31", "")),
        Column("licences", "资格", "多项以顿号分隔，如 基金从业、保险销售。", ("基金从业、保险销售", "")),
        Column("tags", "标签", "多项以顿号分隔。", ("养老、私行", "")),
        Column("is_active", "状态", "在岗或离岗；不填为在岗。", ("在岗", "在岗")),
        Column("successor_no", "接任工号", "离岗者由谁承接扫码和线索；须是在岗的工号。", ("", "")),
    ),
}

LEVEL_WORDS: Final[Mapping[str, OrgLevel]] = {
    "总行": OrgLevel.HQ,
    "总部": OrgLevel.HQ,
    "总公司": OrgLevel.HQ,
    "分行": OrgLevel.BRANCH,
    "分公司": OrgLevel.BRANCH,
    "支行": OrgLevel.SUB_BRANCH,
    "支公司": OrgLevel.SUB_BRANCH,
    "营业部": OrgLevel.SUB_BRANCH,
    "网点": OrgLevel.OUTLET,
    "营业网点": OrgLevel.OUTLET,
}
KIND_WORDS: Final[Mapping[str, AdvisorKind]] = {
    "客户经理": AdvisorKind.ACCOUNT_MANAGER,
    "理财经理": AdvisorKind.WEALTH_MANAGER,
    "投资顾问": AdvisorKind.INVESTMENT_ADVISER,
    "投顾": AdvisorKind.INVESTMENT_ADVISER,
    "保险代理人": AdvisorKind.AGENT,
    "保险经纪人": AdvisorKind.BROKER,
}
ON_DUTY: Final = "在岗"
LEFT: Final = "离岗"


@dataclass(slots=True)
class _Cells:
    """One row's cells by column name; what is wrong with them is gathered in `faults`."""

    row: int
    columns: Mapping[str, Column]
    values: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, name: str, code: str, reason: str) -> None:
        self.faults.append(Fault(name, code, reason, row=self.row, column=self.columns[name].heading))

    def has(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, longest: int) -> str:
        """The cell as it stands, white space at its ends apart."""
        value = self.values.get(name, "")
        if not value and self.columns[name].required and name != "parent_code":
            self.fault(name, "required", "必填，不能为空。")
        elif sign := unprintable(value):
            self.fault(name, "unprintable", f"含有不能显示的字符（{sign}），请删除或改用标准字。")
        elif len(value) > longest:
            self.fault(name, "too_long", f"最多 {longest} 字，现有 {len(value)} 字。")
        return value

    def code(self, name: str) -> str:
        value = self.text(name, MAX_CODE_LENGTH)
        if value and not unprintable(value) and not CODE.fullmatch(value):
            self.fault(name, "malformed", "只能用字母、数字、点和横线，并以字母或数字开头。")
        return value

    def phone(self, name: str) -> str:
        value = self.text(name, 30)
        digits = phone_digits(value) if value else ""
        if digits is None:
            self.fault(name, "malformed", "不是有效的电话号码，请填 11 位手机号或带区号的座机。")
        return digits or ""

    def day(self, name: str) -> date | None:
        value = self.text(name, 30)
        if not value:
            return None
        if found := _DATE.fullmatch(value):
            year, month, day = (int(part) for part in found.groups() if part is not None)
            try:
                on = date(year, month, day)
            except ValueError:
                on = None
            if on is not None and on.year in _YEARS:
                return on
        self.fault(name, "malformed", "不是有效的日期，请写成 2027-12-31 的样子。")
        return None

    def tags(self, name: str) -> list[str]:
        found = tags_in(self.text(name, MAX_TAGS * (MAX_TAG_LENGTH + 1)))
        if any(len(tag) > MAX_TAG_LENGTH for tag in found):
            self.fault(name, "too_long", f"每一项最多 {MAX_TAG_LENGTH} 字；多项请用顿号分隔。")
        if len(found) > MAX_TAGS:
            self.fault(name, "too_many", f"最多 {MAX_TAGS} 项。")
        return found

    def kind(self, name: str) -> str:
        word = self.text(name, 10)
        kind = KIND_WORDS.get(word)
        if word and kind is None:
            self.fault(name, "unknown", "岗位只能是" + "、".join(KIND_WORDS) + "。")
        return (kind or AdvisorKind.ACCOUNT_MANAGER).value

    def standing(self, name: str) -> bool:
        word = self.text(name, 10)
        if word not in {"", ON_DUTY, LEFT}:
            self.fault(name, "unknown", f"状态只能是{ON_DUTY}或{LEFT}。")
        return word != LEFT


def read_units(sheet: Sheet) -> tuple[list[UnitRow], list[Fault]]:
    """The file's units, and everything wrong with its cells."""
    rows, faults = _read(RosterKind.ORGANISATION, sheet, _unit)
    return rows, [*faults, *_repeats(rows, "code", "机构编码", lambda row: row.code)]


def read_advisors(sheet: Sheet) -> tuple[list[AdvisorRow], list[Fault]]:
    """The file's advisors, and everything wrong with its cells."""
    rows, faults = _read(RosterKind.ADVISORS, sheet, _advisor)
    return rows, [*faults, *_repeats(rows, "staff_no", "工号", lambda row: row.staff_no)]


def _unit(cells: _Cells) -> UnitRow:
    word = cells.text("level", 10)
    level = LEVEL_WORDS.get(word)
    if word and level is None:
        cells.fault("level", "unknown", "层级只能是总行、分行、支行或网点。")
    return UnitRow(
        row=cells.row,
        code=cells.code("code"),
        name=cells.text("name", MAX_NAME_LENGTH),
        parent_code=cells.code("parent_code"),
        level=level or OrgLevel.OUTLET,
    )


def _advisor(cells: _Cells) -> AdvisorRow:
    readers: dict[str, Callable[[str], Fact]] = {
        "kind": cells.kind,
        "title": lambda name: cells.text(name, MAX_TITLE_LENGTH),
        "phone": cells.phone,
        "licence_no": lambda name: cells.text(name, MAX_CODE_LENGTH),
        "licence_until": cells.day,
        "licences": cells.tags,
        "tags": cells.tags,
        "is_active": cells.standing,
        "successor_no": lambda name: cells.text(name, MAX_CODE_LENGTH),
    }
    return AdvisorRow(
        row=cells.row,
        staff_no=cells.code("staff_no"),
        name=cells.text("name", MAX_NAME_LENGTH),
        unit_code=cells.code("unit_code"),
        facts={name: read(name) for name, read in readers.items() if cells.has(name)},
    )


def _read(kind: RosterKind, sheet: Sheet, read: Callable[[_Cells], _Row]) -> tuple[list[_Row], list[Fault]]:
    columns = {column.name: column for column in COLUMNS[kind]}
    places, faults = _places(columns, sheet)
    if faults:
        return [], faults
    if not sheet.rows:
        return [], [Fault("file", "empty", "文件里只有标题行，没有数据。", row=HEADING_ROW)]
    rows: list[_Row] = []
    for number, cells_as_read in sheet.rows:
        values = {
            name: cells_as_read[at].strip() if at < len(cells_as_read) else "" for name, at in places.items()
        }
        cells = _Cells(number, columns, values)
        rows.append(read(cells))
        faults += cells.faults
    return rows, faults


def _places(columns: Mapping[str, Column], sheet: Sheet) -> tuple[dict[str, int], list[Fault]]:
    """Where each column stands. A heading nobody knows is a mistake: its data would be lost silently."""
    by_heading = {column.heading: column.name for column in columns.values()}
    places: dict[str, int] = {}
    faults: list[Fault] = []
    for at, heading in enumerate(sheet.headings):
        plain = heading.strip().rstrip("*＊")
        if not plain:
            if any(at < len(cells) and cells[at].strip() for _, cells in sheet.rows):
                faults.append(_heading_fault("no_heading", f"第 {at + 1} 列有内容但没有标题。", None))
        elif (name := by_heading.get(plain)) is None:
            known = "、".join(by_heading)
            faults.append(_heading_fault("unknown_column", f"不认识的列。可用的列：{known}。", plain[:40]))
        elif name in places:
            faults.append(_heading_fault("repeated_column", "这一列出现了两次。", plain))
        else:
            places[name] = at
    faults += [
        _heading_fault("missing_column", "缺少这一列。", column.heading)
        for column in columns.values()
        if column.required and column.name not in places
    ]
    return places, faults


def _heading_fault(code: str, reason: str, heading: str | None) -> Fault:
    return Fault("heading", code, reason, row=HEADING_ROW, column=heading)


def _repeats(rows: list[_Row], name: str, heading: str, key_of: Callable[[_Row], str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for row in rows:
        key = key_of(row)
        if key and first.setdefault(key, row.row) != row.row:
            reason = f"与第 {first[key]} 行重复（{key[:MAX_CODE_LENGTH]}）。"
            yield Fault(name, "repeated", reason, row=row.row, column=heading)
