"""Files of units and advisors, written in one call."""

from __future__ import annotations

import csv
import io

from app.domain.roster import COLUMNS, RosterKind


def roster(kind: RosterKind, *rows: dict[str, str], encoding: str = "utf-8") -> bytes:
    """A CSV of these rows, its columns those that a row names, in the order of the format."""
    named = {heading for row in rows for heading in row}
    headings = [column.heading for column in COLUMNS[kind] if column.heading in named]
    headings += sorted(named - set(headings))
    out = io.StringIO()
    writer = csv.DictWriter(out, headings, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def unit(code: str, name: str, parent: str = "", level: str = "分行") -> dict[str, str]:
    return {"机构编码": code, "机构名称": name, "上级机构编码": parent, "层级": level}


def advisor(staff_no: str, name: str, unit_code: str, **more: str) -> dict[str, str]:
    return {"工号": staff_no, "姓名": name, "机构编码": unit_code, **more}
