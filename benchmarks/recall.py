"""How soon everything is dark when a hundred pieces are recalled while people are opening them.

    python -m benchmarks.recall [--pieces 100] [--rate 500] [--workers 2] [--before 8] [--after 12]

Starts a PostgreSQL of its own and the web server as `imprimatur up` does, publishes the pieces, and
lets a second process open their links, landing pages, pictures, PDFs and QR targets at the given rate
over kept connections. Meanwhile a second person confirms the recall through the API. Every answer is
noted with the instants between which it was asked for and received. An answer is stale if it was asked
for more than five seconds after the confirmation was answered and still shows content; the last answer
with content tells how soon it really was. The load is made on the same machine.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psutil
from sqlalchemy import select

from app.bootstrap import Platform, build_platform, migrate
from app.domain.organisation import Actor, AdvisorId, Grant, OrgLevel, Role, TenantId, UserId
from app.domain.recall import RecallBy, RecallTarget
from app.domain.review import Outcome
from app.domain.tracking import LinkChannel
from app.embedded.child import free_port
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.embedded.valkey import start_valkey
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.review import Review
from app.models.tenant import Tenant
from app.models.user import Membership, User
from app.services.edition import code_on
from app.services.piece import save_piece
from app.services.publication import publish_piece
from app.services.recall import propose_recall
from app.services.review import decide, run_check
from app.services.serving import open_edition
from app.services.sign_in import hash_password
from app.services.submission import submit_for_review
from app.services.template import load_library, publish_template
from app.settings import Settings
from benchmarks.redirect import PHONE, answers, web_server

SLUG = "daily-morning"
PASSWORD = secrets.token_urlsafe(12)
PROMISED_S = 5.0
KINDS = ("link", "QR target", "landing page", "picture", "PDF")
_REQUESTS = {"link": 2, "QR target": 2}  # the short link, and the page it leads to
_CONNECTIONS = 16
_DARK = {http.client.GONE, http.client.NOT_FOUND, http.client.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Targets:
    """The ways to one published piece, and the cookie that opens its advisor's pages."""

    link: str
    qr: str
    page: str
    edition: str


@dataclass(frozen=True, slots=True)
class Answer:
    kind: str
    asked_at: float
    answered_at: float
    shows: bool  # content, and not the notice that it has ended


