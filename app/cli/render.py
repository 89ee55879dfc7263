"""`imprimatur render`: pictures from a design and a file of values, without a database."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from templates_lib.batch import Failed, Rendered, page_files, render_many, render_one
from templates_lib.catalog import Catalog, UnknownTemplateError
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import PictureFormat
from templates_lib.fill import SlotErrors, Value
from templates_lib.manifest import SlotKind
from templates_lib.pictures import ImageValue
from templates_lib.qr import QrError

# The column that names an advisor's file; every other column is a slot.
KEY_COLUMN = "staff_no"


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
@click.option("--quality", type=click.IntRange(1, 100), default=90, show_default=True)
def render(
    template: str,
    *,
    values_file: Path | None,
    advisors_file: Path | None,
    out: Path,
    picture_format: str,
    quality: int,
) -> None:
    """Draw TEMPLATE (`slug` or `slug@version`) to OUT.

    --values FILE.json gives the slots of one picture; OUT is its file (for several pages, or where it has no
    ending, a folder). --advisors FILE.csv draws one for each row: `staff_no` names the file, every other
    column is a slot, and a picture slot holds a path. A run that was cut off
    is finished by starting it again.
    """
    if (values_file is None) == (advisors_file is None):
        raise click.UsageError("give either --values or --advisors")
    compiled = _compiled(template)
    chosen = PictureFormat(picture_format)
    if values_file is not None:
        _one(compiled, _values(compiled, _read_json(values_file), values_file.parent), out, chosen, quality)
    elif advisors_file is not None:
        _many(compiled, advisors_file, out, chosen, quality)


def _compiled(name: str) -> CompiledTemplate:
    slug, _, number = name.partition("@")
    catalog = Catalog()
    versions = [one.version for one in catalog.versions() if one.slug == slug]
    if not versions or (number and not number.isdigit()):
        raise click.UsageError(f"no template {name!r}: `imprimatur template list` shows those there are")
    try:
        return compile_template(catalog.source(slug, int(number) if number else max(versions)))
    except UnknownTemplateError as error:
        raise click.UsageError(f"no template {name!r}") from error


def _one(
    compiled: CompiledTemplate, values: Mapping[str, Value], out: Path, chosen: PictureFormat, quality: int
) -> None:
    single = bool(out.suffix) and len(page_files(compiled, "x", out.parent, chosen)) == 1
    try:
        done = render_one(
            compiled,
            values,
            out.stem if single else compiled.manifest.slug,
            out.parent if single else out,
            picture_format=chosen,
            quality=quality,
        )
    except (SlotErrors, QrError) as error:
        raise click.ClickException(str(error)) from error
    for file in done.files:
        if single and file != out:
            file = file.replace(out)  # noqa: PLW2901 - the ending the person asked for
        click.echo(f"{file}")


def _many(compiled: CompiledTemplate, table: Path, out: Path, chosen: PictureFormat, quality: int) -> None:
    with table.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    if not rows or KEY_COLUMN not in rows[0]:
        raise click.UsageError(f"{table} needs a heading row with the column {KEY_COLUMN}")

    def jobs() -> Iterator[tuple[str, Mapping[str, Value]]]:
        for row in rows:
            slots = {name: value for name, value in row.items() if name and name != KEY_COLUMN and value}
            yield row[KEY_COLUMN], _values(compiled, slots, table.parent)

    failed: list[Failed] = []
    with click.progressbar(length=len(rows), label=compiled.manifest.name) as bar:
        for result in render_many(compiled, jobs(), out, picture_format=chosen, quality=quality):
            match result:
                case Failed():
                    failed.append(result)
                case Rendered():
                    pass
            bar.update(1)
    for one in failed:
        click.echo(f"{one.key}\t{one.reason}", err=True)
    click.echo(f"{len(rows) - len(failed)} / {len(rows)}")
    if failed:
        raise click.exceptions.Exit(1)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError(f"{file} must hold one object of slot names and texts")
    return found


def _values(compiled: CompiledTemplate, slots: Mapping[str, str], folder: Path) -> dict[str, Value]:
    pictures = {slot.name for slot in compiled.manifest.slots if slot.kind is SlotKind.IMAGE}
    return {
        name: ImageValue((folder / value).read_bytes()) if name in pictures else value
        for name, value in slots.items()
    }
