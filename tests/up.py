"""`imprimatur up` as a process of its own: started, asked over HTTP, watched, and stopped by signals."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from app.embedded.data_directory import DataDirectory
from app.settings import process_environ
from tests.processes import command_of, descendants, eventually

ROOT = Path(__file__).parents[1]
# The command itself, and the one whose web application is a stand-in (tests/stand_in.py).
IMPRIMATUR = (str(Path(sys.executable).with_name("imprimatur")),)
STAND_IN = (sys.executable, "-m", "tests.stand_in")
READY = re.compile(r"is ready: (http://127\.0\.0\.1:(\d+))")


class Up:
    """One running `imprimatur up`."""

    def __init__(
        self,
        data: Path,
        *options: str,
        env: dict[str, str] | None = None,
        program: tuple[str, ...] = STAND_IN,
    ) -> None:
        self.data = DataDirectory(data)
        self.output = data.with_suffix(f".{time.monotonic_ns()}.out")
        environ = {k: v for k, v in process_environ().items() if not k.startswith("IMPRIMATUR_")}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*program, "up", "--data", str(data), *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environ | (env or {}),
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        eventually(lambda: READY.search(self.said) or self.process.poll() is not None, within_s=240)
        assert READY.search(self.said), self.said

    @property
    def port(self) -> int:
        ready = READY.search(self.said)
        assert ready is not None
        return int(ready[2])

    def get(self, path: str) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        else:
            return body if response.status == 200 else None
        finally:
            connection.close()

    def connect(self) -> psycopg.Connection:
        environ = self.data.running_environ()
        assert environ is not None
        return psycopg.connect(environ["IMPRIMATUR_DATABASE_URL"])

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def the_child(up: Up, part_of_command: str) -> int:
    """The direct child of `up` whose command contains this."""
    [pid] = [
        pid
        for pid in descendants(up.process.pid)
        if part_of_command in command_of(pid) and os.getpgid(pid) == pid
    ]
    return pid


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
