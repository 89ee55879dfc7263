"""When a server we depend on is gone, people are told so, and nothing pretends to be a bug."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.bootstrap import build_platform
from app.factory import create_app
from tests.conftest import settings_for
from tests.fakes import MemoryObjectStore, RecordingTaskQueue

NOBODY_LISTENS = "postgresql://imprimatur@127.0.0.1:1/imprimatur"


@pytest.fixture
def without_database(tmp_path: Path) -> FlaskClient:
    platform = build_platform(
        settings_for(NOBODY_LISTENS, tmp_path), store=MemoryObjectStore(), queue=RecordingTaskQueue()
    )
    app = create_app(platform=platform)
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.mark.parametrize("address", ["/s/2345678923", "/v/YX202611-ABCD-EFGH", "/p/abcdefghijklmnopqrst"])
def test_a_page_says_to_come_back_while_the_database_is_gone(
    without_database: FlaskClient, address: str
) -> None:
    answer = without_database.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "<html" in answer.text


def test_a_page_that_needs_no_database_is_shown_without_the_institutions_name(
    without_database: FlaskClient,
) -> None:
    answer = without_database.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<html" in answer.text


def test_a_program_is_told_in_its_own_words(without_database: FlaskClient) -> None:
    answer = without_database.post(
        "/login", data={"login": "a", "password": "b"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "unavailable"


def test_the_process_is_alive_but_not_ready(without_database: FlaskClient) -> None:
    assert without_database.get("/healthz").status_code == 200
    assert without_database.get("/readyz").status_code == 503
