"""`imprimatur check`: judge a text, or one JSON document a line."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from app.adapters.picture_reader.rapid import RapidPictureReader
from app.ports import PictureNotRead
from compliance.check import check as check_document
from compliance.document import Channel, Document, Sector, parse_channel, parse_sector
from compliance.finding import Finding, Severity
from compliance.reading import Box, PictureReading, around, unread_field
from compliance.report import Report, Verdict
from compliance.ruleset import Ruleset, load_ruleset

EXIT_CODES = {Verdict.PASS: 0, Verdict.WARN: 0, Verdict.REVIEW: 10, Verdict.BLOCK: 20}
USAGE_ERROR = 2

VERDICT_WORDS = {
    Verdict.PASS: "通过",
    Verdict.WARN: "提醒",
    Verdict.REVIEW: "需人工审核",
    Verdict.BLOCK: "不能发布",
}


class InputLineError(Exception):
    """A line of input that is no document; `number` counts from one."""

    def __init__(self, number: int, fault: str) -> None:
        super().__init__(f"line {number}: {fault}")
        self.number = number


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One input line: the caller's id and the document to judge."""

    id: Any
    document: Document


def read_requests(lines: Iterable[str], sector: Sector, channel: Channel) -> Iterator[CheckRequest]:
    """Parse JSON lines; `sector` and `channel` apply where a line names none.

    Blank lines are skipped. Raises InputLineError.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputLineError(number, f"not JSON ({error})") from error
        if not isinstance(fields, dict):
            raise InputLineError(number, "not a JSON object")
        for key in ("id", "text"):
            if key not in fields:
                raise InputLineError(number, f"`{key}` is missing")
        for key in ("text", "sector", "channel"):
            if not isinstance(fields.get(key, ""), str):
                raise InputLineError(number, f"`{key}` must be a string")
        yield CheckRequest(
            fields["id"],
            Document.of_text(
                fields["text"],
                parse_sector(fields["sector"]) if "sector" in fields else sector,
                parse_channel(fields["channel"]) if "channel" in fields else channel,
            ),
        )


def result_line(request_id: Any, report: Report) -> str:
    """Return the contract's output line: exactly these keys, in this order."""
    return json.dumps(
        {
            "id": request_id,
            "verdict": report.verdict.value,
            "findings": [_finding_object(finding) for finding in report.findings],
            "ruleset": report.ruleset_version,
        },
        ensure_ascii=False,
    )


def _finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "start": finding.span.start,
        "end": finding.span.end,
        "text": finding.text,
        "basis": finding.basis,
        "reason": finding.reason,
        "suggestion": finding.suggestion,
        "layer": finding.layer.value,
    }


def picture_line(path: str, report: Report, reading: PictureReading | None) -> str:
    """Return the line of a picture: the contract's keys, and where in the picture each finding stands."""
    line = json.loads(result_line(path, report))
    for shown, finding in zip(line["findings"], report.findings, strict=True):
        shown["boxes"] = [box.to_list() for box in _boxes(reading, finding)]
    return json.dumps(line | {"text": reading.text if reading is not None else None}, ensure_ascii=False)


def _boxes(reading: PictureReading | None, finding: Finding) -> tuple[Box, ...]:
    return reading.boxes_of(finding.span.start, finding.span.end) if reading is not None else ()


def describe(report: Report, reading: PictureReading | None = None) -> str:
    """Return the report for a person to read, without a final line end."""
    lines = [f"{VERDICT_WORDS[report.verdict]}（规则包 {report.ruleset_version}）"]
    for finding in report.findings:
        where = f"{finding.span.start}–{finding.span.end}"
        if (part := around(_boxes(reading, finding))) is not None:
            where = f"图中 ({part.left:.0f}, {part.top:.0f}) 起 {part.width:.0f}×{part.height:.0f}"
        if finding.severity is Severity.NOTE:
            lines.append(f"  [note] {where} “{finding.text}”：{finding.scope_reason}，未计入结论")
            continue
        draft = "" if finding.basis_status.value == "in_force" else "（征求意见稿）"
        lines += [
            f"  [{finding.severity.value}] {where} “{finding.text}”  {finding.rule}",
            f"      {finding.reason}",
            f"      依据：{finding.basis}{draft}",
        ]
        if finding.suggestion is not None:
            lines.append(f"      建议改为：{finding.suggestion}")
    return "\n".join(lines)


def _judge_lines(source: Iterable[str], ruleset: Ruleset, sector: Sector, channel: Channel) -> Verdict:
    worst = Verdict.PASS
    for request in read_requests(source, sector, channel):
        report = check_document(request.document, ruleset)
        click.echo(_printable(result_line(request.id, report)))
        worst = max(worst, report.verdict, key=lambda verdict: verdict.rank)
    return worst


def _judge_picture(file: str, ruleset: Ruleset, sector: Sector, channel: Channel, *, jsonl: bool) -> Verdict:
    """Read and judge a picture. Raises OSError; PictureNotRead where the file is no picture at all."""
    with click.open_file(file, "rb") as source:
        data = source.read()
    reading: PictureReading | None = None
    try:
        reading = RapidPictureReader().read(data)
    except PictureNotRead as refused:
        if refused.reason:
            raise
    field = reading.field("picture") if reading is not None else unread_field("picture")
    report = check_document(Document((field,), sector, channel), ruleset)
    shown = picture_line(file, report, reading) if jsonl else describe(report, reading)
    click.echo(_printable(shown))
    return report.verdict


def _printable(text: str) -> str:
    """Escape lone surrogates, which no output encoding can carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@click.command()
@click.argument("file", default="-", type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--jsonl", is_flag=True, help="One JSON document a line in, one result a line out.")
@click.option("--sector", default=Sector.GENERAL.value, type=click.Choice([s.value for s in Sector]))
@click.option("--channel", default=Channel.OTHER.value, help="A channel's code or Chinese word.")
@click.option("--image", is_flag=True, help="FILE is a picture: read the words in it.")
def check(file: str, *, jsonl: bool, sector: str, channel: str, image: bool) -> None:
    """Judge the text in FILE, or on standard input, under the shipped ruleset.

    With --image, the words in a JPEG, PNG or WEBP picture; its findings say where they stand and
    never go beyond review. What cannot be read is for a person to look at.

    Exit status: 0 pass or warn, 10 review, 20 block (the worst of all), 2 wrong usage.
    """
    ruleset = load_ruleset()
    given_sector, given_channel = Sector(sector), parse_channel(channel)
    try:
        if image:
            verdict = _judge_picture(file, ruleset, given_sector, given_channel, jsonl=jsonl)
            sys.exit(EXIT_CODES[verdict])
        with click.open_file(file, encoding="utf-8-sig") as source:
            if jsonl:
                verdict = _judge_lines(source, ruleset, given_sector, given_channel)
            else:
                document = Document.of_text(source.read(), given_sector, given_channel)
                report = check_document(document, ruleset)
                click.echo(_printable(describe(report)))
                verdict = report.verdict
    except InputLineError as error:
        click.echo(f"imprimatur check: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except PictureNotRead as refused:
        click.echo(f"imprimatur check: {file}: {refused.reason}", err=True)
        sys.exit(USAGE_ERROR)
    except (OSError, UnicodeDecodeError) as error:
        click.echo(f"imprimatur check: {file}: {error}", err=True)
        sys.exit(USAGE_ERROR)
    sys.exit(EXIT_CODES[verdict])
