"""How fast ten thousand editions are drawn, to a folder and to S3, with one process and with two.

    python -m benchmarks.render_batch [--count 10000] [--kills 0] [--json]

Every edition has an advisor of its own, with portrait and code; each run is begun from nothing, in
processes of its own, and its time holds their start. S3 is a SeaweedFS of our own on the same
machine, whose work is in the figure too.

What a run has drawn lies there until all are done: ext4 shuns the numbers of files deleted within
the last five minutes, and whoever makes new ones beside them waits most of a millisecond for each.
For the same reason begin five minutes after the last run.

Of a worker's memory three figures are given: what is resident at the most (RSS, with the code and
the fonts that all share), its fair part of what is shared (PSS), and what is its alone. The scout
that finds out about the design and ends is no worker: it is given apart. With `--kills N` a run is
killed N times by `kill -9`, taken up each time, and compared with an undisturbed one, picture by
picture.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from app.ports import ObjectMissing, ObjectStore, ObjectStoreUnavailable
from app.settings import S3Storage
from benchmarks.advisors import PORTRAITS, make_advisors, portraits
from templates_lib.batch import render_many
from templates_lib.catalog import Catalog, TemplateSource
from templates_lib.ledger import LEDGER_NAME
from templates_lib.manifest import SlotKind
from templates_lib.picture_store import DISK, PictureStore
from templates_lib.studio import Failed, Given, steady_slots

_SPAWN = get_context("spawn")
_MIB = 1024 * 1024
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Bucket:
    """Pictures as objects; each process opens a connection of its own."""

    storage: S3Storage

    def put(self, path: Path, data: bytes) -> None:
        try:
            _store(self.storage).put(path.as_posix(), data, "image/jpeg")
        except ObjectStoreUnavailable as error:
            raise OSError(str(error)) from error

    def holds(self, path: Path, sha256: str) -> bool:
        try:
            return hashlib.sha256(_store(self.storage).get(path.as_posix())).hexdigest() == sha256
        except ObjectMissing:
            return False

    def tidy(self, folder: Path) -> None:
        """An object is whole or absent: nothing is ever left half written."""


@cache
def _store(storage: S3Storage) -> ObjectStore:
    # here, so that a worker that writes files is not measured with it
    from app.adapters.object_store.s3 import S3ObjectStore

    return S3ObjectStore(storage)


@dataclass(frozen=True)
class Run:
    """What one run draws, how, and where its ledger lies."""

    design: str
    count: int
    processes: int
    photos: Path
    out: Path
    store: PictureStore = DISK
    ledger_in: Path | None = None

    @property
    def source(self) -> TemplateSource:
        catalog = Catalog()
        version = max(one.version for one in catalog.versions() if one.slug == self.design)
        return catalog.source(self.design, version)

    def jobs(self, source: TemplateSource) -> Iterator[tuple[str, Mapping[str, Given]]]:
        for number in range(self.count):
            (advisor,) = make_advisors(1, first=number)
            values: dict[str, Given] = dict(advisor.values(source.manifest))
            for slot in source.manifest.slots:
                if slot.kind is SlotKind.IMAGE and slot.name in values:
                    values[slot.name] = self.photos / f"{number % PORTRAITS}.jpg"
            yield advisor.staff_no, values


def draw(run: Run, pipe: Connection) -> None:
    """A run in a process of its own; says how many were drawn and how many not."""
    source, drawn, failed = run.source, 0, 0
    jobs = list(run.jobs(source))
    outcomes = render_many(
        source,
        jobs,
        run.out,
        processes=run.processes,
        store=run.store,
        ledger_in=run.ledger_in,
        steady=steady_slots(source.manifest, (values for _, values in jobs)),
    )
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            failed += 1
            print(f"{outcome.key}: {outcome.reason}", file=sys.stderr)
        else:
            drawn += 1
    pipe.send((drawn, failed))


@dataclass
class Memory:
    """The most that any process of a run had, in MiB: resident, its part of what is shared, its own."""

    _most: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    _seen_s: dict[int, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self, pid: int) -> Iterator[None]:
        """Look at the run again and again, as long as the `with` lasts."""
        watcher = threading.Thread(target=self._watch, args=(pid,))
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join()

    def figures(self) -> dict[str, dict[str, float]]:
        """Those who drew until the end, and who went ahead and had ended long before."""
        end_s = max(self._seen_s.values(), default=0.0)
        workers = [pid for pid, seen_s in self._seen_s.items() if end_s - seen_s <= 2 * _LOOK_EVERY_S]
        scouts = self._most.keys() - workers
        return {"worker": self._most_of(workers), "scout": self._most_of(scouts)}

    def _most_of(self, pids: Iterable[int]) -> dict[str, float]:
        found = [self._most[pid] for pid in pids]
        names = ("rss_mb", "pss_mb", "own_mb")
        return {name: round(max((one[at] for one in found), default=0.0), 1) for at, name in enumerate(names)}

    def _watch(self, pid: int) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            with suppress(psutil.NoSuchProcess):
                for worker in workers_of(psutil.Process(pid)):
                    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                        found = worker.memory_full_info()
                        if not found.rss:
                            continue  # ended, and not yet buried
                        now = found.rss / _MIB, getattr(found, "pss", 0) / _MIB, found.uss / _MIB
                        before = self._most.get(worker.pid, now)
                        self._most[worker.pid] = tuple(map(max, before, now))
                        self._seen_s[worker.pid] = time.monotonic()


def workers_of(run: psutil.Process) -> list[psutil.Process]:
    """Who draws: the processes below, or the run itself where it has none."""
    return [one for one in run.children(recursive=True) if _draws(one)] or [run]


def _draws(process: psutil.Process) -> bool:
    """Whether it is none of Python's own helpers: whom the others are forked from, and who tidies up."""
    try:
        return not process.children() and "resource_tracker" not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def timed(run: Run) -> dict[str, Any]:
    memory = Memory()
    ours, theirs = _SPAWN.Pipe(duplex=False)
    began = time.perf_counter()
    process = _SPAWN.Process(target=draw, args=(run, theirs))
    process.start()
    theirs.close()
    with memory.watched(process.pid or 0):
        process.join()
    took_s = time.perf_counter() - began
    if process.exitcode != 0:
        raise SystemExit(f"the run ended with exit code {process.exitcode}")
    drawn, failed = ours.recv()
    return {
        "to": "s3" if isinstance(run.store, Bucket) else "folder",
        "processes": run.processes,
        "drawn": drawn,
        "failed": failed,
        "seconds": round(took_s, 2),
        "posters_s": round(drawn / took_s, 1),
        **memory.figures(),
    }


