"""`imprimatur evidence`: a pack for whoever must be shown, and the verdict on one."""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from pathlib import Path

import click

from app.cli.edge import platform, tenant_named, tenant_option
from app.domain import evidence as verifier
from app.domain.organisation import ROOT_PATH, Actor, Grant, Role
from app.domain.template import ProductType


@click.group
def evidence() -> None:
    """Packs that prove what was shown and who allowed it, to somebody who need not trust us."""


@evidence.command
@click.option("--piece", type=click.UUID, help="One piece, by its id.")
@click.option("--advisor", default="", metavar="STAFF_NO", help="What one advisor showed.")
@click.option("--product", type=click.Choice([one.value for one in ProductType]), help="One kind of product.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Public on this day or later.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Public on this day or earlier.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The pack; never over a file.",
)
@tenant_option
def export(*, out: Path, tenant: str | None, **asked: object) -> None:
    """Write a pack: records, pictures, the trail behind them, a report, and what verifies it."""
    from app.services.evidence import EvidenceScope, export_evidence

    found = platform()
    tenant_id = tenant_named(found, tenant)
    scope = EvidenceScope(
        piece_id=asked["piece"],  # type: ignore[arg-type]  # click has parsed it
        staff_no=str(asked["advisor"]),
        product=ProductType(str(asked["product"])) if asked["product"] else None,
        since=_day(asked["since"]),
        until=_day(asked["until"]),
    )
    # whoever can run this command owns the machine; the trail says it was the command line
    by = Actor(
        tenant_id=tenant_id,
        name="system:command-line",
        duty="command-line",
        grants=(Grant(Role.AUDITOR, ROOT_PATH),),
    )
    if out.exists():
        raise click.ClickException(f"{out} is there already")
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            pack = export_evidence(partial(found.unit_of_work, by), scope, file)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"{out}: {pack.items} records, {pack.entries} audit entries, manifest {pack.digest}")


@evidence.command
@click.argument("pack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, help="A public key to trust; else the one in the pack.")
def verify(*, pack: Path, keys: tuple[str, ...]) -> None:
    """Verify a pack; exit 1 with every place where it is not what was signed. Needs no database."""
    arguments = [str(pack)]
    for key in keys:
        arguments += ["--key", key]
    sys.exit(verifier.main(arguments))


def _day(moment: object) -> date | None:
    return moment.date() if hasattr(moment, "date") else None
