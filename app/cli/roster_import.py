"""`imprimatur import`: the organisation and its advisors from a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import click

from app.bootstrap import Platform
from app.cli.edge import platform, tenant_named, tenant_option, terminal_actor
from app.domain.roster import COLUMNS, RosterKind
from app.services.roster_import import InitialPassword, RosterPlan, import_roster, plan_import
from app.services.sheet import read_sheet

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")


@click.group("import")
def import_group() -> None:
    """Bring people and their units in: all of a file, or nothing and every reason why.

    CSV (UTF-8 with or without BOM, GB18030) or XLSX. The first row holds the headings, which
    `imprimatur import template` writes. Importing a file again changes only what differs.
    """


@import_group.command
@_file
@_dry_run
@tenant_option
def organisation(file: Path, *, dry_run: bool, tenant: str | None) -> None:
    """Units by 机构编码, 机构名称, 上级机构编码, 层级."""
    _bring_in(RosterKind.ORGANISATION, file, dry_run=dry_run, tenant=tenant)


@import_group.command
@_file
@_dry_run
@click.option(
    "--with-accounts",
    "passwords_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also open accounts, and write the initial passwords to this new file, for its owner only.",
)
@tenant_option
def advisors(file: Path, *, dry_run: bool, passwords_file: Path | None, tenant: str | None) -> None:
    """Advisors by 工号, 姓名, 机构编码 and what else is known of them."""
    if passwords_file is not None and passwords_file.exists():
        raise click.UsageError(f"{passwords_file} exists already; passwords go to a new file")
    _bring_in(RosterKind.ADVISORS, file, dry_run=dry_run, tenant=tenant, passwords_file=passwords_file)


@import_group.command
@click.argument("kind", type=click.Choice([kind.value for kind in RosterKind]))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(kind: str, file: Path) -> None:
    """Write an example FILE (CSV) with the headings and two rows."""
    columns = COLUMNS[RosterKind(kind)]
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(
            [
                [column.heading for column in columns],
                *([column.examples[row] for column in columns] for row in range(2)),
            ]
        )
    click.echo(f"{file}")


def _bring_in(
    kind: RosterKind,
    file: Path,
    *,
    dry_run: bool,
    tenant: str | None,
    passwords_file: Path | None = None,
) -> None:
    found = platform()
    actor = terminal_actor(tenant_named(found, tenant))
    data = _read(found, file)
    most_rows = found.settings.limits.import_rows
    with_accounts = passwords_file is not None
    if dry_run:
        with found.unit_of_work(actor) as uow:
            plan = plan_import(uow, kind, data, most_rows=most_rows, with_accounts=with_accounts)
        _say(plan, "试运行，没有改动：将")
        return
    rows = len(read_sheet(data, most_rows=most_rows).rows)
    # the passwords must not be lost once the accounts exist, so their file is opened before
    opened = _private_file(passwords_file) if passwords_file is not None else None
    try:
        with (
            click.progressbar(length=rows, label=f"导入 {file.name}") as bar,
            found.unit_of_work(actor) as uow,
        ):
            plan = import_roster(
                uow, kind, data, most_rows=most_rows, with_accounts=with_accounts, on_written=bar.update
            )
            if opened is not None:
                _write_passwords(opened, plan.passwords)
    except BaseException:
        if opened is not None and passwords_file is not None:
            passwords_file.unlink(missing_ok=True)
        raise
    _say(plan, "已导入：")
    if passwords_file is not None:
        click.echo(
            f"{len(plan.passwords)} 个新账号的初始密码在 {passwords_file}，只有您能读；交给本人后请删除。"
        )


def _read(found: Platform, file: Path) -> bytes:
    largest = found.settings.limits.upload_bytes
    if file.stat().st_size > largest:
        raise click.UsageError(f"{file} is larger than {largest} bytes (IMPRIMATUR_UPLOAD_MAX_BYTES)")
    return file.read_bytes()


def _say(plan: RosterPlan, opening: str) -> None:
    click.echo(f"{opening}新增 {plan.created}，更新 {plan.updated}，不变 {plan.unchanged}。")


def _private_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write_passwords(opened: int, passwords: Sequence[InitialPassword]) -> None:
    with os.fdopen(opened, "w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["工号", "姓名", "初始密码"])
        writer.writerows([one.login, _plain(one.name), one.password] for one in passwords)
        out.flush()
        os.fsync(out.fileno())


def _plain(text: str) -> str:
    """A name that a spreadsheet would run as a formula is marked as text for it."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
