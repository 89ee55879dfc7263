"""The compiled designs of one process, and what was found out about them for all processes."""

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import structlog

from app.domain.errors import InvalidInput, Unavailable
from app.ports import ObjectMissing, ObjectStore, ObjectStoreUnavailable
from templates_lib.artefact import (
    ArtefactError,
    name_from,
    pages_known,
    read_artefact,
    write_artefact,
)
from templates_lib.catalog import Catalog
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.fill import SlotError, SlotErrors, fill, without_omitted
from templates_lib.manifest import ManifestError, TemplateManifest, UnknownSizeError
from templates_lib.rehearse import rehearse
from templates_lib.samples import Sample, load_samples

log = structlog.get_logger(__name__)

# How often a process looks whether another has rehearsed a design since.
_LOOK_AGAIN_S: Final = 30


class LibraryChanged(Unavailable):
    """The files of a version are not the ones that were loaded: nothing is drawn from them."""

    code = "library_changed"
    reason = "模板“{slug}”第 {version} 版的文件与登记时不一致，已停止使用。"
    remedy = "请恢复原文件，或以新的版本号发布。"


@dataclass(frozen=True, slots=True)
class SampleFault:
    """One slot that does not hold what one of the version's own samples puts into it, in one size."""

    sample: str
    sample_label: str
    size: str
    slot: str
    slot_label: str
    reason: str
    fits: str | None


# By the digest of all of a version's files: what was found of them once holds for ever.
_FAULTS: Final[dict[str, tuple[SampleFault, ...]]] = {}


