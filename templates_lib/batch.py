"""What the command line asks for: one picture to a file, many to a folder, a template examined.

Nothing here prints or exits; progress and failures come back as values.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image

from templates_lib import fonts, layout
from templates_lib.catalog import TemplateSource, open_source
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import JPEG, PictureFormat, compose_pages
from templates_lib.crew import Lost, share_out
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrors, fill
from templates_lib.ledger import DesignMark, Entry, FolderLock, Ledger
from templates_lib.manifest import ManifestError
from templates_lib.picture_store import DISK, PictureStore
from templates_lib.qr import QrError
from templates_lib.samples import Sample, load_samples
from templates_lib.studio import (
    Failed,
    Given,
    Job,
    Order,
    Rendered,
    Studio,
    open_pictures,
    page_files,
)

_SAFE_KEY: Final = re.compile(r"[\w-][\w.-]*")
_MOST_KEY_BYTES: Final = 180


def render_one(
    compiled: CompiledTemplate,
    values: Mapping[str, Given],
    key: str,
    out: Path,
    *,
    picture_format: PictureFormat = JPEG,
    quality: int = 90,
) -> Rendered:
    """Draw all pages into `out`. A file is whole or absent.

    Raises SlotErrors, QrError, UnreadablePicture, and ValueError for a key that names no file.
    """
    if (fault := _key_fault(key)) is not None:
        raise ValueError(fault)
    files = page_files(compiled, key, out, picture_format)
    pictures = compose_pages(compiled, open_pictures(values), format=picture_format, quality=quality)
    for file, picture in zip(files, pictures, strict=True):
        DISK.put(file, picture.data)
    return Rendered(key, files, fresh=True)


def render_many(
    template: TemplateSource | CompiledTemplate,
    jobs: Iterable[tuple[str, Mapping[str, Given]]],
    out: Path,
    *,
    picture_format: PictureFormat = JPEG,
    quality: int = 90,
    processes: int = 1,
    store: PictureStore = DISK,
    ledger_in: Path | None = None,
    steady: Iterable[str] = (),
) -> Iterator[Rendered | Failed]:
    """Draw job after job and tell of each as it is finished; a failure does not stop the rest.

    A run that was cut off is finished by starting it once more: what the ledger knows to be drawn
    from the same values, and is still there untouched, is not drawn again. The ledger lies in `out`
    unless `ledger_in` names another folder. Each of several processes makes the template ready for
    itself; a single one is this process. Slots that are `steady` hold the same in every job, and so
    are drawn once. Raises FolderTaken, OtherDesign, BatchStopped.
    """
    if isinstance(template, CompiledTemplate):
        source, compiled = open_source(template.manifest.directory), template
    else:
        source, compiled = template, None
    order = Order(source, out, picture_format, quality, store, frozenset(steady))
    mark = DesignMark(f"{source.manifest.slug}@{source.manifest.version}", source.digest(), fonts.digest())
    with Ledger.open(ledger_in or out, mark) as ledger:
        store.tidy(out)
        admitted = _admitted(order, jobs, ledger.entries)
        results = (
            map(Studio(order, ledger.lock, compiled), admitted)
            if processes == 1
            else _shared_out(order, ledger.lock, admitted, processes)
        )
        for outcome, entry in results:
            if entry is not None:
                ledger.note(_ledger_name(order, outcome.key), entry)
            yield outcome


def _shared_out(
    order: Order, lock: FolderLock, jobs: Iterator[Job], processes: int
) -> Iterator[tuple[Rendered | Failed, Entry | None]]:
    for job, result in share_out(partial(Studio, order, lock), jobs, processes=processes):
        if isinstance(result, Lost):
            yield Failed(job.key, "画这一张时制图进程两次意外中断", job.place), None
        else:
            yield result


def _admitted(
    order: Order, jobs: Iterable[tuple[str, Mapping[str, Given]]], entries: Mapping[str, Entry]
) -> Iterator[Job]:
    """Number the jobs; one whose files would be another's, or no files at all, is not to be drawn."""
    seen: set[str] = set()
    for place, (key, values) in enumerate(jobs):
        fault = _key_fault(key)
        # some disks do not tell a from A
        if fault is None and key.casefold() in seen:
            fault = f"「{key}」出现了不止一次，只画最先出现的"
        seen.add(key.casefold())
        yield Job(place, key, values, entries.get(_ledger_name(order, key)), fault)


def _ledger_name(order: Order, key: str) -> str:
    return page_files(order.source, key, order.out, order.picture_format)[0].name


def _key_fault(key: str) -> str | None:
    if not key:
        return "缺少文件名"
    if not _SAFE_KEY.fullmatch(key) or len(key.encode()) > _MOST_KEY_BYTES:
        return f"「{key}」不能作文件名：只用文字、数字、点、横线和下划线"
    return None


@dataclass(frozen=True, slots=True)
class SampleCheck:
    """How one sample came out: its pages, or why not."""

    sample: Sample
    pages: tuple[Image.Image, ...]
    fault: str | None


@dataclass(frozen=True, slots=True)
class TemplateCheck:
    """The examination of one template folder; `fault` is set where it cannot be used at all."""

    directory: Path
    digest: str | None
    fault: str | None
    samples: tuple[SampleCheck, ...]

    @property
    def sound(self) -> bool:
        return self.fault is None and all(check.fault is None for check in self.samples)


def check_template(directory: Path) -> TemplateCheck:
    """Load, judge and draw a template with all its samples. Never raises for its content.

    It is drawn in this process: a folder that nobody vouches for belongs to `examine.examine`.
    """
    try:
        return draw_samples(directory)
    except (ManifestError, TemplateError) as error:
        return TemplateCheck(directory, None, str(error), ())


def draw_samples(directory: Path) -> TemplateCheck:
    """Draw a template with all its samples. Raises ManifestError, TemplateError."""
    source = open_source(directory)
    compiled = compile_template(source)
    checks = tuple(_check_sample(compiled, sample) for sample in load_samples(source))
    return TemplateCheck(directory, compiled.digest, None, checks)


def _check_sample(compiled: CompiledTemplate, sample: Sample) -> SampleCheck:
    size = compiled.manifest.size
    try:
        filled = fill(compiled.manifest, sample.values)
        pdf = layout.write_pdf(compiled.place(filled), compressed=False)
    except (SlotErrors, QrError) as error:
        return SampleCheck(sample, (), str(error))
    pages = tuple(
        layout.rasterise(pdf, page, size.width_px, size.height_px) for page in range(compiled.manifest.pages)
    )
    return SampleCheck(sample, pages, None)


def contact_sheet(check: TemplateCheck, *, thumb_width_px: int = 360) -> Image.Image:
    """All pages of all samples side by side, one row a sample."""
    gap = 24
    rows = [row.pages for row in check.samples if row.pages]
    if not rows:
        return Image.new("RGB", (thumb_width_px, thumb_width_px), "#e9e6e0")
    width, height = rows[0][0].size
    thumb = thumb_width_px, round(height * thumb_width_px / width)
    columns = max(len(row) for row in rows)
    sheet = Image.new(
        "RGB",
        (gap + columns * (thumb[0] + gap), gap + len(rows) * (thumb[1] + gap)),
        "#e9e6e0",
    )
    for y, row in enumerate(rows):
        for x, page in enumerate(row):
            small = page.resize(thumb, Image.Resampling.LANCZOS)
            sheet.paste(small, (gap + x * (thumb[0] + gap), gap + y * (thumb[1] + gap)))
    return sheet
