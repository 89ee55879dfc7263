"""Two reviewers decide on one item at the same moment: exactly one of them does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.bootstrap import Platform, build_platform
from app.domain.errors import AlreadyDecided, DomainError
from app.domain.review import Outcome
from app.models.audit import AuditEntry
from app.models.piece import Piece
from app.models.review import Decision, Review
from app.services.review import decide
from templates_lib.catalog import Catalog
from tests.conftest import settings_for
from tests.designs import small_library
from tests.factories import House
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue

PAIRS = 50
AGAINST_EACH_OTHER = (("reviewer", Outcome.APPROVE), ("reviewer_b", Outcome.REJECT))


@pytest.fixture
def small_house(
    database_url: str,
    tmp_path: Path,
    clock: FixedClock,
    queue: RecordingTaskQueue,
    store: MemoryObjectStore,
) -> Iterator[House]:
    """A house whose one design is drawn in no time."""
    platform: Platform = build_platform(
        settings_for(database_url, tmp_path), store=store, queue=queue, clock=clock
    )
    platform.surroundings.shelf.catalog = Catalog(small_library(tmp_path / "library"))
    yield House.build(platform)
    platform.engine.dispose()


def test_of_fifty_pairs_of_decisions_exactly_one_wins_each(small_house: House) -> None:
    house = small_house
    pieces = [house.in_review("advisor", "note", headline=f"早安第{place}天") for place in range(PAIRS)]
    barrier = Barrier(2)

    def decide_all(who: str, outcome: Outcome) -> list[str]:
        answers = []
        for piece in pieces:
            review = house.review_of(piece)
            barrier.wait()
            answers.append(_answer(house, who, review, outcome))
        return answers

    with ThreadPoolExecutor(2) as both:
        first, second = (both.submit(decide_all, who, outcome) for who, outcome in AGAINST_EACH_OTHER)
        answers = list(zip(first.result(), second.result(), strict=True))

    assert {tuple(sorted(pair)) for pair in answers} == {("already_decided", "decided")}
    for piece, (approving, _rejecting) in zip(pieces, answers, strict=True):
        assert _record(house, piece) == (
            "published" if approving == "decided" else "rejected",
            1,
            1,
        )


def _answer(house: House, who: str, review: Review, outcome: Outcome) -> str:
    try:
        with house.by(who) as uow:
            decide(uow, review.id, outcome, content_hash=review.revision.content_hash, reason="与产品不符。")
    except AlreadyDecided as refused:
        return refused.code
    except DomainError as unexpected:  # pragma: no cover - named in the failure
        return repr(unexpected)
    return "decided"


def _record(house: House, piece_id: UUID) -> tuple[str, int | None, int | None]:
    """The piece's state, its decisions, and the audit entries that tell of them."""
    with house.platform.sessions() as session:
        return (
            session.get_one(Piece, piece_id).state.value,
            session.scalar(select(func.count(Decision.id)).where(Decision.piece_id == piece_id)),
            session.scalar(
                select(func.count())
                .select_from(AuditEntry)
                .where(
                    AuditEntry.subject_id == str(piece_id),
                    AuditEntry.tag.in_(["piece:approve", "piece:reject"]),
                )
            ),
        )
