"""`imprimatur audit`: prove that the trail is whole, and take it away for proving elsewhere."""

from __future__ import annotations

import json
from typing import IO

import click

from app.cli.edge import platform, tenant_named, tenant_option
from app.queries.audit import stored_entries
from app.services.audit import verify_audit


@click.group
def audit() -> None:
    """The record of who did what, chained by hash."""


@audit.command
@tenant_option
def verify(*, tenant: str | None) -> None:
    """Walk the chain from its first entry; exit 1 at the first broken place."""
    found = platform()
    tenant_id = tenant_named(found, tenant)
    with found.sessions() as session:
        count, fault = verify_audit(session, tenant_id)
    if fault is not None:
        click.echo(f"BROKEN at entry {fault.seq}: {fault.reason} ({count} read)", err=True)
        raise SystemExit(1)
    click.echo(f"OK {count} entries")


@audit.command
@click.option(
    "--out",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    help="A file; default: standard output.",
)
@tenant_option
def export(*, out: IO[str], tenant: str | None) -> None:
    """Write every entry as a JSON line, with the very text that was hashed.

    Each hash is the SHA-256 of the previous hash, a zero byte and the record.
    """
    found = platform()
    tenant_id = tenant_named(found, tenant)
    with found.sessions() as session:
        for entry in stored_entries(session, tenant_id):
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
