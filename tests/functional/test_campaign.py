"""A campaign goes out while web, worker and database are killed: nothing is lost, nothing slips through.

The platform runs as `imprimatur up` starts it. Clients do what clients of banks do: they ask again when
no answer came. CAMPAIGN_PIECES says how many pieces go out, and `make proofs` sends sixty.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shutil import rmtree
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.bootstrap import Platform, build_platform
from app.models.archive import ArchiveItem
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Decision
from app.services.template import load_library, publish_template
from app.settings import Settings, process_environ
from tests.factories import House
from tests.functional.machine import Switchboard
from tests.processes import command_of, descendants, eventually
from tests.up import IMPRIMATUR, Up, the_child, unused_port

PIECES: Final = int(os.environ.get("CAMPAIGN_PIECES", "9"))
SLUG: Final = "daily-morning"
_CLIENTS: Final = 4
_PATIENCE_S: Final = 240
# Between two deaths a piece comes to its end; of a long campaign each of the three dies twice.
_VICTIMS: Final = ("granian", "celery_app:celery worker", "postgres -D") * (1 if PIECES < 18 else 2)
_LAWLESS: Final = text(
    """SELECT count(*) FROM publication p LEFT JOIN decision d ON d.id = p.decision_id
        AND d.outcome = 'approve' AND d.is_final AND d.content_hash = p.content_hash
        AND d.decided_at <= p.published_at WHERE d.id IS NULL"""
)


@dataclass
class Campaign:
    """Clients that send pieces the whole way to the public, and remember what they were promised."""

    port: int
    tokens: dict[str, str]
    accepted: dict[str, set[str]] = field(default_factory=dict)  # ids by kind
    links: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)  # pieces that nobody approved
    steps: Iterator[int] = field(default_factory=itertools.count)
    asked_again: int = 0

    def ask(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, bool]:
        """One request, sent again until it is answered; and whether it was sent more than once."""
        deadline = time.monotonic() + _PATIENCE_S
        for turn in itertools.count():
            assert time.monotonic() < deadline, f"{method} {path} was never answered"
            try:
                status, said = self.once(who, method, path, body, **headers)
            except (OSError, HTTPException):
                status, said = 599, None
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return status, said, turn > 0
            self.asked_again += 1
            time.sleep(0.2)
        raise AssertionError

    def once(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/json", **headers}
        try:
            content = json.dumps(body) if body is not None else None
            connection.request(method, f"/api/v1{path}", content, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def command(self, who: str, kind: str, path: str, body: Any = None, **headers: str) -> str | None:
        """A command that changes something; the id it promised.

        A second sending that is refused with 409 says that the first took effect and its answer got lost.
        """
        status, said, again = self.ask(who, "POST", path, body, **headers)
        if status == HTTPStatus.CONFLICT and again:
            return None
        assert status < HTTPStatus.BAD_REQUEST, (kind, status, said)
        self.accepted.setdefault(kind, set()).add(said["id"])
        return str(said["id"])

    def get(self, who: str, path: str) -> Any:
        status, said, _ = self.ask(who, "GET", path)
        assert status == HTTPStatus.OK, (path, said)
        return said

    def send_out(self, number: int) -> None:
        """One piece: made, checked, decided; published and opened if somebody approved it."""
        asked = {"template": {"slug": SLUG}, "title": f"第 {number} 件"}
        piece_id = self.command("operator", "piece", "/pieces", asked, **{"Idempotency-Key": f"c-{number}"})
        assert piece_id is not None
        self.command("operator", "submitted", f"/pieces/{piece_id}/submit")
        self.wait_for(piece_id, "in_review")
        if number % 6 in {0, 1}:
            self.withheld.append(piece_id)
        if number % 6 == 0:
            return
        self.decide(piece_id, "reject" if number % 6 == 1 else "approve")
        if number % 6 == 1:
            return
        self.command("operator", "publication", "/publications", {"piece_id": piece_id})
        _, edition, _ = self.ask("advisor", "POST", "/editions", {"piece_id": piece_id})
        self.accepted.setdefault("edition", set()).add(edition["id"])
        self.links.append(edition["links"][0]["url"])
        next(self.steps)

    def decide(self, piece_id: str, outcome: str) -> None:
        waiting = self.get("reviewer", "/reviews?state=open&limit=100")["items"]
        [item] = [one for one in waiting if one["piece_id"] == piece_id]
        decision = {"outcome": outcome, "content_hash": item["content_hash"], "reason": "见批注"}
        self.command("reviewer", "decision", f"/reviews/{item['id']}/decisions", decision)

    def wait_for(self, piece_id: str, state: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self.get("operator", f"/pieces/{piece_id}")["state"] != state:
            assert time.monotonic() < deadline, f"{piece_id} is still not {state}"
            time.sleep(0.5)

    def spy(self, over: threading.Event) -> list[int]:
        """Somebody who tries all the while to open what nobody approved; every answer they got."""
        seen = []
        while not over.wait(1):
            for piece_id in list(self.withheld):
                with suppress(OSError, HTTPException):
                    seen.append(self.once("advisor", "POST", "/editions", {"piece_id": piece_id})[0])
        return seen


@pytest.fixture
def up() -> Iterator[Up]:
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-campaign-"))
    folder.chmod(0o711)  # the servers' account reaches it
    running = Up(folder / "data", "--port", str(unused_port()), program=IMPRIMATUR)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.end(signal.SIGTERM)
        rmtree(folder, ignore_errors=True)


@pytest.fixture
def platform(up: Up) -> Iterator[Platform]:
    """The running platform's own database, vault and keys, for a test's look."""
    environ = up.data.running_environ()
    assert environ is not None
    built = build_platform(Settings.from_env(environ))
    yield built
    built.engine.dispose()


def missing(platform: Platform, kind: type[Any], ids: set[str]) -> set[str]:
    """Which of the promised rows are not there."""
    with platform.sessions() as session:
        found = session.scalars(select(kind.id).where(kind.id.in_([UUID(one) for one in ids])))
        return ids - {str(one) for one in found}


def opened(port: int, url: str) -> int:
    """Follow a link as a visitor does; the status of the page it ends on."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/s/" + url.rpartition("/s/")[2])
    answer = connection.getresponse()
    answer.read()
    if answer.status == HTTPStatus.FOUND:
        connection.request("GET", answer.headers["Location"])
        answer = connection.getresponse()
        answer.read()
    connection.close()
    return answer.status


