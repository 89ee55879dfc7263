"""`imprimatur render`: pictures from a design and a file of values, without a database."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from app.domain.roster import Sheet
from app.domain.spreadsheet import plain_cell
from app.services.sheet import read_sheet
from templates_lib.batch import render_many
from templates_lib.catalog import Catalog, TemplateSource, UnknownTemplateError
from templates_lib.compile import compile_template
from templates_lib.compose import PictureFormat, compose_pages
from templates_lib.crew import CrewStopped
from templates_lib.fill import without_omitted
from templates_lib.ledger import FolderTaken, OtherDesign
from templates_lib.manifest import SlotKind, UnknownSizeError
from templates_lib.pdf import Raster
from templates_lib.picture_store import DISK
from templates_lib.studio import Failed, Given, open_pictures, page_files, steady_slots

# The column that names an advisor's file; every other column is a slot.
KEY_COLUMN: Final = "staff_no"
FAILURES_NAME: Final = "failures.csv"
_MOST_ROWS: Final = 1_000_000
# Until a process is ready, another has drawn this many.
_WORTH_A_PROCESS: Final = 64
_BAR_STEPS: Final = 200


@click.command
@click.argument("template")
@click.option("--values", "values_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--advisors", "advisors_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "picture_format",
    type=click.Choice([one.value for one in PictureFormat]),
    default=PictureFormat.JPEG.value,
    show_default=True,
)
@click.option("--size", default="", help="One of the design's further sizes; its own without.")
@click.option("--quality", type=click.IntRange(1, 100), default=90, show_default=True)
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes that draw side by side.  [default: one a core]"
)
def render(
    template: str,
    *,
    values_file: Path | None,
    advisors_file: Path | None,
    out: Path,
    picture_format: str,
    size: str,
    quality: int,
    jobs: int | None,
) -> None:
    """Draw TEMPLATE (`slug` or `slug@version`) to OUT.

    --values FILE.json gives the slots of one picture; OUT is its file (for several pages, or where it has no
    ending, a folder).

    --advisors FILE.csv (or .xlsx) draws one for each row: `staff_no` names the file, every other
    column is a slot, and a picture slot holds a path. A run that was cut off is finished by starting
    it again: what was drawn from the same values is kept. Rows that could not be drawn are listed,
    and written to OUT/failures.csv.

    Values are those of the design in every size: what a size does not show is left out. `--format
    print` writes a PDF for the press, with bleed and crop marks, and says how dense its pictures lie.

    Exit status: 0 all drawn, 1 some or none could be drawn, 2 wrong usage.
    """
    if (values_file is None) == (advisors_file is None):
        raise click.UsageError("give either --values or --advisors")
    source = _source(template, size)
    chosen = PictureFormat(picture_format)
    if values_file is not None:
        _one(source, values_file, out, chosen, quality)
    elif advisors_file is not None:
        _many(source, advisors_file, out, chosen, quality, jobs)


def _source(name: str, size: str) -> TemplateSource:
    slug, _, number = name.partition("@")
    catalog = Catalog()
    versions = [one.version for one in catalog.versions() if one.slug == slug]
    if not versions or (number and not number.isdigit()):
        raise click.UsageError(f"no template {name!r}: `imprimatur template list` shows those there are")
    try:
        return catalog.source(slug, int(number) if number else max(versions)).variant(size)
    except UnknownSizeError as error:
        raise click.BadParameter(f"{name}: {error}", param_hint="--size") from error
    except UnknownTemplateError as error:
        raise click.UsageError(f"no template {name!r}") from error


def usable_cores() -> int:
    """The cores this process may use, which a container may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one(source: TemplateSource, values_file: Path, out: Path, chosen: PictureFormat, quality: int) -> None:
    pages = page_files(source, source.manifest.slug, out, chosen)
    files = (out,) if out.suffix and len(pages) == 1 else pages
    values = without_omitted(source.manifest, _given(source, _read_json(values_file), values_file.parent))
    try:
        pictures = compose_pages(
            compile_template(source), open_pictures(values), format=chosen, quality=quality
        )
        for file, picture in zip(files, pictures, strict=True):
            DISK.put(file, picture.data)
            click.echo(f"{file}")
            for raster in picture.rasters:
                click.echo(raster_line(raster))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _many(
    source: TemplateSource, table: Path, out: Path, chosen: PictureFormat, quality: int, most: int | None
) -> None:
    sheet = read_sheet(table.read_bytes(), most_rows=_MOST_ROWS)
    if not sheet.rows or KEY_COLUMN not in sheet.headings:
        raise click.UsageError(f"{table} needs a heading row with the column {KEY_COLUMN}, and rows below it")
    jobs = list(_jobs(source, sheet, table.parent))
    processes = most or min(usable_cores(), len(jobs) // _WORTH_A_PROCESS)
    outcomes = render_many(
        source,
        jobs,
        out,
        picture_format=chosen,
        quality=quality,
        processes=max(1, min(processes, len(jobs))),
        steady=steady_slots(source.manifest, (values for _, values in jobs)),
    )
    kept, failed = 0, list[Failed]()
    steps = max(1, len(sheet.rows) // _BAR_STEPS)
    try:
        with click.progressbar(
            length=len(sheet.rows), label=source.manifest.name, update_min_steps=steps
        ) as bar:
            for outcome in outcomes:
                if isinstance(outcome, Failed):
                    failed.append(outcome)
                else:
                    kept += not outcome.fresh
                bar.update(1)
    except (FolderTaken, OtherDesign, CrewStopped, OSError) as error:
        raise click.ClickException(str(error)) from error
    _tell(sheet, out, kept, sorted(failed, key=lambda one: one.place))


def _jobs(source: TemplateSource, sheet: Sheet, folder: Path) -> Iterator[tuple[str, dict[str, Given]]]:
    for _number, cells in sheet.rows:
        row = dict(zip(sheet.headings, cells, strict=False))
        key = row.pop(KEY_COLUMN, "").strip()
        yield key, _given(source, {name: value for name, value in row.items() if name and value}, folder)


def _tell(sheet: Sheet, out: Path, kept: int, failed: list[Failed]) -> None:
    """Say how it went; name every row that was not drawn, on the terminal and in a table."""
    rows = [(sheet.rows[one.place][0], one.key, one.reason) for one in failed]
    for number, key, reason in rows:
        click.echo(f"第 {number} 行\t{key}\t{reason}", err=True)
    table = out / FAILURES_NAME
    if rows:
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(["row", KEY_COLUMN, "reason"])
        lines.writerows([number, plain_cell(key), plain_cell(reason)] for number, key, reason in rows)
        DISK.put(table, text.getvalue().encode("utf-8-sig"))
    else:
        table.unlink(missing_ok=True)
    total = len(sheet.rows)
    click.echo(f"{total - len(rows)} / {total}" + (f"（其中 {kept} 张早已画好）" if kept else ""))
    if rows:
        click.echo(f"{table}", err=True)
        raise click.exceptions.Exit(1)


def raster_line(raster: Raster) -> str:
    """A picture on paper in one line: its name, how dense it lies, and whether that is too little."""
    return f"{raster.name}\t{raster.dpi} dpi" + ("\tlow_dpi" if raster.low_dpi else "")


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError(f"{file} must hold one object of slot names and texts")
    return found


def _given(source: TemplateSource, slots: Mapping[str, str], folder: Path) -> dict[str, Given]:
    """Texts as they are, pictures by the path that stands there, seen from the file it stands in."""
    pictures = {slot.name for slot in source.manifest.slots if slot.kind is SlotKind.IMAGE}
    return {name: folder / value if name in pictures else value for name, value in slots.items()}
