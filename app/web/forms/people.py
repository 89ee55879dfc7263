"""What the forms of administration post, parsed into the words of the services."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from werkzeug.datastructures import MultiDict

from app.domain.advisor import AdvisorKind, tags_in
from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.organisation import OrgLevel, Role
from app.services.advisor import Profile
from app.services.user import RoleOn

Form = MultiDict[str, str]


def uuid_of(text: str | None, noun: str) -> UUID:
    """An id from an address or a form; what is no id is missing like any other."""
    try:
        return UUID(text or "")
    except ValueError as error:
        raise Missing(noun=noun) from error


def page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 and int(text) else 1  # noqa: PLR2004


def day_of(text: str | None, field: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(Fault(field, "malformed", "不是有效的日期。")) from error


def level_of(text: str | None) -> OrgLevel:
    try:
        return OrgLevel(text or "")
    except ValueError as error:
        raise InvalidInput.of("level", "unknown", "请选择层级。") from error


def profile_of(form: Form) -> Profile:
    """An advisor's profile as typed. Raises InvalidInput for what has no such form at all."""
    try:
        kind = AdvisorKind(form.get("kind", AdvisorKind.ACCOUNT_MANAGER.value))
    except ValueError as error:
        raise InvalidInput.of("kind", "unknown", "请选择岗位。") from error
    return Profile(
        name=form.get("name", ""),
        kind=kind,
        title=form.get("title", ""),
        phone=form.get("phone", ""),
        licence_no=form.get("licence_no", ""),
        licence_until=day_of(form.get("licence_until"), "licence_until"),
        licences=tags_in(form.get("licences", "")),
        tags=tags_in(form.get("tags", "")),
    )


def roles_of(form: Form) -> list[RoleOn]:
    """Pairs of role and unit; a line without a role is an empty line."""
    roles = []
    for role, unit in zip(form.getlist("role"), form.getlist("unit"), strict=False):
        if not role:
            continue
        try:
            roles.append(RoleOn(Role(role), UUID(unit)))
        except ValueError as error:
            raise InvalidInput.of("roles", "unknown", "请为每个角色选择机构。") from error
    return roles


def errors_by_field(error: InvalidInput) -> dict[str, str]:
    """The first complaint about each field, for showing beside it."""
    complaints: dict[str, str] = {}
    for fault in error.faults:
        complaints.setdefault(fault.field, fault.reason)
    return complaints