@dataclass(slots=True)
class TemplateShelf:
    """Compiled templates of this process, at most `capacity`, least recently used first out."""

    catalog: Catalog
    capacity: int = 32
    # where what was found out about a design is kept for other processes and for tomorrow
    store: ObjectStore | None = None
    _compiled: dict[tuple[str, int, str, str], CompiledTemplate] = field(default_factory=dict)
    _kept_pages: dict[str, int] = field(default_factory=dict)
    _rehearsed: set[str] = field(default_factory=set)
    _looked_at: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def compiled(self, slug: str, number: int, digest: str, size: str = "") -> CompiledTemplate:
        """The compiled version in that size.

        Raises LibraryChanged where the files are not those of digest, InvalidInput for a size that
        the design does not have.
        """
        key = (slug, number, digest, size)
        with self._lock:
            if found := self._compiled.pop(key, None):
                self._compiled[key] = found
                self._look_again(found)
                self._keep(found)
                return found
            source = self.catalog.source(slug, number)
            if source.digest() != digest:
                raise LibraryChanged(slug=slug, version=number)
            try:
                compiled = compile_template(source.variant(size))
            except UnknownSizeError as unknown:
                known = "、".join(unknown.known) or "仅有原尺寸"
                raise InvalidInput.of(
                    "size", unknown.code, f"这个模板没有尺寸“{size}”，可选：{known}。"
                ) from unknown
            self._look_again(compiled)
            self._compiled[key] = compiled
            while len(self._compiled) > self.capacity:
                self._compiled.pop(next(iter(self._compiled)))
            return compiled

    def rehearse(self, slug: str, number: int, digest: str, size: str = "") -> bool:
        """Find out beforehand what pictures of this design will ask for, and keep it for all.

        Returns False where somebody did so before. Raises what `compiled` raises, and
        ObjectStoreUnavailable.
        """
        source = self.catalog.source(slug, number).variant(size)
        key = _artefact_key(source.manifest, source.digest())
        if self.store is None or key in self._rehearsed:
            return False
        if self.store.exists(_rehearsed_key(key)):
            self._rehearsed.add(key)
            return False
        compiled = self.compiled(slug, number, digest, size)
        rehearse(compiled, [sample.values for sample in self.samples(slug, number)])
        with self._lock:
            self._keep(compiled)
            self.store.put(_rehearsed_key(key), b"", "text/plain")
            self._rehearsed.add(key)
        return True

    def _look_again(self, compiled: CompiledTemplate) -> None:
        """Learn what others found out, from time to time until the design was rehearsed."""
        key, now = _artefact_key(compiled.manifest, compiled.digest), time.monotonic()
        if self.store is None or key in self._rehearsed:
            return
        if key in self._looked_at and now - self._looked_at[key] < _LOOK_AGAIN_S:
            return
        first = key not in self._looked_at
        self._looked_at[key] = now
        try:
            rehearsed = self.store.exists(_rehearsed_key(key))
        except ObjectStoreUnavailable:
            rehearsed = False
        if rehearsed:
            self._rehearsed.add(key)
        if rehearsed or first:
            self._recall(compiled)

    def _recall(self, compiled: CompiledTemplate) -> None:
        """Read what another process found out about the design, if one did."""
        if self.store is None:
            return
        key = _artefact_key(compiled.manifest, compiled.digest)
        try:
            read_artefact(compiled, self.store.get(key))
            self._kept_pages[key] = pages_known(compiled)
        except ObjectMissing:
            return
        except (ArtefactError, ObjectStoreUnavailable) as error:
            # what is lost is half a second; it is found out again
            log.warning("artefact_unusable", template=compiled.manifest.slug, reason=str(error))

    def _keep(self, compiled: CompiledTemplate) -> None:
        """Keep what was found out since, together with what others kept."""
        key = _artefact_key(compiled.manifest, compiled.digest)
        if self.store is None or pages_known(compiled) == self._kept_pages.get(key, 0):
            return
        self._recall(compiled)
        try:
            self.store.put(key, write_artefact(compiled), "application/zip")
        except ObjectStoreUnavailable as error:
            log.warning("artefact_not_kept", template=compiled.manifest.slug, reason=str(error))
        self._kept_pages[key] = pages_known(compiled)

    def samples(self, slug: str, number: int) -> tuple[Sample, ...]:
        """The version's own samples; none where the file is missing or cannot be used."""
        try:
            return load_samples(self.catalog.source(slug, number))
        except ManifestError as fault:
            log.warning("samples_unusable", slug=slug, version=number, reason=fault.reason)
            return ()

    def sample_faults(self, slug: str, number: int, digest: str) -> tuple[SampleFault, ...]:
        """Every slot that one of the version's samples breaks in any size; empty for a sound design.

        A version without samples has shown nothing of its extremes: that is a fault too.
        """
        compiled = self.compiled(slug, number, digest)
        samples = self.samples(slug, number)
        if not samples:
            return (SampleFault("", "全部", "", "samples", "样例", "没有可用的样例文件 samples.yaml", None),)
        if (known := _FAULTS.get(digest)) is None:
            labels = {slot.name: slot.label for slot in compiled.manifest.slots}
            known = tuple(
                SampleFault(
                    sample.name,
                    sample.label,
                    size,
                    error.slot,
                    labels.get(error.slot, error.slot),
                    error.reason,
                    error.fits,
                )
                for size in compiled.manifest.sizes
                for sample in samples
                for error in _slot_errors(self.compiled(slug, number, digest, size), sample)
            )
            self.keep_faults(digest, known)
        return known

    def keep_faults(self, digest: str, faults: tuple[SampleFault, ...]) -> None:
        """Take over what another process found of the samples of a version with this digest."""
        _FAULTS[digest] = faults


def _rehearsed_key(artefact_key: str) -> str:
    return f"{artefact_key.removesuffix('.plates')}.rehearsed"


def _artefact_key(manifest: TemplateManifest, digest: str) -> str:
    return f"templates/{manifest.slug}/{manifest.version}/{name_from(digest)}.plates"


def _slot_errors(compiled: CompiledTemplate, sample: Sample) -> tuple[SlotError, ...]:
    manifest = compiled.manifest
    try:
        compiled.place(fill(manifest, without_omitted(manifest, sample.values)))
    except SlotErrors as refused:
        return (refused.in_size(manifest.size.name) if manifest.drawn_as else refused).errors
    return ()
