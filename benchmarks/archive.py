"""Does a quoted sentence find its poster among 20,000 records: `python -m benchmarks.archive`.

It starts a PostgreSQL of its own, writes records of invented words into one institution, and asks
what a compliance officer asks: a whole sentence, a sentence from memory, a person, a day. The time is
the service's own, its audit entry included.
"""

from __future__ import annotations

import argparse
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, text

from app.bootstrap import Platform, build_platform, migrate
from app.domain.archive import ItemKind, grams, search_form
from app.domain.organisation import Actor, Grant, OrgLevel, Role, TenantId, UserId
from app.domain.piece import PieceState
from app.domain.publication import EndReason, new_approval_no
from app.domain.template import ProductType
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.models.archive import ArchiveItem
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.tenant import Tenant
from app.queries.archive import ArchiveSearch
from app.services.archive import look_into_archive
from app.settings import Settings

_RECORDS = 20_000
_ROUNDS = 30
_SIGNS = [chr(code) for code in range(0x4E00, 0x4E00 + 1200)]
_REFERENCES = (
    "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'"
    " AND conrelid::regclass::text IN ('piece', 'publication', 'archive_item')"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=_RECORDS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = start_postgres(
            folder / "postgres", keyring=Keyring(folder / "keys.json"), log=folder / "log", durable=False
        )
        try:
            settings = Settings.from_env(
                {
                    "IMPRIMATUR_ENVIRONMENT": "embedded",
                    "IMPRIMATUR_DATABASE_URL": server.url,
                    "IMPRIMATUR_BROKER_URL": "redis://127.0.0.1:1/0",
                    "IMPRIMATUR_SECRET_KEY": secrets.token_hex(32),
                    "IMPRIMATUR_DATA_DIR": str(folder / "data"),
                    "IMPRIMATUR_LOG_LEVEL": "error",
                }
            )
            migrate(settings)
            platform = build_platform(settings)
            sentences, auditor = fill(platform, asked.records)
            report(platform, sentences, auditor, asked.records)
            platform.engine.dispose()
        finally:
            server.child.stop()


def fill(platform: Platform, count: int) -> tuple[list[str], Actor]:
    """One institution with so many sealed records, and sentences that stand in them."""
    rng = random.Random(20261)
    tenant, unit, user, version = (uuid4() for _ in range(4))
    now = datetime.now(UTC)
    people = ["".join(rng.choices(_SIGNS, k=3)) for _ in range(200)]
    sentences: list[str] = []
    pieces, publications, items = [], [], []
    for _ in range(count):
        lines = ["".join(rng.choices(_SIGNS, k=rng.randint(10, 28))) for _ in range(6)]
        sentences.append(lines[1])
        words = "\n".join([*lines, "基金有风险，投资需谨慎。请阅读基金合同和招募说明书。"])
        form, digest = search_form(words), secrets.token_hex(32)
        piece, publication = uuid4(), uuid4()
        begun = now - timedelta(days=rng.randint(0, 700), seconds=rng.randint(0, 86_000))
        until, product = begun + timedelta(days=30), rng.choice(list(ProductType))
        pieces.append(
            {
                "id": piece,
                "tenant_id": tenant,
                "title": "海报",
                "state": PieceState.EXPIRED,
                "template_version_id": version,
                "org_unit_id": unit,
                "product_type": product,
                "created_at": begun,
                "state_since": until,
            }
        )
        publications.append(
            {
                "id": publication,
                "tenant_id": tenant,
                "piece_id": piece,
                "revision_id": piece,
                "content_hash": digest,
                "decision_id": piece,
                "approval_no": new_approval_no(begun),
                "audience_path": "/HQ/",
                "valid_from": begun,
                "valid_until": until,
                "published_at": begun,
                "ended_at": until,
                "end_reason": EndReason.EXPIRED,
            }
        )
        items.append(
            {
                "id": uuid4(),
                "tenant_id": tenant,
                "kind": ItemKind.PUBLICATION,
                "publication_id": publication,
                "piece_id": piece,
                "product_type": product,
                "values_digest": digest,
                "noted_at": begun,
                "sent_at": begun,
                "sealed_at": begun,
                "record_sha256": digest,
                "title": "海报",
                "words": words,
                "form": form,
                "grams": grams(form),
                "people": "、".join(rng.sample(people, 3)),
                "kept_until": until,
                "vault_until": until,
            }
        )
    ground = Tenant(
        id=tenant, slug="bank", name="示例银行", short_name="示例", sector="bank", hotline="", created_at=now
    )
    root = OrgUnit(id=unit, tenant_id=tenant, code="HQ", name="总行", level=OrgLevel.HQ, path="/HQ/")
    with platform.sessions.begin() as session:
        session.add(ground)
        session.flush()
        session.add(root)
        # what these rows refer to is not what is measured, and the database is thrown away
        for table in ("piece", "publication", "archive_item"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for table, reference in session.execute(text(_REFERENCES)).all():
            session.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{reference}"'))
        session.execute(insert(Piece), pieces)
        session.execute(insert(Publication), publications)
        session.execute(insert(ArchiveItem), items)
    with platform.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return sentences, Actor(TenantId(tenant), "auditor", UserId(user), grants=(Grant(Role.AUDITOR, "/HQ/"),))


def report(platform: Platform, sentences: list[str], auditor: Actor, count: int) -> None:
    rng = random.Random(7)
    asks: dict[str, Callable[[], ArchiveSearch]] = {
        "a whole sentence": lambda: ArchiveSearch(words=rng.choice(sentences)),
        "a sentence from memory": lambda: ArchiveSearch(words=_misremembered(rng, rng.choice(sentences))),
        "words that are nowhere": lambda: ArchiveSearch(words="".join(rng.sample(_SIGNS, 8))),
        "a person": lambda: ArchiveSearch(person=rng.choice(_SIGNS)),
        "a day": lambda: ArchiveSearch(since=_a_day(rng), until=None),
        "the newest": ArchiveSearch,
    }
    print(f"{count:,} records, service time with its audit entry, {_ROUNDS} rounds")
    for name, ask in asks.items():
        times, found = [], 0
        for _ in range(_ROUNDS):
            sought = ask()
            begun = time.perf_counter()
            with platform.unit_of_work(auditor) as uow:
                found += look_into_archive(uow, sought).total > 0
            times.append((time.perf_counter() - begun) * 1000)
        ninety_fifth = sorted(times)[int(len(times) * 0.95)]
        print(
            f"  {name:24} median {statistics.median(times):6.1f} ms   p95 {ninety_fifth:6.1f} ms   "
            f"found something {found}/{_ROUNDS}"
        )


def _misremembered(rng: random.Random, sentence: str) -> str:
    """One sign is another, and one is left out."""
    at, other = rng.sample(range(1, len(sentence) - 1), 2)
    signs = list(sentence)
    signs[at] = rng.choice(_SIGNS)
    signs[other] = ""
    return "".join(signs)


def _a_day(rng: random.Random) -> Any:
    return (datetime.now(UTC) - timedelta(days=rng.randint(0, 30))).date()


if __name__ == "__main__":
    main()
