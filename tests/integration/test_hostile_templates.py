"""A design that never ends costs its own process, and nobody else anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from templates_lib.batch import TemplateCheck, contact_sheet
from templates_lib.examine import UnfitTemplateError, examine
from templates_lib.fault import TemplateError
from templates_lib.manifest import ManifestError
from templates_lib.sandbox import Limits
from tests.unit.templates_lib.hostile import ENDLESS, LARGE, sound

# The processor's time decides; the wall clock only has to outlast a busy machine.
SHORT = Limits(cpu_s=2, wall_s=120)
LONG = Limits(cpu_s=10, wall_s=120)
NEIGHBOURS = {**ENDLESS, **LARGE, "a neighbour": sound}


@dataclass
class Row:
    """All of them in one line, two at a time."""

    came_out: dict[str, TemplateCheck | TemplateError]

    def of(self, name: str) -> TemplateCheck | TemplateError:
        return self.came_out[name]


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> Row:
    folder = tmp_path_factory.mktemp("designs")

    def examined(name: str) -> TemplateCheck | TemplateError:
        try:
            return examine(NEIGHBOURS[name](folder / name), SHORT if name in ENDLESS else LONG)
        except TemplateError as refused:
            return refused

    with ThreadPoolExecutor(2) as two:
        return Row(dict(zip(NEIGHBOURS, two.map(examined, NEIGHBOURS), strict=True)))


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_ended(row: Row, name: str) -> None:
    found = row.of(name)

    assert isinstance(found, UnfitTemplateError)
    assert found.code in ("too_slow", "too_large")
    assert found.file.endswith(name)
    assert found.remedy in str(found)


@pytest.mark.parametrize("name", LARGE)
def test_what_is_large_and_ends_is_answered(row: Row, name: str) -> None:
    found = row.of(name)

    assert isinstance(found, TemplateCheck | UnfitTemplateError)


def test_its_neighbour_is_drawn(row: Row) -> None:
    found = row.of("a neighbour")

    assert isinstance(found, TemplateCheck)
    assert found.sound
    assert found.digest
    assert contact_sheet(found, thumb_width_px=60).width > 60


def test_a_fault_inside_is_told_as_it_would_be_here(tmp_path: Path) -> None:
    folder = sound(tmp_path / "design")
    body = (folder / "body.html").read_text("utf-8")
    (folder / "body.html").write_text(body.replace("设计里的字", "{{ name.__class__ }}"), "utf-8")

    with pytest.raises(TemplateError, match="Getattr") as refused:
        examine(folder, LONG)

    assert (refused.value.code, refused.value.file, refused.value.line) == ("template", "body.html", 3)


def test_a_fault_of_the_manifest_names_its_field(tmp_path: Path) -> None:
    folder = sound(tmp_path / "design")
    manifest = (folder / "manifest.yaml").read_text("utf-8")
    (folder / "manifest.yaml").write_text(manifest.replace("pages: 1", "pages: 10000"), "utf-8")

    with pytest.raises(ManifestError, match="at most 30") as refused:
        examine(folder, LONG)

    assert refused.value.field == "pages"


def test_a_sample_that_does_not_fit_is_told_and_the_others_are_drawn(tmp_path: Path) -> None:
    folder = sound(tmp_path / "design")
    samples = (folder / "samples.yaml").read_text("utf-8")
    (folder / "samples.yaml").write_text(
        samples + samples.replace("only", "more").replace("你好", "长" * 90), "utf-8"
    )

    found = examine(folder, LONG)

    assert [(one.sample.name, one.fault is None, len(one.pages)) for one in found.samples] == [
        ("only", True, 1),
        ("more", False, 0),
    ]


def test_a_sample_picture_is_read_from_the_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    folder = sound(tmp_path / "design")
    (tmp_path / "secret.jpg").write_bytes(b"CANARY")
    samples = (folder / "samples.yaml").read_text("utf-8")
    (folder / "samples.yaml").write_text(samples.replace("你好", "你好, photo: ../secret.jpg"), "utf-8")

    with pytest.raises(ManifestError, match="there is no picture"):
        examine(folder, LONG)
