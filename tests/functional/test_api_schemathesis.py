"""Every operation of the OpenAPI document against what it documents, for every role.

Few examples each in the suite, always the same ones; `make fuzz` takes as many new ones as asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.hooks import HookContext
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import update

from app.bootstrap import build_platform
from app.factory import create_app
from app.models.user import ApiToken
from tests.conftest import settings_for
from tests.factories import House
from tests.fakes import MemoryObjectStore
from tests.functional.machine import Switchboard

ROLES = ("advisor", "brand", "reviewer", "operator", "branch_head", "administrator", "auditor")
NOTE = "note"
FEW = 5
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


@pytest.fixture(scope="module")
def switchboard(standing_house: House) -> Switchboard:
    return Switchboard(standing_house)


@pytest.fixture(scope="module")
def known(standing_house: House, switchboard: Switchboard) -> dict[str, list[str]]:
    """Ids of things that are there, so that requests reach further than 404."""
    house = standing_house
    pieces = (
        house.draft("advisor", NOTE),
        house.draft("brand", NOTE),
        house.in_review("advisor", NOTE, headline="慢就是快"),
        house.in_review("brand", NOTE),
        house.published("advisor", NOTE, headline="路在脚下"),
        house.published("brand", NOTE),
    )
    auditor = switchboard.of("auditor")
    return {
        "piece_id": [str(piece_id) for piece_id in pieces],
        "review_id": [one["id"] for one in auditor.get("/reviews").get_json()["items"]],
        "publication_id": [one["id"] for one in auditor.get("/publications").get_json()["items"]],
        "edition_id": [one["id"] for one in auditor.get("/editions").get_json()["items"]],
        "advisor_id": [one["id"] for one in auditor.get("/advisors").get_json()["items"]],
        "sha256": [
            decision["shown_sha256"]
            for piece_id in pieces[-2:]
            for decision in auditor.get(f"/pieces/{piece_id}").get_json()["decisions"]
        ],
        "slug": [NOTE],
    }


class Stage:
    """The application under test; before there is a database, one that only writes the document."""

    def __init__(self) -> None:
        settings_ = settings_for("postgresql://nobody@127.0.0.1:1/none", Path("unused"))
        self.app = create_app(platform=build_platform(settings_, store=MemoryObjectStore()))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)


stage = Stage()
schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json",
    stage,
    config=SchemathesisConfig.from_dict(
        {"generation": {"max-examples": EXAMPLES or FEW, "deterministic": not EXAMPLES}}
    ),
)
# A UUID, a SHA-256, a template's name.
WELL_FORMED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|[a-z0-9]{4}")
_known: dict[str, list[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def _serve(switchboard: Switchboard, known: dict[str, list[str]]) -> None:
    stage.app = switchboard.app
    _known.update(known)


def _lead_to_known(values: Any) -> Any:
    """Every other well-formed id becomes one that exists; malformed ones stay as they are."""
    if not isinstance(values, dict):
        return values
    found = dict(values)
    for name, ids in _known.items():
        value = found.get(name)
        if isinstance(value, str) and WELL_FORMED.fullmatch(value) and value[-1] in "02468ace":
            found[name] = ids[int(value[-1], 16) // 2 % len(ids)]
    return found


@schema.hook
def map_path_parameters(context: HookContext, path_parameters: Any) -> Any:
    return _lead_to_known(path_parameters)


@schema.hook
def map_body(context: HookContext, body: Any) -> Any:
    return _lead_to_known(body)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES or FEW,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_every_answer_is_a_documented_one(case: Case, switchboard: Switchboard) -> None:
    for role in _speakers(case):
        case.call_and_validate(
            headers={"Authorization": f"Bearer {switchboard.of(role).token}"},
            # what a schema allows may still be refused for a reason of the trade: 422 names the field
            excluded_checks=[positive_data_acceptance],
        )
        if case.path == "/api/v1/tokens/current":
            with switchboard.house.platform.sessions.begin() as session:
                session.execute(update(ApiToken).values(revoked_at=None))


def _speakers(case: Case) -> Sequence[str]:
    """Every role says everything when fuzzing; in the suite they share an operation's cases."""
    if EXAMPLES:
        return ROLES
    said = repr((case.method, case.path_parameters, case.query, case.headers, case.body))
    return (ROLES[crc32(said.encode("utf-8", "replace")) % len(ROLES)],)
