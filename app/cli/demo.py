"""What `imprimatur up --demo` adds: the demo tenant, and the table of its logins."""

from __future__ import annotations

import signal
import sys
from multiprocessing import get_context
from typing import TYPE_CHECKING

from app.embedded.errors import DemoFailed, DemoRefused
from app.settings import Environment, Settings

if TYPE_CHECKING:
    from app.embedded.demo.logins import DemoLogin


def seed_demo(settings: Settings) -> None:
    """Add the demo tenant, in a process of its own, unless it is there already.

    Raises DemoRefused in production: its password is known to everybody. DemoFailed where it broke
    off; then nothing of it is there.
    """
    if settings.environment is not Environment.EMBEDDED:
        raise DemoRefused
    # the supervisor lives as long as the platform: it shall not keep the renderer in its memory
    process = get_context("spawn").Process(target=_seed, args=(settings,), name="demo")
    process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.terminate()
            process.join()
    if process.exitcode != 0:
        raise DemoFailed


def _seed(settings: Settings) -> None:
    # Ctrl-C reaches everybody at the terminal; only the supervisor decides, and ends us by SIGTERM
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
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
