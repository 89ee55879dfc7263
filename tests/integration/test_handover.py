"""Leaver and transfer: pieces stop, nothing public carries the name, visitors and leads go on."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.errors import AccessDenied, InvalidInput, Missing
from app.domain.piece import PieceState
from app.domain.roster import RosterKind
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.tracking import Event, Lead
from app.models.user import Membership
from app.queries.visitor import own_leads
from app.services.handover import come_back, leave, transfer
from app.services.roster_import import import_roster
from app.services.serving import open_edition
from tests.factories import House
from tests.functional.pages import links, words
from tests.functional.test_public_landing import TYPED, form_token
from tests.visitors import Phone, code_of

NOTE = "note"


def master(house: House) -> UUID:
    piece_id = house.published("operator", NOTE)
    with house.by("advisor") as uow:
        open_edition(uow, piece_id)
    return piece_id


def left(house: House, successor: str = "") -> None:
    with house.by("administrator") as uow:
        leave(uow, house.people["advisor"].advisor_id, successor_no=successor)


def staff_no(house: House, who: str) -> str:
    with house.platform.sessions() as session:
        return session.get_one(Advisor, house.people[who].advisor_id).staff_no


def test_a_leavers_code_leads_to_the_successors_edition_of_the_same_piece(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house)
    code, visitor = code_of(small_house, piece_id), Phone(client)
    left(small_house, staff_no(small_house, "advisor_b"))
    page = visitor.scan(code)
    text = visitor.get(page).text
    assert "欧阳𠮷" in text
    assert "李知遥" not in text
    assert visitor.get(f"{page}/picture.jpg").status_code == 200
    answer = visitor.post(page, TYPED | {"csrf_token": form_token(text)})
    assert answer.status_code == 303
    with small_house.platform.sessions() as session:
        heir = small_house.people["advisor_b"].advisor_id
        assert set(session.scalars(select(Event.advisor_id))) == {heir}
        assert set(session.scalars(select(Lead.advisor_id))) == {heir}


def test_a_leavers_own_piece_stops_and_names_whoever_carries_on(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = small_house.published("advisor", NOTE)
    visitor = Phone(client)
    page = visitor.look(code_of(small_house, piece_id))
    shared = master(small_house)
    with small_house.by("advisor_b") as uow:
        open_edition(uow, shared)
    left(small_house, staff_no(small_house, "advisor_b"))
    for address in (page, visitor.scan(code_of(small_house, piece_id))):
        answer = visitor.get(address)
        assert answer.status_code == 410
        assert "李知遥" not in answer.text
        assert "欧阳𠮷" in answer.text
        (way,) = [href for href in links(answer.text) if href.startswith("/s/")]
        assert visitor.get(visitor.get(way).location).status_code == 200
    assert visitor.get(f"{page}/picture.jpg").status_code == 410
    number = small_house.publication(piece_id).approval_no
    verified = visitor.get(f"/v/{number}").text
    assert "李知遥" not in verified
    assert "上海静安支行" in verified


def test_without_a_successor_the_branch_answers(small_house: House, client: FlaskClient) -> None:
    piece_id = master(small_house)
    left(small_house)
    visitor = Phone(client)
    answer = visitor.get(visitor.scan(code_of(small_house, piece_id)))
    assert answer.status_code == 410
    assert "上海静安支行" in answer.text
    assert "李知遥" not in answer.text


def test_leads_go_to_the_successor_also_when_named_later_and_when_that_one_leaves(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house)
    visitor = Phone(client)
    page = visitor.scan(code_of(small_house, piece_id))
    visitor.post(page, TYPED | {"csrf_token": form_token(visitor.get(page).text)})
    third = small_house.advisor("于一", "/HQ/SH/01/")
    small_house.people["third"] = third
    left(small_house)
    left(small_house, staff_no(small_house, "advisor_b"))
    with small_house.by("administrator") as uow:
        leave(uow, small_house.people["advisor_b"].advisor_id, successor_no=staff_no(small_house, "third"))
    with small_house.platform.sessions() as session:
        assert [lead.name for lead in own_leads(session, third.advisor_id)] == ["王女士"]
        assert own_leads(session, small_house.people["advisor_b"].advisor_id) == []
        lead = session.scalars(select(Lead)).one()
        assert lead.advisor_id == small_house.people["advisor"].advisor_id  # the record stays
    text = Phone(client).get(Phone(client).scan(code_of(small_house, piece_id))).text
    assert "于一" in text


def test_what_a_leaver_had_in_review_is_taken_back(small_house: House) -> None:
    piece_id = small_house.in_review("advisor", NOTE, headline="自己写的")
    assert small_house.piece(piece_id).state is PieceState.IN_REVIEW
    left(small_house)
    assert small_house.piece(piece_id).state is PieceState.WITHDRAWN


def test_a_successor_is_somebody_else_on_duty(small_house: House) -> None:
    for wrong in (staff_no(small_house, "advisor"), "nobody"):
        with pytest.raises(InvalidInput):
            left(small_house, wrong)
    left(small_house)
    with pytest.raises(InvalidInput), small_house.by("administrator") as uow:
        leave(
            uow,
            small_house.people["advisor_b"].advisor_id,
            successor_no=staff_no(small_house, "advisor"),
        )


def test_whoever_comes_back_answers_for_their_own_codes_again(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house)
    left(small_house, staff_no(small_house, "advisor_b"))
    with small_house.by("administrator") as uow:
        come_back(uow, small_house.people["advisor"].advisor_id)
    visitor = Phone(client)
    assert "李知遥" in visitor.get(visitor.scan(code_of(small_house, piece_id))).text


def test_the_file_of_the_institution_hands_over_as_the_page_does(
    small_house: House, client: FlaskClient
) -> None:
    piece_id = master(small_house)
    under_way = small_house.in_review("advisor", NOTE, headline="自己写的")
    with small_house.platform.sessions() as session:
        unit = session.get_one(OrgUnit, small_house.units["/HQ/SH/01/"]).code
    mine, theirs = staff_no(small_house, "advisor"), staff_no(small_house, "advisor_b")
    file = f"工号,姓名,机构编码,状态,接任工号\n{mine},李知遥,{unit},离岗,{theirs}\n".encode()
    with small_house.by("administrator") as uow:
        import_roster(uow, RosterKind.ADVISORS, file, most_rows=10)
    assert small_house.piece(under_way).state is PieceState.WITHDRAWN
    visitor = Phone(client)
    text = visitor.get(visitor.scan(code_of(small_house, piece_id))).text
    assert "欧阳𠮷" in text
    assert "李知遥" not in text
    wrong = f"工号,姓名,机构编码,状态,接任工号\n{mine},李知遥,{unit},离岗,{mine}\n".encode()
    with pytest.raises(InvalidInput), small_house.by("administrator") as uow:
        import_roster(uow, RosterKind.ADVISORS, wrong, most_rows=10)


def test_a_transfer_takes_role_and_pieces_along(small_house: House, client: FlaskClient) -> None:
    piece_id = small_house.published("advisor", NOTE)
    advisor = small_house.people["advisor"]
    with small_house.by("administrator") as uow:
        transfer(uow, advisor.advisor_id, small_house.units["/HQ/SZ/01/"])
    with small_house.platform.sessions() as session:
        place = session.scalars(
            select(Membership.org_unit_id).where(Membership.user_id == advisor.user_id)
        ).one()
        assert place == small_house.units["/HQ/SZ/01/"]
    assert small_house.piece(piece_id).org_unit_id == small_house.units["/HQ/SZ/01/"]
    visitor = Phone(client)
    assert "苏州工业园区支行" in words(visitor.get(visitor.look(code_of(small_house, piece_id))).text)


def test_only_who_governs_both_ends_moves_somebody(small_house: House) -> None:
    advisor_id = small_house.people["advisor"].advisor_id
    with pytest.raises(AccessDenied), small_house.by("branch_head") as uow:
        transfer(uow, advisor_id, small_house.units["/HQ/SH/"])
    with pytest.raises(Missing), small_house.by("administrator") as uow:
        transfer(uow, advisor_id, small_house.tenant_id)


def test_the_page_hands_over_and_moves(small_house: House, client: FlaskClient) -> None:
    advisor_id = small_house.people["advisor"].advisor_id
    desk = small_house.log_in(client.application.test_client(), "administrator")
    page = f"/organisation/advisors/{advisor_id}"
    assert "调动" in desk.get(page).text
    desk.post(f"{page}/transfer", data={"unit": str(small_house.units["/HQ/SH/"])})
    assert "已调至上海分行" in desk.get(page).text
    assert desk.post(f"{page}/duty", data={"duty": "left", "successor": "nobody"}).status_code == 422
    desk.post(f"{page}/duty", data={"duty": "left"})
    assert "还没有接任人" in desk.get(page).text
    desk.post(f"{page}/duty", data={"duty": "left", "successor": staff_no(small_house, "advisor_b")})
    assert "接任人：欧阳𠮷" in desk.get(page).text
