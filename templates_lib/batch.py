"""What the command line asks for: one picture to a file, many to a folder, a template examined.

Nothing here prints or exits; progress and failures come back as values.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from templates_lib import layout
from templates_lib.catalog import open_source
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import JPEG, PDF, PictureFormat, compose_pages
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrors, Value, fill
from templates_lib.manifest import ManifestError
from templates_lib.qr import QrError
from templates_lib.samples import Sample, load_samples

SUFFIXES: Final[Mapping[PictureFormat, str]] = {
    PictureFormat.JPEG: ".jpg",
    PictureFormat.PNG: ".png",
    PictureFormat.PDF: ".pdf",
}
_SAFE_KEY: Final = re.compile(r"[\w.-]{1,120}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One job done: the files of its pages. `fresh` is False where they were there already."""

    key: str
    files: tuple[Path, ...]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """One job that could not be done, with the reason in a person's words."""

    key: str
    reason: str


def page_files(
    compiled: CompiledTemplate, key: str, out: Path, picture_format: PictureFormat
) -> tuple[Path, ...]:
    """Where the pages of a job go: `key.jpg`, or `key-1.jpg` … for a template of several pages."""
    suffix = SUFFIXES[picture_format]
    if compiled.manifest.pages == 1 or picture_format is PDF:
        return (out / f"{key}{suffix}",)
    return tuple(out / f"{key}-{page}{suffix}" for page in range(1, compiled.manifest.pages + 1))


def render_one(
    compiled: CompiledTemplate,
    values: Mapping[str, Value],
    key: str,
    out: Path,
    *,
    picture_format: PictureFormat = JPEG,
    quality: int = 90,
) -> Rendered:
    """Draw all pages into `out`. Raises SlotErrors, QrError. A file is whole or absent."""
    files = page_files(compiled, _safe(key), out, picture_format)
    pictures = compose_pages(compiled, values, format=picture_format, quality=quality)
    out.mkdir(parents=True, exist_ok=True)
    for file, picture in zip(files, pictures, strict=True):
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            draft.write_bytes(picture.data)
            draft.replace(file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
    return Rendered(key, files, fresh=True)


def render_many(
    compiled: CompiledTemplate,
    jobs: Iterable[tuple[str, Mapping[str, Value]]],
    out: Path,
    *,
    picture_format: PictureFormat = JPEG,
    quality: int = 90,
) -> Iterator[Rendered | Failed]:
    """Draw job after job; a failure is reported and the rest goes on.

    Jobs whose files are already in `out` are not drawn again, so a run that was cut off is
    finished by starting it once more. Changed values need a new folder or a new key.
    """
    for key, values in jobs:
        try:
            files = page_files(compiled, _safe(key), out, picture_format)
            if all(file.is_file() for file in files):
                yield Rendered(key, files, fresh=False)
            else:
                yield render_one(compiled, values, key, out, picture_format=picture_format, quality=quality)
        except (SlotErrors, QrError, ValueError) as error:
            yield Failed(key, str(error))


def _safe(key: str) -> str:
    if not _SAFE_KEY.fullmatch(key) or key.startswith("."):
        raise ValueError(f"{key!r} cannot be a file name")
    return key


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
