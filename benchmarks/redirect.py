"""How fast a scan is sent on, and whether every one that was sent on is kept.

    python -m benchmarks.redirect [--requests 5000] [--connections 8] [--workers 2]

Starts a PostgreSQL of its own (durable: every commit reaches the disk) and the web server as
`imprimatur up` does, follows short links over kept connections, and afterwards looks for the event
behind every redirect that was received. The load is made on the same machine, so the figures are
what is left beside it.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select

from app.bootstrap import Platform, build_platform, migrate
from app.domain.organisation import OrgLevel
from app.domain.piece import PieceState
from app.domain.template import ProductType
from app.domain.tracking import LinkChannel, new_short_code
from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.template import Template, TemplateVersion
from app.models.tenant import Tenant
from app.models.tracking import Event, ShortLink
from app.settings import Settings, process_environ

LINKS = 200
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.50"
PROMISED_P99_MS = 100.0


@dataclass(frozen=True, slots=True)
class Redirect:
    token: str
    took_ms: float


def make_links(platform: Platform) -> list[str]:
    """One advisor's editions of as many pieces, with the QR code of each."""
    now, tenant_id, unit_id, advisor_id, version_id = datetime.now(UTC), uuid4(), uuid4(), uuid4(), uuid4()
    template_id = uuid4()
    codes = []
    with platform.sessions.begin() as session:
        for row in (
            Tenant(
                id=tenant_id,
                slug="bench",
                name="示例银行",
                short_name="示例",
                brand_tokens={},
                created_at=now,
            ),
            OrgUnit(id=unit_id, tenant_id=tenant_id, code="HQ", name="总行", level=OrgLevel.HQ, path="/HQ/"),
            Template(id=template_id, tenant_id=tenant_id, slug="bench", name="样张", kind="poster"),
            TemplateVersion(
                id=version_id,
                tenant_id=tenant_id,
                template_id=template_id,
                number=1,
                digest="0" * 64,
                product_type=ProductType.NONE,
                tags=[],
                manifest={},
                loaded_at=now,
            ),
            Advisor(
                id=advisor_id,
                tenant_id=tenant_id,
                org_unit_id=unit_id,
                staff_no="B1",
                name="测",
                licences=[],
                tags=[],
                verified_fields=[],
                created_at=now,
            ),
        ):
            session.add(row)
            session.flush()
        for number in range(LINKS):
            piece_id, edition_id, code = uuid4(), uuid4(), new_short_code()
            session.add(
                Piece(
                    id=piece_id,
                    tenant_id=tenant_id,
                    title=f"样张 {number}",
                    state=PieceState.DRAFT,
                    template_version_id=version_id,
                    org_unit_id=unit_id,
                    product_type=ProductType.NONE,
                    tags=[],
                    created_at=now,
                    state_since=now,
                )
            )
            session.flush()
            session.add(
                Edition(
                    id=edition_id,
                    tenant_id=tenant_id,
                    piece_id=piece_id,
                    advisor_id=advisor_id,
                    created_at=now,
                )
            )
            session.flush()
            session.add(
                ShortLink(
                    code=code,
                    tenant_id=tenant_id,
                    edition_id=edition_id,
                    channel=LinkChannel.QR,
                    created_at=now,
                )
            )
            codes.append(code)
    return codes


def follow(port: int, codes: list[str]) -> list[Redirect]:
    """Follow the links one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    received = []
    for code in codes:
        began = time.perf_counter()
        connection.request("GET", f"/s/{code}", headers={"User-Agent": PHONE})
        answer = connection.getresponse()
        answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status == http.client.FOUND:
            received.append(Redirect((answer.getheader("Location") or "").removeprefix("/p/"), took_ms))
    connection.close()
    return received


def kept_tokens(platform: Platform) -> Counter[str | None]:
    with platform.sessions() as session:
        return Counter(session.scalars(select(Event.visit_token)))


def web_server(settings_environ: dict[str, str], port: int, workers: int, folder: Path) -> Child:
    return Child(
        ChildSpec(
            name="Web",
            command=(
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--workers", str(workers), "--blocking-threads", "4"),
                *("--factory", "app.factory:create_app"),
            ),
            log=folder / "web.log",
            env=process_environ() | settings_environ,
        )
    )


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = start_postgres(
            folder / "postgres", keyring=Keyring(folder / "keys.json"), log=folder / "postgres.log"
        )
        port = free_port()
        environ = {
            "IMPRIMATUR_ENVIRONMENT": "embedded",
            "IMPRIMATUR_DATABASE_URL": postgres.url,
            "IMPRIMATUR_BROKER_URL": "redis://127.0.0.1:1/0",
            "IMPRIMATUR_SECRET_KEY": secrets.token_hex(32),
            "IMPRIMATUR_DATA_DIR": str(folder / "data"),
            "IMPRIMATUR_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "IMPRIMATUR_LOG_LEVEL": "warning",
        }
        settings = Settings.from_env(environ)
        web = web_server(environ, port, chosen.workers, folder)
        try:
            migrate(settings)
            platform = build_platform(settings)
            codes = make_links(platform)
            web.start()
            web.wait_until(lambda: answers(port))
            follow(port, codes[:50])  # each process opens its connections and reads the day's key
            share = [codes[n % LINKS] for n in range(chosen.requests // chosen.connections)]
            began = time.perf_counter()
            with ThreadPoolExecutor(chosen.connections) as pool:
                rounds = list(pool.map(lambda _: follow(port, share), range(chosen.connections)))
            took_s = time.perf_counter() - began
            received = [one for each in rounds for one in each]
            kept = kept_tokens(platform)
            platform.engine.dispose()
        finally:
            web.stop()
            postgres.child.stop()
    times = sorted(one.took_ms for one in received)
    lost = sum(kept[one.token] == 0 for one in received)
    doubled = sum(count > 1 for count in kept.values())
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
    print(f"redirects  {len(received):,} of {len(share) * chosen.connections:,}")
    print(f"rate       {len(received) / took_s:,.0f}/s over {chosen.connections} connections")
    print(f"p50        {p50:.1f} ms")
    print(f"p99        {p99:.1f} ms  (promised: under {PROMISED_P99_MS:.0f})")
    print(f"lost       {lost}")
    print(f"doubled    {doubled}")
    return 0 if not lost and not doubled and len(received) == len(share) * chosen.connections else 1


if __name__ == "__main__":
    sys.exit(main())
