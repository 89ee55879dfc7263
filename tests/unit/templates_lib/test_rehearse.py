"""A design that was rehearsed draws at once, whatever numbers of lines its texts take."""

import pytest

from templates_lib import compose as press
from templates_lib.artefact import pages_known, read_artefact, write_artefact
from templates_lib.compile import compile_template
from templates_lib.compose import compose
from templates_lib.rehearse import rehearse
from tests.unit.templates_lib.factories import write_template
from tests.unit.templates_lib.test_ways import PLAIN, STYLED, VALUES


@pytest.fixture
def note(tmp_path):
    return compile_template(write_template(tmp_path / "1", body=PLAIN, style=STYLED))


def test_a_rehearsed_design_lays_nothing_out_for_a_picture_nobody_drew(note, monkeypatch):
    assert rehearse(note, [VALUES]) >= 1
    fresh = compile_template(note.source)
    read_artefact(fresh, write_artefact(note))

    press._stages.clear()
    monkeypatch.setattr("templates_lib.layout.lay_out", None)
    assert compose(fresh, VALUES | {"headline": "晚安", "name": "于一"}).data


def test_values_that_do_not_fit_are_passed_over(note):
    assert rehearse(note, [VALUES | {"headline": "长" * 400}]) == 0
    assert pages_known(note) == 0
