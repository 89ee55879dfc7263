"""Reading the rules takes seconds: it is done before anybody waits for it, and only where it is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from celery.signals import worker_init
from click.testing import CliRunner

import workers.celery_app  # noqa: F401  what it does at a worker's start
from app.bootstrap import Platform
from app.cli import imprimatur
from app.cli.edge import PlatformHandle
from app.factory import create_app
from compliance.ruleset import Ruleset, load_ruleset


class Reads:
    """Counts how often the rules are asked for."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Ruleset:
        self.count += 1
        return load_ruleset()


@pytest.fixture
def reads(platform: Platform) -> Reads:
    counted = Reads()
    platform.__dict__["surroundings"] = replace(platform.surroundings, rules=counted)
    return counted


def test_the_web_has_read_them_before_it_answers(platform: Platform, reads: Reads) -> None:
    create_app(platform=platform)

    assert reads.count == 1


def test_a_worker_reads_them_once_for_all_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Reads()
    monkeypatch.setattr("compliance.ruleset.load_ruleset", counted)

    worker_init.send(sender=None)

    assert counted.count == 1


def test_a_command_that_checks_nothing_reads_none(platform: Platform, reads: Reads) -> None:
    handle = PlatformHandle(lambda: platform)
    words = ("tenant", "create", "demo", "--name", "示例银行", "--short-name", "示例")

    done = CliRunner().invoke(imprimatur, words, obj=handle)

    assert done.exit_code == 0, done.output
    assert reads.count == 0
