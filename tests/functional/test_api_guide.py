"""The guide in docs/api.md, word for word: its shell blocks are run against a running platform."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.factories import PASSWORD, House
from tests.functional.machine import Switchboard

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SUBMITTED = "/submit"
# The demo tenant's logins, in the institution of the tests.
LOGINS = ("brand", "reviewer", "operator", "advisor")


@pytest.fixture
def address(house: House) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Switchboard(house).app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/api/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_request_of_the_guide_succeeds(house: House, address: str, tmp_path: Path) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for login in LOGINS:
        guide = guide.replace(f'"login": "{login}"', f'"login": "{Switchboard(house).login_of(login)}"')

    for block in BLOCK.findall(guide):
        _run(block, address, tmp_path)
        if SUBMITTED in block:
            house.run_checks()  # what the worker does meanwhile

    assert (tmp_path / "mine.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert (tmp_path / "square.webp").read_bytes().startswith(b"RIFF")
    assert (tmp_path / "print.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "decided.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def _run(block: str, address: str, folder: Path) -> None:
    """Run one block in a shell that remembers what the blocks before it named."""
    names = folder / "names"
    names.touch()
    script = f"""
        set -euo pipefail
        # an answer that is a problem fails the test
        curl() {{ command curl --fail-with-body --noproxy '*' "$@"; }}
        . {names}
{block}
        declare -p | grep -E '^declare -- [A-Z]+=' > {names}
    """
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "API": address, "PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
