"""How long a reviewer waits while clearing a long queue by keyboard, in a real browser.

    python -m benchmarks.review_queue [--items 20000] [--clear 200] [--look 1] [--alike 1] [--json]

Starts PostgreSQL, Valkey and the web server as `imprimatur up` does, with the demo bank in it, fills
the queue up with copies of pieces that wait in it, and clears it as an officer does: the space bar,
and the next item is there. The officer looks at each for `--look` seconds before the key; with 0 the
keys come as fast as the pages do, and what is measured is mostly how browser, web server and database
share the processors of one machine: a decision is sent while the browser draws the next item. The
times are the browser's own: from the request's first byte to the answer's first byte (server), and
from the key to the page's load (felt). A key decides all that is alike, `--alike` items, each with a
record of its own; the decision's time is that of all of them together.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import func, select, text

from app.bootstrap import build_platform, migrate
from app.cli.demo import seed_demo
from app.embedded.child import free_port
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.embedded.valkey import start_valkey
from app.models.review import Decision, Review
from app.settings import Settings
from benchmarks.pages import PASSWORD
from benchmarks.redirect import answers, web_server

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PROMISED_NEXT_MS, PROMISED_DECISION_MS = 150.0, 100.0

# Copies of pieces made for everybody: each is a piece, a revision, a check, a round and its step of
# its own.
_FILL_UP = """
CREATE TEMP TABLE filling AS
SELECT r.id AS old_review, r.piece_id AS old_piece, r.revision_id AS old_revision,
       r.check_run_id AS old_run, n, gen_random_uuid() AS review, gen_random_uuid() AS piece,
       gen_random_uuid() AS revision, gen_random_uuid() AS run
FROM (SELECT r.* FROM review r JOIN piece p ON p.id = r.piece_id
      WHERE r.state = 'open' AND p.advisor_id IS NULL ORDER BY r.opened_at LIMIT 1) r
CROSS JOIN generate_series(1, :wanted) AS n;
INSERT INTO piece SELECT (jsonb_populate_record(p, jsonb_build_object(
    'id', f.piece, 'title', '队列 ' || f.n, 'current_revision_id', NULL))).*
  FROM filling f JOIN piece p ON p.id = f.old_piece;
INSERT INTO piece_revision SELECT (jsonb_populate_record(v, jsonb_build_object(
    'id', f.revision, 'piece_id', f.piece))).*
  FROM filling f JOIN piece_revision v ON v.id = f.old_revision;
UPDATE piece SET current_revision_id = f.revision FROM filling f WHERE piece.id = f.piece;
INSERT INTO check_run SELECT (jsonb_populate_record(c, jsonb_build_object(
    'id', f.run, 'revision_id', f.revision))).*
  FROM filling f JOIN check_run c ON c.id = f.old_run;
INSERT INTO review SELECT (jsonb_populate_record(r, jsonb_build_object(
    'id', f.review, 'piece_id', f.piece, 'revision_id', f.revision, 'check_run_id', f.run,
    'claimed_by', NULL, 'claimed_at', NULL, 'opened_at', r.opened_at + f.n * interval '1 second',
    'alike_since', r.opened_at + (f.n / :alike * :alike) * interval '1 second',
    'change_digest', encode(sha256(convert_to((f.n / :alike)::text, 'UTF8')), 'hex')))).*
  FROM filling f JOIN review r ON r.id = f.old_review;
INSERT INTO review_step SELECT (jsonb_populate_record(s, jsonb_build_object(
    'id', gen_random_uuid(), 'review_id', f.review))).*
  FROM filling f JOIN review_step s ON s.review_id = f.old_review;
