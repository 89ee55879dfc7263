"""A machine at the API: a client without cookies that carries somebody's token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.domain.organisation import Actor
from app.factory import create_app
from app.models.user import User
from app.services.sign_in import Throttle, attempt_token
from tests.factories import PASSWORD, House


class Machine:
    """Speaks to /api/v1 under a token, or without one."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.client = app.test_client(use_cookies=False)
        self.token = token

    def send(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, /, **query: Any) -> TestResponse:
        return self.send("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.send("POST", path, **({"json": body} if body is not None else {}), **more)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.send("PATCH", path, json=body)

    def delete(self, path: str) -> TestResponse:
        return self.send("DELETE", path)


class Switchboard:
    """Machines for the people of an institution, each with a token made once."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.app = create_app(platform=house.platform)
        self._tokens: dict[Actor, str] = {}

    def nobody(self) -> Machine:
        return Machine(self.app)

    def of(self, who: str | Actor) -> Machine:
        person = self.house.people[who] if isinstance(who, str) else who
        if person not in self._tokens:
            self._tokens[person] = self._token(person)
        return Machine(self.app, self._tokens[person])

    def forget(self) -> None:
        """Let everybody get a new token, as after years on a clock that a test moves."""
        self._tokens.clear()

    def login_of(self, who: str | Actor) -> str:
        person = self.house.people[who] if isinstance(who, str) else who
        with self.house.platform.sessions() as session:
            return session.get_one(User, person.user_id).login

    def _token(self, person: Actor) -> str:
        with self.house.platform.unit_of_work(Actor.system("sign-in")) as uow:
            issued = attempt_token(
                uow,
                self.login_of(person),
                PASSWORD,
                label="test",
                network="",
                throttle=Throttle(5, 900),
                lifetime=timedelta(days=400),
            )
        assert issued is not None
        return issued.token


def problem(answer: TestResponse) -> dict[str, Any]:
    """The problem an answer states; every error of the API is one."""
    assert answer.mimetype == "application/problem+json", answer.text
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


def named(answer: TestResponse) -> set[str]:
    """The fields a problem names."""
    return {fault["field"] for fault in problem(answer).get("errors", [])}
