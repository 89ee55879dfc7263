"""Taking evidence away, by the page and by the command, and the command's verdict on it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.cli import imprimatur
from app.cli.edge import PlatformHandle
from app.domain.evidence import verify_pack
from app.domain.organisation import Actor, Role
from app.models.archive import ArchiveItem
from app.models.evidence_pack import EvidencePack
from app.models.user import Membership
from app.services.evidence_pack import make_pack
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


def make_packs(house: House) -> None:
    """Do what the worker would."""
    with house.platform.sessions() as session:
        asked = session.scalars(select(EvidencePack.id)).all()
    for pack_id in asked:
        make_pack(house.platform.unit_of_work, house.tenant_id, pack_id)


def address(page: str) -> str:
    """Where the page's only pack is."""
    (found,) = re.findall(r'href="(/archive/evidence/[0-9a-f-]+\.zip)"', page)
    return found


def run(house: House, *arguments: object) -> Result:
    handle = PlatformHandle(lambda: house.platform)
    return CliRunner().invoke(imprimatur, [str(one) for one in arguments], obj=handle)


def test_the_page_hands_out_a_pack_that_is_whole(house, piece_id, client: FlaskClient):
    house.log_in(client, "auditor")
    form = client.get(f"/archive/evidence?piece={piece_id}").text
    assert house.piece(piece_id).title in form
    assert house.platform.signer.public_key.hex() in form

    asked = client.post("/archive/evidence", data={"piece": str(piece_id)}, follow_redirects=True)
    assert "等待" in asked.text
    assert 'hx-trigger="every 3s"' in asked.text
    make_packs(house)
    listed = client.get("/archive/evidence", headers={"HX-Request": "true"}).text
    assert "可下载" in listed
    assert "every 3s" not in listed
    assert house.piece(piece_id).title in listed
    assert "<html" not in listed

    answer = client.get(address(listed))
    assert answer.mimetype == "application/zip"
    assert answer.content_length == len(answer.data)
    verdict = verify_pack(io.BytesIO(answer.data), keys=(house.platform.signer.public_key,))
    assert verdict.faults == []
    assert verdict.records == 1


def test_who_cannot_see_all_of_it_is_told_of_no_pack(house, piece_id, client):
    house.log_in(client, "auditor")
    client.post("/archive/evidence", data={"piece": str(piece_id)})
    make_packs(house)
    pack = address(client.get("/archive/evidence").text)

    other = House.build(house.platform, slug="other", templates=False)
    of_one_branch = house.person("of-one-branch", Role.REVIEWER, "/HQ/SZ/")
    for stranger in (other.people["auditor"], of_one_branch):
        elsewhere = client.application.test_client()
        house.log_in(elsewhere, stranger)
        assert elsewhere.get(pack).status_code == 404
        assert pack not in elsewhere.get("/archive/evidence").text


def test_whoever_has_lost_the_role_can_no_longer_download(house, piece_id, client):
    house.log_in(client, "auditor")
    client.post("/archive/evidence", data={"piece": str(piece_id)})
    make_packs(house)
    pack = address(client.get("/archive/evidence").text)
    assert client.get(pack).status_code == 200

    with house.platform.sessions.begin() as session:
        session.execute(
            update(Membership)
            .where(Membership.user_id == house.people["auditor"].user_id)
            .values(role=Role.ADMINISTRATOR)
        )
    assert client.get(pack).status_code == 403


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
