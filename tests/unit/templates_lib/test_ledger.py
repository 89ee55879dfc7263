"""What stands in a folder's ledger, and who may write into it."""

from multiprocessing import get_context

import pytest

from templates_lib.ledger import LEDGER_NAME, DesignMark, Entry, FolderTaken, Ledger, OtherDesign

MARK = DesignMark("note@1", "d1", "f1")
DONE = Entry("v1", {"a.jpg": "s1"})


def holder(lock, pipe):
    """A process of the run that lives on."""
    pipe.recv()
    del lock


def test_what_was_noted_is_known_to_the_next_run(tmp_path):
    with Ledger.open(tmp_path / "new", MARK) as ledger:
        ledger.note("a.jpg", DONE)

    with Ledger.open(tmp_path / "new", MARK) as ledger:
        assert ledger.entries == {"a.jpg": DONE}


def test_the_last_word_on_a_picture_counts(tmp_path):
    changed = Entry("v2", {"a.jpg": "s2"})
    with Ledger.open(tmp_path, MARK) as ledger:
        ledger.note("a.jpg", DONE)
        ledger.note("a.jpg", changed)

    with Ledger.open(tmp_path, MARK) as ledger:
        assert ledger.entries == {"a.jpg": changed}


@pytest.mark.parametrize("tail", [b'{"name": "b.j', b'{"name"', b"\0\0\0\0\n", b"\n"])
def test_a_line_that_was_cut_off_is_as_if_never_written(tmp_path, tail):
    with Ledger.open(tmp_path, MARK) as ledger:
        ledger.note("a.jpg", DONE)
    with (tmp_path / LEDGER_NAME).open("ab") as file:
        file.write(tail)

    with Ledger.open(tmp_path, MARK) as ledger:
        assert ledger.entries == {"a.jpg": DONE}
        ledger.note("c.jpg", DONE)
    with Ledger.open(tmp_path, MARK) as ledger:
        assert set(ledger.entries) == {"a.jpg", "c.jpg"}


def test_a_ledger_killed_at_its_first_line_begins_anew(tmp_path):
    (tmp_path / LEDGER_NAME).write_bytes(b'{"template": "no')

    with Ledger.open(tmp_path, MARK) as ledger:
        ledger.note("a.jpg", DONE)
    with Ledger.open(tmp_path, MARK) as ledger:
        assert ledger.entries == {"a.jpg": DONE}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (DesignMark("other@2", "d2", "f1"), "note@1 的图片，不能与 other@2 混放"),
        (DesignMark("note@1", "d2", "f1"), "另一份文件或字体"),
        (DesignMark("note@1", "d1", "f2"), "另一份文件或字体"),
    ],
)
def test_pictures_of_two_designs_are_not_mixed(tmp_path, other, said):
    Ledger.open(tmp_path, MARK).close()

    with pytest.raises(OtherDesign, match=said):
        Ledger.open(tmp_path, other)


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path):
    with Ledger.open(tmp_path, MARK), pytest.raises(FolderTaken):
        Ledger.open(tmp_path, MARK, patience_s=0)

    Ledger.open(tmp_path, MARK, patience_s=0).close()


def test_a_folder_stays_taken_while_a_process_of_the_run_lives(tmp_path):
    ledger = Ledger.open(tmp_path, MARK)
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=holder, args=(ledger.lock, theirs))
    process.start()
    try:
        ledger.close()
        with pytest.raises(FolderTaken):
            Ledger.open(tmp_path, MARK, patience_s=0)
    finally:
        ours.send("done")
        process.join()

    Ledger.open(tmp_path, MARK, patience_s=0).close()
