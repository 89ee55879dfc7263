"""Signing in and out at the front door."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.bootstrap import Platform
from app.domain.organisation import Actor, Role
from app.models.audit import AuditEntry
from app.services.sign_in import note_failed_sign_ins
from app.services.user import RoleOn, reset_password, set_active, set_roles
from app.web.signed_in import COOKIE
from tests.factories import PASSWORD, House
from tests.functional.machine import Switchboard

TOKEN = re.compile(r'(?<="csrf-token" content=")[^"]+|(?<=name="csrf_token" value=")[^"]+')


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform, templates=False)


@pytest.fixture
def forms(client: FlaskClient) -> FlaskClient:
    """A client whose forms are guarded as in production."""
    client.application.config["WTF_CSRF_ENABLED"] = True
    return client


def log_in(client: FlaskClient, login: str, password: str = PASSWORD, **more: str):
    return client.post("/login", data={"login": login, "password": password, **more})


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def token(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def with_token(client: FlaskClient, value: str) -> FlaskClient:
    """Another browser that carries this sign-in: what a thief would have."""
    other = client.application.test_client()
    other.set_cookie(COOKIE, value)
    return other


def test_the_right_password_leads_to_the_persons_own_start_page(client, house):
    assert log_in(client, "demo-administrator").location == "/organisation"
    assert is_in(client)


def test_a_form_without_its_token_is_refused(forms, house):
    assert log_in(forms, "demo-administrator").status_code == 400
    assert not is_in(forms)


def test_a_wrong_password_and_an_unknown_account_are_answered_alike(client, house):
    answers = {
        login: log_in(client, login, "wrong password") for login in ("demo-administrator", "nobody-at")
    }

    assert {answer.status_code for answer in answers.values()} == {401}
    # each page carries a form token of its own
    pages = {TOKEN.sub("TOKEN", answer.text).replace(login, "LOGIN") for login, answer in answers.items()}
    assert len(pages) == 1


def test_too_many_guesses_are_slowed_down_for_known_and_unknown_alike(client, house):
    for login in ("demo-administrator", "nobody-at"):
        answers = [log_in(client, login, "wrong password") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert int(answers[-1].headers["Retry-After"]) > 0
    # the right password does not help while the pause lasts
    assert log_in(client, "demo-administrator").status_code == 429


def test_guessing_from_one_network_locks_nobody_out_elsewhere(client, house):
    for _ in range(6):
        log_in(client, "demo-administrator", "wrong password")
    elsewhere = client.application.test_client()

    answer = elsewhere.post(
        "/login",
        data={"login": "demo-administrator", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "203.0.113.7"},
    )
    assert answer.status_code == 303


def test_the_pause_ends_by_itself(client, house, clock):
    for _ in range(6):
        log_in(client, "demo-administrator", "wrong password")
    clock.advance(timedelta(minutes=16))

    assert log_in(client, "demo-administrator").status_code == 303


def test_a_sign_in_is_new_at_each_login_and_the_old_one_is_dead(client, house):
    log_in(client, "demo-administrator")
    first = token(client)
    log_in(client, "demo-administrator")

    assert token(client) != first
    assert is_in(client)
    assert not is_in(with_token(client, first))


def test_nothing_put_into_the_session_before_login_outlives_it(client, house):
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    log_in(client, "demo-administrator")

    with client.session_transaction() as session:
        assert "planted" not in session


def test_a_token_nobody_was_given_opens_nothing(client, house):
    assert not is_in(with_token(client, "chosen-by-the-attacker"))


def test_logging_out_kills_the_sign_in_and_not_only_the_cookie(client, house):
    log_in(client, "demo-administrator")
    carried = token(client)
    client.post("/logout")

    assert not is_in(with_token(client, carried))


def test_a_sign_in_ends_after_its_hours(client, house, clock):
    log_in(client, "demo-administrator")
    clock.advance(timedelta(hours=13))

    assert not is_in(client)


@pytest.mark.parametrize("change", ["disabled", "new roles", "new password"])
def test_what_an_administrator_changes_ends_every_sign_in_at_once(client, house, change):
    log_in(client, "demo-operator")
    person = house.people["operator"].user_id
    with house.by("administrator") as uow:
        match change:
            case "disabled":
                set_active(uow, person, active=False)
            case "new roles":
                set_roles(uow, person, [RoleOn(Role.AUDITOR, house.units["/HQ/"])])
            case _:
                reset_password(uow, person, "another long password")

    assert not is_in(client)


def test_a_disabled_person_cannot_sign_in_and_is_answered_like_a_wrong_password(client, house):
    with house.by("administrator") as uow:
        set_active(uow, house.people["operator"].user_id, active=False)

    assert log_in(client, "demo-operator").status_code == 401


def test_changing_ones_password_ends_the_other_sign_ins_and_keeps_this_one(client, house):
    log_in(client, "demo-operator")
    old = token(client)
    thief = with_token(client, old)
    answer = client.post(
        "/account/password",
        data={"current": PASSWORD, "new": "a fresh long password", "again": "a fresh long password"},
    )

    assert answer.status_code == 303
    assert is_in(client)
    assert token(client) != old
    assert not is_in(thief)
    assert (
        log_in(client.application.test_client(), "demo-operator", "a fresh long password").status_code == 303
    )


def test_a_borrowed_browser_cannot_guess_the_current_password_for_ever(client, house):
    log_in(client, "demo-operator")
    form = {"current": "guess", "new": "a fresh long password", "again": "a fresh long password"}
    answers = [client.post("/account/password", data=form).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aLocation:evil",
        "/\r\nLocation: evil",
        "javascript:alert(1)",
        "https:evil.example",
        "evil.example",
        "/\t/evil.example",
        "http://user@evil.example",
    ],
)
def test_the_way_on_after_login_never_leaves_the_house(client, house, target):
    answer = log_in(client, "demo-administrator", next=target)

    assert answer.status_code == 303
    assert answer.headers.getlist("Location") == [answer.location]
    assert answer.location.startswith("/")
    assert not answer.location.startswith(("//", "/\\"))
    assert "\n" not in answer.location
    assert "evil" not in answer.location or answer.location == "/%0d%0aLocation:evil"


def test_a_page_asked_for_before_login_is_where_login_leads(client, house):
    asked = client.get("/organisation?q=li", headers={"Accept": "text/html"})
    assert asked.location == "/login?next=/organisation?q%3Dli"

    assert log_in(client, "demo-administrator", next="/organisation?q=li").location == "/organisation?q=li"


def test_the_sign_in_cookie_is_out_of_reach_of_scripts_and_other_sites(client, house):
    cookie = log_in(client, "demo-administrator").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


class TestInTheTrail:
    """Who came, who tried and who left, with the network they came from and without a name."""

    def acts(self, house: House) -> list[tuple[str, str]]:
        with house.platform.sessions() as session:
            entries = session.scalars(
                select(AuditEntry)
                .where(AuditEntry.tag.startswith("sign_in:") | AuditEntry.tag.startswith("token:"))
                .order_by(AuditEntry.seq)
            ).all()
        subject = str(house.people["administrator"].user_id)
        assert {entry.subject_id for entry in entries} <= {subject}
        return [(entry.tag, entry.actor) for entry in entries]

    def note(self, house: House) -> int:
        """The worker's turn."""
        with house.platform.unit_of_work(Actor.system("sign-in", house.tenant_id)) as uow:
            return note_failed_sign_ins(uow)

    def test_coming_and_going_are_entered_as_the_persons_own_acts(self, client, house):
        log_in(client, "demo-administrator")
        client.post("/logout")

        me = str(house.people["administrator"].user_id)
        assert self.acts(house) == [("sign_in:begin", me), ("sign_in:end", me)]

    def test_a_wrong_password_is_entered_by_the_next_turn_and_once(self, client, house):
        log_in(client, "demo-administrator", "wrong password")
        log_in(client, "nobody-at", "wrong password")
        assert self.acts(house) == []

        assert self.note(house) == 1
        assert self.note(house) == 0
        assert self.acts(house) == [("sign_in:fail", "system:sign-in")]

    def test_a_pause_is_entered_with_the_guess_that_began_it(self, client, house):
        for _ in range(8):
            log_in(client, "demo-administrator", "wrong password")
        self.note(house)

        assert [tag for tag, _ in self.acts(house)] == ["sign_in:fail"] * 5 + ["sign_in:lock"]

    def test_what_failed_before_the_right_password_is_entered_before_it(self, client, house):
        log_in(client, "demo-administrator", "wrong password")
        log_in(client, "demo-administrator")

        assert [tag for tag, _ in self.acts(house)] == ["sign_in:fail", "sign_in:begin"]
        assert self.note(house) == 0

    def test_a_machines_token_is_entered_when_it_is_given_and_when_it_ends(self, house):
        machine = Switchboard(house).of("administrator")
        machine.delete("/tokens/current")

        me = str(house.people["administrator"].user_id)
        assert self.acts(house) == [("token:issue", me), ("token:revoke", me)]
