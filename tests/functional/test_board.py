"""The board: who sees which figures, where each number leads, and what leaves in a file."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import timedelta
from urllib.parse import unquote
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.domain.tracking import HitClass, LinkChannel
from app.models.advisor import Advisor
from app.models.audit import AuditEntry
from tests.factories import House
from tests.visitors import code_of, keep_event


@pytest.fixture
def piece_id(house: House) -> UUID:
    found = house.draft("operator")
    for who in ("advisor", "advisor_b"):
        code_of(house, found, who=who)
    now = house.platform.clock.now()
    for back in range(3):
        keep_event(house, found, "advisor", now - timedelta(hours=back))
    keep_event(house, found, "advisor_b", now, channel=LinkChannel.MOMENTS)
    keep_event(house, found, "advisor", now, hit_class=HitClass.PREVIEW, class_reason="link preview client")
    return found


def rows_of(answer) -> list[list[str]]:
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def links(text: str, part: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'href="([^"]+)"', text) if part in one]


def total_of(text: str) -> int:
    return int(re.search(r"<strong>([\d,]+)</strong>", text)[1].replace(",", ""))


def test_every_number_on_the_board_opens_to_as_many_events(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "operator")
    for by in ("unit", "advisor", "piece", "channel", "source", "class"):
        text = client.get(f"/board?by={by}").text
        numbers = re.findall(r'<td class="im-number"><a href="([^"]+)">([\d,]+)</a>', text)
        assert numbers
        for address, number in numbers:
            behind = client.get(html.unescape(address)).text
            assert total_of(behind) == int(number.replace(",", ""))


def test_the_headline_opens_too_and_says_what_it_counts(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "operator")
    text = client.get("/board").text
    assert "另有 1 次未计入" in text
    assert "同一个人来几次算几次" in text
    figures = re.findall(r'<a class="im-figure__value" href="(/board/events[^"]+)">([\d,]+)<', text)
    assert len(figures) == 4
    for address, number in figures:
        assert total_of(client.get(html.unescape(address)).text) == int(number)


def test_the_chart_and_its_table_show_the_same_days(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "operator")
    text = client.get("/board?days=7").text
    chart = json.loads(re.search(r"data-chart-data>(.+?)</script>", text)[1])
    assert len(chart["categories"]) == 7
    assert sum(chart["series"][0]["values"]) == 4
    assert sum(chart["series"][1]["values"]) == 5
    assert text.count("<tr><td>2026-11-") == 7


def test_a_branch_head_sees_the_branch_and_nothing_else(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "branch_head")
    for path in ("/board?by=advisor", "/board/events?count=all", "/board/export.csv?table=events&count=all"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "李知遥" in answer.text
        assert "欧阳" not in answer.text
        assert "苏州" not in answer.text


def test_a_foreign_unit_answers_exactly_as_a_missing_one(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "branch_head")
    foreign = client.get(f"/board?unit={house.units['/HQ/SZ/']}", headers={"Accept": "text/html"})
    missing = client.get(f"/board?unit={UUID(int=7)}", headers={"Accept": "text/html"})
    assert foreign.status_code == missing.status_code == 404
    # the request's id and the page's token are new each time
    strip = re.compile(r'[0-9a-f]{32}|(?<=csrf-token" content=")[^"]+')
    assert strip.sub("", foreign.text) == strip.sub("", missing.text)


def test_an_advisor_of_another_branch_is_missing_too(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "branch_head")
    foreign = house.people["advisor_b"].advisor_id
    assert client.get(f"/board/events?advisor={foreign}").status_code == 404


@pytest.mark.parametrize("who", ["advisor", "brand", "reviewer", "administrator"])
def test_reach_is_not_for_everybody(house: House, client: FlaskClient, who: str) -> None:
    house.log_in(client, who)
    for path in ("/board", "/board/events", "/board/export.csv"):
        assert client.get(path).status_code == 403


def test_an_auditor_may_look_and_take_nothing_away(house: House, client: FlaskClient, piece_id: UUID) -> None:
    house.log_in(client, "auditor")
    board = client.get("/board")
    assert board.status_code == 200
    assert "export.csv" not in board.text
    assert client.get("/board/export.csv").status_code == 403


def test_nobody_reads_reach_without_signing_in(house: House, client: FlaskClient) -> None:
    assert client.get("/board", headers={"Accept": "text/html"}).status_code == 303


@pytest.mark.parametrize("table", ["unit", "advisor", "piece", "channel", "source"])
def test_a_table_leaves_as_it_is_shown(house: House, client: FlaskClient, piece_id: UUID, table: str) -> None:
    house.log_in(client, "operator")
    header, *rows = rows_of(client.get(f"/board/export.csv?table={table}"))
    assert header[2] == "触达人次"
    assert sum(int(row[2]) for row in rows) == 4
    assert sum(int(row[3]) for row in rows) == 5


def test_the_events_leave_as_many_as_the_figure_says(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "operator")
    events = client.get("/board/events?metric=arrivals&count=all").text
    (export,) = links(events, "export.csv")
    header, *rows = rows_of(client.get(export))
    assert len(rows) == total_of(events) == 5
    assert header[0] == "时间"
    assert {row[2] for row in rows} == {"真人", "链接预览"}


def test_a_name_that_is_a_formula_leaves_as_a_text(house: House, client: FlaskClient, piece_id: UUID) -> None:
    with house.platform.sessions.begin() as session:
        session.execute(
            update(Advisor)
            .where(Advisor.id == house.people["advisor"].advisor_id)
            .values(name='=HYPERLINK("x")')
        )
    house.log_in(client, "operator")
    names = [row[0] for row in rows_of(client.get("/board/export.csv?table=advisor"))]
    assert '\'=HYPERLINK("x")' in names


def test_a_file_has_a_chinese_name_in_one_header_line(
    house: House, client: FlaskClient, piece_id: UUID
) -> None:
    house.log_in(client, "operator")
    answer = client.get("/board/export.csv?table=day&days=7")
    disposition = answer.headers["Content-Disposition"]
    assert unquote(disposition.partition("UTF-8''")[2]) == "触达_按日_20261117-20261123.csv"
    assert disposition.isascii()
    assert "no-store" in answer.headers["Cache-Control"]


def test_every_export_is_on_record(house: House, client: FlaskClient, piece_id: UUID) -> None:
    house.log_in(client, "operator")
    client.get("/board/export.csv?table=events&count=all")
    with house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "reach:export")).one()
    record = json.loads(entry.record)
    assert entry.actor == str(house.people["operator"].user_id)
    assert record["details"]["rows"] == 5


@pytest.mark.parametrize(
    "query", ["from=2026-11-20&until=2026-11-01", "from=x", "from=2020-01-01&until=2026-01-01"]
)
def test_a_period_that_makes_no_sense_is_said_and_the_usual_one_shown(
    house: House, client: FlaskClient, query: str
) -> None:
    house.log_in(client, "operator")
    answer = client.get(f"/board?{query}")
    assert answer.status_code == 200
    assert "下面是最近 30 天" in answer.text
    assert "2026-10-25 至 2026-11-23" in answer.text


def test_an_empty_board_says_what_to_do(house: House, client: FlaskClient) -> None:
    house.log_in(client, "operator")
    assert "换一个更长的时段" in client.get("/board?by=advisor").text


@pytest.mark.parametrize("query", ["metric=x&count=y", "page=-3", "page=99999", "channel=x&by=x", "days=8"])
def test_an_address_written_by_hand_is_forgiven(house: House, client: FlaskClient, query: str) -> None:
    house.log_in(client, "operator")
    assert client.get(f"/board/events?{query}").status_code == 200
    assert client.get(f"/board?{query}").status_code == 200
