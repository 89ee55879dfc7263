"""`imprimatur template`: examine a design, list the library, bring it into an institution."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from app.cli.edge import platform, tenant_named, tenant_option, terminal_actor
from app.cli.render import raster_line, usable_cores
from app.services.template import load_library, unseen_versions
from templates_lib.batch import contact_sheet
from templates_lib.catalog import Catalog
from templates_lib.examine import examine
from templates_lib.fault import TemplateError
from templates_lib.manifest import ManifestError
from templates_lib.pdf import Raster


@click.group
def template() -> None:
    """Designs and their versions."""


@template.command("list")
def list_library() -> None:
    """The versions of the library on disk."""
    for manifest in Catalog().versions():
        size = "、".join(f"{one.width_px}×{one.height_px}" for one in manifest.sizes.values())
        click.echo(f"{manifest.slug}\t{manifest.version}\t{manifest.name}\t{size}\t{manifest.pages} 页")


@template.command
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all samples side by side to this PNG.",
)
def check(directory: Path, *, sheet: Path | None) -> None:
    """Draw a version with all its extreme samples in all its sizes; exit 1 where any cannot be drawn.

    Says as well how dense its pictures would lie on paper. Each size is drawn in a process of its
    own, which is killed when it takes more than nine seconds of the processor, so the folder may
    come from anybody.
    """
    try:
        found = examine(directory)
    except (ManifestError, TemplateError) as fault:
        raise click.ClickException(str(fault)) from fault
    for one in found.samples:
        click.echo(f"{one.sample.name}\t{one.size.name}\t{one.fault or '可用'}")
    for line in found.report:
        click.echo(f"draw\t{line}")
    coarsest: dict[tuple[str, str], Raster] = {}
    for one in found.samples:
        for raster in one.rasters:
            known = coarsest.setdefault((one.size.name, raster.name), raster)
            if raster.dpi < known.dpi:
                coarsest[one.size.name, raster.name] = raster
    for (size, _name), raster in coarsest.items():
        click.echo(f"print\t{size}\t{raster_line(raster)}")
    if sheet is not None:
        contact_sheet(found).save(sheet, "PNG")
        click.echo(f"{sheet}")
    if not found.sound:
        raise click.exceptions.Exit(1)
    click.echo(f"digest {found.digest}")


@template.command
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@tenant_option
def load(*, slugs: tuple[str, ...], tenant: str | None) -> None:
    """Bring every version of the library, or of some designs, into an institution, as drafts to publish.

    What the institution has not seen is examined first, each version in processes of its own, as many
    at a time as there are cores. One that cannot be used is named and left out, the others go on; then
    the command ends with 1.
    """
    found = platform()
    actor = terminal_actor(tenant_named(found, tenant))
    try:
        with found.unit_of_work(actor) as uow:
            known = {manifest.slug for manifest in uow.around.shelf.catalog.versions()}
            if strange := sorted(set(slugs) - known):
                raise click.UsageError(f"no design of the library: {', '.join(strange)}")
            unseen = [one for one in unseen_versions(uow) if not slugs or one.slug in slugs]
    except ManifestError as fault:
        raise click.ClickException(str(fault)) from fault
    refused: dict[str, str] = {}
    with (
        ThreadPoolExecutor(usable_cores()) as threads,
        click.progressbar(length=len(unseen), label="试画新版本") as bar,
    ):
        examined = threads.map(_fault_of, [version.source.directory for version in unseen])
        for version, found_fault in zip(unseen, examined, strict=True):
            if found_fault is not None:
                refused[version.digest] = f"{version.slug} {version.number}\t{found_fault}"
            bar.update(1)
    with found.unit_of_work(actor) as uow:
        added = load_library(uow, only={version.digest for version in unseen} - refused.keys())
    click.echo(f"新增 {added} 个模板版本。")
    for line in refused.values():
        click.echo(line, err=True)
    if refused:
        raise click.exceptions.Exit(1)


def _fault_of(directory: Path) -> ManifestError | TemplateError | None:
    """What makes a version unusable; the thread only waits for the processes that draw it."""
    try:
        examine(directory)
    except (ManifestError, TemplateError) as fault:
        return fault
    return None