@dataclass(slots=True)
class Bank:
    """One institution with a person in each role that publishing and recalling need."""

    platform: Platform
    tenant_id: TenantId
    people: dict[str, Actor]

    @classmethod
    def found(cls, platform: Platform) -> Bank:
        now, tenant_id, unit_id = datetime.now(UTC), TenantId(uuid4()), uuid4()
        roles = {
            "advisor": Role.ADVISOR,
            "brand": Role.BRAND,
            "operator": Role.OPERATOR,
            "reviewer": Role.REVIEWER,
            "second": Role.REVIEWER,
        }
        people = {}
        with platform.sessions.begin() as session:
            session.add(
                Tenant(
                    id=tenant_id,
                    slug="bench",
                    name="示例银行",
                    short_name="示例",
                    sector="bank",
                    brand_tokens={},
                    created_at=now,
                )
            )
            session.flush()
            session.add(
                OrgUnit(
                    id=unit_id, tenant_id=tenant_id, code="HQ", name="总行", level=OrgLevel.HQ, path="/HQ/"
                )
            )
            session.flush()
            for login, role in roles.items():
                user_id, advisor_id = uuid4(), uuid4()
                session.add(
                    User(
                        id=user_id,
                        tenant_id=tenant_id,
                        login=login,
                        name=login,
                        password_hash=hash_password(PASSWORD),
                        created_at=now,
                    )
                )
                session.flush()
                session.add(
                    Membership(
                        id=uuid4(), tenant_id=tenant_id, user_id=user_id, role=role, org_unit_id=unit_id
                    )
                )
                if role is Role.ADVISOR:
                    session.add(
                        Advisor(
                            id=advisor_id,
                            tenant_id=tenant_id,
                            user_id=user_id,
                            org_unit_id=unit_id,
                            staff_no=login,
                            name="李知遥",
                            title="理财经理",
                            licence_no="S0000000000000",
                            phone="13800000000",
                            licences=[],
                            tags=[],
                            verified_fields=["name", "title", "phone", "licence_no"],
                            created_at=now,
                        )
                    )
                people[login] = Actor(
                    tenant_id,
                    login,
                    UserId(user_id),
                    AdvisorId(advisor_id) if role is Role.ADVISOR else None,
                    (Grant(role, "/HQ/"),),
                )
        return cls(platform, tenant_id, people)

    def published(self, pieces: int) -> list[UUID]:
        """That many pieces for everybody, each the whole way, opened by the advisor; their editions."""
        platform, people = self.platform, self.people
        with platform.unit_of_work(people["brand"]) as uow:
            load_library(uow)
        with platform.unit_of_work(people["brand"]) as uow:
            publish_template(uow, SLUG, 1)
        editions = []
        for number in range(pieces):
            with platform.unit_of_work(people["operator"]) as uow:
                piece_id = save_piece(uow, SLUG, {}, title=f"早安 {number}").id
                submit_for_review(uow, piece_id)
            with platform.sessions() as session:
                run_id = session.scalars(select(CheckRun.id).where(CheckRun.completed_at.is_(None))).one()
            with platform.unit_of_work(Actor.system("check", self.tenant_id)) as uow:
                run_check(uow, run_id)
            with platform.unit_of_work(people["reviewer"]) as uow:
                review = uow.session.scalars(select(Review).where(Review.piece_id == piece_id)).one()
                content_hash = uow.session.scalars(
                    select(CheckRun.content_hash).where(CheckRun.id == run_id)
                ).one()
                decide(uow, review.id, Outcome.APPROVE, content_hash=content_hash)
            with platform.unit_of_work(people["operator"]) as uow:
                publish_piece(uow, piece_id)
            with platform.unit_of_work(people["advisor"]) as uow:
                editions.append(open_edition(uow, piece_id).id)
        return editions

    def targets(self, port: int, editions: list[UUID]) -> list[Targets]:
        """Every way to every piece; each picture and PDF is drawn once here, and kept."""
        visitor = Client(port)
        found = []
        for edition_id in editions:
            with self.platform.unit_of_work(self.people["advisor"]) as uow:
                link = code_on(uow, edition_id, LinkChannel.MOMENTS)
                qr = code_on(uow, edition_id, LinkChannel.QR)
            page = visitor.get(f"/s/{link}").location
            found.append(Targets(f"/s/{link}", f"/s/{qr}", page, f"/editions/{edition_id}/picture.pdf"))
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    location: str
    body: bytes


class Client:
    """One kept connection, with a cookie if it has one; only as much HTTP as our own answers need.

    It runs on the cores that are measured: with http.client the load took more of them than it left.
    """

    def __init__(self, port: int, cookie: str = "", token: str = "") -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = bytearray(1024 * 1024)
        self._head = f"Host: 127.0.0.1:{port}\r\nUser-Agent: {PHONE}\r\nAccept: text/html\r\n"
        if cookie:
            self._head += f"Cookie: {cookie}\r\n"
        if token:
            self._head += f"Authorization: Bearer {token}\r\n"

    def get(self, path: str, cookie: str = "") -> Reply:
        return self._send(f"GET {path}", f"Cookie: {cookie}\r\n" if cookie else "", b"")

    def post(self, path: str, body: dict[str, str] | None = None) -> Reply:
        sent = json.dumps(body).encode() if body is not None else b""
        kind = "Content-Type: application/json\r\n" if body is not None else ""
        return self._send(f"POST {path}", f"{kind}Content-Length: {len(sent)}\r\n", sent)

    def _send(self, line: str, more: str, body: bytes) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.sendall(f"{line} HTTP/1.1\r\n{self._head}{more}\r\n".encode() + body)
        buffer, end, held = self._buffer, -1, 0
        while end < 0:
            held += self._received(held)
            end = buffer.find(b"\r\n\r\n", 0, held)
        first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        whole = end + 4 + int(headers.get("content-length", 0))
        while held < whole:
            held += self._received(held)
        return Reply(int(first.split(" ")[1]), headers.get("location", ""), bytes(buffer[end + 4 : whole]))

    def _received(self, held: int) -> int:
        if self._socket is None or not (more := self._socket.recv_into(memoryview(self._buffer)[held:])):
            raise ConnectionError("the server closed the connection")
        return more


