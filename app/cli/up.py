"""`imprimatur up`: the whole platform on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from app.embedded.errors import EmbeddedError
from app.embedded.up import Preparation, Services, platform_services, run_up
from app.settings import SettingsError


def up_command(preparation: Preparation, services: Services = platform_services) -> click.Command:
    """Build the command; `preparation` joins it to the migrations and the demo tenant."""

    @click.command("up")
    @click.option("--demo", is_flag=True, help="Add the demo tenant and print its logins.")
    @click.option(
        "--data",
        "data_dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".data"),
        envvar="IMPRIMATUR_DATA_DIR",
        show_default=True,
        help="Where the private servers, the secrets and the logs live.",
    )
    @click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    @click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="Port to listen on.  [default: 8000, or a free one when it is taken]",
    )
    def up(*, demo: bool, data_dir: Path, host: str, port: int | None) -> None:
        """Start everything and keep it running until Ctrl-C.

        A PostgreSQL and a Valkey of its own are started, unless IMPRIMATUR_DATABASE_URL and
        IMPRIMATUR_BROKER_URL name others.
        """
        try:
            run_up(
                data_dir=data_dir,
                host=host,
                port=port,
                demo=demo,
                preparation=preparation,
                services=services,
                # written at once, also into a pipe
                say=click.echo,
            )
        except (EmbeddedError, SettingsError) as error:
            raise click.ClickException(str(error)) from error

    return up
