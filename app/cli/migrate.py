"""`imprimatur migrate`: bring a database of one's own to the present schema."""

from __future__ import annotations

from collections.abc import Callable

import click

from app.settings import Settings, SettingsError


def migrate_command(migrate: Callable[[Settings], None]) -> click.Command:
    """Build the command; `imprimatur up` does the same by itself."""

    @click.command("migrate")
    def command() -> None:
        """Bring the database of IMPRIMATUR_DATABASE_URL to the present schema."""
        try:
            migrate(Settings.from_env())
        except SettingsError as error:
            raise click.ClickException(str(error)) from error

    return command