"""


@dataclass
class Clearing:
    """What was measured, in milliseconds."""

    next_ms: list[float] = field(default_factory=list)
    felt_ms: list[float] = field(default_factory=list)
    decision_ms: list[float] = field(default_factory=list)
    took_s: float = 0.0

    def figures(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for name in ("next_ms", "felt_ms", "decision_ms"):
            times = sorted(getattr(self, name))
            found[f"{name}_p50"] = round(statistics.median(times), 1)
            found[f"{name}_p95"] = round(times[int(len(times) * 0.95) - 1], 1)
        return found | {"took_s": round(self.took_s, 1)}


def fill_up(settings: Settings, items: int, alike: int) -> int:
    """Make the queue so long, so many at a time alike; say how long it is."""
    platform = build_platform(settings)
    with platform.engine.begin() as connection:
        waiting = connection.scalar(select(func.count(Review.id)).where(Review.state == "open")) or 0
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in _FILL_UP.split(";\n"):
            if statement.strip():
                given = {"wanted": items - waiting, "alike": alike}
                connection.execute(
                    text(statement), {name: one for name, one in given.items() if f":{name}" in statement}
                )
    with platform.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
        total = connection.scalar(select(func.count(Review.id)).where(Review.state == "open")) or 0
    platform.engine.dispose()
    return total


def decisions_kept(settings: Settings) -> int:
    platform = build_platform(settings)
    with platform.sessions() as session:
        kept = session.scalar(select(func.count(Decision.id)).where(Decision.decided_by.is_not(None))) or 0
    platform.engine.dispose()
    return kept


def _sign_in(page: Page, base: str) -> None:
    page.goto(f"{base}/login")
    page.fill("[name=login]", "reviewer")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)


def clear(page: Page, base: str, count: int, look_s: float) -> Clearing:
    """Approve item after item by the space bar, one with all that is alike to it at a time."""
    measured = Clearing()

    def note_decision(request: Any) -> None:
        if request.url.endswith("/decision") and request.method == "POST":
            timing = request.timing
            measured.decision_ms.append(timing["responseStart"] - timing["requestStart"])

    page.on("requestfinished", note_decision)
    page.goto(f"{base}/reviews")
    page.keyboard.press("j")
    page.wait_for_url("**/reviews/*-*")
    began = time.perf_counter()
    for _ in range(count):
        page.locator("#approve").wait_for()
        here = page.url
        page.wait_for_timeout(look_s * 1000)
        pressed = time.perf_counter()
        page.keyboard.press(" ")
        page.wait_for_url(partial(str.__ne__, here))  # and until that page has loaded
        measured.felt_ms.append((time.perf_counter() - pressed) * 1000)
        measured.next_ms.append(
            page.evaluate(
                "() => { const one = performance.getEntriesByType('navigation')[0];"
                " return one.responseStart - one.requestStart }"
            )
        )
    measured.took_s = time.perf_counter() - began
    # the pages' policy lets no string be run in them, so they are asked from outside
    while page.evaluate("sessionStorage.getItem('held-decisions')") != "[]":
        page.wait_for_timeout(100)
    page.wait_for_timeout(2_000)  # the last of them is on its way
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--clear", type=int, default=200)
    parser.add_argument("--look", type=float, default=1.0, help="seconds an item is looked at")
    parser.add_argument("--alike", type=int, default=1, help="items that change the same, decided by one key")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = start_postgres(
            folder / "postgres", keyring=Keyring(folder / "keys.json"), log=folder / "postgres.log"
        )
        valkey = start_valkey(
            folder / "valkey", keyring=Keyring(folder / "keys.json"), log=folder / "valkey.log"
        )
        port = free_port()
        environ = {
            "IMPRIMATUR_ENVIRONMENT": "embedded",
            "IMPRIMATUR_DATABASE_URL": postgres.url,
            "IMPRIMATUR_BROKER_URL": valkey.url,
            "IMPRIMATUR_SECRET_KEY": secrets.token_hex(32),
            "IMPRIMATUR_DATA_DIR": str(folder / "data"),
            "IMPRIMATUR_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "IMPRIMATUR_LOG_LEVEL": "warning",
        }
        settings = Settings.from_env(environ)
        web = web_server(environ, port, 2, folder)
        try:
            migrate(settings)
            seed_demo(settings)
            queue = fill_up(settings, chosen.items, chosen.alike)
            before = decisions_kept(settings)
            web.start()
            web.wait_until(lambda: answers(port))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                )
                page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
                page.set_default_timeout(60_000)
                _sign_in(page, f"http://127.0.0.1:{port}")
                clear(page, f"http://127.0.0.1:{port}", 5, 0)  # the processes warm up
                measured = clear(page, f"http://127.0.0.1:{port}", chosen.clear, chosen.look)
                browser.close()
            decided = decisions_kept(settings) - before
        finally:
            web.stop()
            valkey.child.stop()
            postgres.child.stop()
    figures: dict[str, float] = {
        "queue": queue,
        "keys": chosen.clear,
        "decided": decided,
        **measured.figures(),
    }
    if chosen.json:
        print(json.dumps(figures))
    else:
        print(f"queue              {queue:,} open items")
        print(f"keys pressed       {chosen.clear} in {figures['took_s']} s; {decided} items decided")
        print(f"next item, server  p50 {figures['next_ms_p50']} ms, p95 {figures['next_ms_p95']} ms")
        print(f"next item, felt    p50 {figures['felt_ms_p50']} ms, p95 {figures['felt_ms_p95']} ms")
        print(
            f"decision, server   p50 {figures['decision_ms_p50']} ms, p95 {figures['decision_ms_p95']} ms,"
            f" for {decided / chosen.clear:.1f} items at once"
        )
        print(f"promised           p95 {PROMISED_NEXT_MS:.0f} and {PROMISED_DECISION_MS:.0f} ms")
    return 0 if decided >= chosen.clear else 1


if __name__ == "__main__":
    sys.exit(main())
