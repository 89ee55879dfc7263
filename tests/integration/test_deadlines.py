"""Nothing waits for ever: an owner, a press at four fifths of the time, an end with a reason."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain.errors import AccessDenied, AlreadyDecided, InvalidInput
from app.domain.organisation import Actor
from app.domain.piece import PieceAction, PieceState
from app.domain.review import Outcome, ReviewState
from app.domain.route import RouteRule, StepPlan, StepState
from app.models.audit import AuditEntry
from app.models.piece import PieceStep
from app.models.review import Review, ReviewStep
from app.models.user import User
from app.queries.presence import others_present
from app.services.absence import absences_of, end_absence, set_absence
from app.services.audit import verify_audit
from app.services.deadline import Tended, tend_reviews
from app.services.presence import note_presence
from app.services.review import claim_review, decide
from app.services.submission import submit_for_review
from tests.factories import House
from tests.simultaneous import at_once

HOUR = timedelta(hours=1)
DAY = StepPlan("初审", term=timedelta(hours=20))


def tend(house: House) -> Tended:
    with house.platform.unit_of_work(Actor.system("deadline", house.tenant_id)) as uow:
        return tend_reviews(uow)


def wait(house: House, time: timedelta) -> None:
    house.platform.clock.advance(time)  # type: ignore[attr-defined]


def step_of(house: House, piece_id: UUID) -> ReviewStep:
    """The step a piece waits in, or waited in last."""
    with house.platform.sessions() as session:
        return session.scalars(
            select(ReviewStep)
            .join(Review, Review.id == ReviewStep.review_id)
            .where(Review.piece_id == piece_id, ReviewStep.state != StepState.WAITING)
            .order_by(Review.round.desc(), ReviewStep.position.desc())
            .limit(1)
        ).one()


def owner(house: House, piece_id: UUID) -> str | None:
    assigned = step_of(house, piece_id).assigned_to
    return next((who for who, person in house.people.items() if person.user_id == assigned), None)


def entries(house: House, tag: str) -> list[str]:
    with house.platform.sessions() as session:
        return list(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.tag == tag)))


def away(
    house: House, who: str, *, hours: int = 24, substitute: str | None = None, starts_in: int = 0
) -> UUID:
    now = house.platform.clock.now()
    with house.by(who) as uow:
        return set_absence(
            uow,
            starts_at=now + starts_in * HOUR,
            ends_at=now + (starts_in + hours) * HOUR,
            substitute_id=house.people[substitute].user_id if substitute else None,
        ).id


def test_time_that_is_left_changes_nothing(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    piece_id = house.in_review("operator", "note")
    wait(house, 15 * HOUR)
    assert tend(house) == Tended(0, 0, 0, 0)
    assert step_of(house, piece_id).escalated_at is None


def test_at_four_fifths_of_its_time_an_item_is_pressed_once(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    piece_id = house.in_review("operator", "note")
    before = owner(house, piece_id)
    wait(house, 16 * HOUR)
    assert tend(house).escalated == 1
    assert tend(house).escalated == 0
    assert step_of(house, piece_id).escalated_at == house.platform.clock.now()
    assert owner(house, piece_id) != before  # nobody was on it: it went to the freest colleague
    assert len(entries(house, "review:escalate")) == 1


def test_whoever_is_on_a_pressed_item_keeps_it(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    piece_id = house.in_review("operator", "note")
    wait(house, 16 * HOUR - timedelta(minutes=1))
    with house.by("both") as uow:
        claim_review(uow, house.review_of(piece_id).id)
    wait(house, timedelta(minutes=1))
    assert tend(house).escalated == 1
    assert owner(house, piece_id) == "both"


def test_what_is_not_decided_in_time_comes_back_with_the_reason(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    piece_id = house.in_review("operator", "note")
    wait(house, 20 * HOUR)
    assert tend(house).lapsed == 1
    assert tend(house) == Tended(0, 0, 0, 0)
    assert house.piece(piece_id).state is PieceState.WITHDRAWN
    assert house.review_of(piece_id).state is ReviewState.CLOSED
    with house.platform.sessions() as session:
        note = session.scalars(
            select(PieceStep.note).where(
                PieceStep.piece_id == piece_id, PieceStep.action == PieceAction.WITHDRAW
            )
        ).one()
    assert "未能在时限内审结" in note
    assert entries(house, "review:lapse") == [str(house.review_of(piece_id).id)]


def test_what_came_back_can_be_sent_again(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    piece_id = house.in_review("operator", "note")
    wait(house, 20 * HOUR)
    tend(house)
    house.revise("operator", piece_id, headline="晚安")
    house.decide(piece_id)
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_each_step_has_its_own_time(small_house: House) -> None:
    house = small_house
    house.route(DAY, StepPlan("复审", term=timedelta(hours=10)))
    piece_id = house.in_review("operator", "note")
    wait(house, 19 * HOUR)
    house.decide(piece_id)
    wait(house, 7 * HOUR)
    assert tend(house) == Tended(0, 0, 0, 0)
    wait(house, 3 * HOUR)
    assert tend(house).lapsed == 1


def test_a_decision_and_the_end_of_time_never_both_happen(small_house: House) -> None:
    house = small_house
    house.route(DAY)
    for headline in ("一", "二", "三", "四", "五"):
        piece_id = house.in_review("operator", "note", headline=headline)
        review = house.review_of(piece_id)
        wait(house, 20 * HOUR)

        def approve(review: Review = review) -> Outcome:
            with house.by("reviewer") as uow:
                return decide(
                    uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash
                ).outcome

        decided, tended = at_once(approve, lambda: tend(house))
        assert isinstance(tended, Tended)
        if decided is Outcome.APPROVE:
            assert tended.lapsed == 0
            assert house.piece(piece_id).state is PieceState.APPROVED
        else:
            assert isinstance(decided, AlreadyDecided)
            assert tended.lapsed == 1
            assert house.piece(piece_id).state is PieceState.WITHDRAWN
    with house.platform.sessions() as session:
        assert verify_audit(session, house.tenant_id)[1] is None


def test_an_absent_officers_items_move_to_the_substitute(small_house: House) -> None:
    house = small_house
    pieces = [house.in_review("operator", "note", headline=word) for word in ("一", "二", "三")]
    mine = [one for one in pieces if owner(house, one) == "reviewer"]
    away(house, "reviewer", substitute="reviewer_b")
    assert mine
    assert {owner(house, one) for one in mine} == {"reviewer_b"}


def test_without_a_substitute_they_go_to_whoever_has_least_to_do(small_house: House) -> None:
    house = small_house
    pieces = [house.in_review("operator", "note", headline=word) for word in ("一", "二", "三")]
    away(house, "reviewer")
    assert {owner(house, one) for one in pieces} == {"reviewer_b", "both"}


def test_a_substitute_who_made_it_is_passed_over(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("both", "note")
    assert owner(house, piece_id) in {"reviewer", "reviewer_b"}
    first = owner(house, piece_id)
    assert first is not None
    away(house, first, substitute="both")
    assert owner(house, piece_id) == ({"reviewer", "reviewer_b"} - {first}).pop()


def test_what_arrives_meanwhile_comes_to_nobody_who_is_away(small_house: House) -> None:
    house = small_house
    away(house, "reviewer")
    away(house, "both", substitute="reviewer")
    assert owner(house, house.in_review("operator", "note")) == "reviewer_b"


def test_an_absence_that_begins_later_moves_things_when_it_begins(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    first = owner(house, piece_id)
    assert first is not None
    away(house, first, starts_in=5)
    assert owner(house, piece_id) == first
    wait(house, 5 * HOUR)
    assert tend(house).handed_over == 1
    assert owner(house, piece_id) != first


def test_where_everybody_is_away_the_item_waits_unowned_and_is_taken_up_again(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    for who in ("reviewer", "reviewer_b", "both"):
        away(house, who, hours=6)
    assert owner(house, piece_id) is None
    assert tend(house).handed_over == 0
    wait(house, 6 * HOUR)
    assert tend(house).handed_over == 1
    assert owner(house, piece_id) is not None


def test_an_owner_who_is_disabled_loses_the_item(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    first = owner(house, piece_id)
    assert first is not None
    with house.platform.sessions.begin() as session:
        session.get_one(User, house.people[first].user_id).is_active = False
    assert tend(house).handed_over == 1
    assert owner(house, piece_id) not in {None, first}


def test_somebody_back_early_takes_items_again(small_house: House) -> None:
    house = small_house
    absence = away(house, "reviewer")
    with house.by("reviewer") as uow:
        assert [one.id for one in absences_of(uow, house.people["reviewer"].user_id)] == [absence]
        end_absence(uow, absence)
    with house.by("reviewer") as uow:
        assert absences_of(uow, house.people["reviewer"].user_id) == []
    owners = {owner(house, house.in_review("operator", "note", headline=word)) for word in "一二三"}
    assert "reviewer" in owners


@pytest.mark.parametrize(
    ("starts", "ends", "substitute", "field"),
    [
        (2, 1, None, "ends_at"),
        (-3, -1, None, "ends_at"),
        (0, 9000, None, "ends_at"),
        (0, 5, "operator", "substitute"),
        (0, 5, "reviewer", "substitute"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(
    small_house: House, starts: int, ends: int, substitute: str | None, field: str
) -> None:
    house = small_house
    now = house.platform.clock.now()
    with pytest.raises(InvalidInput) as refused, house.by("reviewer") as uow:
        set_absence(
            uow,
            starts_at=now + starts * HOUR,
            ends_at=now + ends * HOUR,
            substitute_id=house.people[substitute].user_id if substitute else None,
        )
    assert [fault.field for fault in refused.value.faults] == [field]


def test_only_an_administrator_sends_others_away(small_house: House) -> None:
    house = small_house
    now = house.platform.clock.now()
    for who, allowed in (("reviewer_b", False), ("administrator", True)):
        try:
            with house.by(who) as uow:
                set_absence(
                    uow,
                    starts_at=now,
                    ends_at=now + HOUR,
                    user_id=house.people["reviewer"].user_id,
                )
        except AccessDenied:
            assert not allowed
        else:
            assert allowed


@pytest.mark.parametrize(
    ("state", "days"),
    [(PieceState.CHECKING, 3), (PieceState.CHANGES_REQUESTED, 30), (PieceState.APPROVED, 30)],
)
def test_what_is_left_lying_is_closed_on_purpose(small_house: House, state: PieceState, days: int) -> None:
    house = small_house
    if state is PieceState.CHECKING:
        piece_id = house.draft("operator", "note")
        with house.by("operator") as uow:
            submit_for_review(uow, piece_id)
    else:
        piece_id = house.in_review("operator", "note")
        outcome = Outcome.APPROVE if state is PieceState.APPROVED else Outcome.REQUEST_CHANGES
        house.decide(piece_id, outcome, reason="换一句")
    assert house.piece(piece_id).state is state
    wait(house, timedelta(days=days) - HOUR)
    assert tend(house).abandoned == 0
    wait(house, HOUR)
    assert tend(house).abandoned == 1
    assert house.piece(piece_id).state is PieceState.WITHDRAWN


def test_colleagues_see_who_else_has_an_item_open(small_house: House) -> None:
    house = small_house
    review_id = house.review_of(house.in_review("operator", "note")).id
    for _ in range(2):
        with house.by("reviewer") as uow:
            note_presence(uow, review_id)
    me = house.people["reviewer_b"].user_id
    with house.by("reviewer_b") as uow:
        assert others_present(uow.session, review_id, me=me, at=uow.clock.now()) == ["demo-reviewer"]
    wait(house, timedelta(seconds=41))
    with house.by("reviewer_b") as uow:
        assert others_present(uow.session, review_id, me=me, at=uow.clock.now()) == []


def test_a_route_of_one_hour_is_not_the_default_one(small_house: House) -> None:
    house = small_house
    house.route(StepPlan("初审", term=HOUR), rule=RouteRule(kinds=frozenset({"poster"})))
    piece_id = house.in_review("operator", "note")
    wait(house, 2 * HOUR)
    assert tend(house).lapsed == 0
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
