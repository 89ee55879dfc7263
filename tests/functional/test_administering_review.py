"""Routes, sampling, inspections and absences, as the pages offer them."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.inspection import LOTS
from app.domain.piece import PieceState
from app.models.inspection import Inspection
from app.models.review import ReviewStep
from app.models.route import ReviewRoute
from app.models.user import User
from app.services.sampling import set_sampling
from app.services.template import clear_template
from tests.factories import House

STEPS = {
    "step_name": ["初审", "复审", "", "", ""],
    "step_role": ["reviewer", "reviewer", "reviewer", "reviewer", "reviewer"],
    "step_quorum": ["1", "1", "1", "1", "1"],
    "step_seat": ["", "/HQ/", "", "", ""],
    "step_hours": ["24", "48", "24", "24", "24"],
}
FUND = {"name": "基金两步审核", "path": "/", "product_types": ["fund", "money_fund"], **STEPS}


def text_of(page: str) -> str:
    """What of a page is read, without marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def route_named(house: House, name: str) -> ReviewRoute:
    with house.platform.sessions() as session:
        return session.scalars(
            select(ReviewRoute).where(ReviewRoute.name == name, ReviewRoute.retired_at.is_(None))
        ).one()


def test_an_administrator_sets_up_two_steps_for_funds_and_one_for_greetings(
    client: FlaskClient, small_house: House
) -> None:
    small_house.log_in(client, "administrator")
    assert client.post("/routes", data=FUND).location == "/routes"
    greeting = {
        "name": "节日问候",
        "kinds": ["festival", "daily"],
        **STEPS,
        "step_name": ["初审", "", "", "", ""],
    }
    assert client.post("/routes", data=greeting).status_code == 303
    shown = text_of(client.get("/routes").text)
    assert "基金两步审核" in shown
    assert "公募基金、货币基金" in shown
    assert shown.index("基金两步审核") < shown.index("节日问候")
    assert len(small_house.review_of(small_house.in_review("operator", "note")).reasons) > 0
    assert route_named(small_house, "节日问候").kinds == ["daily", "festival"]


def test_the_form_shows_a_route_as_it_stands_and_saves_the_next_version(
    client: FlaskClient, small_house: House
) -> None:
    small_house.log_in(client, "administrator")
    client.post("/routes", data=FUND)
    first = route_named(small_house, "基金两步审核")
    page = client.get(f"/routes/{first.id}").text
    assert 'value="48"' in page
    assert re.search(r'name="product_types" value="fund" checked', page)
    answer = client.post(f"/routes/{first.id}", data=FUND | {"step_quorum": ["1", "2", "1", "1", "1"]})
    assert answer.status_code == 303
    second = route_named(small_house, "基金两步审核")
    assert (second.number, second.lineage_id) == (2, first.lineage_id)
    assert "现行" in client.get(f"/routes/{second.id}").text
    assert client.get(f"/routes/{first.id}").status_code == 404


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": ""}, "请给流程起个名字"),
        ({"step_name": ["", "", "", "", ""]}, "请设置 1 至 5 步"),
        ({"step_quorum": ["0", "1", "1", "1", "1"]}, "人数为 1 至 5"),
        ({"step_quorum": ["一", "1", "1", "1", "1"]}, "请填写整数"),
        ({"step_hours": ["9999", "1", "1", "1", "1"]}, "时限为 1 至"),
        ({"step_role": ["brand", "reviewer", "", "", ""]}, "没有审核权限"),
        ({"step_role": ["nobody", "reviewer", "", "", ""]}, "请选择由谁审核"),
        ({"path": "/HQ/XX/"}, "适用机构不存在"),
    ],
)
def test_what_is_wrong_with_a_route_stands_beside_it_and_nothing_typed_is_lost(
    client: FlaskClient, small_house: House, change: dict[str, object], complaint: str
) -> None:
    small_house.log_in(client, "administrator")
    answer = client.post("/routes", data=FUND | change)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert 'value="/HQ/" selected' in answer.text
    with small_house.platform.sessions() as session:
        assert session.scalars(select(ReviewRoute.id)).all() == []


def test_routes_change_places_and_go(client: FlaskClient, small_house: House) -> None:
    house = small_house
    house.log_in(client, "administrator")
    for name in ("甲", "乙"):
        client.post("/routes", data=FUND | {"name": name})
    second = route_named(house, "乙")
    client.post(f"/routes/{second.id}/move", data={"direction": "up"})
    shown = text_of(client.get("/routes").text)
    assert shown.index(" 乙 ") < shown.index(" 甲 ")
    assert client.post(f"/routes/{second.id}/retire").status_code == 303
    assert " 乙 " not in text_of(client.get("/routes").text)


