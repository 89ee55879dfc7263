"""The commands that join the platform to its servers: `up` and `migrate`.

`up` watches over its children as long as the platform runs, so it loads neither the renderer nor the
models for what is done once at the start.
"""

from __future__ import annotations

from app.cli.apart import run_apart
from app.cli.migrate import migrate_command
from app.cli.up import up_command
from app.embedded.up import Preparation
from app.settings import Settings


def _migrate(settings: Settings) -> None:
    from app.bootstrap import migrate as migrate_database

    migrate_database(settings)


def _migrate_apart(settings: Settings) -> None:
    run_apart(_migrate, settings, what="The database")


def _seed_demo(settings: Settings) -> None:
    from app.cli.demo import seed_demo

    seed_demo(settings)


def _demo_logins(settings: Settings) -> list[str]:
    from app.cli.demo import demo_logins

    return demo_logins(settings)


migrate = migrate_command(_migrate)
up = up_command(Preparation(migrate=_migrate_apart, seed_demo=_seed_demo, demo_logins=_demo_logins))
