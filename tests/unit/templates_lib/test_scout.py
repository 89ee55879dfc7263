import fcntl

import pytest

from templates_lib import compose as press
from templates_lib.artefact import pages_known
from templates_lib.compile import compile_template
from templates_lib.compose import compose
from templates_lib.scout import FOUND_NAME, find_out, learn, sent_ahead
from tests.unit.templates_lib.factories import URL, write_template
from tests.unit.templates_lib.test_ways import PLAIN, STYLED

LONG = "这一行字很长很长很长很长"
ROWS = [{"qr": URL, "name": "甲", "headline": words} for words in ("短", LONG, "也短")]


@pytest.fixture
def source(tmp_path):
    return write_template(tmp_path / "note", body=PLAIN, style=STYLED)


def test_what_the_scout_found_lets_a_worker_draw_without_laying_anything_out(source, tmp_path, monkeypatch):
    drawn = [compose(compile_template(source), row).data for row in ROWS]
    worker = compile_template(source)

    with sent_ahead(source, ROWS, tmp_path) as path:
        learn(worker, path)

    assert not (tmp_path / FOUND_NAME).exists()
    press._stages.clear()
    monkeypatch.setattr("templates_lib.layout.lay_out", None)
    assert [compose(worker, row).data for row in ROWS] == drawn


def test_each_arrangement_is_found_out_once(source, monkeypatch):
    note = compile_template(source)
    find_out(note, ROWS)
    known = pages_known(note)

    monkeypatch.setattr("templates_lib.layout.lay_out", None)
    find_out(note, ROWS * 2)

    assert pages_known(note) == known


def test_a_scout_that_died_leaves_the_worker_to_itself(source, tmp_path):
    (tmp_path / FOUND_NAME).write_bytes(b"")
    worker = compile_template(source)

    learn(worker, tmp_path / FOUND_NAME)
    learn(worker, tmp_path / "missing")

    assert pages_known(worker) == 0
    assert compose(worker, ROWS[0]).data


def test_a_design_that_cannot_be_used_is_left_for_the_worker_to_report(tmp_path):
    broken = write_template(tmp_path / "broken", body="{{ ''.__class__ }}")

    with sent_ahead(broken, ROWS, tmp_path) as path, path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert file.read() == b""
