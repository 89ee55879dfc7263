"""`imprimatur check`: judge a text, or one JSON document a line."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from compliance.check import check as check_document
from compliance.document import Channel, Document, Sector, parse_channel, parse_sector
from compliance.finding import Finding, Severity
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


def describe(report: Report) -> str:
    """Return the report for a person to read, without a final line end."""
    lines = [f"{VERDICT_WORDS[report.verdict]}（规则包 {report.ruleset_version}）"]
    for finding in report.findings:
        where = f"{finding.span.start}–{finding.span.end}"
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


def _printable(text: str) -> str:
    """Escape lone surrogates, which no output encoding can carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@click.command()
@click.argument("file", default="-", type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--jsonl", is_flag=True, help="One JSON document a line in, one result a line out.")
@click.option("--sector", default=Sector.GENERAL.value, type=click.Choice([s.value for s in Sector]))
@click.option("--channel", default=Channel.OTHER.value, help="A channel's code or Chinese word.")
def check(file: str, *, jsonl: bool, sector: str, channel: str) -> None:
    """Judge the text in FILE, or on standard input, under the shipped ruleset.

    Exit status: 0 pass or warn, 10 review, 20 block (the worst of all), 2 wrong usage.
    """
    ruleset = load_ruleset()
    given_sector, given_channel = Sector(sector), parse_channel(channel)
    try:
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
    except (OSError, UnicodeDecodeError) as error:
        click.echo(f"imprimatur check: {file}: {error}", err=True)
        sys.exit(USAGE_ERROR)
    sys.exit(EXIT_CODES[verdict])
