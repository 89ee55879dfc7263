"""The commands that join the platform to its servers: `up` and `migrate`."""

from __future__ import annotations

from app.bootstrap import migrate as migrate_database
from app.cli.migrate import migrate_command
from app.cli.up import up_command
from app.embedded.up import Preparation
from app.settings import Settings


def _seed_demo(settings: Settings) -> None:
    from app.cli.demo import seed_demo

    seed_demo(settings)


def _demo_logins(settings: Settings) -> list[str]:
    from app.cli.demo import demo_logins

    return demo_logins(settings)


migrate = migrate_command(migrate_database)
up = up_command(Preparation(migrate=migrate_database, seed_demo=_seed_demo, demo_logins=_demo_logins))
