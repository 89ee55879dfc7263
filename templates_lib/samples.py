"""The sample values beside a template: the longest, the shortest, no photo.

A design is judged by its extremes, so every version carries them and the tests draw them all.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from templates_lib.catalog import LIBRARY, SAMPLES_NAME, TemplateSource
from templates_lib.fill import Value
from templates_lib.manifest import ManifestError, SlotKind
from templates_lib.pictures import ImageValue

SHARED_PICTURES: Final = LIBRARY / "_samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """One set of values with the reason it exists."""

    name: str
    label: str
    values: dict[str, Value]


def load_samples(source: TemplateSource) -> tuple[Sample, ...]:
    """Read the samples of a template, in the order of the file. Raises ManifestError."""
    file = source.directory / SAMPLES_NAME
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise ManifestError(file, None, "samples", f"cannot be read: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise ManifestError(file, None, "samples", "must be a list of samples")
    return tuple(_sample(source, file, place, entry) for place, entry in enumerate(entries))


def _sample(source: TemplateSource, file: Path, place: int, entry: object) -> Sample:
    if not isinstance(entry, dict) or set(entry) != {"name", "label", "values"}:
        raise ManifestError(file, None, f"samples[{place}]", "must have name, label and values")
    pictures = {slot.name for slot in source.manifest.slots if slot.kind is SlotKind.IMAGE}
    if not isinstance(entry["values"], dict):
        raise ManifestError(file, None, f"samples[{place}]", "values must be a mapping of slots")
    values: dict[str, Value] = {}
    for name, value in entry["values"].items():
        if not isinstance(value, str | int | float | dt.date):
            # a list in YAML may name itself a million times over; nobody writes one out
            raise ManifestError(file, None, f"samples[{place}].{name}", "must be a text, number or date")
        text = str(value)
        values[name] = _picture(source, file, text) if name in pictures else text
    return Sample(str(entry["name"]), str(entry["label"]), values)


def _picture(source: TemplateSource, file: Path, name: str) -> ImageValue:
    for folder in (source.directory, SHARED_PICTURES):
        path = folder / Path(name).name
        if path.is_file():
            return ImageValue(path.read_bytes())
    raise ManifestError(file, None, "samples", f"there is no picture {name}")
