"""Mail, and the group robot of WeCom: two ways to tell somebody who is not looking at a page."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from http.client import HTTPException
from typing import Final
from urllib.request import Request, urlopen

from app.ports import Message, Notifier, NotifierUnavailable
from app.settings import MailSettings

_TIMEOUT_S: Final = 10
_LONGEST_SUBJECT: Final = 78


class MailNotifier:
    """One mail a message, plain text, over SMTP."""

    def __init__(self, mail: MailSettings) -> None:
        self._mail = mail

    def send(self, message: Message) -> None:
        if message.to is None:
            return
        letter = EmailMessage()
        letter["From"] = self._mail.sender
        letter["To"] = message.to
        letter["Subject"] = " ".join(message.words.split())[:_LONGEST_SUBJECT]
        letter.set_content(f"{message.words}\n\n{message.link}\n")
        try:
            with self._connected() as server:
                server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            raise NotifierUnavailable(f"the mail server did not take it: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        mail = self._mail
        kind = smtplib.SMTP_SSL if mail.tls else smtplib.SMTP
        server = kind(mail.host, mail.port, timeout=_TIMEOUT_S)
        try:
            if mail.starttls:
                server.starttls()
            if mail.user:
                server.login(mail.user, mail.password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


class RobotNotifier:
    """Posts to a WeCom group through its robot's address.

    Source: WeCom's documentation of group robots, message type text.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message) -> None:
        if message.to is not None:
            return
        content = {"msgtype": "text", "text": {"content": f"{message.words}\n{message.link}"}}
        request = Request(  # noqa: S310 - the settings accept http and https alone
            self._url,
            json.dumps(content, ensure_ascii=False).encode(),
            {"Content-Type": "application/json; charset=utf-8"},
        )
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                said = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise NotifierUnavailable(f"the robot did not answer: {error}") from error
        if said.get("errcode") != 0:
            raise NotifierUnavailable(f"the robot refused: {said.get('errmsg')}")


class EveryNotifier:
    """Hands a message to each way that is set up; every way knows which messages are its own."""

    def __init__(self, ways: Sequence[Notifier]) -> None:
        self._ways = tuple(ways)

    def send(self, message: Message) -> None:
        for way in self._ways:
            way.send(message)
