"""`imprimatur template`: examine a design, list the library, bring it into an institution."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.edge import platform, tenant_named, tenant_option, terminal_actor
from app.services.template import load_library
from templates_lib.batch import check_template, contact_sheet
from templates_lib.catalog import Catalog


@click.group
def template() -> None:
    """Designs and their versions."""


@template.command("list")
def list_library() -> None:
    """The versions of the library on disk."""
    for manifest in Catalog().versions():
        size = f"{manifest.size.width_px}×{manifest.size.height_px}"
        click.echo(f"{manifest.slug}\t{manifest.version}\t{manifest.name}\t{size}\t{manifest.pages} 页")


@template.command
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all samples side by side to this PNG.",
)
def check(directory: Path, *, sheet: Path | None) -> None:
    """Draw a version with all its extreme samples; exit 1 where any cannot be drawn."""
    found = check_template(directory)
    if found.fault is not None:
        raise click.ClickException(found.fault)
    for one in found.samples:
        click.echo(f"{one.sample.name}\t{one.fault or '可用'}")
    if sheet is not None:
        contact_sheet(found).save(sheet, "PNG")
        click.echo(f"{sheet}")
    if not found.sound:
        raise click.exceptions.Exit(1)
    click.echo(f"digest {found.digest}")


@template.command
@tenant_option
def load(*, tenant: str | None) -> None:
    """Bring every version of the library into an institution, as drafts for brand to publish."""
    found = platform()
    with found.unit_of_work(terminal_actor(tenant_named(found, tenant))) as uow:
        added = load_library(uow)
    click.echo(f"新增 {added} 个模板版本。")
