"""`imprimatur template`: a strange folder is examined, a library is brought in one design at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.bootstrap import Platform, build_platform
from app.cli import imprimatur
from app.cli.edge import PlatformHandle
from app.models.template import Template
from templates_lib.catalog import Catalog
from tests.conftest import settings_for
from tests.designs import small_library
from tests.factories import House
from tests.fakes import MemoryObjectStore, RecordingTaskQueue


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of a sound design and one that reads what it should not."""
    root = small_library(tmp_path / "library")
    hostile = root / "hostile" / "1"
    shutil.copytree(root / "note" / "1", hostile)
    manifest = hostile / "manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("slug: note", "slug: hostile"), "utf-8")
    body = hostile / "body.html"
    body.write_text(body.read_text("utf-8").replace("{{ name }}", "{{ name.__class__ }}"), "utf-8")
    return root


@pytest.fixture
def bank(database_url: str, tmp_path: Path, library: Path) -> Iterator[Platform]:
    """A platform with a shelf of its own, over that library."""
    found = build_platform(
        settings_for(database_url, tmp_path), store=MemoryObjectStore(), queue=RecordingTaskQueue()
    )
    House.build(found, templates=False)
    found.surroundings.shelf.catalog = Catalog(library)
    yield found
    found.engine.dispose()


@pytest.fixture
def run(bank: Platform):
    def run(*arguments: object) -> Result:
        handle = PlatformHandle(lambda: bank)
        return CliRunner().invoke(imprimatur, ["template", *map(str, arguments)], obj=handle)

    return run


def test_a_design_that_cannot_be_used_is_left_out_and_the_others_come_in(run, bank) -> None:
    result = run("load")

    assert result.exit_code == 1
    assert "新增 1 个模板版本。" in result.stdout
    assert "hostile 1\tbody.html:3: Getattr is not allowed" in result.stderr
    with bank.sessions() as session:
        assert list(session.scalars(select(Template.slug))) == ["note"]


def test_only_the_designs_that_are_named_come_in(run, bank) -> None:
    result = run("load", "note")

    assert (result.exit_code, result.stderr) == (0, "")
    with bank.sessions() as session:
        assert list(session.scalars(select(Template.slug))) == ["note"]


def test_a_design_that_is_not_in_the_library_is_named(run, bank) -> None:
    result = run("load", "note", "missing")

    assert result.exit_code == 2
    assert "no design of the library: missing" in result.stderr
    with bank.sessions() as session:
        assert list(session.scalars(select(Template.slug))) == []


def test_what_is_loaded_already_is_not_examined_again(run, library) -> None:
    shutil.rmtree(library / "hostile")
    run("load")

    again = run("load")

    assert (again.exit_code, again.stderr) == (0, "")
    assert "新增 0 个模板版本。" in again.stdout


def test_a_strange_folder_is_drawn_to_a_sheet(run, library, tmp_path) -> None:
    sheet = tmp_path / "sheet.png"

    result = run("check", library / "note" / "1", "--sheet", sheet)

    assert result.exit_code == 0, result.output
    assert "longest\t便签\t可用" in result.stdout
    assert sheet.stat().st_size > 1000


def test_a_strange_folder_with_a_fault_is_told_its_line(run, library) -> None:
    result = run("check", library / "hostile" / "1")

    assert result.exit_code == 1
    assert "body.html:3: Getattr is not allowed in a template" in result.stderr
