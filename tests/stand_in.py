"""`imprimatur up` with a stand-in for the web application, so that its own behaviour can be tested.

`python -m tests.stand_in up …` is the real command with the real servers, the real Granian and the
real Celery; only the WSGI application behind Granian is the one below. With `--light`, the three
children are small Python processes, for tests that are not about Granian and Celery.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import psycopg

from app.cli.up import up_command
from app.embedded.child import ChildSpec
from app.embedded.data_directory import DataDirectory
from app.embedded.up import Listen, Preparation, platform_services
from app.settings import Settings


def create_app() -> Any:
    """An application that is ready when its database answers."""
    database = Settings.from_env().database.url.replace("+psycopg", "", 1)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/readyz":
            psycopg.connect(database, connect_timeout=2).close()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]

    return application


def migrate(settings: Settings) -> None:
    with psycopg.connect(settings.database.url.replace("+psycopg", "", 1)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS scan (code text)")


def seed_demo(settings: Settings) -> None:
    with psycopg.connect(settings.database.url.replace("+psycopg", "", 1)) as connection:
        connection.execute("INSERT INTO scan VALUES ('demo')")


def demo_logins(settings: Settings) -> Sequence[str]:
    return ["reviewer  wang  password"]


def real_services(data: DataDirectory, environ: dict[str, str], listen: Listen) -> Sequence[ChildSpec]:
    return [
        dataclasses.replace(
            spec,
            command=tuple(
                "tests.stand_in:create_app" if part == "app.factory:create_app" else part
                for part in spec.command
            ),
        )
        for spec in platform_services(data, environ, listen)
    ]


def light_services(data: DataDirectory, environ: dict[str, str], listen: Listen) -> Sequence[ChildSpec]:
    me = (sys.executable, "-m", "tests.stand_in")
    commands = {
        "Worker": (*me, "idle"),
        "Web": (*me, "web", listen.host, str(listen.port)),
    }
    return [
        ChildSpec(name=name, command=command, log=data.log(name), env=environ)
        for name, command in commands.items()
    ]


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def main(arguments: list[str]) -> None:
    match arguments:
        case ["idle"]:
            signal.pause()
        case ["web", host, port]:
            with make_server(host, int(port), create_app(), handler_class=QuietHandler) as server:
                server.serve_forever()
        case ["up", *rest]:
            services = light_services if "--light" in rest else real_services
            options = [each for each in rest if each != "--light"]
            up_command(Preparation(migrate, seed_demo, demo_logins), services).main(options)


if __name__ == "__main__":
    main(sys.argv[1:])
