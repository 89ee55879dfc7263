"""What `imprimatur up --demo` adds: the demo tenant, and the table of its logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.apart import run_apart
from app.embedded.errors import DemoRefused
from app.settings import Environment, Settings

if TYPE_CHECKING:
    from app.embedded.demo.logins import DemoLogin


def seed_demo(settings: Settings) -> None:
    """Add the demo tenant unless it is there already.

    Raises DemoRefused in production: its password is known to everybody.
    """
    if settings.environment is not Environment.EMBEDDED:
        raise DemoRefused
    if not demo_logins(settings):
        run_apart(_seed, settings, what="The demo tenant")


def _seed(settings: Settings) -> None:
    from app.bootstrap import build_platform
    from app.embedded.demo.seed import seed_demo as seed

    platform = build_platform(settings)
    try:
        seed(platform.engine, platform.surroundings)
    finally:
        platform.engine.dispose()


def demo_logins(settings: Settings) -> list[str]:
    """The table printed when everything runs; empty where there is no demo tenant."""
    from sqlalchemy.orm import Session

    from app.adapters.database import build_engine
    from app.embedded.demo.logins import demo_logins as logins_of

    engine = build_engine(settings.database)
    try:
        with Session(engine) as session:
            return _table(logins_of(session))
    finally:
        engine.dispose()


def _table(logins: tuple[DemoLogin, ...]) -> list[str]:
    if not logins:
        return []
    return [
        "演示账号 · Demo logins (invented people, one password for all of them)",
        f"密码 · password   {logins[0].password}",
        "",
        *(f"  {one.login:<10} {_padded(one.role, 30)} {one.role_in_english}" for one in logins),
    ]


def _padded(text: str, columns: int) -> str:
    """Fill up to a width on the terminal, where a Chinese character takes two columns."""
    taken = sum(2 if ord(sign) > 0x2E80 else 1 for sign in text)  # noqa: PLR2004 - where Han begins
    return text + " " * max(0, columns - taken)
