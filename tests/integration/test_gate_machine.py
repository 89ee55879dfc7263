"""The gate under random hands: whatever is done in whatever order, the invariants hold.

A larger run than the suite's: GATE_RUNS=500 GATE_STEPS=50, or `make gate`. What is tried, and which
invariant it is about, is told in `tests/gate/machine.py`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from app.bootstrap import Platform
from app.domain.organisation import Grant, Role
from app.services.audit import verify_audit
from app.services.person import join_accounts
from tests import designs
from tests.conftest import put_on_shelf
from tests.factories import House
from tests.gate.run import run_gate

RUNS: Final = int(os.environ.get("GATE_RUNS", "30"))
STEPS: Final = int(os.environ.get("GATE_STEPS", "40"))


@pytest.fixture
def gate_house(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """One small design about a fund, a person who makes and reviews, second accounts, branch seats."""
    fund = designs.MANIFEST.replace("product_type: none", "product_type: fund").replace(
        "本图为日常问候，不构成投资建议。", "基金有风险，投资须谨慎。"
    )
    monkeypatch.setattr(designs, "MANIFEST", fund)
    put_on_shelf(platform, tmp_path)
    house = House.build(platform)
    both = house.person("both", Role.REVIEWER, "/HQ/")
    house.people["both"] = replace(both, grants=(*both.grants, Grant(Role.OPERATOR, "/HQ/")))
    house.people["reviewer_sh"] = house.person("reviewer_sh", Role.REVIEWER, "/HQ/SH/")
    house.people["reviewer_sz"] = house.person("reviewer_sz", Role.REVIEWER, "/HQ/SZ/")
    for who in ("operator", "reviewer"):
        login = f"{who}_too"
        house.people[login] = house.person(login, Role.REVIEWER, "/HQ/")
        person = house.people[who].user_id
        assert person is not None
        with house.by("administrator") as uow:
            join_accounts(uow, person, login=login)
    return house


# a large run takes longer than a test may otherwise
@pytest.mark.timeout(0)
def test_nothing_is_public_but_what_independent_people_approved(gate_house: House) -> None:
    run_gate(gate_house, runs=RUNS, steps=STEPS)
    with gate_house.platform.sessions() as session:
        _, fault = verify_audit(session, gate_house.tenant_id)
    assert fault is None
