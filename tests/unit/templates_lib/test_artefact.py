"""What one process found out about a design, another reads instead of finding it out."""

import pytest

from templates_lib import compose as press
from templates_lib.artefact import (
    ArtefactError,
    artefact_name,
    pages_known,
    read_artefact,
    write_artefact,
)
from templates_lib.compile import compile_template
from templates_lib.compose import compose
from tests.unit.templates_lib.factories import write_template
from tests.unit.templates_lib.test_ways import PLAIN, STYLED, VALUES


@pytest.fixture
def note(tmp_path):
    return compile_template(write_template(tmp_path / "1", body=PLAIN, style=STYLED))


def test_a_design_read_back_draws_the_same_bytes_and_lays_nothing_out(note, monkeypatch):
    made = compose(note, VALUES).data
    again = compile_template(note.source)
    read_artefact(again, write_artefact(note))
    assert pages_known(again) == pages_known(note) == 1

    press._stages.clear()
    monkeypatch.setattr("templates_lib.layout.lay_out", None)
    assert compose(again, VALUES).data == made


def test_the_same_knowledge_is_the_same_bytes(note):
    compose(note, VALUES)
    again = compile_template(note.source)
    read_artefact(again, write_artefact(note))
    assert write_artefact(again) == write_artefact(note)


def test_it_holds_nothing_of_anybody(note):
    compose(note, VALUES)
    held = write_artefact(note)
    assert "王小明".encode() not in held
    assert b"example.com/s/" not in held


def test_knowledge_of_another_design_is_refused(note, tmp_path):
    other = compile_template(
        write_template(tmp_path / "2", body=PLAIN, style=STYLED + ".small { color: #333333 }")
    )
    compose(other, VALUES)
    assert artefact_name(other) != artefact_name(note)
    with pytest.raises(ArtefactError, match="another design"):
        read_artefact(note, write_artefact(other))


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:200], lambda data: data[40:]])
def test_damaged_bytes_are_refused_and_nothing_is_learnt(note, spoil):
    compose(note, VALUES)
    fresh = compile_template(note.source)
    with pytest.raises(ArtefactError):
        read_artefact(fresh, spoil(write_artefact(note)))
    assert pages_known(fresh) == 0


def test_a_page_asked_for_after_reading_is_drawn_then(note):
    compose(note, VALUES)
    fresh = compile_template(note.source)
    read_artefact(fresh, write_artefact(note))
    for plates in fresh.kept_plates.values():
        plates.plates.clear()
    assert compose(fresh, VALUES).data == compose(note, VALUES).data
