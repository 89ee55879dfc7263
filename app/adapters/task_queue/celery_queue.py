"""Messages to the workers, as Celery tasks that are named but not imported.

The platform must not import a worker, so this is a Celery application that only sends. What both
ends must agree on (queue, wire format, transport options) is stated here and used by
`workers.celery_app` too.
"""

from __future__ import annotations

from typing import Any, Final

from celery import Celery
from kombu.exceptions import OperationalError

from app.ports import TaskName, TaskQueueUnavailable
from app.settings import BrokerSettings

QUEUE_NAME: Final = "imprimatur"
_CONNECT_TIMEOUT_S: Final = 2


def wire_options(broker: BrokerSettings) -> dict[str, Any]:
    """What sender and worker have in common."""
    is_redis = broker.url.startswith(("redis:", "rediss:"))
    return {
        "broker_url": broker.url,
        "task_default_queue": QUEUE_NAME,
        # JSON alone: a pickled message would run whatever it carries
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        # outcomes are rows of the database
        "task_ignore_result": True,
        "enable_utc": True,
        "timezone": "UTC",
        # With the defaults a killed worker's task came back after more than 45 s; looking for
        # unacknowledged messages every second brought that down to about 4 s.
        "broker_transport_options": {
            "visibility_timeout": broker.visibility_timeout_s,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": _CONNECT_TIMEOUT_S,
        }
        if is_redis
        else {"connect_timeout": _CONNECT_TIMEOUT_S},
    }


class CeleryTaskQueue:
    def __init__(self, broker: BrokerSettings) -> None:
        self._celery = Celery("imprimatur-sender", set_as_current=False)
        self._celery.conf.update(wire_options(broker))

    def send(self, name: TaskName, *args: str, countdown_s: float | None = None) -> None:
        try:
            self._celery.send_task(
                name.value,
                args=args,
                countdown=countdown_s,
                # one more try mends a stale pooled connection; a broker that is down must not
                # hold the request that already committed
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0},
            )
        except OperationalError as error:
            raise TaskQueueUnavailable(f"the broker took no message: {error}") from error
