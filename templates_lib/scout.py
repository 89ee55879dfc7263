"""A process that goes ahead of a run and finds out what all of its workers must know of the design.

Laying pages out and drawing them whole takes seconds and a hundred megabytes. It is done once, by a
process that ends with it; the workers read what it found from a file. The file is locked as long as
the scout lives, however it ends: whoever waits for the lock waits neither too short nor for ever.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from templates_lib.artefact import ArtefactError, read_artefact, write_artefact
from templates_lib.catalog import TemplateSource
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.crew import FORKED
from templates_lib.document import TemplateError
from templates_lib.fill import Filled
from templates_lib.ledger import FolderLock
from templates_lib.skeleton import Counts

FOUND_NAME: Final = ".imprimatur-found"
MOST_ROWS: Final = 2_000  # looked at: what nobody foresaw, a worker finds out itself
_MOST_ARRANGEMENTS: Final = 12


@contextmanager
def sent_ahead(source: TemplateSource, rows: Sequence[Mapping[str, str]], folder: Path) -> Iterator[Path]:
    """Send a scout for these words; gives the file it will write. Nobody else may use the folder."""
    path = folder / FOUND_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        scout = FORKED.Process(target=_scout, args=(source, rows, path, FolderLock(descriptor)), daemon=True)
        scout.start()
    finally:
        os.close(descriptor)
    try:
        yield path
    finally:
        scout.kill()
        scout.join()
        path.unlink(missing_ok=True)


def tidy_after_scouts(folder: Path) -> None:
    """Take away what the scout of a run that was killed has left; nobody else may use the folder."""
    (folder / FOUND_NAME).unlink(missing_ok=True)


def learn(compiled: CompiledTemplate, path: Path) -> None:
    """Wait for the scout and let a design know what it found; nothing, where it found nothing."""
    with suppress(FileNotFoundError, ArtefactError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        if data := file.read():
            read_artefact(compiled, data)


def _scout(source: TemplateSource, rows: Sequence[Mapping[str, str]], path: Path, _lock: FolderLock) -> None:
    with suppress(TemplateError):  # whoever draws meets it again, and says so
        compiled = compile_template(source)
        find_out(compiled, rows)
        path.write_bytes(write_artefact(compiled))


def find_out(compiled: CompiledTemplate, rows: Sequence[Mapping[str, str]]) -> None:
    """Draw the still pages of every arrangement that these words take."""
    manifest = compiled.manifest
    measured: set[tuple[frozenset[str], tuple[str, ...]]] = set()
    arranged: set[tuple[frozenset[str], Counts]] = set()
    for row in rows:
        texts = {
            slot.name: ("" if slot.locked else row.get(slot.name, "")) or slot.default or ""
            for slot in manifest.slots
        }
        filled = Filled(manifest, texts, {})
        skeleton = compiled.skeleton(filled)
        words = tuple(place.element.words(filled) for place in skeleton.texts if place.flows)
        if (skeleton.present, words) in measured:
            continue
        measured.add((skeleton.present, words))
        counts = compiled.counts(skeleton, filled)
        if (skeleton.present, counts) in arranged:
            continue
        arranged.add((skeleton.present, counts))
        if (plates := compiled.plates(skeleton, counts)) is not None:
            for page in range(manifest.pages):
                compiled.plate(plates, page, skeleton)
        if len(arranged) == _MOST_ARRANGEMENTS:
            return
