"""Who is told what at each transition: exactly those concerned, once, and not those who did it."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import select

from app.adapters.notifier import MailNotifier, RobotNotifier
from app.domain.notice import NOTICES, Audience
from app.domain.organisation import Actor
from app.domain.recall import RecallBy, RecallTarget
from app.domain.review import Outcome
from app.models.notice import Notice
from app.models.user import User
from app.ports import Message, NotifierUnavailable
from app.services.notice import send_out, tell_what_happened
from app.services.publication import take_down
from app.services.recall import cancel_recall, confirm_recall, propose_recall
from app.settings import MailSettings
from tests.factories import House
from tests.fakes import FixedClock

APP = Path(__file__).parents[2] / "app"
OWN_WORDS = "山高路远\n慢慢走"


def tell(house: House) -> None:
    with house.platform.unit_of_work(Actor.system("tell", house.tenant_id)) as uow:
        tell_what_happened(uow)


def told(house: House, tag: str) -> dict[str, str]:
    """Who was told of these acts, by their key in house.people, and in what words."""
    keys = {person.user_id: key for key, person in house.people.items()}
    with house.platform.sessions() as session:
        rows = session.execute(select(Notice.user_id, Notice.words).where(Notice.tag == tag)).all()
    return {keys.get(user_id, "team" if user_id is None else str(user_id)): words for user_id, words in rows}


@pytest.fixture
def bank(house: House) -> House:
    """A house where everybody has been told of all that happened so far."""
    tell(house)
    return house


def assigned_to(house: House, piece_id: UUID) -> str:
    told_of = told(house, "review:open")
    assert len(told_of) == 1
    return next(iter(told_of))


def test_a_submission_is_told_to_the_one_reviewer_whose_item_it_is(bank: House) -> None:
    piece = bank.in_review("advisor", headline=OWN_WORDS)
    tell(bank)
    assert assigned_to(bank, piece) in {"reviewer", "reviewer_b"}


@pytest.mark.parametrize(
    ("outcome", "tag", "words"),
    [
        (Outcome.APPROVE, "piece:approve", "可以使用"),
        (Outcome.REQUEST_CHANGES, "piece:request_changes", "请您修改"),
        (Outcome.REJECT, "piece:reject", "没有通过"),
    ],
)
def test_a_decision_is_told_to_its_maker_and_to_nobody_else(
    bank: House, outcome: Outcome, tag: str, words: str
) -> None:
    piece = bank.in_review("advisor", headline=OWN_WORDS)
    bank.decide(piece, outcome, reason="" if outcome is Outcome.APPROVE else "请写实")
    tell(bank)
    assert set(told(bank, tag)) == {"advisor"}
    assert words in told(bank, tag)["advisor"]


def test_taking_a_piece_down_is_told_to_its_maker_and_not_to_who_did_it(bank: House) -> None:
    piece = bank.published("advisor", headline=OWN_WORDS)
    with bank.by("reviewer") as uow:
        take_down(uow, piece, note="数据已过期")
    tell(bank)
    assert set(told(bank, "publication:taken_down")) == {"advisor"}


def test_a_recall_is_told_first_to_who_may_confirm_it_then_to_who_must_stop(bank: House) -> None:
    piece = bank.published("advisor", headline=OWN_WORDS)
    target = RecallTarget(RecallBy.PIECE, str(piece))
    with bank.by("reviewer") as uow:
        recall = propose_recall(uow, target, reason="用语不当").id
    tell(bank)
    proposed = told(bank, "recall:propose")
    assert "team" in proposed
    assert "reviewer" not in proposed
    assert "reviewer_b" in proposed
    assert "advisor" not in proposed

    with bank.by("reviewer_b") as uow:
        confirm_recall(uow, recall)
    tell(bank)
    assert set(told(bank, "recall:confirm")) >= {"reviewer"}
    assert "reviewer_b" not in told(bank, "recall:confirm")


def test_a_recall_that_is_given_up_is_told_to_who_proposed_it(bank: House) -> None:
    piece = bank.published("advisor", headline=OWN_WORDS)
    with bank.by("reviewer") as uow:
        recall = propose_recall(uow, RecallTarget(RecallBy.PIECE, str(piece)), reason="用语不当").id
    with bank.by("reviewer_b") as uow:
        cancel_recall(uow, recall)
    tell(bank)
    assert set(told(bank, "recall:cancel")) == {"reviewer"}


def test_everybody_is_told_once_however_often_it_runs(bank: House) -> None:
    bank.decide(bank.in_review("advisor", headline=OWN_WORDS))
    for _ in range(3):
        tell(bank)
    with bank.platform.sessions() as session:
        rows = session.execute(select(Notice.audit_seq, Notice.user_id)).all()
    assert len(rows) == len(set(rows)) > 0


def test_somebody_whose_account_is_closed_is_told_nothing(bank: House) -> None:
    piece = bank.in_review("advisor", headline=OWN_WORDS)
    bank.decide(piece, Outcome.REJECT, reason="不合适")
    with bank.platform.sessions.begin() as session:
        session.get_one(User, bank.people["advisor"].user_id).is_active = False
    tell(bank)
    assert told(bank, "piece:reject") == {}


@pytest.mark.parametrize("tag", NOTICES)
def test_every_act_in_the_table_is_one_the_platform_records(tag: str) -> None:
    subject, _colon, act = tag.partition(":")
    sources = "".join(path.read_text(encoding="utf-8") for path in APP.rglob("services/*.py"))
    assert f'"{tag}"' in sources or (f'f"{subject}:{{' in sources and act)


def test_every_audience_is_told_of_something() -> None:
    assert {rule.audience for rules in NOTICES.values() for rule in rules} == set(Audience)


# ── outside of the page ──────────────────────────────────────────────────────────────────────────


class FullNotifier:
    """Takes nothing until a test lets it."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.is_down = True

    def send(self, message: Message) -> None:
        if self.is_down:
            raise NotifierUnavailable("down")
        self.sent.append(message)


