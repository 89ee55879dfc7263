"""How long the pages people wait for take, on a running demo.

    imprimatur up --demo
    python -m benchmarks.pages http://127.0.0.1:8000 [--json]

One client, one request after the other, with the wire and the client's own work in the figure. Every hint
and every preview is of words that were not seen before, so nothing is answered from memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import statistics
import time
from collections.abc import Callable
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

PASSWORD = "demo-imprimatur"
WARM_UP, ROUNDS = 2, 40
_numbers = itertools.count(1)


def signed_in(base: str, login: str) -> OpenerDirector:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    token = hidden(browser.open(f"{base}/login").read().decode(), "csrf_token")
    form = {"login": login, "password": PASSWORD, "csrf_token": token}
    browser.open(f"{base}/login", urlencode(form).encode())
    return browser


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    if found is None:
        raise SystemExit(f"the page holds no {name}: is the demo running?")
    return found.group(1)


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    taken = []
    for turn in range(WARM_UP + ROUNDS):
        began = time.perf_counter()
        act()
        if turn >= WARM_UP:
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def scenes(base: str) -> dict[str, Callable[[], object]]:
    advisor, reviewer, operator = (signed_in(base, who) for who in ("advisor", "reviewer", "operator"))
    making = advisor.open(f"{base}/make/poster-qiushi").read().decode()
    kept = {"reservation": hidden(making, "reservation"), "slot.headline": "山有四季\n路在脚下"}
    token = hidden(making, "csrf_token")
    queue = reviewer.open(f"{base}/reviews").read().decode()
    item = re.search(r"/reviews/[0-9a-f-]{36}", queue)

    def words() -> dict[str, str]:
        return {**kept, "slot.message": f"这只产品稳赚不赔，第{next(_numbers)}次"}

    def hint() -> bytes:
        form = urlencode({**words(), "csrf_token": token}).encode()
        headers = {"HX-Request": "true", "HX-Trigger-Name": "slot.message"}
        answer: bytes = advisor.open(Request(f"{base}/make/poster-qiushi/hints", form, headers)).read()
        return answer

    def preview() -> bytes:
        answer: bytes = advisor.open(f"{base}/make/poster-qiushi/preview.jpg?{urlencode(words())}").read()
        return answer

    return {
        "advisor: today": lambda: advisor.open(f"{base}/today").read(),
        "advisor: library": lambda: advisor.open(f"{base}/library").read(),
        "advisor: hint while typing": hint,
        "advisor: preview, drawn anew": preview,
        "reviewer: queue": lambda: reviewer.open(f"{base}/reviews").read(),
        "reviewer: one item": lambda: reviewer.open(base + (item.group() if item else "/reviews")).read(),
        "operator: board": lambda: operator.open(f"{base}/board").read(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("base", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = {name: measured(act) for name, act in scenes(given.base.rstrip("/")).items()}
    if given.json:
        print(json.dumps({name: {"median_ms": m, "p95_ms": p} for name, (m, p) in figures.items()}))
        return
    for name, (median, slow) in figures.items():
        print(f"{name:32} median {median:7.1f} ms   p95 {slow:7.1f} ms")


if __name__ == "__main__":
    main()
