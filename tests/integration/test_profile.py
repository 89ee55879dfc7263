"""A profile changes by two people's word, shows on what is live by one tap, and runs out unless confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.domain.errors import AccessDenied, IllegalTransition, InvalidInput, SelfApproval
from app.domain.organisation import Role
from app.domain.piece import PieceState
from app.domain.profile import ProfileChangeState, ProfileExpired, ProfileTerm
from app.models.advisor import Advisor
from app.models.profile import ProfileChange, ProfileNotice
from app.models.user import Membership
from app.services.access import own_advisor
from app.services.advisor import Profile, change_own_profile, change_profile
from app.services.piece import save_piece
from app.services.profile import (
    confirm_profile,
    decide_change,
    note_ending_profiles,
    open_change,
    withdraw_change,
)
from app.services.publication import publish_piece
from app.services.refresh import refresh_edition, stale_editions
from app.services.serving import open_edition
from tests.factories import House
from tests.fakes import FixedClock
from tests.functional.pages import words
from tests.visitors import Phone, code_of

NOTE = "note"


def asked(house: House, **fields: str) -> UUID:
    with house.by("advisor") as uow:
        change = change_own_profile(uow, **fields)
    assert change is not None
    return change.id


def advisor_of(house: House) -> Advisor:
    with house.platform.sessions() as session:
        return session.get_one(Advisor, house.people["advisor"].advisor_id)


def renamed(house: House, name: str = "李知远") -> None:
    with house.by("administrator") as uow:
        change_profile(uow, house.people["advisor"].advisor_id, Profile(name, title="理财经理"))
    house.approve_profiles()


def with_term(house: House, days: int) -> None:
    platform = house.platform
    platform.__dict__["surroundings"] = replace(platform.surroundings, profile_term=timedelta(days=days))


def test_the_old_profile_is_public_until_somebody_else_agrees(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = small_house.published("operator", NOTE)
    visitor = Phone(client)
    page = visitor.look(code_of(small_house, piece_id))
    change_id = asked(small_house, title="财富总监")
    assert "财富总监" not in visitor.get(page).text
    with small_house.by("reviewer") as uow:
        change = decide_change(uow, change_id, approve=True)
    assert (change.before, change.after) == ({"title": "理财经理"}, {"title": "财富总监"})
    assert "财富总监" in visitor.get(page).text


def test_nobody_decides_on_a_change_they_had_a_hand_in(small_house: House) -> None:
    advisor = small_house.people["advisor"]
    with small_house.platform.sessions.begin() as session:
        session.add(
            Membership(
                tenant_id=small_house.tenant_id,
                user_id=advisor.user_id,
                role=Role.REVIEWER,
                org_unit_id=small_house.units["/HQ/"],
            )
        )
    both = replace(advisor, grants=(*advisor.grants, *small_house.people["reviewer"].grants))
    change_id = asked(small_house, title="财富总监")
    with pytest.raises(SelfApproval), small_house.by(both) as uow:
        decide_change(uow, change_id, approve=True)
    with pytest.raises(AccessDenied), small_house.by("administrator") as uow:
        decide_change(uow, change_id, approve=True)
    with (
        pytest.raises(IntegrityError, match="another person"),
        small_house.platform.sessions.begin() as session,
    ):
        session.execute(
            update(ProfileChange).values(state=ProfileChangeState.APPROVED, decided_by=advisor.user_id)
        )


def test_what_an_administrator_types_waits_for_a_second_person_too(small_house: House) -> None:
    advisor_id = small_house.people["advisor"].advisor_id
    admin = small_house.two_roles("admin-reviewer", Role.ADMINISTRATOR, Role.REVIEWER, "/HQ/")
    with small_house.by(admin) as uow:
        change_profile(uow, advisor_id, Profile("李知遥", title="财富总监", tags=["养老"]))
        change = open_change(uow, advisor_id)
    stored = advisor_of(small_house)
    assert (stored.title, stored.tags) == ("理财经理", ["养老"])
    with pytest.raises(SelfApproval), small_house.by(admin) as uow:
        decide_change(uow, change.id, approve=True)
    small_house.approve_profiles()
    assert advisor_of(small_house).title == "财富总监"


def test_a_later_wish_joins_the_one_that_waits_and_both_proposers_are_barred(small_house: House) -> None:
    first = asked(small_house, title="财富总监")
    second = asked(small_house, phone="139 1111 2222")
    with small_house.platform.sessions() as session:
        assert session.get_one(ProfileChange, first).state is ProfileChangeState.WITHDRAWN
        assert session.get_one(ProfileChange, second).after == {"title": "财富总监", "phone": "13911112222"}
    with small_house.by("advisor") as uow:
        withdraw_change(uow)
        assert open_change(uow, uow.actor.advisor_id) is None
    with pytest.raises(IllegalTransition), small_house.by("reviewer") as uow:
        decide_change(uow, second, approve=True)


def test_a_refusal_needs_its_reason_and_changes_nothing(small_house: House) -> None:
    change_id = asked(small_house, title="首席")
    with pytest.raises(InvalidInput), small_house.by("reviewer") as uow:
        decide_change(uow, change_id, approve=False)
    with small_house.by("reviewer") as uow:
        decide_change(uow, change_id, approve=False, reason="没有这个职务")
    assert advisor_of(small_house).title == "理财经理"


def test_nothing_that_would_change_is_no_change(small_house: House) -> None:
    with small_house.by("advisor") as uow:
        assert change_own_profile(uow, title=" 理财经理 ") is None


def test_every_live_picture_is_refreshed_by_one_tap(small_house: House, client: FlaskClient) -> None:
    shared, own = small_house.published("operator", NOTE), small_house.published("advisor", NOTE)
    with small_house.by("advisor") as uow:
        editions = {open_edition(uow, shared).id, open_edition(uow, own).id}
        assert stale_editions(uow, own_advisor(uow)) == set()
    renamed(small_house)
    phone = small_house.log_in(client.application.test_client(), "advisor")
    assert "2 件在用的图还是旧的" in words(phone.get("/today").text)
    assert phone.get("/works").text.count("/refresh") == 2
    with small_house.by("advisor") as uow:
        assert stale_editions(uow, own_advisor(uow)) == editions
    for edition_id in editions:
        assert phone.post(f"/editions/{edition_id}/refresh").status_code == 303
    # until the new one is approved, the old one stays
    assert small_house.publication(own).revision_id is not None
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, own))
    assert visitor.get(page).status_code == 200
    small_house.run_checks()
    if small_house.piece(own).state is PieceState.IN_REVIEW:
        small_house.decide(own)
    assert small_house.piece(own).state is PieceState.PUBLISHED
    text = visitor.get(page).text
    assert "李知远" in text
    assert "更正：客户经理资料更新" in words(text)
    with small_house.by("advisor") as uow:
        assert stale_editions(uow, own_advisor(uow)) == set()


def test_a_refresh_that_is_under_way_is_not_begun_twice(small_house: House) -> None:
    own = small_house.published("advisor", NOTE)
    with small_house.by("advisor") as uow:
        edition_id = open_edition(uow, own).id
    renamed(small_house)
    with small_house.by("advisor") as uow:
        refresh_edition(uow, edition_id)
    with pytest.raises(IllegalTransition), small_house.by("advisor") as uow:
        refresh_edition(uow, edition_id)


@pytest.mark.parametrize(
    ("left", "notice"), [(20, None), (14, 14), (13.2, 14), (3, 3), (2.5, 3), (1, 1), (0.1, 1), (0, None)]
)
def test_the_notices_are_due_14_3_and_1_days_before(
    clock: FixedClock, left: float, notice: int | None
) -> None:
    term = ProfileTerm(clock.now() + timedelta(days=left))
    assert term.notice(at=clock.now()) == notice
    assert term.has_ended(at=clock.now()) is (left == 0)


def test_each_notice_is_kept_once(small_house: House, clock: FixedClock) -> None:
    with_term(small_house, 30)
    for days, kept in ((15, 0), (1, 2), (1, 0), (10, 2), (2, 2)):
        clock.advance(timedelta(days=days))
        with small_house.by("operator") as uow:
            assert note_ending_profiles(uow) == kept, days
    with small_house.platform.sessions() as session:
        noted = session.scalars(select(ProfileNotice.days_before)).all()
    assert sorted(noted) == [1, 1, 3, 3, 14, 14]


def test_an_expired_profile_is_printed_on_nothing_new_until_it_is_confirmed(
    small_house: House, client: FlaskClient, clock: FixedClock
) -> None:
    with_term(small_house, 10)
    live = small_house.published("operator", NOTE)
    with small_house.by("advisor") as uow:
        edition_id = open_edition(uow, live).id
    clock.advance(timedelta(days=10))
    fresh = small_house.in_review("operator", NOTE, headline="新的")
    small_house.decide(fresh)
    with small_house.by("operator") as uow:
        publish_piece(uow, fresh)
    with pytest.raises(ProfileExpired), small_house.by("advisor") as uow:
        open_edition(uow, fresh)
    with pytest.raises(ProfileExpired), small_house.by("advisor") as uow:
        save_piece(uow, NOTE, {})
    phone = small_house.log_in(client.application.test_client(), "advisor")
    assert phone.get(f"/editions/{edition_id}/picture.jpg").status_code == 200
    assert "资料已到确认期限" in phone.get("/today").text
    assert phone.post(f"/today/{fresh}").status_code == 403
    assert phone.post("/me/confirm").status_code == 303
    assert phone.post(f"/today/{fresh}").status_code == 303
    with small_house.by("advisor") as uow:
        confirm_profile(uow)


def test_the_reviewer_sees_before_and_after_and_decides(small_house: House, client: FlaskClient) -> None:
    change_id = asked(small_house, title="财富总监")
    desk = small_house.log_in(client.application.test_client(), "reviewer")
    assert f"/profile-changes/{change_id}" in desk.get("/profile-changes").text
    page = words(desk.get(f"/profile-changes/{change_id}").text)
    assert page.index("理财经理") < page.index("财富总监")
    wrong = desk.post(f"/profile-changes/{change_id}/decision", data={"outcome": "reject"})
    assert wrong.status_code == 422
    assert "请写明原因" in wrong.text
    done = desk.post(f"/profile-changes/{change_id}/decision", data={"outcome": "approve"})
    assert done.status_code == 303
    again = desk.post(f"/profile-changes/{change_id}/decision", data={"outcome": "approve"})
    assert again.status_code == 409
    phone = small_house.log_in(client.application.test_client(), "advisor")
    assert "财富总监" in phone.get("/me").text


def test_an_advisor_asks_on_their_phone_and_may_take_it_back(small_house: House, client: FlaskClient) -> None:
    phone = small_house.log_in(client.application.test_client(), "advisor")
    wrong = phone.post("/me/profile", data={"title": "x" * 41, "phone": "1", "licence_no": ""})
    assert wrong.status_code == 422
    assert "请填 11 位手机号" in wrong.text
    phone.post("/me/profile", data={"title": "财富总监", "phone": "13800000000", "licence_no": "S1"})
    page = words(phone.get("/me").text)
    assert "待审核" in page
    assert "理财经理 → 财富总监" in page
    phone.post("/me/profile/withdraw")
    assert "理财经理 → 财富总监" not in words(phone.get("/me").text)
