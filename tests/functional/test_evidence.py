"""Taking evidence away, by the page and by the command, and the command's verdict on it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select

from app.cli import imprimatur
from app.cli.edge import PlatformHandle
from app.domain.evidence import verify_pack
from app.domain.organisation import Actor
from app.models.archive import ArchiveItem
from app.services.record import seal_record
from tests.factories import House


@pytest.fixture
def house(small_house: House) -> House:
    small_house.published("advisor", "note", headline="时间，站在耐心的人一边")
    with small_house.platform.sessions() as session:
        item_id = session.scalars(select(ArchiveItem.id)).one()
    with small_house.platform.unit_of_work(Actor.system("record", small_house.tenant_id)) as uow:
        seal_record(uow, item_id)
    return small_house


@pytest.fixture
def piece_id(house: House):
    with house.platform.sessions() as session:
        return session.scalars(select(ArchiveItem.piece_id)).one()


def run(house: House, *arguments: object) -> Result:
    handle = PlatformHandle(lambda: house.platform)
    return CliRunner().invoke(imprimatur, [str(one) for one in arguments], obj=handle)


def test_the_page_hands_out_a_pack_that_is_whole(house, piece_id, client: FlaskClient):
    house.log_in(client, "auditor")
    form = client.get(f"/archive/evidence?piece={piece_id}").text
    assert house.piece(piece_id).title in form
    assert house.platform.signer.public_key.hex() in form

    answer = client.post("/archive/evidence", data={"piece": str(piece_id)})
    assert answer.mimetype == "application/zip"
    verdict = verify_pack(io.BytesIO(answer.data), keys=(house.platform.signer.public_key,))
    answer.close()
    assert verdict.faults == []
    assert verdict.records == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "请至少选择一项"),
        ({"advisor": "nobody"}, "没有对外展示过的内容"),
        ({"piece": "nonsense"}, "没有这份作品"),
        ({"since": "yesterday"}, "不是有效的日期"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_its_reason(house, client, sent, said):
    house.log_in(client, "reviewer")
    answer = client.post("/archive/evidence", data=sent)
    assert answer.status_code == 422
    assert said in answer.text


def test_whoever_may_not_take_evidence_away_is_refused(house, piece_id, client):
    house.log_in(client, "administrator")
    assert client.get("/archive/evidence").status_code == 403
    assert client.post("/archive/evidence", data={"piece": str(piece_id)}).status_code == 403


def test_the_command_writes_a_pack_and_another_says_it_is_whole(house, piece_id, tmp_path: Path):
    out = tmp_path / "pack.zip"
    written = run(house, "evidence", "export", "--piece", piece_id, "--out", out)
    assert written.exit_code == 0, written.output
    assert "1 records" in written.output
    assert (
        run(house, "evidence", "export", "--piece", piece_id, "--out", out).exit_code == 1
    )  # never over a file

    key = run(house, "audit", "key").output.split()[0]
    whole = run(house, "evidence", "verify", out, "--key", key)
    assert whole.exit_code == 0, whole.output
    assert "WHOLE" in whole.output

    data = bytearray(out.read_bytes())
    at = data.index(b"piece:approve") if b"piece:approve" in data else len(data) // 2
    data[at] ^= 1
    out.write_bytes(data)
    assert run(house, "evidence", "verify", out).exit_code == 1


def test_a_refused_export_leaves_no_file(house, tmp_path):
    out = tmp_path / "pack.zip"
    assert run(house, "evidence", "export", "--advisor", "nobody", "--out", out).exit_code == 1
    assert list(tmp_path.glob("*pack*")) == []


def test_the_trail_is_signed_and_verified_by_commands(house):
    assert "2 new checkpoints" not in run(house, "audit", "checkpoint").output
    assert "under 1 checkpoints" in run(house, "audit", "verify").output
