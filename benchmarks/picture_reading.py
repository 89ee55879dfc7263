"""What reading a picture costs, and what comes of it.

    python -m benchmarks.picture_reading [--json]

Every design of the library is drawn with its first sample and read as if somebody had uploaded it, each
page in a confined process of its own as in service: seconds, the processor's seconds with those of
starting, the peak of memory, how much of the words came back, and whether the checker says of what was
read what it says of the words themselves. Then promises are painted in a dozen disguises, one a picture.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import templates_lib
from app.adapters.picture_reader.rapid import RapidPictureReader
from compliance.check import check
from compliance.document import Channel, Document, Sector, TextField
from compliance.reading import PictureReading
from compliance.report import Report, Verdict
from compliance.ruleset import load_ruleset
from templates_lib.catalog import Catalog
from templates_lib.compile import compile_template
from templates_lib.compose import PictureFormat, compose
from templates_lib.fill import fill, without_omitted
from templates_lib.samples import load_samples
from templates_lib.twin import text_twin

FONT = Path(templates_lib.__file__).parent / "fonts" / "NotoSansCJKsc-Bold.otf"
DISGUISES = {
    "plain": "本产品保本保息",
    "a dot between": "保·本保收益",
    "spaces between": "保 本 保 收 益",
    "signs between": "稳*赚*不*赔",
    "traditional": "保證收益 零風險",
    "pinyin": "bao本保息",
    "two lines": "稳赚\n不赔",
    "a column": "保\n本\n保\n息",
    "two columns": "稳|绝\n赚|对\n不|安\n赔|全",
    "pale": "保本保息",
    "small": "保本保息",
    "turned round": "保本保息",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture read."""

    name: str
    width: int
    height: int
    wall_s: float
    cpu_s: float
    characters: int
    came_back: float | None
    verdict: str


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    posters, promises = [*_posters()], [*_promises()]
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    if asked.json:
        print(
            json.dumps(
                {
                    "posters": [asdict(one) for one in posters],
                    "disguises": [asdict(one) for one in promises],
                    "peak_mib": peak_mib,
                },
                ensure_ascii=False,
            )
        )
        return
    for one in (*posters, *promises):
        back = f"{one.came_back:4.0%}" if one.came_back is not None else "    "
        print(
            f"{one.name:24} {one.width:5}×{one.height:<5} {one.wall_s:6.1f} s {one.cpu_s:6.1f} s cpu "
            f"{one.characters:4} characters {back} {one.verdict}"
        )
    stopped = sum(one.verdict != Verdict.PASS for one in promises)
    print(f"peak of a reading process: {peak_mib} MiB; disguises stopped: {stopped} of {len(promises)}")


def _posters() -> Iterator[Reading]:
    catalog = Catalog()
    for manifest in catalog.versions():
        compiled = compile_template(catalog.source(manifest.slug, manifest.version))
        values = without_omitted(compiled.manifest, load_samples(compiled.source)[0].values)
        words = [line.text for line in text_twin(compiled.manifest, fill(compiled.manifest, values))]
        for page in range(compiled.manifest.pages):
            drawn = compose(compiled, values, format=PictureFormat.JPEG, page=page)
            single = compiled.manifest.pages == 1
            name = manifest.slug if single else f"{manifest.slug}, page {page + 1}"
            yield _read(name, drawn.data, words if single else None)


def _promises() -> Iterator[Reading]:
    for name, text in DISGUISES.items():
        size = 11 if name == "small" else 40
        picture = Image.new("RGB", (540, 540), "#fbf3e0")
        drawing = ImageDraw.Draw(picture)
        font = ImageFont.truetype(FONT, size)
        for row, line in enumerate(text.split("\n")):
            for column, part in enumerate(line.split("|")):
                place = (360 - 150 * column, 120 + row * size * 1.4)
                drawing.text(place if "|" in line else (120, place[1]), part, font=font, fill=_ink(name))
        target = io.BytesIO()
        (picture.rotate(180) if name == "turned round" else picture).save(target, "PNG")
        yield _read(name, target.getvalue(), None)


def _ink(name: str) -> str:
    return "#e6dcc4" if name == "pale" else "#301010"


def _read(name: str, data: bytes, words: list[str] | None) -> Reading:
    reader = RapidPictureReader()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    seen = reader.read(data)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    verdict = _judged(seen).verdict.value
    if words is not None:
        own = check(
            Document(tuple(TextField(str(at), text) for at, text in enumerate(words)), Sector.BANK),
            load_ruleset(),
        ).verdict.value
        verdict += f" (its own words: {own})"
    return Reading(
        name,
        seen.width,
        seen.height,
        round(wall, 2),
        round(cpu, 2),
        len(seen.text),
        _share(seen, words),
        verdict,
    )


def _judged(seen: PictureReading) -> Report:
    return check(Document((seen.field("picture"),), Sector.BANK, Channel.POSTER), load_ruleset())


def _share(seen: PictureReading, words: list[str] | None) -> float | None:
    """Return how many of the words' characters were read, each as often as it stands there."""
    if words is None:
        return None
    left = list(seen.text)
    wanted = [char for text in words for char in text if char.isalnum()]
    found = 0
    for char in wanted:
        if char in left:
            left.remove(char)
            found += 1
    return round(found / len(wanted), 3) if wanted else None


if __name__ == "__main__":
    main()
