"""Tables people upload: CSV in the encodings they have, the first sheet of an XLSX, and one to fill in."""

import codecs
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from app.domain.errors import Fault, ImportRefused, TooLarge
from app.domain.roster import COLUMNS, HEADING_ROW, RosterKind, Sheet

_TEXT: Final = "@"
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_COLUMNS: Final = 64
_LONGEST_CELL: Final = 32_767  # what a cell of a spreadsheet can hold
# A workbook is a zip archive of XML. An honest one unpacks to some ten times its size.
_MOST_PARTS: Final = 2_000
_MOST_UNPACKED_BYTES: Final = 200 * 1024 * 1024
_MOST_RATIO: Final = 100
_RATIO_MATTERS_FROM_BYTES: Final = 5 * 1024 * 1024


def read_sheet(data: bytes, *, most_rows: int) -> Sheet:
    """The table in a file, every cell as text; empty rows are left out but keep their numbers.

    Raises ImportRefused for what cannot be read, TooLarge beyond `most_rows`.
    """
    if not data.strip():
        raise _unreadable("empty", "文件是空的。")
    if data.startswith(_ZIP):
        lines = _workbook_lines(data)
    elif data.startswith(_OLD_EXCEL):
        raise _unreadable("old_excel", "这是旧版 Excel（.xls）文件，请另存为 .xlsx 或 CSV 再上传。")
    else:
        lines = _text_lines(data)
    return _sheet(lines, most_rows)


def _sheet(lines: Iterable[list[str]], most_rows: int) -> Sheet:
    numbered = ((number, cells) for number, cells in enumerate(lines, HEADING_ROW) if any(cells))
    number, headings = next(numbered, (HEADING_ROW, []))
    if number != HEADING_ROW or not headings:
        raise _unreadable("no_heading", "第一行须是列标题，请使用模板。")
    rows: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in numbered:
        if len(rows) == most_rows:
            raise TooLarge(limit=f"{most_rows} 行")
        rows.append((number, tuple(cells)))
    return Sheet(tuple(headings), tuple(rows))


def _text_lines(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    heading = text.partition("\n")[0]
    # what a spreadsheet calls "text" separates by tabs
    delimiter = "\t" if "\t" in heading and "," not in heading else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if len(cells) > _MOST_COLUMNS:
                raise _unreadable("too_wide", f"第 {reader.line_num} 行的列太多，请检查逗号和引号。")
            yield cells
    except csv.Error as error:
        raise _unreadable("malformed", f"第 {reader.line_num} 行读不出来，请检查引号是否成对。") from error


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF_16):
        raise _unreadable("encoding", "文件是 UTF-16 编码，请另存为 UTF-8 的 CSV 或 .xlsx。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable("encoding", "认不出文件的编码，请另存为 UTF-8 的 CSV 或 .xlsx。")


def _workbook_lines(data: bytes) -> Iterator[list[str]]:
    _judge_archive(data)
    try:
        # formulas are kept as they are written: nothing is ever calculated from a file
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        try:
            if not book.worksheets:
                raise _unreadable("no_sheet", "工作簿里没有工作表。")
            for cells in book.worksheets[0].iter_rows(max_col=_MOST_COLUMNS, values_only=True):
                yield [_as_text(cell) for cell in cells]
        finally:
            book.close()
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        EOFError,
    ) as error:
        # openpyxl answers a damaged workbook with any of these
        raise _unreadable("malformed", "这个 Excel 文件已损坏或不是 .xlsx，请重新另存后上传。") from error


def _judge_archive(data: bytes) -> None:
    """Refuse an archive that would unpack to far more than it weighs, before unpacking any of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            # zipfile reads no more of a part than its header says, so the headers may be believed
            unpacked = sum(part.file_size for part in parts)
            declares = any(
                b"<!DOCTYPE" in archive.open(part).read(1024)
                for part in parts[:_MOST_PARTS]
                if part.filename.endswith((".xml", ".rels"))
            )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _unreadable("malformed", "这个 Excel 文件已损坏，请重新另存后上传。") from error
    suspicious = unpacked > _RATIO_MATTERS_FROM_BYTES and unpacked > _MOST_RATIO * len(data)
    if len(parts) > _MOST_PARTS or unpacked > _MOST_UNPACKED_BYTES or suspicious or declares:
        raise _unreadable("suspicious", "这个 Excel 文件的结构不正常，没有打开它。请把数据复制到新表再上传。")


def _as_text(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a point, dates as 2027-12-31."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)[:_LONGEST_CELL]


def _unreadable(code: str, reason: str) -> ImportRefused:
    return ImportRefused(Fault("file", code, reason))


def roster_template(kind: RosterKind) -> bytes:
    """A workbook to fill in: headings, two example rows, and a second sheet that explains each column.

    Every cell is text, so that a staff number keeps its leading zeros.
    """
    columns = COLUMNS[kind]
    book = Workbook(write_only=True)
    sheet, notes = book.create_sheet("填写"), book.create_sheet("说明")
    for at, column in enumerate(columns, 1):
        dimension = sheet.column_dimensions[get_column_letter(at)]
        dimension.width = max(12, 2 * len(column.heading) + 4)
        dimension.number_format = _TEXT
    sheet.append([_text_cell(sheet, column.heading, bold=True) for column in columns])
    for row in range(2):
        sheet.append([_text_cell(sheet, column.examples[row]) for column in columns])
    notes.column_dimensions["A"].width, notes.column_dimensions["C"].width = 16, 70
    notes.append([_text_cell(notes, words, bold=True) for words in ("列", "必填", "说明")])
    for column in columns:
        required = "是" if column.required else ""
        notes.append([_text_cell(notes, words) for words in (column.heading, required, column.meaning)])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _text_cell(sheet: Any, words: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, value=words)
    cell.data_type = "s"
    cell.number_format = _TEXT
    cell.font = Font(bold=bold)
    return cell
