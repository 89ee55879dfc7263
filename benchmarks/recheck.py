"""How long `imprimatur recheck` takes over everything an institution has live.

    python -m benchmarks.recheck [--pieces 100000] [--processes 2] [--json]

Starts a PostgreSQL of its own, takes one piece the whole way through the services, and lays as many
approved pieces beside it, each with words of its own: a headline, a body of 160 characters, a name, a
disclosure; one in eleven offends, and was approved before anybody asked. Then the command itself is
timed in a process of its own, from its start to its last line: reading the rules and what every piece
says, judging, and comparing with the last check. Making the rows is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, text

from app.bootstrap import Platform, build_platform, migrate
from app.domain.piece import PieceState
from app.embedded.keyring import Keyring
from app.embedded.postgres import start_postgres
from app.models.base import Base
from app.models.check import CheckRun
from app.models.piece import Piece, PieceRevision
from app.ports import TaskName
from app.settings import Settings
from benchmarks.compliance_speed import pieces_on_the_shelf
from benchmarks.recall import Bank

_AT_ONCE = 2_000


class Unheard:
    """A queue without workers behind it: the rows are all that is looked at here."""

    def send(self, name: TaskName, *args: str, countdown_s: float | None = None) -> None:
        del name, args, countdown_s


def facts_of(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def lay_out(platform: Platform, pieces: int) -> None:
    """Beside the one piece there is, so many that were approved, each with its revision and its check."""
    with platform.sessions() as session:
        piece, revision, run = (
            facts_of(session.scalars(select(one)).one()) for one in (Piece, PieceRevision, CheckRun)
        )
    passed = {"verdict": "pass", "findings": []}
    approved = {"state": PieceState.APPROVED, "current_revision_id": None, "idempotency_key": None}

    def rows() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
        for document in pieces_on_the_shelf(1, pieces):
            piece_id, revision_id = uuid4(), uuid4()
            report = run["report"] | passed | {"document": document.to_dict()}
            yield (
                piece | approved | {"id": piece_id},
                revision | {"id": revision_id, "piece_id": piece_id},
                run | {"id": uuid4(), "revision_id": revision_id, "verdict": "pass", "report": report},
            )

    made_ready = rows()
    while part := list(islice(made_ready, _AT_ONCE)):
        with platform.engine.begin() as connection:
            for table, made in zip((Piece, PieceRevision, CheckRun), zip(*part, strict=True), strict=True):
                connection.execute(insert(table), list(made))
    with platform.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE piece SET current_revision_id = r.id FROM piece_revision r "
                "WHERE r.piece_id = piece.id AND piece.current_revision_id IS NULL"
            )
        )
    with platform.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def processor_seconds() -> float:
    """What the processes that were started and have ended took of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(environ: dict[str, str], processes: int) -> dict[str, Any]:
    """Time the command as a person would call it."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "recheck", "--json"]
    spent = processor_seconds()
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--processes", str(processes)],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds, spent = time.perf_counter() - start, processor_seconds() - spent
    said = json.loads(done.stdout)
    return {
        "pieces": said["judged"],
        "changed": len(said["changed"]),
        "processes": processes,
        "seconds": round(seconds, 1),
        # of all processes together, the database's not counted: neighbours on the machine do not matter
        "processor_seconds": round(spent, 1),
        "pieces_per_second": round(said["judged"] / seconds),
        "exit_code": done.returncode,
        "ruleset": said["ruleset"],
        "load_average": round(os.getloadavg()[0], 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = start_postgres(
            folder / "postgres", keyring=Keyring(folder / "keys.json"), log=folder / "postgres.log"
        )
        environ = {
            "IMPRIMATUR_ENVIRONMENT": "embedded",
            "IMPRIMATUR_DATABASE_URL": postgres.url,
            "IMPRIMATUR_BROKER_URL": "redis://127.0.0.1:1/0",
            "IMPRIMATUR_SECRET_KEY": "x" * 64,
            "IMPRIMATUR_DATA_DIR": str(folder / "data"),
            "IMPRIMATUR_LOG_LEVEL": "error",
        }
        settings = Settings.from_env(environ)
        try:
            migrate(settings)
            platform = build_platform(settings, queue=Unheard())
            Bank.found(platform).published(1)
            lay_out(platform, chosen.pieces)
            platform.engine.dispose()
            result = measured(environ, chosen.processes)
        finally:
            postgres.child.stop()
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        for key, value in result.items():
            print(f"{key:<18} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
