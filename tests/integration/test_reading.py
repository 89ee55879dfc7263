"""Pictures of a piece are read before its verdict counts, each once."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import func, select

from app.bootstrap import Platform
from app.domain.organisation import Actor
from app.domain.piece import PieceState
from app.models.check import CheckRun, Finding
from app.models.reading import KeptReading
from app.ports import TaskName
from app.services.advisor import upload_portrait
from app.services.reading import read_picture
from app.services.rendition import asset_key
from app.services.template import clear_template
from compliance.reading import Box, PictureReading, SeenLine
from tests.factories import POSTER, House
from tests.fakes import BlankReader, MemoryObjectStore, RecordingTaskQueue
from tests.painted import Painting

PORTRAIT = Painting(360, 450).jpeg
PORTRAIT_SHA256 = hashlib.sha256(PORTRAIT).hexdigest()
PROMISE = PictureReading(360, 450, (SeenLine("保·本保收益", Box(40, 300, 240, 40), 0.98, 36, 12.0),))


@pytest.fixture
def house(platform: Platform, store: MemoryObjectStore) -> House:
    """Somebody whose verified portrait stands on every picture, on a cleared design."""
    built = House.build(platform)
    with built.by("reviewer") as uow:
        clear_template(uow, POSTER, 1)
        store.put(asset_key(uow, PORTRAIT_SHA256), PORTRAIT, "image/jpeg")
    built.people["pictured"] = built.advisor("周敏", "/HQ/SH/01/", photo_sha256=PORTRAIT_SHA256)
    return built


def findings_of(house: House, piece_id) -> list[Finding]:
    with house.platform.sessions() as session:
        return list(
            session.scalars(
                select(Finding)
                .join(CheckRun, CheckRun.id == Finding.run_id)
                .where(CheckRun.revision_id == house.piece(piece_id).current_revision_id)
            )
        )


def test_an_uploaded_picture_is_read_at_once(house: House, queue: RecordingTaskQueue) -> None:
    with house.by("pictured") as uow:
        asset = upload_portrait(uow, Painting(600, 750).jpeg, attested=True, most_pixels=10_000_000)
    assert (TaskName.READ_PICTURE, (str(asset.id),)) in [(one.name, one.args) for one in queue.sent]


def test_a_portrait_without_words_passes(house: House, reader: BlankReader) -> None:
    assert house.piece(house.in_review("pictured")).state is PieceState.PUBLISHED
    assert reader.pictures == [PORTRAIT]


def test_a_picture_is_read_once_for_all_pieces(house: House, reader: BlankReader) -> None:
    house.in_review("pictured")
    house.in_review("pictured")
    assert len(reader.pictures) == 1


def test_a_newer_reader_reads_it_again(house: House, reader: BlankReader) -> None:
    house.in_review("pictured")
    reader.name = "blank, sharper"
    house.in_review("pictured")
    assert len(reader.pictures) == 2


def test_a_promise_in_a_picture_goes_to_a_person(house: House, reader: BlankReader) -> None:
    reader.seen = PROMISE
    piece_id = house.in_review("pictured")
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    found = [one for one in findings_of(house, piece_id) if one.field == "photo"]
    assert found
    assert {one.severity for one in found} == {"review"}
    assert found[0].text.startswith("保·本")


def test_a_picture_that_cannot_be_read_goes_to_a_person(house: House, reader: BlankReader) -> None:
    reader.fault = "too_slow"
    piece_id = house.in_review("pictured")
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    assert [one.rule for one in findings_of(house, piece_id)] == ["picture-unread"]
    with house.platform.sessions() as session:
        assert session.scalar(select(KeptReading.fault)) == "too_slow"


def test_a_picture_that_could_not_be_read_is_tried_again(house: House, reader: BlankReader) -> None:
    reader.fault = "too_slow"
    house.in_review("pictured")
    reader.fault = None
    with house.platform.unit_of_work(Actor.system("read", house.tenant_id)) as uow:
        assert read_picture(uow, PORTRAIT_SHA256) == reader.seen
    with house.platform.sessions() as session:
        assert session.scalar(select(func.count()).where(KeptReading.fault.is_not(None))) == 0


def test_a_picture_whose_file_is_gone_goes_to_a_person(
    house: House, reader: BlankReader, store: MemoryObjectStore
) -> None:
    with house.platform.unit_of_work(Actor.system("read", house.tenant_id)) as uow:
        store.delete(asset_key(uow, PORTRAIT_SHA256))
        assert read_picture(uow, PORTRAIT_SHA256) is None
    assert reader.pictures == []