def send(house: House, notifier: FullNotifier) -> None:
    around = replace(house.platform.surroundings, notifier=notifier)
    house.platform.__dict__["surroundings"] = around
    with house.platform.unit_of_work(Actor.system("tell", house.tenant_id)) as uow:
        send_out(uow)


def test_a_refusal_is_mailed_once_the_mail_server_is_back(bank: House, clock: FixedClock) -> None:
    with bank.platform.sessions.begin() as session:
        session.get_one(User, bank.people["advisor"].user_id).email = "a@bank.example"
    bank.decide(bank.in_review("advisor", headline=OWN_WORDS), Outcome.REJECT, reason="不合适")
    tell(bank)
    notifier = FullNotifier()
    send(bank, notifier)
    notifier.is_down = False
    send(bank, notifier)
    assert notifier.sent == []  # not before a minute has passed

    clock.advance(timedelta(minutes=1))
    send(bank, notifier)
    send(bank, notifier)

    assert [message.to for message in notifier.sent] == ["a@bank.example"]
    assert "没有通过" in notifier.sent[0].words


def test_who_gave_no_address_reads_it_on_the_page_alone(bank: House) -> None:
    bank.decide(bank.in_review("advisor", headline=OWN_WORDS), Outcome.REJECT, reason="不合适")
    tell(bank)
    notifier = FullNotifier()
    notifier.is_down = False
    send(bank, notifier)
    assert notifier.sent == []
    assert set(told(bank, "piece:reject")) == {"advisor"}


@pytest.fixture
def robot() -> Iterator[tuple[str, list[dict[str, object]], list[bytes]]]:
    """A group robot's server: what it was told, and what it shall answer."""
    heard: list[dict[str, object]] = []
    answers: list[bytes] = [b'{"errcode":0,"errmsg":"ok"}']

    class Robot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers[0])

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Robot) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/cgi-bin/webhook/send?key=k", heard, answers
        server.shutdown()
        thread.join()


def test_the_group_robot_is_spoken_to_in_its_own_form(robot) -> None:
    url, heard, _answers = robot
    RobotNotifier(url).send(Message("有人提议召回", "https://bank.example/recalls/1"))
    assert heard == [{"msgtype": "text", "text": {"content": "有人提议召回\nhttps://bank.example/recalls/1"}}]


def test_a_robot_that_refuses_or_is_gone_is_tried_again(robot) -> None:
    url, _heard, answers = robot
    answers[0] = b'{"errcode":45009,"errmsg":"api freq out of limit"}'
    with pytest.raises(NotifierUnavailable, match="freq"):
        RobotNotifier(url).send(Message("话", "x"))
    with pytest.raises(NotifierUnavailable):
        RobotNotifier("http://127.0.0.1:1/").send(Message("话", "x"))


def test_what_is_for_one_person_is_never_said_in_the_group(robot) -> None:
    url, heard, _answers = robot
    RobotNotifier(url).send(Message("话", "x", to="a@bank.example"))
    assert heard == []


@pytest.fixture
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """A mail server of few words, which keeps every letter."""
    letters: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    letter = b""
                    while (row := self.rfile.readline()) != b".\r\n":
                        letter += row
                    letters.append(letter.decode())
                    self.wfile.write(b"250 kept\r\n")
                elif verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], letters
        server.shutdown()
        thread.join()


def mail(port: int, **more: object) -> MailSettings:
    plain = MailSettings("127.0.0.1", port, "", "", "no-reply@bank.example", tls=False, starttls=False)
    return replace(plain, **more)


def test_a_letter_says_what_happened_and_where_to_look(mail_server) -> None:
    port, letters = mail_server
    MailNotifier(mail(port)).send(
        Message("《早安》没有通过", "https://bank.example/works/1", to="a@bank.example")
    )
    assert "To: a@bank.example" in letters[0]
    assert "From: no-reply@bank.example" in letters[0]


def test_a_server_without_encryption_gets_no_letter_unless_allowed(mail_server) -> None:
    port, letters = mail_server
    with pytest.raises(NotifierUnavailable):
        MailNotifier(mail(port, starttls=True)).send(Message("话", "x", to="a@bank.example"))
    assert letters == []


@pytest.mark.parametrize("tag", NOTICES)
def test_the_guide_says_of_every_act_who_is_told(tag: str) -> None:
    assert f"`{tag}`" in (APP.parent / "docs" / "notices.md").read_text(encoding="utf-8")
