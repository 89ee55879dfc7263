"""Examine the folder of a template that nobody vouches for yet.

All of it happens in a process of its own, from the first look into the folder to the last pixel.
What comes back is a digest, sentences, figures, and small pictures as bare pixels.
"""

import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from PIL import Image

from templates_lib.batch import SampleCheck, TemplateCheck, all_sizes, draw_samples
from templates_lib.fault import TemplateError
from templates_lib.manifest import MAX_VARIANTS, ManifestError, PageSize
from templates_lib.pdf import Raster
from templates_lib.samples import Sample
from templates_lib.sandbox import Limits, Stop, StoppedError, call_limited

THUMB_WIDTH_PX: Final = 360
# Nothing in a template waits: on a machine with time to spare the processor's seconds are the
# clock's. The clock only ends what a busy machine keeps too long.
LIMITS: Final = Limits(cpu_s=9, wall_s=60)
_MOST_LINES: Final = 1_000
_MOST_SAID: Final = 400
_LENGTH: Final = struct.Struct(">Q")
_REMEDIES: Final = {
    Stop.TOO_SLOW: "use fewer elements, shorter paths, smaller numbers",
    Stop.TOO_LARGE: "use fewer pixels, fewer pages, less nesting",
    Stop.CRASHED: "take out what was added last and examine it again",
}


class UnfitTemplateError(TemplateError):
    """A template took more than a template may, or broke the engine.

    `code` says which: too_slow, too_large, crashed. `remedy` is what its designer can do,
    `last_words` what the engine said in the end.
    """

    field = "template"

    def __init__(self, directory: Path, stopped: StoppedError) -> None:
        self.remedy = _REMEDIES[stopped.code]
        super().__init__(str(directory), None, f"{stopped.reason}: {self.remedy}")
        self.code = stopped.code.value
        self.last_words = stopped.last_words


def examine(directory: Path, limits: Limits = LIMITS) -> TemplateCheck:
    """Load, judge and draw a template with all its samples, out of harm's way.

    Each of its sizes has a process and the limits to itself. The pages are small, the samples come
    without their values. Raises ManifestError and TemplateError; of the latter UnfitTemplateError,
    where a limit was met.
    """

    def drawn(size: str) -> TemplateCheck:
        question = json.dumps([str(directory.resolve()), size]).encode()
        return _unpacked(directory, call_limited(f"{__name__}:draw", question, limits, reads=(directory,)))

    try:
        return all_sizes(drawn)
    except StoppedError as stopped:
        raise UnfitTemplateError(directory, stopped) from stopped


def draw(question: bytes) -> bytes:
    """Draw, inside the sandbox: the checks with their thumbnails, or the fault of the files."""
    directory, size = json.loads(question)
    try:
        check = draw_samples(Path(directory), size)
    except ManifestError as error:
        where = {"file": str(error.file), "line": error.line, "field": error.field, "reason": error.reason}
        return _packed({"manifest": where}, [])
    except TemplateError as error:
        return _packed({"template": {"file": error.file, "line": error.line, "reason": error.reason}}, [])
    thumbs = [_thumb(page) for sample in check.samples for page in sample.pages]
    told = {
        "digest": check.digest,
        "sizes": check.sizes,
        "report": check.report,
        "samples": [
            {
                "name": one.sample.name,
                "label": one.sample.label,
                "size": asdict(one.size),
                "fault": one.fault,
                "rasters": [asdict(raster) for raster in one.rasters],
                "pages": [_thumb_size(page) for page in one.pages],
            }
            for one in check.samples
        ],
    }
    return _packed(told, thumbs)


def _thumb_size(page: Image.Image) -> tuple[int, int]:
    return THUMB_WIDTH_PX, max(1, round(page.height * THUMB_WIDTH_PX / page.width))


def _thumb(page: Image.Image) -> bytes:
    return page.convert("RGB").resize(_thumb_size(page), Image.Resampling.LANCZOS).tobytes()


def _packed(told: dict[str, Any], thumbs: list[bytes]) -> bytes:
    head = json.dumps(told).encode()
    return _LENGTH.pack(len(head)) + head + b"".join(thumbs)


def _unpacked(directory: Path, answer: bytes) -> TemplateCheck:
    """Read an answer as the claims of a stranger: of the right shape, or it is a crash."""
    try:
        (length,) = _LENGTH.unpack_from(answer)
        told = json.loads(answer[_LENGTH.size : _LENGTH.size + length])
        fault = _told_fault(told)
        thumbs = memoryview(answer)[_LENGTH.size + length :]
        checks = () if fault else _told_checks(told["samples"], thumbs)
        sizes = () if fault else tuple(str(name) for name in told["sizes"][: MAX_VARIANTS + 1])
        report = () if fault else tuple(str(line)[:_MOST_SAID] for line in told["report"][:_MOST_LINES])
    except (ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        raise StoppedError(Stop.CRASHED, "gave an answer that cannot be read") from error
    if fault:
        raise fault
    return TemplateCheck(directory, str(told["digest"]), None, checks, sizes, report)


def _told_fault(told: dict[str, Any]) -> ManifestError | TemplateError | None:
    if found := told.get("manifest"):
        return ManifestError(Path(found["file"]), found["line"], found["field"], found["reason"])
    if found := told.get("template"):
        return TemplateError(found["file"], found["line"], found["reason"])
    return None


def _told_size(name: str, width_px: int, height_px: int) -> PageSize:
    return PageSize(str(name), int(width_px), int(height_px))


def _told_raster(page: int, name: str, width_px: int, height_px: int, dpi: int) -> Raster:
    return Raster(int(page), str(name), int(width_px), int(height_px), int(dpi))


def _told_checks(samples: list[dict[str, Any]], thumbs: memoryview) -> tuple[SampleCheck, ...]:
    checks = []
    for one in samples:
        pages = []
        for width, height in one["pages"]:
            pages.append(Image.frombytes("RGB", (width, height), bytes(thumbs[: width * height * 3])))
            thumbs = thumbs[width * height * 3 :]
        fault = None if one["fault"] is None else str(one["fault"])
        sample = Sample(str(one["name"]), str(one["label"]), {})
        rasters = tuple(_told_raster(**raster) for raster in one["rasters"])
        checks.append(SampleCheck(sample, _told_size(**one["size"]), tuple(pages), rasters, fault))
    return tuple(checks)
