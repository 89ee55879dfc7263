"""What the form of a route posts, parsed into the words of the service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from app.domain.errors import Fault, InvalidInput
from app.domain.organisation import ROOT_PATH, Role
from app.domain.route import Risk, RouteRule, StepPlan, UseChannel
from app.domain.template import ProductType
from app.services.route import RoutePlan
from app.web.forms.people import Form

E = TypeVar("E", bound=StrEnum)
_MOST_DIGITS = 4


def route_of(form: Form) -> RoutePlan:
    """A route as it was filled in; a line without a name is an empty line. Raises InvalidInput."""
    rule = RouteRule(
        form.get("path") or ROOT_PATH,
        _chosen(ProductType, form.getlist("product_types")),
        frozenset(form.getlist("kinds")),
        _chosen(Risk, form.getlist("risks")),
        _chosen(UseChannel, form.getlist("channels")),
    )
    return RoutePlan(form.get("name", ""), rule, tuple(_steps(form)))


def step_lines(form: Form) -> list[dict[str, str]]:
    """The lines as typed, to be shown again."""
    columns = ("step_name", "step_role", "step_quorum", "step_seat", "step_hours")
    lines = zip(*(form.getlist(column) for column in columns), strict=False)
    return [dict(zip(("name", "role", "quorum", "seat", "hours"), line, strict=True)) for line in lines]


def _steps(form: Form) -> Iterable[StepPlan]:
    filled = [line for line in step_lines(form) if line["name"].strip()]
    for at, line in enumerate(filled, start=1):
        try:
            role = Role(line["role"])
        except ValueError as error:
            raise InvalidInput(Fault(f"steps.{at}.role", "unknown", "请选择由谁审核。")) from error
        yield StepPlan(
            line["name"],
            role,
            _whole(line["quorum"], f"steps.{at}.quorum"),
            line["seat"] or None,
            timedelta(hours=_whole(line["hours"], f"steps.{at}.term_hours")),
        )


def _whole(text: str, field: str) -> int:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    raise InvalidInput(Fault(field, "malformed", "请填写整数。"))


def _chosen(kind: type[E], values: Iterable[str]) -> frozenset[E]:
    known = set(kind)
    return frozenset(kind(value) for value in values if value in known)
