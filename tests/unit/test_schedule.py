"""What beat sends, and the application it sends it through."""

from __future__ import annotations

from app.settings import Settings
from tests.unit.test_settings import PRODUCTION
from workers.celery_app import make_celery
from workers.schedule import SCHEDULE


def test_every_recurring_task_says_why_it_recurs() -> None:
    assert all(recurring.reason for recurring in SCHEDULE)


def test_no_task_recurs_twice() -> None:
    assert len({recurring.task for recurring in SCHEDULE}) == len(SCHEDULE)


def test_a_pickled_message_would_not_be_read() -> None:
    celery = make_celery(Settings.from_env(PRODUCTION))

    assert celery.conf.accept_content == ["json"]


def test_a_message_outlives_the_worker_that_took_it() -> None:
    celery = make_celery(Settings.from_env(PRODUCTION))

    assert celery.conf.task_acks_late
    assert celery.conf.task_reject_on_worker_lost
    assert celery.conf.worker_prefetch_multiplier == 1
