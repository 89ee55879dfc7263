"""How long something has waited, as a person would say it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask import Flask

from app.web.edge import platform
from app.web.i18n import translate

_UNITS: Final = (
    (timedelta(days=1), "%(count)s 天"),
    (timedelta(hours=1), "%(count)s 小时"),
    (timedelta(minutes=1), "%(count)s 分钟"),
)


def age_in_words(since: datetime, now: datetime) -> str:
    """The time passed in its largest unit; less than a minute, or a clock ahead of ours, is 刚刚."""
    passed = now - since
    for unit, words in _UNITS:
        if passed >= unit:
            return translate(words) % {"count": passed // unit}
    return translate("刚刚")


def register_waiting(app: Flask) -> None:
    """Give templates the filter `age`."""
    app.add_template_filter(lambda since: age_in_words(since, platform().clock.now()), "age")
    app.add_template_filter(lambda end: age_in_words(platform().clock.now(), end), "left")
