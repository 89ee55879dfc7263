"""Whom the private servers run as.

PostgreSQL refuses to run as root, and nothing that listens on a port should. When we are root the
servers run as `nobody`, in folders that account owns. A folder below one that only root may enter
(`/root`, 0700) is no use to it; then the folder is made under `/var/lib` and a symbolic link stands
where one would look for it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SYSTEM_FOLDER: Final = Path("/var/lib/imprimatur")
_ENTER: Final = 0o001


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account servers must change to; `None` when we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def server_folder(wanted: Path, account: Account | None) -> Path:
    """Make a folder the servers' account owns and can reach, at `wanted` or behind a link there."""
    folder = wanted.absolute()
    if account is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    if folder.is_symlink() or not is_reachable(_nearest_existing(folder.parent)):
        folder = _linked_folder(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(folder, account.uid, account.gid)
    return folder


def reachable_programs(installed: Path, parts: Sequence[str], copies: Path, account: Account | None) -> Path:
    """The folder of programs, or a copy of these parts of it when the servers cannot reach it.

    The parts keep their places to each other, because programs find their libraries that way. A
    copy bears the version in its name (`copies`), so an upgrade makes a new one.
    """
    if account is None or is_reachable(installed):
        return installed
    if copies.is_symlink() or not is_reachable(_nearest_existing(copies.parent)):
        copies = _linked_folder(copies)
    if not copies.exists():
        unfinished = copies.with_name(copies.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in parts:
            if (installed / part).exists():
                shutil.copytree(installed / part, unfinished / part, symlinks=True)
        unfinished.rename(copies)
    return copies


def hand_over(path: Path, account: Account | None) -> None:
    """Give a file to the servers' account."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def is_reachable(folder: Path) -> bool:
    """Whether everybody may enter the folder and all folders above it."""
    return all(each.stat().st_mode & _ENTER for each in (folder, *folder.parents))


def _nearest_existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _linked_folder(link: Path) -> Path:
    if link.is_symlink():
        return link.resolve()
    # Never a name used before: whoever deletes the data directory wants to begin anew.
    folder = _SYSTEM_FOLDER / f"{link.name}-{secrets.token_hex(6)}"
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder)
    return folder
