"""`imprimatur up`: everything the platform needs, on this machine, stopped by Ctrl-C.

Whatever an IMPRIMATUR_*_URL names is used as it is; only what is missing is started here.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import app
from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.data_directory import DataDirectory
from app.embedded.errors import PortTaken
from app.embedded.postgres import start_postgres
from app.embedded.supervisor import Say, Supervisor
from app.embedded.valkey import start_valkey
from app.settings import Environment, Settings, process_environ

DEFAULT_PORT: Final = 8000
_WEB_WORKERS: Final = 2
_WEB_THREADS: Final = 4
_MOST_TASKS_AT_ONCE: Final = 4
_READY_WITHIN_S: Final = 120
# A task may be in the middle of a picture; after this its message goes to the next worker anyway.
_WORKER_GRACE_S: Final = 15
_PROJECT: Final = Path(app.__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Preparation:
    """What to do between the servers' start and ours; the caller joins it to the platform."""

    # Bring the database to the present schema.
    migrate: Callable[[Settings], None]
    # Add the demo tenant; does nothing when it is there already.
    seed_demo: Callable[[Settings], None]
    # Lines that tell the person at the terminal how to log in.
    demo_logins: Callable[[Settings], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listen:
    host: str
    port: int


Services = Callable[[DataDirectory, dict[str, str], Listen], Sequence[ChildSpec]]


def platform_services(data: DataDirectory, environ: dict[str, str], listen: Listen) -> Sequence[ChildSpec]:
    """The web server, one worker and beat, in the order they start."""
    celery = (sys.executable, "-m", "celery", "--app", "workers.celery_app:celery")
    tasks_at_once = max(1, min(os.cpu_count() or 1, _MOST_TASKS_AT_ONCE))
    return (
        ChildSpec(
            name="Worker",
            command=(
                *celery,
                "worker",
                *("--hostname", "worker@%h", "--concurrency", str(tasks_at_once)),
                *("--without-gossip", "--without-mingle", "--loglevel", "info"),
            ),
            log=data.log("worker"),
            env=environ,
            cwd=_PROJECT,
            grace_s=_WORKER_GRACE_S,
            # Nobody will be left to end its grace, and asked politely it may wait for a broker that
            # died with us. Its pool ends with it (workers.celery_app); the messages go back.
            orphan_signal=signal.SIGKILL,
        ),
        ChildSpec(
            name="Beat",
            command=(
                *celery,
                "beat",
                *("--schedule", str(data.beat_schedule), "--pidfile", "", "--loglevel", "info"),
            ),
            log=data.log("beat"),
            env=environ,
            cwd=_PROJECT,
        ),
        ChildSpec(
            name="Web",
            command=(
                *(sys.executable, "-m", "granian"),
                *("--interface", "wsgi", "--no-ws", "--host", listen.host),
                *("--port", str(listen.port)),
                *("--workers", str(_WEB_WORKERS), "--blocking-threads", str(_WEB_THREADS)),
                *("--respawn-failed-workers", "--workers-kill-timeout", "5"),
                *("--factory", "app.factory:create_app"),
            ),
            log=data.log("web"),
            env=environ | {"PROMETHEUS_MULTIPROC_DIR": str(data.emptied_metrics())},
            cwd=_PROJECT,
        ),
    )


def run_up(
    *,
    data_dir: Path,
    host: str,
    port: int | None,
    demo: bool,
    preparation: Preparation,
    say: Say = print,
    services: Services = platform_services,
) -> None:
    """Start everything, print the address, and keep it running until a signal comes.

    `port` None means 8000, or any free port when 8000 is taken. Raises EmbeddedError.
    """
    data = DataDirectory(data_dir)
    with data.held(), Supervisor(say, on_change=data.note_children) as supervisor:
        listen = _choose_port(host, port, say)
        environ = _start_servers(data, supervisor, listen, say)
        settings = Settings.from_env(environ)
        say("Migrating the database")
        preparation.migrate(settings)
        if demo:
            say("Preparing the demo tenant")
            preparation.seed_demo(settings)
        for spec in services(data, environ, listen):
            supervisor.start(Child(spec))
        web = next(child for child in supervisor.children if child.name == "Web")
        if not supervisor.watch(until=lambda: _is_ready(listen), timeout_s=_READY_WITHIN_S):
            raise web.failure(f"did not answer at /readyz within {_READY_WITHIN_S} s")
        data.publish({name: value for name, value in environ.items() if name.startswith("IMPRIMATUR_")})
        logins = preparation.demo_logins(settings) if demo else ()
        _tell_address(settings, data, logins, say)
        supervisor.watch()
    say("Stopped. The data stays in " + str(data.path))


def _start_servers(data: DataDirectory, supervisor: Supervisor, listen: Listen, say: Say) -> dict[str, str]:
    """Start the servers nobody gave a URL for; give the environment our children shall have."""
    environ = process_environ()
    environ["IMPRIMATUR_DATA_DIR"] = str(data.path)
    if not _is_given(environ, "IMPRIMATUR_ENVIRONMENT"):
        environ["IMPRIMATUR_ENVIRONMENT"] = Environment.EMBEDDED.value
    if not _is_given(environ, "IMPRIMATUR_PUBLIC_URL"):
        environ["IMPRIMATUR_PUBLIC_URL"] = _local_url(listen)
    if not _is_given(environ, "IMPRIMATUR_SECRET_KEY"):
        environ["IMPRIMATUR_SECRET_KEY"] = data.keyring.secret("secret_key")
    if not _is_given(environ, "IMPRIMATUR_SIGNING_KEY"):
        environ["IMPRIMATUR_SIGNING_KEY"] = data.keyring.secret("signing_key")
    if not _is_given(environ, "IMPRIMATUR_DATABASE_URL"):
        say("Starting PostgreSQL")
        postgres = start_postgres(data.postgres, keyring=data.keyring, log=data.log("postgres"))
        supervisor.adopt(postgres.child)
        environ["IMPRIMATUR_DATABASE_URL"] = postgres.url
    if not _is_given(environ, "IMPRIMATUR_BROKER_URL"):
        say("Starting Valkey")
        valkey = start_valkey(data.valkey, keyring=data.keyring, log=data.log("valkey"))
        supervisor.adopt(valkey.child)
        environ["IMPRIMATUR_BROKER_URL"] = valkey.url
    return environ


def _is_given(environ: dict[str, str], name: str) -> bool:
    return bool(environ.get(name, "").strip() or environ.get(f"{name}_FILE", "").strip())


def _choose_port(host: str, wanted: int | None, say: Say) -> Listen:
    """The port asked for, or 8000, or a free one in its place when nobody asked."""
    port = DEFAULT_PORT if wanted is None else wanted
    if _may_listen(host, port):
        return Listen(host, port)
    if wanted is not None:
        raise PortTaken(host, port)
    other = free_port(host)
    say(f"Port {port} is taken by another program; using {other} instead")
    return Listen(host, other)


def _may_listen(host: str, port: int) -> bool:
    with socket.socket(_family(host)) as probe:
        # as the server does: a connection of an earlier run still closing is no obstacle
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _reachable_host(listen: Listen) -> str:
    """Where this machine itself reaches a server that may listen on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(listen.host, listen.host)  # noqa: S104


def _local_url(listen: Listen) -> str:
    host = _reachable_host(listen)
    return f"http://[{host}]:{listen.port}" if ":" in host else f"http://{host}:{listen.port}"


def _is_ready(listen: Listen) -> bool:
    connection = http.client.HTTPConnection(_reachable_host(listen), listen.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tell_address(settings: Settings, data: DataDirectory, logins: Sequence[str], say: Say) -> None:
    say("")
    say(f"Imprimatur 印信 is ready: {settings.web.public_url}")
    if logins:
        say("")
        for line in logins:
            say(line)
    say("")
    say(f"Data and logs are in {data.path}. Ctrl-C stops everything and keeps the data.")
