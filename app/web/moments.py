"""Instants and days as a reader says them, in the zone where the tenant's customers live."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Flask

from app.domain.tracking import TENANT_ZONE
from app.web.edge import platform
from app.web.i18n import translate as _


def local(at: datetime) -> datetime:
    return at.astimezone(TENANT_ZONE)


def local_now() -> datetime:
    return local(platform().clock.now())


def day_words(day: date) -> str:
    """今天, 昨天, 明天, 11月23日; with the year where it is another one."""
    today = local_now().date()
    near = {0: _("今天"), -1: _("昨天"), 1: _("明天")}
    if (words := near.get((day - today).days)) is not None:
        return words
    if day.year == today.year:
        return _("%(month)s月%(day)s日") % {"month": day.month, "day": day.day}
    return _("%(year)s年%(month)s月%(day)s日") % {"year": day.year, "month": day.month, "day": day.day}


def moment_words(at: datetime) -> str:
    """今天 09:30, 11月23日 09:30."""
    here = local(at)
    return f"{day_words(here.date())} {here:%H:%M}"


def until_words(end: datetime) -> str:
    """The last day something may be used, or the minute where it ends within a day: ends are exclusive."""
    if local(end).time() != time():
        return moment_words(end)
    return day_words(local(end - timedelta(seconds=1)).date())


def register_moments(app: Flask) -> None:
    """The same words for every page: `at|moment`, `at|clock`, `day|day`, `end|until`."""
    app.jinja_env.filters.update(
        moment=moment_words,
        clock=lambda at: f"{local(at):%H:%M}",
        day=lambda at: day_words(local(at).date() if isinstance(at, datetime) else at),
        until=until_words,
    )
