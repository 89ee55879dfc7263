"""Random hands set to work in a house: so many runs of so many steps, the same each time."""

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from app.services.route import create_route
from compliance.finding import Severity
from tests.factories import House
from tests.functional.machine import Switchboard
from tests.gate.machine import GateMachine, plan_of
from tests.gate.oracle import BLOCKED_WORD, ONE

# From its eleventh run on, Hypothesis draws one anew and varies it five times, with the same few rules.
RUNS_A_SEED = 10


def machine_of(house: House) -> type[GateMachine]:
    """The machine in a house of its own."""
    with house.by("administrator") as uow:
        route_id = create_route(uow, plan_of(ONE)).id
    switchboard = Switchboard(house)
    switchboard.app.config["WTF_CSRF_ENABLED"] = False  # its pages are posted to without being opened
    ruleset = house.platform.surroundings.ruleset
    return type(
        "Machine",
        (GateMachine,),
        {
            "house": house,
            "switchboard": switchboard,
            "route_id": route_id,
            "lenient": ruleset,
            "strict": ruleset.with_words({BLOCKED_WORD: None}, severity=Severity.BLOCK),
            "kept": (),
            "alarms": [],
        },
    )


def run_gate(house: House, *, runs: int, steps: int, shrink: bool = True) -> None:
    """Random hands, the same each time; raises the invariant that did not hold."""
    machine = machine_of(house)
    for begun in range(0, runs, RUNS_A_SEED):
        chosen = settings(
            max_examples=min(RUNS_A_SEED, runs - begun),
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=set(Phase) if shrink else {Phase.generate},
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(begun)(machine), settings=chosen)
        except Exception as error:
            # The institution stays from run to run, so the same steps may end otherwise when they are
            # tried again, and Hypothesis would tell of that instead of what went wrong.
            raise machine.alarms[0] if machine.alarms else error from error