def wait_until(condition: Callable[[], object]) -> None:
    eventually(condition, within_s=_PATIENCE_S)


def one_more(sent: list[Future[None]]) -> Callable[[], bool]:
    """Whether another piece has come to its end since now, or all have."""
    before = sum(one.done() for one in sent)
    return lambda: min(before + 1, len(sent)) <= sum(one.done() for one in sent)


def kill(up: Up, part_of_command: str, *, when: Callable[[], bool]) -> None:
    """As the kernel would, in the middle of whatever it does."""
    wait_until(when)
    wait_until(lambda: runs(up, part_of_command))
    os.kill(the_child(up, part_of_command), signal.SIGKILL)


def runs(up: Up, part_of_command: str) -> bool:
    return any(part_of_command in command_of(pid) for pid in descendants(up.process.pid))


# starting everything, and starting it again six times, takes longer than a test may otherwise
@pytest.mark.timeout(0)
def test_a_campaign_survives_the_death_of_web_worker_and_database(up: Up, platform: Platform) -> None:
    house = House.build(platform, templates=False)
    with house.by("brand") as uow:
        load_library(uow)
    with house.by("brand") as uow:
        publish_template(uow, SLUG, 1)
    switchboard = Switchboard(house)
    people = ("operator", "reviewer", "advisor")
    campaign = Campaign(up.port, {who: str(switchboard.of(who).token) for who in people})
    over = threading.Event()

    with ThreadPoolExecutor(_CLIENTS + 1) as clients:
        spying = clients.submit(campaign.spy, over)
        sent = [clients.submit(campaign.send_out, number) for number in range(PIECES)]
        try:
            for victim in _VICTIMS:
                kill(up, victim, when=one_more(sent))
            for one in sent:
                one.result(_PATIENCE_S)
        finally:
            over.set()
        answers_to_the_spy = spying.result(_PATIENCE_S)

    # no hand was needed: the very same command goes on
    assert up.process.poll() is None
    assert up.said.count("starting it again") >= len(_VICTIMS)
    assert campaign.asked_again > 0

    # nothing that was accepted is lost
    kinds = {"piece": Piece, "decision": Decision, "publication": Publication, "edition": Edition}
    assert {name: missing(platform, kind, campaign.accepted[name]) for name, kind in kinds.items()} == {
        name: set() for name in kinds
    }
    approved = [number for number in range(PIECES) if number % 6 > 1]
    with platform.sessions() as session:
        states = dict(iter(session.execute(select(Piece.state, func.count()).group_by(Piece.state))))
        assert session.scalar(select(func.count(Publication.id))) == len(approved)
    rejected = sum(number % 6 == 1 for number in range(PIECES))
    assert states == {
        "published": len(approved),
        "rejected": rejected,
        "in_review": PIECES - len(approved) - rejected,
    }
    wait_until(lambda: unsealed(platform) == 0)

    # nothing is public that nobody approved, and all that was approved is
    with platform.sessions() as session:
        assert session.scalar(_LAWLESS) == 0
    assert set(answers_to_the_spy) <= {403, 404, 410, 500, 503}
    assert {
        campaign.once("advisor", "POST", "/editions", {"piece_id": one})[0] for one in campaign.withheld
    } == {404}
    assert {opened(up.port, link) for link in campaign.links} == {200}
    assert len(campaign.links) == len(approved)

    verified = subprocess.run(
        [*IMPRIMATUR, "audit", "verify"],
        env=process_environ() | (up.data.running_environ() or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout.startswith("OK"), verified.stderr


def unsealed(platform: Platform) -> int:
    """Records of what was shown that the worker has not put into the vault yet."""
    with platform.sessions() as session:
        return session.scalar(select(func.count(ArchiveItem.id)).where(ArchiveItem.sealed_at.is_(None))) or 0
