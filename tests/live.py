"""The platform as it runs: web and worker processes on real servers, a browser in front."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from app.bootstrap import Platform, build_platform
from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.valkey import ValkeyServer
from app.settings import Settings, process_environ
from tests.conftest import SECRET

PROJECT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# What a customer's phone says of itself: the headless browser's own name is counted as a machine.
WECHAT_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/4G Language/zh_CN"
)
_CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@dataclass
class LivePlatform:
    """Web and worker as processes of their own."""

    url: str
    environ: dict[str, str]
    web: Child
    worker: Child
    platform: Platform  # the same database and store, for a test's own look

    def kill_worker(self) -> None:
        """As the kernel would, in the middle of whatever it does."""
        self.worker.kill()

    def start_worker(self) -> None:
        self.worker.start()


@contextmanager
def live_platform(
    database_url: str, valkey: ValkeyServer, storage_url: str, folder: Path
) -> Iterator[LivePlatform]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = process_environ() | {
        "IMPRIMATUR_ENVIRONMENT": "embedded",
        "IMPRIMATUR_DATABASE_URL": database_url,
        "IMPRIMATUR_BROKER_URL": valkey.url,
        "IMPRIMATUR_STORAGE_URL": storage_url,
        "IMPRIMATUR_SECRET_KEY": SECRET,
        "IMPRIMATUR_DATA_DIR": str(folder / "data"),
        "IMPRIMATUR_PUBLIC_URL": url,
        "IMPRIMATUR_BROKER_VISIBILITY_TIMEOUT_S": "3",
        "IMPRIMATUR_LOG_LEVEL": "warning",
        "PYTHONPATH": str(PROJECT),
    }
    platform = build_platform(Settings.from_env(environ))
    web = Child(
        ChildSpec(
            name="web",
            command=(
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
                *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
                *("--blocking-threads", "4", "--factory", "app.factory:create_app"),
            ),
            log=folder / "web.log",
            env=environ,
            cwd=PROJECT,
        )
    )
    worker = Child(
        ChildSpec(
            name="worker",
            command=(
                *(sys.executable, "-m", "celery", "-A", "workers.celery_app:celery", "worker"),
                *("--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
                *("--beat", "--schedule", str(folder / "beat")),
            ),
            log=folder / "worker.log",
            env=environ,
            cwd=PROJECT,
        )
    )
    try:
        web.start()
        worker.start()
        web.wait_until(lambda: _answers(f"{url}/readyz"))
        yield LivePlatform(url, environ, web, worker, platform)
    finally:
        worker.stop()
        web.stop()
        platform.engine.dispose()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=_CHROMIUM_ARGS)
        yield started
        started.close()


def phone(browser: Browser, **more: object) -> BrowserContext:
    """A phone of 390 px, as advisors and customers hold it."""
    options: dict[str, object] = {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
        "user_agent": WECHAT_IPHONE,
        "locale": "zh-CN",
        **more,
    }
    return browser.new_context(**options)  # type: ignore[arg-type]


def desk(browser: Browser, **more: object) -> BrowserContext:
    return browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN", **more}  # type: ignore[arg-type]
    )