def killed_and_finished(run: Run, kills: int) -> dict[str, Any]:
    """Kill the run at even distances, then let it finish; compare with one that nobody touched."""
    whole = timed(run)
    undisturbed = digests(run.out)
    disturbed = replace(run, out=run.out.with_name("disturbed"))
    times_killed = 0
    for kill in range(1, kills + 1):
        _, theirs = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=draw, args=(disturbed, theirs))
        process.start()
        while process.is_alive() and len(list(disturbed.out.glob("*.jpg"))) < kill * run.count // (kills + 1):
            time.sleep(0.05)
        times_killed += process.is_alive()
        process.kill()
        process.join()
    timed(disturbed)
    finished = digests(disturbed.out)
    return {
        "count": whole["drawn"],
        "kills": times_killed,
        "missing": len(undisturbed.keys() - finished.keys()),
        "different": sum(undisturbed[name] != finished.get(name) for name in undisturbed),
        "left_over": len(finished.keys() - undisturbed.keys()),
    }


def digests(folder: Path) -> dict[str, str]:
    return {
        entry.name: hashlib.sha256(Path(entry).read_bytes()).hexdigest()
        for entry in os.scandir(folder)
        if entry.name != LEDGER_NAME
    }


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    runs = []
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-", dir=chosen.folder) as name:
        folder = Path(name)
        photos = folder / "photos"
        photos.mkdir()
        for number, portrait in enumerate(portraits()):
            (photos / f"{number}.jpg").write_bytes(portrait)
        run = Run(chosen.design, chosen.count, chosen.processes[-1], photos, out=folder / "editions")
        runs += [
            timed(replace(run, processes=one, out=folder / f"editions-{one}")) for one in chosen.processes
        ]
        if chosen.s3:
            runs += [timed_to_s3(replace(run, processes=one), folder) for one in chosen.processes]
        result = {"design": chosen.design, "runs": runs, "ratios": ratios(runs)}
        if chosen.kills:
            result["killed"] = killed_and_finished(run, chosen.kills)
    return result


def timed_to_s3(run: Run, folder: Path) -> dict[str, Any]:
    """The same run to a bucket of a server of its own, and a look at what is stored there then."""
    with fresh_bucket(folder) as storage, tempfile.TemporaryDirectory(dir=folder) as ledger:
        found = timed(replace(run, out=Path("editions"), store=Bucket(storage), ledger_in=Path(ledger)))
        stored = sum(1 for _ in _store(storage).keys("editions/"))
    if stored != found["drawn"]:
        raise SystemExit(f"{stored} of {found['drawn']} objects are stored")
    return found


@contextmanager
def fresh_bucket(folder: Path) -> Iterator[S3Storage]:
    """A bucket on a server that starts empty and ends with its data."""
    from tests.servers import start_s3

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        server = start_s3(home / "s3")
        stack.callback(server.child.stop)
        yield server.storage("editions")


def ratios(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What each further process adds: posters a second over those of the first run to that place."""
    first: dict[str, Mapping[str, Any]] = {}
    found = {}
    for run in runs:
        base = first.setdefault(run["to"], run)
        if base is not run:
            name = f"{run['to']}: {run['processes']} processes/{base['processes']}"
            found[name] = round(run["posters_s"] / base["posters_s"], 2)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--design", default="poster-qiushi")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-s3", dest="s3", action="store_false", help="to a folder alone")
    parser.add_argument("--kills", type=int, default=0, help="kill a run so often, and finish it")
    parser.add_argument("--folder", type=Path, help="where the pictures go for the while")
    chosen = parser.parse_args(argv)
    result = measure(chosen)
    killed = result.get("killed")
    sound = not any(run["failed"] for run in result["runs"]) and (
        killed is None or not (killed["missing"] or killed["different"] or killed["left_over"])
    )
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
        return 0 if sound else 1
    print(f"{'':8} processes   drawn  failed  seconds  posters/s   worker RSS / PSS / own MiB   scout")
    for run in result["runs"]:
        print(
            f"{run['to']:8} {run['processes']:9} {run['drawn']:7,} {run['failed']:7} {run['seconds']:8.1f}"
            f" {run['posters_s']:10.1f}   "
            + "   ".join(" / ".join(f"{mib:.0f}" for mib in run[who].values()) for who in ("worker", "scout"))
        )
    for name, ratio in result["ratios"].items():
        print(f"{name:32} {ratio:.2f} ×")
    if killed is not None:
        print(
            f"killed {killed['kills']} times: of {killed['count']:,} pictures {killed['missing']} missing,"
            f" {killed['different']} different, {killed['left_over']} left over"
        )
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
