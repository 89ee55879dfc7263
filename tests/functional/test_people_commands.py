"""`imprimatur import`, `tenant`, `user` and `audit`: what they say, and how they end."""

from __future__ import annotations

import csv
import json
import stat

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, func, make_url, select, text

from app.bootstrap import Platform
from app.cli import imprimatur
from app.cli.edge import PlatformHandle
from app.domain.audit import entry_hash
from app.domain.roster import RosterKind
from app.models.advisor import Advisor
from tests.factories import House
from tests.rosters import advisor, roster


@pytest.fixture
def run(platform: Platform):
    handle = PlatformHandle(lambda: platform)

    def run(*arguments: object, **more: object) -> Result:
        return CliRunner().invoke(imprimatur, [str(one) for one in arguments], obj=handle, **more)

    return run


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform, templates=False)


@pytest.fixture
def good(tmp_path):
    file = tmp_path / "advisors.csv"
    rows = [advisor(f"N{at}", "欧阳𠮷", "DEMOHQ-SH") for at in range(3)]
    file.write_bytes(roster(RosterKind.ADVISORS, *rows, encoding="gb18030"))
    return file


def count(house: House) -> int:
    with house.platform.sessions() as session:
        return session.scalar(select(func.count(Advisor.id))) or 0


def test_an_import_says_what_it_did(run, house, good):
    result = run("import", "advisors", good)

    assert result.exit_code == 0, result.output
    assert "已导入：新增 3，更新 0，不变 0。" in result.output
    assert count(house) == 5


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(run, house, good):
    result = run("import", "advisors", good, "--dry-run")

    assert result.exit_code == 0
    assert "新增 3" in result.output
    assert count(house) == 2


def test_a_faulty_file_is_refused_by_row_and_column_with_exit_1(run, house, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_bytes(
        roster(RosterKind.ADVISORS, advisor("N1", "李", "NOWHERE"), advisor("", "王", "DEMOHQ-SH"))
    )
    result = run("import", "advisors", file)

    assert result.exit_code == 1
    assert "import_refused" in result.output
    assert "第 2 行 【机构编码】没有编码为 NOWHERE 的机构" in result.output
    assert "第 3 行 【工号】必填" in result.output
    assert count(house) == 2


def test_initial_passwords_go_to_a_file_for_its_owner_only(run, house, good, tmp_path):
    secrets = tmp_path / "passwords.csv"
    result = run("import", "advisors", good, "--with-accounts", secrets)

    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    rows = list(csv.reader(secrets.read_text("utf-8-sig").splitlines()))
    assert [row[0] for row in rows] == ["工号", "N0", "N1", "N2"]
    assert all(password not in result.output for _, _, password in rows[1:])
    # never over an older file
    assert run("import", "advisors", good, "--with-accounts", secrets).exit_code == 2


def test_a_refused_import_leaves_no_file_of_passwords(run, house, tmp_path):
    file, secrets = tmp_path / "bad.csv", tmp_path / "passwords.csv"
    file.write_bytes(roster(RosterKind.ADVISORS, advisor("N1", "李", "NOWHERE")))

    assert run("import", "advisors", file, "--with-accounts", secrets).exit_code == 1
    assert not secrets.exists()


@pytest.mark.parametrize(
    "arguments",
    [("import", "advisors"), ("import", "advisors", "/nowhere.csv"), ("import", "strangers", "x")],
)
def test_a_wrong_call_ends_with_2(run, house, arguments):
    assert run(*arguments).exit_code == 2


def test_with_several_tenants_one_must_be_named(run, platform, house, good):
    House.build(platform, slug="other", templates=False)

    assert run("import", "advisors", good).exit_code == 2
    assert run("import", "advisors", good, "--tenant", "nobody").exit_code == 2
    assert run("import", "advisors", good, "--tenant", "demo").exit_code == 0


def test_the_template_the_command_writes_is_read_by_the_command(run, house, tmp_path):
    file = tmp_path / "organisation.csv"
    assert run("import", "template", "organisation", file).exit_code == 0
    result = run("import", "organisation", file, "--dry-run")
    # the example has a head office of its own, and this tenant has one already
    assert "只能有一个总部" in result.output


def test_an_institution_is_founded_with_its_first_administrator(run, platform):
    assert run("tenant", "create", "bank", "--name", "示例银行").exit_code == 0
    made = run(
        "user",
        "create",
        "root",
        "--name",
        "沈知远",
        "--role",
        "administrator",
        "--password",
        "long enough for us",
    )
    assert made.exit_code == 0, made.output
    assert run("user", "password", "root", "--password", "short").exit_code == 1
    assert run("user", "password", "nobody", "--password", "long enough for us").exit_code == 1
    assert run("audit", "verify").output.strip() == ("OK 3 entries, the first 0 under 0 checkpoints")


def test_a_broken_chain_is_told_with_its_place_and_exit_1(run, house, postgres, database_url):
    for at in range(3):
        with house.by("administrator") as uow:
            uow.audit.record("user:enable", f"person {at}")
    url = make_url(postgres.superuser_url).set(
        drivername="postgresql+psycopg", database=make_url(database_url).database
    )
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE audit_entry SET record = record || ' ' WHERE seq = 2"))
    engine.dispose()

    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "BROKEN at entry 2" in result.output


def test_the_exported_trail_can_be_verified_with_nothing_but_a_hash_function(run, house, tmp_path):
    for at in range(3):
        with house.by("administrator") as uow:
            uow.audit.record("advisor:change", f"person {at}", fields=["姓名"])
    out = tmp_path / "audit.jsonl"
    assert run("audit", "export", "--out", out).exit_code == 0

    previous = "0" * 64
    for line in out.read_text("utf-8").splitlines():
        entry = json.loads(line)
        assert entry["previous_hash"] == previous
        assert entry_hash(previous, entry["record"].encode()) == entry["hash"]
        previous = entry["hash"]


def test_every_command_explains_itself(run):
    for name in ("import", "tenant", "user", "audit", "migrate", "up", "check"):
        assert run(name, "--help").exit_code == 0, name
    assert "import" in run("--help").output
