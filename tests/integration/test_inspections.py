"""What passes by itself is on record with its reasons, and a share of it is looked at afterwards."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.domain.errors import AccessDenied, AlreadyDecided, Ended, InvalidInput, SelfApproval
from app.domain.inspection import LOTS, InspectionOutcome, is_drawn, lot_of
from app.domain.organisation import Role
from app.domain.piece import PieceState
from app.domain.review import Route
from app.models.advisor import Advisor
from app.models.inspection import AutoPass, Inspection
from app.services.inspection import conclude_inspection
from app.services.sampling import sampling_policy, set_sampling
from app.services.serving import require_public
from app.services.template import clear_template
from tests.factories import House


@pytest.fixture
def cleared(small_house: House) -> House:
    """A house whose design lets untouched pieces pass, and where every one of them is drawn."""
    with small_house.by("reviewer") as uow:
        clear_template(uow, "note", 1)
    with small_house.by("administrator") as uow:
        set_sampling(uow, share_bp=LOTS, seed="种子")
    return small_house


def passed(house: House) -> list[AutoPass]:
    with house.platform.sessions() as session:
        return list(session.scalars(select(AutoPass).order_by(AutoPass.passed_at)))


def drawn(house: House, piece_id: UUID) -> Inspection:
    with house.platform.sessions() as session:
        return session.scalars(
            select(Inspection)
            .join(AutoPass, AutoPass.id == Inspection.auto_pass_id)
            .where(AutoPass.piece_id == piece_id)
        ).one()


def conclude(
    house: House, piece_id: UUID, outcome: InspectionOutcome, *, who: str = "reviewer_b", **more: object
) -> None:
    inspection = drawn(house, piece_id)
    with house.by(who) as uow:
        conclude_inspection(uow, inspection.id, outcome, **more)  # type: ignore[arg-type]


@given(st.uuids(), st.integers(0, LOTS), st.integers(0, LOTS))
def test_a_larger_share_draws_all_that_a_smaller_one_did(item: UUID, one: int, other: int) -> None:
    lot = lot_of("种子", item)
    assert 0 <= lot < LOTS
    if one <= other and is_drawn(lot, one):
        assert is_drawn(lot, other)
    assert not is_drawn(lot, 0)
    assert is_drawn(lot, LOTS)


def test_the_lot_can_be_drawn_again_with_nothing_but_a_hash() -> None:
    item = UUID(int=7)
    digest = hashlib.sha256(b"seed\0" + str(item).encode()).digest()
    assert lot_of("seed", item) == int.from_bytes(digest[:8], "big") % 10_000


def test_about_the_set_share_is_drawn() -> None:
    lots = [lot_of("种子", uuid4()) for _ in range(20_000)]
    share = sum(is_drawn(lot, 500) for lot in lots) / len(lots)
    assert 0.04 < share < 0.06


def test_what_passed_by_itself_is_kept_with_its_reasons_and_its_lot(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    [one] = passed(cleared)
    assert one.piece_id == piece_id
    assert one.reasons == ["cleared_design", "pool_phrases", "verified_profile"]
    assert one.lot == lot_of(one.seed, one.review_id)
    assert (one.seed, one.share_bp, one.is_drawn) == ("种子", LOTS, True)


def test_what_went_to_people_is_not_among_it_and_says_why(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note", headline="慢慢来")
    assert passed(cleared) == []
    review = cleared.review_of(piece_id)
    assert review.route is Route.PEOPLE
    assert review.reasons == ["own_words:headline"]


def test_a_share_of_nothing_draws_nothing(cleared: House) -> None:
    with cleared.by("administrator") as uow:
        set_sampling(uow, share_bp=0, seed="")
    cleared.in_review("advisor", "note")
    [one] = passed(cleared)
    assert not one.is_drawn
    assert one.seed == "种子"


def test_a_drawn_item_has_an_owner_and_a_day(cleared: House) -> None:
    inspection = drawn(cleared, cleared.in_review("advisor", "note"))
    assert inspection.assigned_to in {
        cleared.people[who].user_id for who in ("reviewer", "reviewer_b", "both")
    }
    assert inspection.due_at > inspection.drawn_at


def test_a_clean_item_stays_public(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    conclude(cleared, piece_id, InspectionOutcome.CLEAN)
    assert cleared.piece(piece_id).state is PieceState.PUBLISHED


def test_a_finding_takes_the_piece_down_at_once(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    conclude(cleared, piece_id, InspectionOutcome.FINDING, note="姓名与执业登记不符")
    assert cleared.piece(piece_id).state is PieceState.TAKEN_DOWN
    with pytest.raises(Ended), cleared.by("operator") as uow:
        advisor = uow.session.get_one(Advisor, cleared.people["advisor"].advisor_id)
        require_public(uow, piece_id, advisor)


def test_a_finding_can_end_the_free_pass_of_its_design(cleared: House) -> None:
    first = cleared.in_review("advisor", "note")
    conclude(cleared, first, InspectionOutcome.FINDING, note="默认文字有问题", stop_design=True)
    assert cleared.review_of(cleared.in_review("advisor_b", "note")).route is Route.PEOPLE


def test_a_finding_needs_its_words(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    with pytest.raises(InvalidInput):
        conclude(cleared, piece_id, InspectionOutcome.FINDING)
    assert cleared.piece(piece_id).state is PieceState.PUBLISHED


def test_what_was_found_is_found_once(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    conclude(cleared, piece_id, InspectionOutcome.CLEAN)
    with pytest.raises(AlreadyDecided):
        conclude(cleared, piece_id, InspectionOutcome.FINDING, note="改判")
    with pytest.raises(DBAPIError), cleared.platform.sessions.begin() as session:
        session.execute(text("UPDATE inspection SET outcome = 'finding'"))


def test_nobody_inspects_their_own_piece(cleared: House) -> None:
    piece_id = cleared.in_review("advisor", "note")
    mask = cleared.person("mask", Role.REVIEWER, "/HQ/")
    cleared.people["mask"] = mask
    with cleared.platform.sessions.begin() as session:
        session.execute(
            text(
                "UPDATE user_account SET person_id ="
                " (SELECT person_id FROM user_account WHERE id = :maker) WHERE id = :mask"
            ),
            {"maker": cleared.people["advisor"].user_id, "mask": mask.user_id},
        )
    with pytest.raises(SelfApproval):
        conclude(cleared, piece_id, InspectionOutcome.CLEAN, who="mask")


def test_only_an_administrator_sets_the_share(cleared: House) -> None:
    for who in ("reviewer", "brand", "operator"):
        with pytest.raises(AccessDenied), cleared.by(who) as uow:
            set_sampling(uow, share_bp=0, seed="x")
    with cleared.by("reviewer") as uow:
        assert sampling_policy(uow).share_bp == LOTS


def test_an_automatic_pass_is_never_changed(cleared: House) -> None:
    cleared.in_review("advisor", "note")
    for change in ("UPDATE auto_pass SET is_drawn = false", "DELETE FROM auto_pass"):
        with pytest.raises(DBAPIError), cleared.platform.sessions.begin() as session:
            session.execute(text(change))
