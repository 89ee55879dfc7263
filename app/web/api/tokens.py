"""Tokens: a person's login once, then a proof a machine can carry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint
from marshmallow import fields

from app.domain.errors import WrongCredentials
from app.domain.organisation import Actor
from app.services.sign_in import attempt_token, revoke_token
from app.web.api.bearer import carried_token
from app.web.api.fields import Instant, Shown, Strict, text, whole
from app.web.api.operation import Created, operation
from app.web.edge import network, platform, unit_of_work
from app.web.sign_in import throttle_of

bp = Blueprint("tokens", __name__)


class NewTokenSchema(Strict):
    login = text(least=1, most=64, required=True)
    password = text(least=1, most=1024, required=True)
    label = text(least=1, most=200, required=True, metadata={"description": "这枚令牌给谁用"})
    lifetime_days = whole(least=1, most=366, load_default=90)


class TokenSchema(Shown):
    token = fields.String(metadata={"description": "只显示这一次"})
    label = fields.String()
    expires_at = Instant()


@bp.post("/tokens")
@operation(
    "取得令牌",
    body=NewTokenSchema,
    answers=TokenSchema,
    status=201,
    refuses={401, 429, 503},
    needs_token=False,
)
def make_token(body: dict[str, Any]) -> Created:
    with platform().unit_of_work(Actor.system("sign-in")) as uow:
        issued = attempt_token(
            uow,
            body["login"],
            body["password"],
            label=body["label"],
            network=network(),
            throttle=throttle_of(platform().settings),
            lifetime=timedelta(days=body["lifetime_days"]),
        )
    # outside the unit of work: the failure is kept, it is what throttling counts
    if issued is None:
        raise WrongCredentials
    shown = {"token": issued.token, "label": body["label"], "expires_at": issued.expires_at}
    return Created(shown, "/api/v1/tokens/current")


@bp.delete("/tokens/current")
@operation("作废当前令牌", answers=None, status=204)
def end_token() -> None:
    with unit_of_work() as uow:
        revoke_token(uow, carried_token())
