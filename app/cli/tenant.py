"""`imprimatur tenant`: found an institution."""

from __future__ import annotations

from uuid import uuid4

import click

from app.cli.edge import platform
from app.domain.organisation import Actor, TenantId
from app.services.organisation import Charter, create_tenant


@click.group
def tenant() -> None:
    """Institutions on this platform."""


@tenant.command
@click.argument("slug")
@click.option("--name", required=True, help="The institution's full name, as customers read it.")
@click.option("--short-name", help="Where room is scarce.  [default: the full name]")
@click.option(
    "--sector",
    type=click.Choice(["bank", "securities", "fund", "insurance"]),
    default="bank",
    show_default=True,
    help="Decides which rules apply.",
)
@click.option("--hotline", default="", help="The number customers may call.")
@click.option("--head-office-code", default="HQ", show_default=True, help="Code of the topmost unit.")
def create(
    slug: str, *, name: str, short_name: str | None, sector: str, hotline: str, head_office_code: str
) -> None:
    """Found an institution with its head office.

    SLUG is its short mark in commands and addresses.
    """
    charter = Charter(slug, name, short_name or name, sector, hotline, head_office_code)
    tenant_id = TenantId(uuid4())
    with platform().unit_of_work(Actor.system("set-up", tenant_id)) as uow:
        create_tenant(uow, charter)
    click.echo(f"{name} ({slug}) 已建立。下一步：imprimatur user create … --role administrator")
