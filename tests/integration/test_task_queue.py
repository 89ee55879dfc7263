"""Messages from the platform to the workers, through a real Valkey."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import redis

from app.adapters.task_queue.celery_queue import QUEUE_NAME, CeleryTaskQueue
from app.embedded.child import free_port
from app.embedded.valkey import ValkeyServer
from app.ports import TaskName, TaskQueueUnavailable
from app.settings import BrokerSettings


@pytest.fixture
def broker(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


def test_a_message_is_json_and_carries_the_task_and_its_ids(
    valkey: ValkeyServer, broker: redis.Redis
) -> None:
    queue = CeleryTaskQueue(BrokerSettings(url=valkey.url, visibility_timeout_s=60))

    queue.send(TaskName.RUN_COMPLIANCE_CHECK, "piece-1")

    message = json.loads(broker.lpop(QUEUE_NAME))
    assert message["content-type"] == "application/json"
    assert message["headers"]["task"] == "check.run"
    assert message["headers"]["argsrepr"] == "('piece-1',)"


def test_a_delayed_message_says_when_it_may_run(valkey: ValkeyServer, broker: redis.Redis) -> None:
    queue = CeleryTaskQueue(BrokerSettings(url=valkey.url, visibility_timeout_s=60))

    queue.send(TaskName.SWEEP, countdown_s=30)

    assert json.loads(broker.lpop(QUEUE_NAME))["headers"]["eta"] is not None


def test_a_broker_that_is_down_is_reported_not_waited_for() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    queue = CeleryTaskQueue(BrokerSettings(url=url, visibility_timeout_s=60))

    with pytest.raises(TaskQueueUnavailable):
        queue.send(TaskName.SWEEP)