def opened(client: Client, kind: str, target: Targets, advisor_cookie: str) -> bool:
    """Open one of the ways; whether it showed content."""
    match kind:
        case "link" | "QR target":
            code = target.link if kind == "link" else target.qr
            page = client.get(code).location
            reply = client.get(page, cookie=f"visit={page.removeprefix('/p/')}")
        case "landing page":
            reply = client.get(target.page, cookie=f"visit={target.page.removeprefix('/p/')}")
        case "picture":
            reply = client.get(f"{target.page}/picture.jpg")
        case _:
            reply = client.get(target.edition, cookie=advisor_cookie)
    if reply.status == http.client.OK:
        return True
    if reply.status not in _DARK:
        raise RuntimeError(f"{kind}: {reply.status}")
    return False


def make_load(plan: Path) -> int:
    """The second process: open everything at the rate until the time is up, and write down each answer."""
    given = json.loads(plan.read_text())
    targets = [Targets(**one) for one in given["targets"]]
    rate, begins = given["rate"], time.time()
    ends, turns, lock = begins + given["seconds"], itertools.count(), threading.Lock()
    Path(given["begun"]).touch()
    answers_noted: list[Answer] = []

    def work() -> None:
        client, rng = Client(given["port"]), random.Random()
        noted = []
        while True:
            with lock:
                turn = next(turns)
            due = begins + turn / rate
            if due >= ends or time.time() >= ends:
                break
            time.sleep(max(0.0, due - time.time()))
            kind = KINDS[turn % len(KINDS)]
            asked_at = time.time()
            shows = opened(client, kind, rng.choice(targets), given["cookie"])
            noted.append(Answer(kind, asked_at, time.time(), shows))
        with lock:
            answers_noted.extend(noted)

    threads = [threading.Thread(target=work) for _ in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = {"used_s": time.process_time(), "answers": [asdict(one) for one in answers_noted]}
    Path(given["answers"]).write_text(json.dumps(used))
    return 0


def cpu_s(process: psutil.Process) -> float:
    """What a process and its children, those that have ended too, have had of the processor so far."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    ended = process.cpu_times()
    return float(sum(one.user + one.system for one in times) + ended.children_user + ended.children_system)


def signed_in(port: int) -> str:
    """The cookie of the advisor, as a browser gets it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/login")
    page = connection.getresponse()
    cookies = [one.partition(";")[0] for name, one in page.getheaders() if name.lower() == "set-cookie"]
    token = page.read().decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    connection.request(
        "POST",
        "/login",
        f"login=advisor&password={PASSWORD}&csrf_token={token}",
        {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "; ".join(cookies)},
    )
    answer = connection.getresponse()
    answer.read()
    cookies += [one.partition(";")[0] for name, one in answer.getheaders() if name.lower() == "set-cookie"]
    return "; ".join(cookies)


def token_of(port: int, login: str) -> str:
    body = {"login": login, "password": PASSWORD, "label": "recall"}
    return str(json.loads(Client(port).post("/api/v1/tokens", body).body)["token"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--before", type=float, default=8.0, help="seconds of load before the recall")
    parser.add_argument("--after", type=float, default=12.0, help="seconds of load after it")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.load is not None:
        return make_load(chosen.load)
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        return _measure(folder, chosen)


def _measure(folder: Path, chosen: argparse.Namespace) -> int:
    postgres = start_postgres(
        folder / "postgres", keyring=Keyring(folder / "keys.json"), log=folder / "postgres.log"
    )
    valkey = start_valkey(folder / "valkey", keyring=Keyring(folder / "keys.json"), log=folder / "valkey.log")
    port = free_port()
    environ = {
        "IMPRIMATUR_ENVIRONMENT": "embedded",
        "IMPRIMATUR_DATABASE_URL": postgres.url,
        "IMPRIMATUR_BROKER_URL": valkey.url,
        "IMPRIMATUR_SECRET_KEY": secrets.token_hex(32),
        "IMPRIMATUR_DATA_DIR": str(folder / "data"),
        "IMPRIMATUR_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "IMPRIMATUR_LOG_LEVEL": "error",
    }
    settings = Settings.from_env(environ)
    web = web_server(environ, port, chosen.workers, folder)
    try:
        migrate(settings)
        platform = build_platform(settings)
        bank = Bank.found(platform)
        editions = bank.published(chosen.pieces)
        web.start()
        web.wait_until(lambda: answers(port))
        targets, cookie = bank.targets(port, editions), signed_in(port)
        # a kept connection stays with one of the web server's processes: by several, each is met
        for warm in [Client(port) for _ in range(3 * chosen.workers)]:
            for target in targets:
                for kind in KINDS:
                    if not opened(warm, kind, target, cookie):
                        raise RuntimeError(f"{kind} shows nothing before the recall")
        with platform.unit_of_work(bank.people["operator"]) as uow:
            aim = RecallTarget.of(RecallBy.TEMPLATE, f"{SLUG}@1")
            recall_id = propose_recall(uow, aim, reason="利率写错").id
        second = Client(port, token=token_of(port, "second"))
        plan, noted, begun = (folder / one for one in ("plan.json", "answers.json", "begun"))
        plan.write_text(
            json.dumps(
                {
                    "port": port,
                    "rate": chosen.rate,
                    "seconds": chosen.before + chosen.after,
                    "cookie": cookie,
                    "targets": [asdict(one) for one in targets],
                    "answers": str(noted),
                    "begun": str(begun),
                }
            )
        )
        load = subprocess.Popen([sys.executable, "-m", "benchmarks.recall", "--load", str(plan)])
        while not begun.exists() and load.poll() is None:
            time.sleep(0.05)
        servers = {"web server": psutil.Process(web.pid), "PostgreSQL": psutil.Process(postgres.child.pid)}
        used_s = {name: -cpu_s(server) for name, server in servers.items()}
        time.sleep(chosen.before)
        asked_at = time.time()
        reply = second.post(f"/api/v1/recalls/{recall_id}/confirm")
        confirmed_at = time.time()
        failed = load.wait() != 0
        for name, server in servers.items():
            used_s[name] += cpu_s(server)
        covered = json.loads(reply.body).get("extent", {}).get("pieces")
        platform.engine.dispose()
    finally:
        web.stop()
        valkey.child.stop()
        postgres.child.stop()
    if failed or reply.status != http.client.OK:
        print(f"confirm {reply.status}, load {'failed' if failed else 'done'}")
        return 1
    written = json.loads(noted.read_text())
    used_s["load"] = written["used_s"]
    found = [Answer(**one) for one in written["answers"]]
    return _report(found, asked_at, confirmed_at, covered, chosen, used_s)


def _report(
    found: list[Answer],
    asked_at: float,
    confirmed_at: float,
    covered: int,
    chosen: argparse.Namespace,
    used_s: dict[str, float],
) -> int:
    took_s = max(one.answered_at for one in found) - min(one.asked_at for one in found)
    print(f"pieces recalled    {covered}, confirmed in {(confirmed_at - asked_at) * 1000:,.0f} ms under load")
    rate = len(found) / took_s
    requests = sum(_REQUESTS.get(one.kind, 1) for one in found) / took_s
    print(
        f"load               {rate:,.0f} openings/s of {chosen.rate} offered, {len(found):,} in all;"
        f" {requests:,.0f} requests/s"
    )
    used_ms = ", ".join(f"{name} {one_s / len(found) * 1000:.2f}" for name, one_s in used_s.items())
    print(f"processor          ms an opening: {used_ms}")
    stale_in_all = 0
    after_it = Counter(one.kind for one in found if one.asked_at > confirmed_at + PROMISED_S)
    for kind in KINDS:
        shown = [one for one in found if one.kind == kind and one.shows]
        last_ms = (max(one.asked_at for one in shown) - confirmed_at) * 1000 if shown else float("-inf")
        stale = sum(one.asked_at > confirmed_at + PROMISED_S for one in shown)
        stale_in_all += stale
        print(
            f"{kind:<18} {stale} stale of {after_it[kind]:,} after {PROMISED_S:.0f} s; "
            f"last content asked for {last_ms:+,.0f} ms from the confirmation"
        )
    # a run in which nothing was open before, or nothing asked for afterwards, proves nothing
    opened_before = {one.kind for one in found if one.shows}
    proves = opened_before == set(KINDS) and all(after_it[kind] for kind in KINDS)
    return 0 if proves and not stale_in_all else 1


if __name__ == "__main__":
    sys.exit(main())
