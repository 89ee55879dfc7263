"""Four eyes by person: every way round them is refused with 403, and the attempt stays on record."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.domain.errors import AccessDenied, SelfApproval
from app.domain.organisation import Actor, Role
from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.domain.route import StepPlan
from app.models.audit import AuditEntry
from app.models.review import Decision, ReviewStep
from app.models.user import Membership, User
from app.services.absence import set_absence
from app.services.advisor import upload_portrait
from app.services.person import join_accounts
from app.services.review import decide
from app.services.template import clear_template
from app.services.user import OwnAccount, RoleOn, set_roles
from tests.factories import House
from tests.functional.machine import Switchboard


@pytest.fixture
def switchboard(small_house: House) -> Switchboard:
    return Switchboard(small_house)


def also_reviewer(house: House, who: str) -> str:
    """Give somebody the role of a reviewer beside what they have."""
    person = house.people[who]
    with house.platform.sessions.begin() as session:
        session.add(
            Membership(
                tenant_id=house.tenant_id,
                user_id=person.user_id,
                role=Role.REVIEWER,
                org_unit_id=house.units["/HQ/"],
            )
        )
    house.people[who] = replace(person, grants=(*person.grants, *house.people["reviewer"].grants))
    return who


def second_account(house: House, who: str) -> str:
    """Another account of the same human being, with the role of a reviewer."""
    login = f"{who}-second"
    house.people[login] = house.person(login, Role.REVIEWER, "/HQ/")
    join(house, who, login)
    return login


def join(house: House, who: str, login: str) -> None:
    user_id = house.people[who].user_id
    assert user_id is not None
    with house.by("administrator") as uow:
        join_accounts(uow, user_id, login=login)


def refused(switchboard: Switchboard, who: str, piece_id: UUID, code: str = "self_approval") -> None:
    """The person tries to approve by the API: 403, nothing decided, one entry on record."""
    house = switchboard.house
    review = house.review_of(piece_id)
    before = house.piece(piece_id).state
    answer = switchboard.of(who).post(
        f"/reviews/{review.id}/decisions",
        {
            "outcome": "approve",
            "content_hash": review.revision.content_hash,
            "step": house.open_step(piece_id),
        },
    )
    assert answer.status_code == 403, answer.text
    assert answer.get_json()["code"] == code
    assert house.piece(piece_id).state is before
    with house.platform.sessions() as session:
        entries = session.scalars(
            select(AuditEntry).where(
                AuditEntry.tag == "review:refuse", AuditEntry.subject_id == str(review.id)
            )
        ).all()
        assert [entry.actor for entry in entries] == [str(house.people[who].user_id)]
        assert not session.scalars(
            select(Decision.id).where(
                Decision.review_id == review.id, Decision.decided_by == house.people[who].user_id
            )
        ).all()


def test_whoever_made_it(switchboard: Switchboard) -> None:
    refused(switchboard, "both", switchboard.house.in_review("both", "note"))


def test_whoever_changed_it_once(switchboard: Switchboard) -> None:
    house = switchboard.house
    piece_id = house.draft("operator", "note")
    house.revise("both", piece_id, headline="午安")
    house.withdraw("operator", piece_id)
    house.revise("operator", piece_id, headline="晚安")
    refused(switchboard, "both", piece_id)


def test_whoever_uploaded_a_picture_in_it(house: House) -> None:
    also_reviewer(house, "administrator")
    portrait = io.BytesIO()
    Image.effect_noise((900, 1200), 40).convert("RGB").save(portrait, "JPEG")
    with house.by("administrator") as uow:
        upload_portrait(
            uow,
            portrait.getvalue(),
            attested=True,
            most_pixels=10_000_000,
            advisor_id=house.people["advisor"].advisor_id,
        )
    house.approve_profiles()  # until then the old portrait stays
    piece_id = house.in_review("advisor", message="慢一点，也是一种走法。")
    refused(Switchboard(house), "administrator", piece_id)


def test_whoever_sent_it_for_review(switchboard: Switchboard) -> None:
    house = switchboard.house
    piece_id = house.draft("operator", "note")
    house.submit("both", piece_id)
    refused(switchboard, "both", piece_id)


def test_whoever_released_its_design(switchboard: Switchboard) -> None:
    refused(
        switchboard,
        also_reviewer(switchboard.house, "brand"),
        switchboard.house.in_review("operator", "note"),
    )


def test_a_second_account_of_whoever_made_it(switchboard: Switchboard) -> None:
    second = second_account(switchboard.house, "operator")
    refused(switchboard, second, switchboard.house.in_review("operator", "note"))


def test_an_account_that_is_known_only_afterwards_to_be_the_same_person(switchboard: Switchboard) -> None:
    house = switchboard.house
    piece_id = house.in_review("operator", "note")
    join(house, "operator", "demo-reviewer")
    refused(switchboard, "reviewer", piece_id)


def test_a_substitute_for_an_absent_reviewer_who_made_it_themselves(switchboard: Switchboard) -> None:
    house = switchboard.house
    piece_id = house.in_review("both", "note")
    now = house.platform.clock.now()
    for who in ("reviewer", "reviewer_b"):
        with house.by(who) as uow:
            set_absence(
                uow,
                starts_at=now,
                ends_at=now + timedelta(days=1),
                substitute_id=house.people["both"].user_id,
            )
    with house.platform.sessions() as session:
        owners = session.scalars(select(ReviewStep.assigned_to)).all()
    assert house.people["both"].user_id not in owners
    refused(switchboard, "both", piece_id)


def test_a_token_of_a_second_account_made_before_the_two_were_joined(switchboard: Switchboard) -> None:
    house = switchboard.house
    house.people["mask"] = house.person("mask", Role.REVIEWER, "/HQ/")
    assert switchboard.of("mask").get("/reviews").status_code == 200  # the token is there and valid
    piece_id = house.in_review("operator", "note")
    join(house, "operator", "mask")
    refused(switchboard, "mask", piece_id)


def test_whoever_gave_themselves_the_role_after_making_it(switchboard: Switchboard) -> None:
    house = switchboard.house
    piece_id = house.in_review("operator", "note")
    also_reviewer(house, "operator")
    refused(switchboard, "operator", piece_id)


def test_whoever_voted_in_an_earlier_step_by_another_account(switchboard: Switchboard) -> None:
    house = switchboard.house
    house.route(StepPlan("初审"), StepPlan("复审"))
    second = second_account(house, "reviewer")
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    refused(switchboard, second, piece_id, code="one_vote")


def test_an_independent_person_still_decides(switchboard: Switchboard) -> None:
    house = switchboard.house
    second_account(house, "operator")
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_nobody_clears_their_own_design_by_another_account(small_house: House) -> None:
    house = small_house
    second = second_account(house, "brand")
    with pytest.raises(SelfApproval), house.by(second) as uow:
        clear_template(uow, "note", 1)
    tried = AuditEntry.tag.in_(["template:clear", "template:refuse"])
    with house.platform.sessions() as session:
        assert session.scalars(select(AuditEntry.tag).where(tried)).all() == ["template:refuse"]


def test_two_accounts_of_one_person_are_never_parted(small_house: House) -> None:
    house = small_house
    second = second_account(house, "operator")
    with pytest.raises(DBAPIError, match="never parted"), house.platform.sessions.begin() as session:
        user = session.get_one(User, house.people[second].user_id)
        user.person_id = session.get_one(User, house.people["brand"].user_id).person_id


def test_an_administrator_cannot_make_themselves_both_author_and_last_approver(small_house: House) -> None:
    """They may give roles to others, and even then not to themselves."""
    house = small_house
    with pytest.raises(OwnAccount), house.by("administrator") as uow:
        set_roles(uow, house.people["administrator"].user_id, [RoleOn(Role.REVIEWER, house.units["/HQ/"])])


def test_the_service_refuses_whoever_carries_no_account(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    review = house.review_of(piece_id)
    nobody = Actor(house.tenant_id, "nobody", grants=house.people["reviewer"].grants)
    with pytest.raises(AccessDenied), house.by(nobody) as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash)
