"""A machine that never raises the alarm proves nothing: here it must, fault by fault, and the right one.

The suite tries those that are met soon; GATE_FAULTS=all, or `make gate`, tries every one.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from sqlalchemy.exc import DBAPIError

from tests.factories import House
from tests.gate.faults import FAULTS, Fault
from tests.gate.run import run_gate
from tests.integration.test_gate_machine import gate_house

__all__ = ["gate_house"]
# enough for each of them to be met, and no more: the first alarm ends the run
RUNS: Final = 300
STEPS: Final = 50
TRIED: Final = [fault for fault in FAULTS if fault.soon or os.environ.get("GATE_FAULTS") == "all"]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("fault", TRIED, ids=lambda fault: fault.name)
def test_a_seeded_fault_is_caught(gate_house: House, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    fault.seed(gate_house, monkeypatch)
    # an invariant, a guard of the database, or the watch that every test's platform is under
    with pytest.raises((AssertionError, DBAPIError), match=fault.alarm) as alarm:
        run_gate(gate_house, runs=RUNS, steps=STEPS, shrink=False)
    told = getattr(alarm.value, "orig", alarm.value)  # a guard in the database says it in its own words
    print(f"{fault.name}: {str(told).splitlines()[0]}")  # noqa: T201 - the table of `make gate`
