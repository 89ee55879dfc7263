"""`imprimatur audit`: prove that the trail is whole, and take it away for proving elsewhere."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

import click

from app.cli.edge import platform, tenant_named, tenant_option
from app.domain.organisation import Actor, TenantId
from app.queries.audit import stored_entries
from app.services.checkpoint import keep_checkpoints, make_checkpoints, verify_against_vault

if TYPE_CHECKING:
    from app.bootstrap import Platform


@click.group
def audit() -> None:
    """The record of who did what, chained by hash."""


@audit.command
@tenant_option
def verify(*, tenant: str | None) -> None:
    """Walk the chain beside the vault's checkpoints; exit 1 at a broken place."""
    found = platform()
    tenant_id = tenant_named(found, tenant)
    with found.sessions() as session:
        verdict = verify_against_vault(session, tenant_id, vault=found.vault, signer=found.signer)
    if verdict.fault is not None:
        click.echo(
            f"BROKEN at entry {verdict.fault.seq}: {verdict.fault.reason} ({verdict.entries} read)", err=True
        )
    if verdict.checkpoint_fault is not None:
        click.echo(f"BROKEN at {verdict.checkpoint_fault}", err=True)
    if not verdict.is_whole:
        raise SystemExit(1)
    click.echo(
        f"OK {verdict.entries} entries, the first {verdict.covered} under {verdict.checkpoints} checkpoints"
    )


@audit.command
@tenant_option
def checkpoint(*, tenant: str | None) -> None:
    """Sign what is new now, and put it into the vault; beat does so every minute."""
    found = platform()
    tenant_id = tenant_named(found, tenant)
    made = _sign(found, tenant_id)
    click.echo(f"{made} new checkpoints")


@audit.command
def key() -> None:
    """Print the public key that checkpoints and evidence are verified with."""
    signer = platform().signer
    click.echo(f"{signer.public_key.hex()}  Ed25519, key {signer.key_id}")


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
    with found.unit_of_work(Actor.system("command-line", tenant_id)) as uow:
        written = 0
        for entry in stored_entries(uow.session, tenant_id):
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
            written += 1
        uow.audit.record("audit:export", tenant_id, entries=written)


def _sign(found: Platform, tenant_id: TenantId) -> int:
    by = Actor.system("command-line", tenant_id)
    with found.unit_of_work(by) as uow:
        made = make_checkpoints(uow)
    with found.unit_of_work(by) as uow:
        keep_checkpoints(uow)
    return made
