"""What one process needs to draw jobs of a run: the template made ready, and where pictures go."""

import gc
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from templates_lib.catalog import TemplateSource
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import DOCUMENTS, PictureFormat, compose_pages, hold
from templates_lib.crew import CrewStopped
from templates_lib.document import TemplateError
from templates_lib.fill import SlotErrors, Value, without_omitted
from templates_lib.layout import give_back_memory
from templates_lib.ledger import Entry, FolderLock
from templates_lib.manifest import SlotKind, TemplateManifest
from templates_lib.picture_store import PictureStore
from templates_lib.pictures import ImageValue
from templates_lib.qr import QrError
from templates_lib.scout import learn

SUFFIXES: Final[Mapping[PictureFormat, str]] = {
    PictureFormat.JPEG: ".jpg",
    PictureFormat.PNG: ".png",
    PictureFormat.WEBP: ".webp",
    PictureFormat.PDF: ".pdf",
    PictureFormat.PRINT: ".print.pdf",
}

# A picture slot may also be given as the file it is read from, by whoever draws it.
Given = Value | Path


class BatchStopped(CrewStopped):
    """No picture can be made at all: the template cannot be used, or the place not be written to."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One job done: the files of its pages. `fresh` is False where they were there already.

    `place` is the job's place in its list, from 0.
    """

    key: str
    files: tuple[Path, ...]
    fresh: bool
    place: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """One job that could not be done, with the reason in a person's words."""

    key: str
    reason: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One set of pages to draw.

    `known` is what the ledger says of it, `None` if nothing; `fault` why it is not to be drawn.
    """

    place: int
    key: str
    values: Mapping[str, Given]
    known: Entry | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What all jobs of a run have in common.

    `steady` names the slots that hold the same in each; in `found` a scout writes what it found out
    about the design.
    """

    source: TemplateSource
    out: Path
    picture_format: PictureFormat
    quality: int
    store: PictureStore
    steady: frozenset[str] = frozenset()
    found: Path | None = None


class Studio:
    """Draws job after job of one order. The template is made ready when the first picture needs it."""

    def __init__(
        self, order: Order, lock: FolderLock | None = None, compiled: CompiledTemplate | None = None
    ) -> None:
        self._order = order
        self._lock = lock  # held for as long as this process may write
        self._made_ready = compiled
        self._has_settled = False
        self._held: tuple[dict[str, Value | None], CompiledTemplate] | None = None

    @property
    def _compiled(self) -> CompiledTemplate:
        if self._made_ready is None:
            try:
                self._made_ready = compile_template(self._order.source)
            except TemplateError as error:
                raise BatchStopped(str(error)) from error
            if self._order.found is not None:
                learn(self._made_ready, self._order.found)
        return self._made_ready

    def __call__(self, job: Job) -> tuple[Rendered | Failed, Entry | None]:
        """Draw a job, unless the very same is there. The entry, if any, is new to the ledger.

        Raises BatchStopped when no job can be drawn, or none kept.
        """
        if job.fault is not None:
            return Failed(job.key, job.fault, job.place), None
        try:
            return self._rendered(job)
        except BatchStopped:
            raise
        except SlotErrors as refused:
            reason = "；".join(error.reason for error in refused.errors)
        except (QrError, UnreadablePicture) as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  what one job brings about must not stop the others
            reason = f"制图程序出错（{type(error).__name__}：{error}）"
        return Failed(job.key, reason, job.place), None

    def _rendered(self, job: Job) -> tuple[Rendered, Entry | None]:
        order = self._order
        files = page_files(order.source, job.key, order.out, order.picture_format)
        values = open_pictures(without_omitted(order.source.manifest, job.values))
        digest = _digest(order, values)
        if job.known is not None and job.known.values == digest and self._holds(files, job.known):
            return Rendered(job.key, files, fresh=False, place=job.place), None
        compiled = self._held_for(values)
        pictures = compose_pages(compiled, values, format=order.picture_format, quality=order.quality)
        if not self._has_settled:  # making the template ready took as much again as drawing needs
            gc.collect()
            give_back_memory()
            self._has_settled = True
        kept: dict[str, str] = {}
        for file, picture in zip(files, pictures, strict=True):
            try:
                order.store.put(file, picture.data)
            except OSError as error:
                raise BatchStopped(f"{file} 写不进去：{error.strerror or error}") from error
            kept[file.name] = picture.sha256
        return Rendered(job.key, files, fresh=True, place=job.place), Entry(digest, kept)

    def _held_for(self, values: Mapping[str, Value]) -> CompiledTemplate:
        """The template with what stays the same drawn once, if with these values it does stay so."""
        steady = {name: values.get(name) for name in self._order.steady}
        if not steady:
            return self._compiled
        if self._held is None:
            self._held = steady, hold(self._compiled, values, steady)
        return self._held[1] if steady == self._held[0] else self._compiled

    def _holds(self, files: tuple[Path, ...], known: Entry) -> bool:
        return all(
            file.name in known.files and self._order.store.holds(file, known.files[file.name])
            for file in files
        )


def page_files(
    template: TemplateSource | CompiledTemplate, key: str, out: Path, picture_format: PictureFormat
) -> tuple[Path, ...]:
    """Where the pages of a job go: `key.jpg`, or `key-1.jpg` … for a template of several pages.

    Another size of the design is another file, `key-square.jpg`.
    """
    suffix, pages = SUFFIXES[picture_format], template.manifest.pages
    if template.manifest.drawn_as is not None:
        key = f"{key}-{template.manifest.drawn_as.name}"
    if pages == 1 or picture_format in DOCUMENTS:
        return (out / f"{key}{suffix}",)
    return tuple(out / f"{key}-{page}{suffix}" for page in range(1, pages + 1))


def steady_slots(manifest: TemplateManifest, rows: Iterable[Mapping[str, Given]]) -> frozenset[str]:
    """Find the slots of words that hold the same in all rows, or in none."""
    kinds = (SlotKind.TEXT, SlotKind.PHRASE, SlotKind.DATE)
    found: dict[str, set[Given | None]] = {s.name: set() for s in manifest.slots if s.kind in kinds}
    for row in rows:
        for name, seen in found.items():
            if len(seen) <= 1:
                seen.add(row.get(name))
    return frozenset(name for name, seen in found.items() if len(seen) <= 1)


class UnreadablePicture(ValueError):
    """A picture slot names a file that cannot be read."""


def open_pictures(values: Mapping[str, Given]) -> dict[str, Value]:
    """Read the pictures that are given as files. Raises UnreadablePicture."""
    return {name: _opened(value) for name, value in values.items()}


def _opened(value: Given) -> Value:
    if not isinstance(value, Path):
        return value
    try:
        return ImageValue(value.read_bytes())
    except OSError as error:
        raise UnreadablePicture(f"图片文件 {value.name} 打不开") from error


def _digest(order: Order, values: Mapping[str, Value]) -> str:
    """Name everything but the design that a picture depends on."""
    drawn_from = {
        "format": order.picture_format.value,
        "quality": order.quality,
        "values": {
            name: {"sha256": value.sha256} if isinstance(value, ImageValue) else value
            for name, value in values.items()
        },
    }
    return hashlib.sha256(json.dumps(drawn_from, sort_keys=True).encode()).hexdigest()
