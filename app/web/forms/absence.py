"""What the form of an absence posts: local times of the tenant, and who stands in."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from app.domain.errors import Fault, InvalidInput
from app.domain.tracking import TENANT_ZONE
from app.web.forms.people import Form


class AwayAsked(TypedDict):
    """A time away as the service takes it."""

    starts_at: datetime
    ends_at: datetime
    substitute_id: UUID | None


def away_of(form: Form) -> AwayAsked:
    """A time away as typed. Raises InvalidInput for what is no time or no colleague."""
    substitute = form.get("substitute", "")
    try:
        return AwayAsked(
            starts_at=_instant(form.get("starts", ""), "starts_at"),
            ends_at=_instant(form.get("ends", ""), "ends_at"),
            substitute_id=UUID(substitute) if substitute else None,
        )
    except ValueError as error:
        raise InvalidInput.of("substitute", "unknown", "请从名单中选择代理人。") from error


def _instant(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TENANT_ZONE)
    except ValueError as error:
        raise InvalidInput(Fault(field, "malformed", "请填写日期和时间。")) from error
