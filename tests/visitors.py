"""Strangers with phones, and the links they come by."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.organisation import Actor
from app.domain.tracking import EventKind, HitClass, LinkChannel, day_of
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.tracking import Event, ShortLink
from app.services.edition import ensure_edition
from tests.factories import House

WECHAT: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/WIFI Language/zh_CN"
)
ANDROID: Final = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)


def code_of(house: House, piece_id: UUID, channel: LinkChannel = LinkChannel.QR, who: str = "advisor") -> str:
    """The code of somebody's edition on one channel; the edition is made where there is none."""
    with house.platform.unit_of_work(Actor.system("test", house.tenant_id)) as uow:
        advisor = uow.session.get_one(Advisor, house.people[who].advisor_id)
        edition = ensure_edition(uow, uow.session.get_one(Piece, piece_id), advisor)
        return uow.session.scalars(
            select(ShortLink.code).where(ShortLink.edition_id == edition.id, ShortLink.channel == channel)
        ).one()


class Phone:
    """One browser of one stranger: its own cookies, its own address."""

    def __init__(self, client: FlaskClient, *, address: str = "203.0.113.7", browser: str = WECHAT) -> None:
        self._client = client.application.test_client()
        self._environ = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": browser, "HTTP_ACCEPT": "text/html"}

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._client.get(path, environ_overrides=self._environ, **more)

    def head(self, path: str) -> TestResponse:
        return self._client.head(path, environ_overrides=self._environ)

    def post(self, path: str, data: dict[str, str] | None = None) -> TestResponse:
        return self._client.post(path, data=data or {}, environ_overrides=self._environ)

    def scan(self, code: str) -> str:
        """Follow a short link; give the address of the page it leads to."""
        answer = self.get(f"/s/{code}")
        assert answer.status_code == 302, answer.text
        return answer.location

    def look(self, code: str) -> str:
        """Follow a short link and look at its page, as a browser with scripts does."""
        page = self.scan(code)
        assert self.get(page).status_code == 200
        assert self.post(f"{page}/seen").status_code == 204
        return page


def counted(house: House, hit_class: HitClass | None = None) -> dict[EventKind, int]:
    """How many events of each kind are kept, of one class or of all."""
    with house.platform.sessions() as session:
        kept = [event for event in session.scalars(select(Event)) if hit_class in {None, event.hit_class}]
    return {kind: n for kind in EventKind if (n := sum(event.kind is kind for event in kept))}


def keep_event(house: House, piece_id: UUID, who: str, at: datetime, **facts: Any) -> None:
    """One event as it would have been written at that time."""
    with house.platform.sessions.begin() as session:
        advisor = session.get_one(Advisor, house.people[who].advisor_id)
        edition = session.scalars(
            select(Edition).where(Edition.piece_id == piece_id, Edition.advisor_id == advisor.id)
        ).one()
        session.add(
            Event(
                **{
                    "id": uuid4(),
                    "tenant_id": house.tenant_id,
                    "occurred_on": day_of(at),
                    "occurred_at": at,
                    "kind": EventKind.SCAN,
                    "hit_class": HitClass.HUMAN,
                    "class_reason": "browser",
                    "piece_id": piece_id,
                    "edition_id": edition.id,
                    "advisor_id": advisor.id,
                    "org_unit_id": advisor.org_unit_id,
                    "channel": LinkChannel.QR,
                    "source": "wechat",
                    "visitor": uuid4().hex,
                    "network": "203.0.113.0",
                    "visit_token": None,
                    **facts,
                }
            )
        )