def test_the_last_route_stays_and_says_why(client: FlaskClient, small_house: House) -> None:
    house = small_house
    house.in_review("operator", "note")
    house.log_in(client, "administrator")
    answer = client.post(f"/routes/{route_named(house, '常规审核').id}/retire")
    assert answer.status_code == 422
    assert "至少要有一条适用于全部内容的流程" in answer.text


def test_the_share_is_set_and_shown(client: FlaskClient, small_house: House) -> None:
    small_house.log_in(client, "administrator")
    assert client.post("/routes/sampling", data={"share": "12.5", "seed": "第四季度"}).status_code == 303
    page = client.get("/routes").text
    assert 'value="12.5"' in page
    assert 'value="第四季度"' in page
    for wrong in ("101", "-1", "很多", "nan", "1e400"):
        assert client.post("/routes/sampling", data={"share": wrong}).status_code == 422, wrong


def drawn(house: House) -> Inspection:
    with house.by("reviewer") as uow:
        clear_template(uow, "note", 1)
    with house.by("administrator") as uow:
        set_sampling(uow, share_bp=LOTS, seed="种子")
    house.in_review("advisor", "note")
    with house.platform.sessions() as session:
        return session.scalars(select(Inspection)).one()


def test_a_drawn_item_is_listed_looked_at_and_taken_down(client: FlaskClient, small_house: House) -> None:
    house = small_house
    inspection = drawn(house)
    house.log_in(client, "reviewer_b")
    listed = text_of(client.get("/inspections").text)
    assert "李知遥" in listed
    assert "100%" in listed
    page = client.get(f"/inspections/{inspection.id}")
    assert "设计已由合规放行" in page.text
    assert client.get(f"/inspections/{inspection.id}/picture.jpg").content_type == "image/jpeg"
    wordless = client.post(f"/inspections/{inspection.id}", data={"outcome": "finding"})
    assert wordless.status_code == 422
    assert "请写明问题" in wordless.text
    done = client.post(f"/inspections/{inspection.id}", data={"outcome": "finding", "note": "称谓不符"})
    assert done.location == "/inspections"
    with house.platform.sessions() as session:
        piece_id = session.get_one(Inspection, inspection.id).auto_pass_id
    assert piece_id is not None
    assert "没有待查看的内容" in client.get("/inspections").text
    assert "发现问题" in client.get("/inspections?state=done").text
    again = client.post(f"/inspections/{inspection.id}", data={"outcome": "clean"})
    assert again.status_code == 409


def test_whoever_only_reads_cannot_conclude(client: FlaskClient, small_house: House) -> None:
    inspection = drawn(small_house)
    small_house.log_in(client, "auditor")
    assert "结果由合规专员填写" in client.get(f"/inspections/{inspection.id}").text
    assert client.post(f"/inspections/{inspection.id}", data={"outcome": "clean"}).status_code == 403


def test_a_reviewer_goes_away_and_comes_back_on_their_own_page(
    client: FlaskClient, small_house: House
) -> None:
    house = small_house
    house.log_in(client, "reviewer")
    substitute = str(house.people["reviewer_b"].user_id)
    answer = client.post(
        "/account/absence",
        data={"starts": "2026-11-23T09:00", "ends": "2026-11-27T18:00", "substitute": substitute},
    )
    assert answer.location == "/account"
    page = client.get("/account").text
    assert "由demo-reviewer-b代理" in page
    house.in_review("operator", "note")
    with house.platform.sessions() as session:
        owner = session.scalars(select(ReviewStep.assigned_to)).one()
    assert owner != house.people["reviewer"].user_id
    ending = re.search(r'action="(/account/absence/[^"]+/end)"', page)
    assert ending is not None
    assert client.post(ending[1]).status_code == 303
    assert "代理</span>" not in client.get("/account").text
    for wrong in ({"starts": "明天", "ends": "2026-11-27T18:00"}, {"starts": "", "ends": ""}):
        assert client.post("/account/absence", data=wrong).status_code == 422


def test_an_administrator_joins_two_accounts_of_one_person(client: FlaskClient, small_house: House) -> None:
    house = small_house
    house.log_in(client, "administrator")
    operator = house.people["operator"].user_id
    address = f"/users/{operator}"
    assert client.post(f"{address}/person", data={"login": "nobody"}).status_code == 422
    assert client.post(f"{address}/person", data={"login": "demo-reviewer"}).location == address
    assert "demo-reviewer" in client.get(address).text
    with house.platform.sessions() as session:
        one, other = (
            session.get_one(User, house.people[who].user_id).person_id for who in ("operator", "reviewer")
        )
    assert one == other
    piece_id = house.in_review("operator", "note")
    review = house.review_of(piece_id)
    house.log_in(client, "reviewer")
    page = client.get(f"/reviews/{review.id}").text
    assert "四眼原则" in page
    form = {"outcome": "approve", "content_hash": review.revision.content_hash, "step": "1"}
    assert client.post(f"/reviews/{review.id}/decision", data=form).status_code == 403
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
