"""Whatever somebody types, they are told what is wrong; the database is never the one to say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.domain.errors import InvalidInput
from app.domain.organisation import Actor
from app.domain.review import Outcome
from app.domain.tracking import Hit, LinkChannel
from app.services.edition import edition_links, edition_of
from app.services.lead import LeadForm, leave_lead
from app.services.piece import save_piece
from app.services.publication import publish_piece, take_down
from app.services.review import decide
from app.services.sign_in import Throttle, attempt_sign_in, attempt_token
from app.services.tracking import Caller, arrive
from tests.factories import PASSWORD, House

ODD = {"NUL": "早\0安", "half a surrogate": "早\ud800安", "overlong": "早" * 5000}
VISITOR = Caller(Hit("GET", "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50", "", signed_in=False), "203.0.113.7")

odd_text = pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())


def refused_field(act: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as refused:
        act()
    return refused.value.faults[0].field


@odd_text
def test_a_piece_is_not_saved_with_it(small_house: House, text: str) -> None:
    def save(values: dict[str, str], **more: object) -> Callable[[], object]:
        def act() -> None:
            with small_house.by("operator") as uow:
                save_piece(uow, "note", values, **more)  # type: ignore[arg-type]

        return act

    assert refused_field(save({"headline": text})) == "headline"
    assert refused_field(save({}, title=text)) == "title"
    assert refused_field(save({}, tags=(text,))) == "tags"
    assert refused_field(save({}, idempotency_key=text)) == "idempotency_key"


@odd_text
def test_nobody_decides_publishes_or_takes_down_with_it(small_house: House, text: str) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    review = house.review_of(piece_id)

    def refuse() -> None:
        with house.by("reviewer") as uow:
            decide(uow, review.id, Outcome.REJECT, content_hash=review.revision.content_hash, reason=text)

    assert refused_field(refuse) == "reason"
    house.decide(piece_id)

    def go_public(**more: object) -> Callable[[], object]:
        def act() -> None:
            with house.by("operator") as uow:
                publish_piece(uow, piece_id, **more)  # type: ignore[arg-type]

        return act

    assert refused_field(go_public(why=text)) == "why"
    assert refused_field(go_public(tags=(text,))) == "tags"
    assert refused_field(go_public(path=f"/HQ/{text}")) == "path"
    go_public(path="/HQ/")()

    def end() -> None:
        with house.by("operator") as uow:
            take_down(uow, piece_id, note=text)

    assert refused_field(end) == "note"


@odd_text
def test_it_is_a_wrong_login_and_a_wrong_password_like_any_other(small_house: House, text: str) -> None:
    throttle = Throttle(max_failures=5, window_s=60)
    for login, password in ((text, PASSWORD), ("demo-operator", text)):
        with small_house.platform.unit_of_work(Actor.system("sign-in")) as uow:
            issued = attempt_sign_in(
                uow, login, password, network="", throttle=throttle, lifetime=timedelta(hours=1)
            )
        assert issued is None

    def name_a_token() -> None:
        with small_house.platform.unit_of_work(Actor.system("sign-in")) as uow:
            attempt_token(
                uow,
                "demo-operator",
                PASSWORD,
                label=text,
                network="",
                throttle=throttle,
                lifetime=timedelta(hours=1),
            )

    assert refused_field(name_a_token) == "label"


def visit_token(house: House) -> str:
    piece_id = house.published("advisor", "note")
    with house.by("advisor") as uow:
        edition = edition_of(uow, piece_id, house.people["advisor"].advisor_id)  # type: ignore[arg-type]
        assert edition is not None
        code = edition_links(uow, edition.id)[LinkChannel.QR].rsplit("/", 1)[-1]
    with house.platform.unit_of_work(Actor.system("public")) as uow:
        return arrive(uow, code, VISITOR).token


def leave(house: House, token: str, **typed: str) -> str:
    with house.platform.unit_of_work(Actor.system("public")) as uow:
        form = {"name": "王女士", "phone": "13800138000", "message": "", **typed}
        return leave_lead(uow, token, LeadForm(**form, consented=True), VISITOR).phone


@odd_text
def test_a_visitor_is_told_which_field_it_is_in(small_house: House, text: str) -> None:
    token = visit_token(small_house)
    for field in ("name", "phone", "message"):
        assert refused_field(lambda field=field: leave(small_house, token, **{field: text})) == field  # type: ignore[misc]


def test_a_number_as_a_phone_fills_it_in_is_taken(small_house: House) -> None:
    token = visit_token(small_house)
    assert leave(small_house, token, phone="\u202a１３８ 0013 8000\u202c") == "138 0013 8000"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/s/%00", 404),
        ("/s/%00%00%00%00%00%00%00%00%00%00", 404),
        ("/p/%00", 404),
        ("/v/%00", 404),
        ("/v/%ED%A0%80", 404),
        ("/healthz?q=%00", 422),
        ("/login?next=%00", 422),
    ],
)
def test_an_address_that_cannot_be_is_no_page(
    small_house: House, client: FlaskClient, address: str, status: int
) -> None:
    assert client.get(address).status_code == status


def test_a_form_and_a_document_with_it_are_refused_by_the_field(
    small_house: House, client: FlaskClient
) -> None:
    answer = client.post(
        "/login", data={"login": "a\0", "password": "x"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.get_json()["errors"]] == ["login"]
    answer = client.post(
        "/api/v1/tokens",
        data='{"login": "a\\ud800", "password": "x", "label": "x"}',
        content_type="application/json",
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.get_json()["errors"]] == ["login"]
