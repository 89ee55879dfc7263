"""Ours beside its peers: one design, the same advisors, one run.

    pip install '.[bench]'
    python -m benchmarks.render [--json] [--rounds 4] [--posters 32] [--out DIR]

The routes take turns, so whatever else the machine does meets all alike. A turn is so many posters
of advisors nobody has drawn before; every route gets the same ones. Wall time is the median of all
posters. User CPU is the median of the turns, counted over all processes a route needs. A ratio is
user CPU over ours of the same file format. Of each turn one picture is looked at: its size, and
what its code says.

Made before the clock starts. For ours: what is the same for all advisors (the template compiled,
head office's words on it), and each portrait decoded and cut to its frame, as an upload is once.
`ours-jpeg-cold` decodes and cuts the portrait within the clock. For the peers: each code, as the
PNG they are given; see `benchmarks/peers.py`. Ours makes the code and reads it back within the clock.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, JpegImagePlugin

from benchmarks.advisors import make_advisors
from benchmarks.peers import (
    QUALITY,
    Design,
    Route,
    Subject,
    chromium_routes,
    own_user_s,
    takumi_routes,
    weasyprint_routes,
)
from templates_lib.catalog import Catalog
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import (
    JPEG,
    PNG,
    PictureFormat,
    compose,
    compose_filled,
    hold,
    ready_pictures,
)
from templates_lib.fill import fill
from templates_lib.ink import forget_photos
from templates_lib.manifest import SlotSource
from templates_lib.pictures import clean_image, forget_images, monogram_frame, monogram_svg
from templates_lib.plate import Arrangement
from templates_lib.qr import decode_qr, qr_svg
from templates_lib.skeleton import Way

WARM_UP = 32
# What ours remembers of an advisor from one picture to the next; forgotten before each turn.
REMEMBERED = (clean_image, monogram_frame, monogram_svg, qr_svg)
OURS = {"jpeg": "ours-jpeg", "png": "ours-png"}
_SUBSAMPLING = {0: "444", 1: "422", 2: "420"}


@dataclass
class Tally:
    """What a route has used so far."""

    wall_ms: list[float] = field(default_factory=list)
    user_ms: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def figures(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "wall_ms": round(statistics.median(self.wall_ms), 3),
            "user_ms": round(statistics.median(self.user_ms), 3),
            "bytes": round(statistics.median(self.bytes)),
        }


def our_routes(compiled: CompiledTemplate) -> dict[str, Route]:
    """Ours as the platform calls it, and with its shortcuts taken away one by one."""
    held: list[CompiledTemplate] = []
    compiled_for: set[Arrangement] = set()

    def ready(subject: Subject) -> None:
        if not held:
            slots = compiled.manifest.slots
            steady = [one.name for one in slots if one.source not in (SlotSource.PROFILE, SlotSource.SYSTEM)]
            held.append(hold(compiled, subject.values, [*steady, "institution"]))
        arrangement = ready_pictures(compiled, subject.values)
        if arrangement not in compiled_for:
            compiled_for.add(arrangement)
            draw(subject, JPEG)
            draw(subject, PNG)

    def draw(subject: Subject, picture_format: PictureFormat) -> bytes:
        return compose(held[0], subject.values, format=picture_format, quality=QUALITY).data

    def draw_less_fast(subject: Subject, **shortcuts: Any) -> bytes:
        filled = fill(compiled.manifest, subject.values)
        return compose_filled(held[0], filled, quality=QUALITY, **shortcuts).data

    return {
        "ours-jpeg": Route(partial(draw, picture_format=JPEG), own_user_s, ready),
        "ours-png": Route(partial(draw, picture_format=PNG), own_user_s, ready),
        "ours-jpeg-cold": Route(
            partial(draw, picture_format=JPEG), own_user_s, lambda _subject: forget_advisors()
        ),
        "ours-jpeg-nosplice": Route(partial(draw_less_fast, spliced=False), own_user_s, ready),
        "ours-slow": Route(partial(draw_less_fast, least=Way.SLOW), own_user_s, ready),
    }


def forget_advisors() -> None:
    for remembered in REMEMBERED:
        remembered.cache_clear()
    forget_images()
    forget_photos()


def take_turn(route: Route, subjects: Sequence[Subject], tally: Tally) -> bytes:
    """Draw one picture of each; the first is given back to be looked at."""
    forget_advisors()
    for subject in subjects:
        route.ready(subject)
    # as after the start of a worker: what lives for good is not looked through again and again
    gc.collect()
    gc.freeze()
    pictures = []
    user_s = route.user_s()
    for subject in subjects:
        began = time.perf_counter()
        pictures.append(route.draw(subject))
        tally.wall_ms.append((time.perf_counter() - began) * 1000)
    tally.user_ms.append((route.user_s() - user_s) * 1000 / len(subjects))
    gc.unfreeze()
    tally.bytes += map(len, pictures)
    return pictures[0]


def look_at(name: str, picture: bytes, design: Design, subject: Subject) -> None:
    """A route that draws something else is not measured."""
    with Image.open(io.BytesIO(picture)) as image:
        size = image.size
    if size != (design.width_px, design.height_px):
        raise SystemExit(f"{name} drew {size[0]} × {size[1]}")
    if subject.advisor.address not in decode_qr(picture):
        raise SystemExit(f"{name}: the code of {subject.advisor.staff_no} does not read back")


def ratios(routes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """User CPU of each peer over ours of the same file format."""
    user_ms = {one["name"]: one["user_ms"] for one in routes}
    found = {}
    for name, spent in user_ms.items():
        ours = OURS[name.rpartition("-")[2]] if not name.startswith("ours-") else None
        if ours in user_ms:
            found[f"{name}/{ours}"] = round(spent / max(user_ms[ours], 0.001), 2)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--posters", type=int, default=32, help="of each route in each round")
    parser.add_argument("--design", default="poster-qiushi")
    parser.add_argument("--only", nargs="+", metavar="ROUTE", help="leave the other routes out")
    parser.add_argument("--out", type=Path, help="keep one picture of each route here")
    chosen = parser.parse_args(argv)
    result = measure(chosen)
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    print(f"{'':28}   wall ms    user ms       bytes")
    for one in result["routes"]:
        print(f"{one['name']:28} {one['wall_ms']:9.2f}  {one['user_ms']:9.2f}  {one['bytes']:10,}")
    for name, ratio in result["ratios"].items():
        print(f"{name:44} {ratio:8.1f} ×")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    catalog = Catalog()
    version = max(one.version for one in catalog.versions() if one.slug == chosen.design)
    source = catalog.source(chosen.design, version)
    compiled = compile_template(source)
    design = Design(source, compiled.sides)
    subjects = [design.subject(one) for one in make_advisors(WARM_UP + chosen.rounds * chosen.posters)]
    warm_up, rest = subjects[:WARM_UP], subjects[WARM_UP:]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imprimatur-bench-")))
        for name, data in files(design, subjects).items():
            (folder / name).write_bytes(data)
        ours = our_routes(compiled)
        ours["ours-jpeg"].ready(warm_up[0])
        subsampling = subsampling_of(ours["ours-jpeg"].draw(warm_up[0]))
        makers: tuple[Callable[[], Mapping[str, Route]], ...] = (
            lambda: ours,
            lambda: takumi_routes(design, subsampling),
            lambda: stack.enter_context(chromium_routes(design, folder, warm_up[0])),
            lambda: weasyprint_routes(design, folder, subsampling),
        )
        routes = {name: route for make in makers for name, route in make().items()}
        if chosen.only:
            routes = {name: routes[name] for name in chosen.only}
        for route in routes.values():
            take_turn(route, warm_up, Tally())
        tallies = {name: Tally() for name in routes}
        order = list(routes)
        for turn in range(chosen.rounds):
            these = rest[turn * chosen.posters : (turn + 1) * chosen.posters]
            for name in order[turn % len(order) :] + order[: turn % len(order)]:
                picture = take_turn(routes[name], these, tallies[name])
                look_at(name, picture, design, these[0])
                if chosen.out and turn == 0:
                    keep(chosen.out, name, picture)
            if sys.stderr.isatty():
                print(f"\rround {turn + 1} of {chosen.rounds}", end="", file=sys.stderr)
    figures = [tallies[name].figures(name) for name in routes]
    return {"routes": figures, "ratios": ratios(figures)}


def files(design: Design, subjects: Sequence[Subject]) -> dict[str, bytes]:
    """Everything a page shows, by name."""
    return design.pictures | {name: data for one in subjects for name, data in one.pictures.items()}


def subsampling_of(jpeg: bytes) -> str:
    with Image.open(io.BytesIO(jpeg)) as image:
        return _SUBSAMPLING[JpegImagePlugin.get_sampling(image)]


def keep(folder: Path, name: str, picture: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".png" if picture.startswith(b"\x89PNG") else ".jpg"
    (folder / f"{name}{suffix}").write_bytes(picture)


if __name__ == "__main__":
    main()
