"""A run in a process of its own, to be killed: `python -m … TEMPLATE OUT KEY`.

It draws thirty pictures with two processes; while KEY is being written, everything is killed.
"""

import os
import signal
import sys
from pathlib import Path

from templates_lib.batch import render_many
from templates_lib.catalog import open_source
from templates_lib.picture_store import Disk
from tests.unit.templates_lib.factories import URL

JOBS = [(f"k{number}", {"qr": f"{URL}{number}", "name": f"第{number}位"}) for number in range(30)]


class KilledAt(Disk):
    """Dies with its whole run when this picture is half written."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._run = os.getpid()

    def put(self, path: Path, data: bytes) -> None:
        if path.stem == self._key:
            os.kill(self._run, signal.SIGKILL)
            path.with_name(f".imprimatur-draft-{os.getpid()}-{path.name}").write_bytes(data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(path, data)


def main(template: str, out: str, key: str) -> None:
    for _ in render_many(open_source(Path(template)), JOBS, Path(out), processes=2, store=KilledAt(key)):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
