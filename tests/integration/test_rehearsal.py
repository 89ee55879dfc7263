"""Nobody waits for the first picture of a released design: a worker rehearsed it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.organisation import Actor
from app.models.template import TemplateVersion
from app.ports import TaskName
from app.services.shelf import TemplateShelf
from app.services.template import rehearse_next
from templates_lib.artefact import pages_known
from templates_lib.catalog import Catalog
from tests.factories import House
from tests.fakes import MemoryObjectStore, RecordingTaskQueue


@pytest.fixture
def released(small_house: House) -> House:
    """The small design, on a shelf that keeps what it finds out."""
    shelf = small_house.platform.surroundings.shelf
    shelf.store = MemoryObjectStore()
    return small_house


def rehearse_as_a_worker(house: House) -> bool:
    with house.platform.unit_of_work(Actor.system("rehearse", house.tenant_id)) as uow:
        return rehearse_next(uow)


def test_a_release_nudges_a_worker_to_rehearse(small_house: House, queue: RecordingTaskQueue) -> None:
    assert TaskName.REHEARSE_TEMPLATES in {sent.name for sent in queue.sent}


def test_a_design_is_rehearsed_once_and_then_there_is_nothing_to_do(released: House) -> None:
    assert rehearse_as_a_worker(released)
    assert not rehearse_as_a_worker(released)


def test_another_process_draws_from_what_the_worker_found_out(released: House, tmp_path: Path) -> None:
    worker = released.platform.surroundings.shelf
    with released.platform.sessions() as session:
        version = session.scalars(select(TemplateVersion)).one()
    page = TemplateShelf(Catalog(worker.catalog.root), store=worker.store)
    assert pages_known(page.compiled("note", 1, version.digest)) == 0

    rehearse_as_a_worker(released)
    page._looked_at.clear()  # half a minute later
    assert pages_known(page.compiled("note", 1, version.digest)) > 0
