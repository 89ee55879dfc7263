"""Two people, two workers, two taps on one button: the database decides once, and nobody crashes.

PAIRS and ACTS say how often; `make proofs` asks for 200 pairs and 8 times 1,000 acts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.domain.errors import AlreadyDecided, DomainError, IllegalTransition, SelfApproval
from app.domain.organisation import Actor
from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.domain.route import StepPlan
from app.models.audit import AuditEntry
from app.models.check import CheckRun
from app.models.edition import Edition, Rendition
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.review import Decision, Review
from app.services.audit import verify_audit
from app.services.piece import save_piece
from app.services.publication import expire_due, publish_piece, take_down
from app.services.review import claim_review, decide, run_check
from app.services.submission import submit_for_review, withdraw_piece
from tests.factories import House
from tests.simultaneous import at_once

PAIRS: Final = int(os.environ.get("PAIRS", "40"))
ACTS: Final = int(os.environ.get("ACTS", "50"))


def deciding(house: House, piece_id: UUID, who: str, outcome: Outcome) -> Callable[[], object]:
    review = house.review_of(piece_id)

    def act() -> Outcome:
        with house.by(who) as uow:
            return decide(
                uow, review.id, outcome, content_hash=review.revision.content_hash, reason="见批注"
            ).outcome

    return act


def saving(house: House, piece_id: UUID | None, headline: str, **more: str) -> Callable[[], object]:
    def act() -> UUID:
        with house.by("operator") as uow:
            return save_piece(uow, "note", {"headline": headline}, piece_id=piece_id, **more).id  # type: ignore[arg-type]

    return act


def count(house: House, statement: object) -> int:
    with house.platform.sessions() as session:
        found: int = session.scalar(statement)  # type: ignore[call-overload]
    return found


def the_record_is_whole(house: House) -> bool:
    with house.platform.sessions() as session:
        _, fault = verify_audit(session, house.tenant_id)
    return fault is None


@pytest.mark.timeout(0)
def test_of_two_opposite_decisions_at_once_exactly_one_is_made(small_house: House) -> None:
    house = small_house
    pieces = [house.in_review("operator", "note") for _ in range(PAIRS)]
    winners: Counter[object] = Counter()
    for piece_id in pieces:
        done = at_once(
            deciding(house, piece_id, "reviewer", Outcome.APPROVE),
            deciding(house, piece_id, "reviewer_b", Outcome.REJECT),
        )
        [won] = [one for one in done if isinstance(one, Outcome)]
        [lost] = [one for one in done if not isinstance(one, Outcome)]
        assert isinstance(lost, AlreadyDecided)
        wanted = PieceState.APPROVED if won is Outcome.APPROVE else PieceState.REJECTED
        assert house.piece(piece_id).state is wanted
        winners[won] += 1
    assert sum(winners.values()) == PAIRS
    assert count(house, select(func.count(Decision.id))) == PAIRS
    decided = AuditEntry.tag.in_(["piece:approve", "piece:reject"])
    assert count(house, select(func.count()).select_from(AuditEntry).where(decided)) == PAIRS
    assert the_record_is_whole(house)


@pytest.mark.timeout(0)
def test_in_two_steps_of_two_opposite_decisions_at_once_exactly_one_is_made(small_house: House) -> None:
    """Both looked at the first step; whoever is second is told how it stands, and votes nowhere else."""
    house = small_house
    house.route(StepPlan("初审"), StepPlan("复审"))
    winners: Counter[object] = Counter()
    for turn in range(PAIRS):
        piece_id = house.in_review("operator", "note", headline=f"第{turn}件")
        done = at_once(
            deciding(house, piece_id, "reviewer", Outcome.APPROVE),
            deciding(house, piece_id, "reviewer_b", Outcome.REJECT),
        )
        [won] = [one for one in done if isinstance(one, Outcome)]
        [lost] = [one for one in done if not isinstance(one, Outcome)]
        assert isinstance(lost, AlreadyDecided)
        if won is Outcome.APPROVE:
            assert lost.data == {"state": "in_review", "step": 2}
            assert house.piece(piece_id).state is PieceState.IN_REVIEW
        else:
            assert lost.data == {"state": "rejected"}
            assert house.piece(piece_id).state is PieceState.REJECTED
        winners[won] += 1
    assert sum(winners.values()) == PAIRS
    assert count(house, select(func.count(Decision.id))) == PAIRS
    decided = AuditEntry.tag.in_(["review:approve_step", "piece:approve", "piece:reject"])
    assert count(house, select(func.count()).select_from(AuditEntry).where(decided)) == PAIRS
    assert the_record_is_whole(house)


def test_of_two_who_approve_one_step_at_once_the_second_does_not_count_in_the_next(
    small_house: House,
) -> None:
    house = small_house
    house.route(StepPlan("初审"), StepPlan("复审"))
    for turn in range(20):
        piece_id = house.in_review("operator", "note", headline=f"第{turn}件")
        done = at_once(
            deciding(house, piece_id, "reviewer", Outcome.APPROVE),
            deciding(house, piece_id, "reviewer_b", Outcome.APPROVE),
        )
        assert sum(isinstance(one, AlreadyDecided) for one in done) == 1
        assert house.piece(piece_id).state is PieceState.IN_REVIEW
        assert house.open_step(piece_id) == 2


def test_a_piece_is_either_approved_or_taken_back_never_both(small_house: House) -> None:
    house = small_house
    for _ in range(20):
        piece_id = house.in_review("operator", "note")

        def withdraw(piece_id: UUID = piece_id) -> str:
            with house.by("brand") as uow:
                withdraw_piece(uow, piece_id)
            return "withdrawn"

        decided, withdrawn = at_once(deciding(house, piece_id, "reviewer", Outcome.APPROVE), withdraw)
        # an approved piece may still be taken back before it is published: then both happened, in order
        assert withdrawn == "withdrawn"
        assert house.piece(piece_id).state is PieceState.WITHDRAWN
        assert decided is Outcome.APPROVE or isinstance(decided, AlreadyDecided)
        with house.platform.sessions() as session:
            actions = session.scalars(
                select(AuditEntry.tag).where(AuditEntry.subject_id == str(piece_id)).order_by(AuditEntry.seq)
            ).all()
        assert actions.index("piece:withdraw") == len(actions) - 1
        assert ("piece:approve" in actions) == (decided is Outcome.APPROVE)


def test_two_saves_of_one_piece_at_once_make_two_revisions_in_order(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")
    for turn in range(10):
        done = at_once(*(saving(house, piece_id, f"第{turn}次{who}") for who in "甲乙丙"))
        assert done == [piece_id] * 3
    with house.platform.sessions() as session:
        numbers = session.scalars(
            select(PieceRevision.number)
            .where(PieceRevision.piece_id == piece_id)
            .order_by(PieceRevision.number)
        ).all()
        current = session.scalars(
            select(PieceRevision.number)
            .join(Piece, Piece.current_revision_id == PieceRevision.id)
            .where(Piece.id == piece_id)
        ).one()
    assert list(numbers) == list(range(1, 32))
    assert current == 31


def test_the_check_judges_what_was_submitted_though_somebody_saves_meanwhile(small_house: House) -> None:
    house = small_house
    for turn in range(10):
        piece_id = house.draft("operator", "note")

        def submit(piece_id: UUID = piece_id) -> str:
            with house.by("brand") as uow:
                submit_for_review(uow, piece_id)
            return "submitted"

        saved, submitted = at_once(saving(house, piece_id, f"换{turn}"), submit)
        assert submitted == "submitted"
        assert saved == piece_id or isinstance(saved, IllegalTransition)
        with house.platform.sessions() as session:
            [checked] = session.scalars(
                select(CheckRun.revision_id)
                .join(PieceRevision, PieceRevision.id == CheckRun.revision_id)
                .where(PieceRevision.piece_id == piece_id)
            )
        assert checked == house.piece(piece_id).current_revision_id


def test_a_piece_sent_twice_at_once_is_checked_once(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")

    def submit() -> str:
        with house.by("operator") as uow:
            submit_for_review(uow, piece_id)
        return "submitted"

    done = at_once(submit, submit)
    assert sorted(type(one).__name__ for one in done) == ["IllegalTransition", "str"]
    assert count(house, select(func.count(CheckRun.id))) == 1


def test_two_workers_on_one_check_open_one_review(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")
    with house.by("operator") as uow:
        submit_for_review(uow, piece_id)
    run_id = count(house, select(CheckRun.id))

    def work() -> None:
        with house.platform.unit_of_work(Actor.system("check", house.tenant_id)) as uow:
            run_check(uow, run_id)  # type: ignore[arg-type]

    assert at_once(work, work, work) == [None] * 3
    assert count(house, select(func.count(Review.id))) == 1
    assert count(house, select(func.count()).select_from(Rendition)) == 1
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_a_publication_ends_once_whether_by_the_clock_or_by_a_person(small_house: House) -> None:
    house = small_house
    for _ in range(10):
        piece_id = house.published("operator", "note")
        house.platform.clock.advance(timedelta(days=31))  # type: ignore[attr-defined]

        def expire() -> int:
            with house.platform.unit_of_work(Actor.system("expire", house.tenant_id)) as uow:
                return expire_due(uow)

        def end(piece_id: UUID = piece_id) -> str:
            with house.by("operator") as uow:
                take_down(uow, piece_id, note="不再使用")
            return "taken down"

        expired, ended = at_once(expire, end)
        assert (ended == "taken down") != (expired == 1)
        assert isinstance(ended, str | IllegalTransition)
    entries = AuditEntry.tag.in_(["publication:expired", "publication:taken_down"])
    assert count(house, select(func.count()).select_from(AuditEntry).where(entries)) == 10


def test_a_piece_is_published_once(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id)

    def go_public() -> str:
        with house.by("operator") as uow:
            publish_piece(uow, piece_id, path="/HQ/")
        return "published"

    done = at_once(go_public, go_public)
    assert sorted(type(one).__name__ for one in done) == ["IllegalTransition", "str"]
    assert count(house, select(func.count(Publication.id))) == 1


def test_two_taps_on_one_button_make_one_piece(small_house: House) -> None:
    house = small_house
    tap = saving(house, None, "早安", idempotency_key="page-1")
    first, *others = at_once(tap, tap, tap)
    assert isinstance(first, UUID)
    assert others == [first, first]
    assert count(house, select(func.count(Piece.id))) == 1


def test_two_officers_who_reach_for_one_item_learn_who_has_it(small_house: House) -> None:
    house = small_house
    review = house.review_of(house.in_review("operator", "note"))

    def claim(who: str) -> Callable[[], object]:
        def act() -> object:
            with house.by(who) as uow:
                return claim_review(uow, review.id).review.claimed_by

        return act

    one, other = at_once(claim("reviewer"), claim("reviewer_b"))
    assert one == other
    assert one in {house.people["reviewer"].user_id, house.people["reviewer_b"].user_id}


def test_an_advisor_who_taps_twice_has_one_edition(small_house: House) -> None:
    house = small_house

    def make() -> object:
        with house.by("advisor") as uow:
            return save_piece(uow, "note", {"headline": "早安"}, idempotency_key="page-2").id

    first, second = at_once(make, make)
    assert first == second
    assert count(house, select(func.count(Edition.id))) == 1


@pytest.mark.timeout(0)
def test_thousands_of_acts_by_many_hands_leave_one_gapless_chain(small_house: House) -> None:
    house = small_house
    hands, acts = 8, ACTS
    before = count(house, select(func.count()).select_from(AuditEntry))

    def work(hand: int) -> Callable[[], object]:
        def act() -> None:
            for turn in range(acts):
                with house.by("operator") as uow:
                    uow.audit.record("test:act", f"{hand}-{turn}")

        return act

    at_once(*(work(hand) for hand in range(hands)), patience_s=60 + acts)
    with house.platform.sessions() as session:
        seen, fault = verify_audit(session, house.tenant_id)
        seqs = session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq)).all()
    assert fault is None
    assert seen == before + hands * acts
    assert list(seqs) == list(range(1, seen + 1))


def test_a_chain_is_whole_also_while_it_grows(small_house: House) -> None:
    house = small_house

    def act() -> None:
        for turn in range(60):
            with house.by("operator") as uow:
                uow.audit.record("test:act", str(turn))

    def verify() -> bool:
        return all(the_record_is_whole(house) for _ in range(60))

    assert at_once(act, act, verify) == [None, None, True]


def test_an_author_who_reviews_loses_however_quick(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("both", "note")
    house.submit("both", piece_id)
    done = at_once(*(deciding(house, piece_id, "both", Outcome.APPROVE) for _ in range(3)))
    assert all(isinstance(one, SelfApproval) for one in done)
    assert all(isinstance(one, DomainError) for one in done)
