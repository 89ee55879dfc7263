"""What the command line asks for: one picture to a file, many to a folder, a template examined.

Nothing here prints or exits; progress and failures come back as values.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final

from PIL import Image

from templates_lib import fonts, layout
from templates_lib.catalog import TemplateSource, open_source
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import JPEG, PictureFormat, compose_pages
from templates_lib.crew import Lost, read_in_ahead, share_out
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrors, fill, without_omitted
from templates_lib.ledger import DesignMark, Entry, Ledger
from templates_lib.manifest import ManifestError, PageSize
from templates_lib.pdf import Raster, measured_pdf
from templates_lib.picture_store import DISK, PictureStore
from templates_lib.qr import QrError
from templates_lib.report import compile_report
from templates_lib.samples import Sample, load_samples
from templates_lib.scout import MOST_ROWS, sent_ahead, tidy_after_scouts
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

    The values are the design's own in every size: what a size does not show is left out.
    Raises SlotErrors, QrError, UnreadablePicture, and ValueError for a key that names no file.
    """
    if (fault := _key_fault(key)) is not None:
        raise ValueError(fault)
    files = page_files(compiled, key, out, picture_format)
    shown = open_pictures(without_omitted(compiled.manifest, values))
    pictures = compose_pages(compiled, shown, format=picture_format, quality=quality)
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
        source, compiled = template.source, template
    else:
        source, compiled = template, None
    order = Order(source, out, picture_format, quality, store, frozenset(steady))
    # every size of a design may lie in one folder
    design = f"{source.manifest.slug}@{source.manifest.version}"
    mark = DesignMark(design, source.files_digest(), fonts.digest())
    with Ledger.open(ledger_in or out, mark) as ledger:
        store.tidy(out)
        tidy_after_scouts(ledger.folder)
        admitted = _admitted(order, jobs, ledger.entries)
        results = (
            map(Studio(order, ledger.lock, compiled), admitted)
            if processes == 1
            else _shared_out(order, ledger, admitted, processes)
        )
        for outcome, entry in results:
            if entry is not None:
                ledger.note(_ledger_name(order, outcome.key), entry)
            yield outcome


def _shared_out(
    order: Order, ledger: Ledger, jobs: Iterator[Job], processes: int
) -> Iterator[tuple[Rendered | Failed, Entry | None]]:
    read_in_ahead(Studio.__module__)
    first = list(islice(jobs, MOST_ROWS))
    rows = [_words(order, job) for job in first if job.known is None and job.fault is None]
    with ExitStack() as stack:
        if rows:  # else the folder is finished already, or nearly
            order = replace(order, found=stack.enter_context(sent_ahead(order.source, rows, ledger.folder)))
        prepare = partial(Studio, order, ledger.lock)
        for job, result in share_out(prepare, chain(first, jobs), processes=processes):
            if isinstance(result, Lost):
                yield Failed(job.key, "画这一张时制图进程两次意外中断", job.place), None
            else:
                yield result


def _words(order: Order, job: Job) -> dict[str, str]:
    values = without_omitted(order.source.manifest, job.values)
    return {name: value for name, value in values.items() if isinstance(value, str)}


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
    """How one sample came out in one size: its pages, or why not.

    `rasters` says how dense the pictures in it would lie on paper.
    """

    sample: Sample
    size: PageSize
    pages: tuple[Image.Image, ...]
    rasters: tuple[Raster, ...]
    fault: str | None


@dataclass(frozen=True, slots=True)
class TemplateCheck:
    """The examination of one template folder; `fault` is set where it cannot be used at all.

    `sizes` names the sizes the design comes in, its own as "". `report` says of each place a slot
    is shown at how it is drawn, and why.
    """

    directory: Path
    digest: str | None
    fault: str | None
    samples: tuple[SampleCheck, ...]
    sizes: tuple[str, ...] = ("",)
    report: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return self.fault is None and all(check.fault is None for check in self.samples)


def check_template(directory: Path) -> TemplateCheck:
    """Load, judge and draw a template with all its samples in all its sizes.

    Never raises for its content. It is drawn in this process: a folder that nobody vouches for
    belongs to `examine.examine`.
    """
    try:
        return all_sizes(lambda size: draw_samples(directory, size))
    except (ManifestError, TemplateError) as error:
        return TemplateCheck(directory, None, str(error), ())


def all_sizes(draw: Callable[[str], TemplateCheck]) -> TemplateCheck:
    """Put together what is found of a design in each of its sizes, beginning with its own."""
    own = draw("")
    further = [draw(size) for size in own.sizes if size]
    return replace(
        own,
        samples=tuple(one for check in (own, *further) for one in check.samples),
        report=tuple(line for check in (own, *further) for line in check.report),
    )


def draw_samples(directory: Path, size: str = "") -> TemplateCheck:
    """Draw a template in one size with all its samples. Raises ManifestError, TemplateError."""
    source = open_source(directory)
    compiled = compile_template(source.variant(size))
    samples = load_samples(source)
    checks = tuple(_check_sample(compiled, sample) for sample in samples)
    sizes = tuple(source.manifest.sizes)
    return TemplateCheck(directory, source.digest(), None, checks, sizes, _report(compiled, samples))


def _report(compiled: CompiledTemplate, samples: Iterable[Sample]) -> tuple[str, ...]:
    """Report on the first sample that fills the design: what differs between them is their words."""
    for sample in samples:
        try:
            filled = fill(compiled.manifest, without_omitted(compiled.manifest, sample.values))
        except SlotErrors:
            continue
        return compile_report(compiled, filled)
    return ()


def _check_sample(compiled: CompiledTemplate, sample: Sample) -> SampleCheck:
    manifest, size = compiled.manifest, compiled.manifest.size
    try:
        filled = fill(manifest, without_omitted(manifest, sample.values))
        laid_out = compiled.place(filled)
        pdf = measured_pdf(laid_out, manifest)
    except (SlotErrors, QrError) as error:
        said = error.in_size(size.name) if isinstance(error, SlotErrors) and manifest.drawn_as else error
        return SampleCheck(sample, size, (), (), str(said))
    pages = tuple(
        layout.rasterise(pdf.data, page, size.width_px, size.height_px) for page in range(manifest.pages)
    )
    return SampleCheck(sample, size, pages, pdf.rasters, None)


def contact_sheet(check: TemplateCheck, *, thumb_width_px: int = 360) -> Image.Image:
    """All pages of all samples side by side: one row a sample, every size in it at one scale."""
    gap = 24
    rows: dict[str, list[Image.Image]] = {}
    for one in check.samples:
        rows.setdefault(one.sample.name, []).extend(_small(page, thumb_width_px) for page in one.pages)
    drawn = [row for row in rows.values() if row]
    if not drawn:
        return Image.new("RGB", (thumb_width_px, thumb_width_px), "#e9e6e0")
    width = max(sum(page.width + gap for page in row) for row in drawn)
    height = sum(max(page.height for page in row) + gap for row in drawn)
    sheet = Image.new("RGB", (gap + width, gap + height), "#e9e6e0")
    y = gap
    for row in drawn:
        x = gap
        for page in row:
            sheet.paste(page, (x, y))
            x += page.width + gap
        y += max(page.height for page in row) + gap
    return sheet


def _small(page: Image.Image, width_px: int) -> Image.Image:
    height_px = max(1, round(page.height * width_px / page.width))
    return page.resize((width_px, height_px), Image.Resampling.LANCZOS)
