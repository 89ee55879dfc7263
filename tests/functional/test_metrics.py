"""What the operator's monitoring reads, and that nobody else does."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from app.bootstrap import build_platform
from app.factory import create_app
from tests.conftest import settings_for
from tests.factories import House
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue
from tests.visitors import Phone, code_of


def local(client: FlaskClient, **headers: str):
    return client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": "127.0.0.1"})


def test_the_monitoring_of_this_machine_reads_requests_events_checks_and_the_queue(
    house: House, client: FlaskClient
) -> None:
    Phone(client).look(code_of(house, house.published()))
    text = local(client).text
    assert 'imprimatur_events_today{hit_class="human",kind="scan"} 1.0' in text
    assert 'imprimatur_checks_total{verdict="pass"} 1.0' in text
    assert "imprimatur_checks_waiting 0.0" in text
    assert "imprimatur_publications_live 1.0" in text
    assert "imprimatur_renditions_total" in text
    assert 'imprimatur_request_seconds_count{method="GET",rule="/s/<code>",status="302"}' in text


def test_no_code_and_no_token_is_in_the_figures(house: House, client: FlaskClient) -> None:
    code = code_of(house, house.published())
    page = Phone(client).look(code)
    text = local(client).text
    assert code not in text
    assert page not in text


def test_a_stranger_reads_nothing(client: FlaskClient) -> None:
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.7"})
    assert answer.status_code == 403
    assert "imprimatur_" not in answer.text


def test_somebody_behind_a_proxy_is_not_taken_for_this_machine(client: FlaskClient) -> None:
    assert local(client, **{"X-Forwarded-For": "203.0.113.7"}).status_code == 403


def test_with_a_token_set_only_the_token_opens(database_url: str, tmp_path: Path, clock: FixedClock) -> None:
    settings = settings_for(database_url, tmp_path, IMPRIMATUR_METRICS_TOKEN="of the monitoring")
    platform = build_platform(settings, store=MemoryObjectStore(), queue=RecordingTaskQueue(), clock=clock)
    client = create_app(platform=platform).test_client()
    assert local(client).status_code == 403
    assert local(client, Authorization="Bearer wrong").status_code == 403
    assert local(client, Authorization="Bearer of the monitoring").status_code == 200
    platform.engine.dispose()
