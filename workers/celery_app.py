"""The Celery application the worker and beat run: `celery -A workers.celery_app:celery worker`."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_ready

import workers
from app.adapters.task_queue.celery_queue import wire_options
from app.embedded.child import end_with_parent
from app.ports import TaskName
from app.settings import Settings
from workers.schedule import beat_schedule

if TYPE_CHECKING:
    celery: Celery


@worker_init.connect
def _read_the_rules(**_more: object) -> None:
    """Before the pool forks: its processes share what was read, and each new one has it at once."""
    from compliance.ruleset import load_ruleset  # beat has no use for it

    load_ruleset()


@worker_process_init.connect
def _end_with_the_worker(**_more: object) -> None:
    """A pool process whose worker was killed would wait for work for ever."""
    end_with_parent()


@worker_ready.connect
def _rehearse_at_once(sender: Any, **_more: object) -> None:
    """After a start or an upgrade no design is ready, and beat's first turn is minutes away."""
    sender.app.send_task(TaskName.REHEARSE_TEMPLATES.value)


def make_celery(settings: Settings) -> Celery:
    """Build the application: JSON alone, a message acknowledged only when its task has ended."""
    application = Celery("imprimatur", set_as_current=True)
    application.conf.update(
        wire_options(settings.broker),
        # every module beside this one may hold tasks; they are imported when a worker starts
        include=[f"workers.{module.name}" for module in pkgutil.iter_modules(workers.__path__)],
        # A worker killed in the middle leaves its message unacknowledged, and another takes it.
        # A task must therefore bear being run twice: the database row decides.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # a busy worker must not sit on messages a free one could take
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=True,
        worker_send_task_events=False,
        # the broker may come up after us, or go away for a while
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        # rendering libraries keep memory; a fresh process from time to time gives it back
        worker_max_tasks_per_child=500,
        beat_schedule=beat_schedule(),
        beat_max_loop_interval=10,
    )
    return application


def __getattr__(name: str) -> Celery:
    """Build `celery` from the environment at its first use, so that importing needs no settings."""
    if name != "celery":
        raise AttributeError(name)
    application = make_celery(Settings.from_env())
    globals()[name] = application
    return application
