"""Bring designs from the library into a tenant, release them, clear them, and hold them ready."""

from collections.abc import Container
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.errors import Fault, InvalidInput, Missing, Unavailable
from app.domain.organisation import Permission
from app.domain.template import ProductType, TemplateAction, TemplateState
from app.domain.tracking import day_of
from app.models.template import Template, TemplateVersion
from app.ports import ObjectMissing, ObjectStore, ObjectStoreUnavailable
from app.services.access import access_template_version, require
from app.services.independence import require_another_person
from app.services.unit_of_work import UnitOfWork
from templates_lib.artefact import (
    ArtefactError,
    artefact_name,
    pages_known,
    read_artefact,
    write_artefact,
)
from templates_lib.catalog import Catalog, TemplateSource
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.fill import SlotError, SlotErrors, fill, without_omitted
from templates_lib.manifest import ManifestError, TemplateManifest, UnknownSizeError
from templates_lib.samples import Sample, load_samples

log = structlog.get_logger(__name__)


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
            self._recall(compiled)
            self._compiled[key] = compiled
            while len(self._compiled) > self.capacity:
                self._compiled.pop(next(iter(self._compiled)))
            return compiled

    def _recall(self, compiled: CompiledTemplate) -> None:
        """Read what another process found out about the design, if one did."""
        if self.store is None:
            return
        key = _artefact_key(compiled)
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
        key = _artefact_key(compiled)
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
            _FAULTS[digest] = known
        return known


def _artefact_key(compiled: CompiledTemplate) -> str:
    manifest = compiled.manifest
    return f"templates/{manifest.slug}/{manifest.version}/{artefact_name(compiled)}.plates"


def _slot_errors(compiled: CompiledTemplate, sample: Sample) -> tuple[SlotError, ...]:
    manifest = compiled.manifest
    try:
        compiled.place(fill(manifest, without_omitted(manifest, sample.values)))
    except SlotErrors as refused:
        return (refused.in_size(manifest.size.name) if manifest.drawn_as else refused).errors
    return ()


@dataclass(frozen=True, slots=True)
class UnseenVersion:
    """A version on disk whose files a tenant has not loaded as they are now."""

    source: TemplateSource
    digest: str

    @property
    def slug(self) -> str:
        return self.source.manifest.slug

    @property
    def number(self) -> int:
        return self.source.manifest.version


def unseen_versions(uow: UnitOfWork) -> list[UnseenVersion]:
    """What `load_library` would bring in or bring up to date: the versions to examine before."""
    known = {key: version.digest for key, version in _known_versions(uow).items()}
    found = []
    for manifest in uow.around.shelf.catalog.versions():
        source = uow.around.shelf.catalog.source(manifest.slug, manifest.version)
        digest = source.digest()
        if known.get((manifest.slug, manifest.version)) != digest:
            found.append(UnseenVersion(source, digest))
    return found


def _known_versions(uow: UnitOfWork) -> dict[tuple[str, int], TemplateVersion]:
    versions = uow.session.scalars(select(TemplateVersion).options(joinedload(TemplateVersion.template)))
    return {(version.template.slug, version.number): version for version in versions}


def load_library(uow: UnitOfWork, *, only: Container[str] | None = None) -> int:
    """Register every version of the library that the tenant does not have yet; say how many.

    `only` holds the digests that were examined and found usable; `None` trusts the library as
    one trusts the code it came with. Raises LibraryChanged where a released version's files were
    edited in place.
    """
    shelf = uow.around.shelf
    known = _known_versions(uow)
    templates = {one.slug: one for one in uow.session.scalars(select(Template))}
    added = 0
    for manifest in shelf.catalog.versions():
        digest = shelf.catalog.source(manifest.slug, manifest.version).digest()
        if version := known.get((manifest.slug, manifest.version)):
            if version.digest != digest:
                if version.published_at is not None:
                    raise LibraryChanged(slug=manifest.slug, version=manifest.version)
                if only is None or digest in only:
                    version.digest, version.manifest = digest, card_of(manifest)
            continue
        if only is not None and digest not in only:
            continue
        template = templates.get(manifest.slug)
        if template is None:
            template = Template(
                tenant_id=uow.tenant_id,
                slug=manifest.slug,
                name=manifest.name,
                kind=manifest.kind.value,
            )
            uow.session.add(template)
            templates[manifest.slug] = template
        version = TemplateVersion(
            tenant_id=uow.tenant_id,
            template=template,
            number=manifest.version,
            digest=digest,
            product_type=ProductType(manifest.product_type),
            tags=list(manifest.tags),
            manifest=card_of(manifest),
            valid_from=manifest.valid_from,
            valid_until=manifest.valid_until,
            loaded_at=uow.clock.now(),
        )
        uow.session.add(version)
        uow.session.flush()
        uow.audit.record("template:load", version.id, slug=manifest.slug, digest=digest)
        added += 1
    return added


def card_of(manifest: TemplateManifest) -> dict[str, Any]:
    """What a list says of a version without opening its files: the catalogue card (TA-16)."""
    return {
        "name": manifest.name,
        "kind": manifest.kind.value,
        "style": manifest.style,
        "summary": manifest.summary,
        "audience": manifest.audience,
        "pages": manifest.pages,
        "width_px": manifest.size.width_px,
        "height_px": manifest.size.height_px,
        "use_guide": manifest.use_guide,
        "disclosure": manifest.disclosure,
    }


def publish_template(uow: UnitOfWork, slug: str, number: int) -> TemplateVersion:
    """Release a version to the advisors of the tenant.

    Raises InvalidInput, slot by slot, while one of its extreme samples does not fit.
    """
    version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_PUBLISH)
    faults = uow.around.shelf.sample_faults(slug, number, version.digest)
    if faults:
        raise InvalidInput(
            *(
                Fault(
                    f"{fault.sample}.{fault.slot}",
                    "sample_fault",
                    f"样例“{fault.sample_label}”：{fault.reason}",
                )
                for fault in faults
            )
        )
    version.apply(TemplateAction.PUBLISH)
    version.published_at = uow.clock.now()
    version.published_by = uow.actor.user_id
    # a release starts uncleared: whoever cleared an earlier release did not see this one
    version.cleared_at = version.cleared_by = None
    uow.audit.record("template:publish", version.id, digest=version.digest)
    return version


def retire_template(uow: UnitOfWork, slug: str, number: int) -> TemplateVersion:
    """Take a version off the shelf; pieces already made from it stay as they are."""
    version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_PUBLISH)
    version.apply(TemplateAction.RETIRE)
    uow.audit.record("template:retire", version.id, digest=version.digest)
    return version


def clear_template(uow: UnitOfWork, slug: str, number: int) -> TemplateVersion:
    """Confirm every default and phrase of a released version: untouched pieces pass by themselves.

    Raises SelfApproval for whoever released it.
    """
    version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_CLEAR)
    if version.state is not TemplateState.PUBLISHED:
        raise Missing(noun="template_version")
    require_another_person(uow, "template:refuse", version.id, [version.published_by])
    version.cleared_at, version.cleared_by = uow.clock.now(), uow.actor.user_id
    uow.audit.record("template:clear", version.id, digest=version.digest)
    return version


def manifest_of(uow: UnitOfWork, version: TemplateVersion) -> TemplateManifest:
    """The version's manifest, read from the very files it was loaded with."""
    return uow.around.shelf.compiled(version.template.slug, version.number, version.digest).manifest


def open_template(uow: UnitOfWork, slug: str, number: int) -> TemplateVersion:
    """A version to look at: an advisor sees what they may use today, the desk every version."""
    if uow.actor.advisor_id is not None:
        return usable_version(uow, slug, number)
    return access_template_version(uow, slug, number, may=Permission.TEMPLATE_VIEW)


def usable_version(uow: UnitOfWork, slug: str, number: int | None = None) -> TemplateVersion:
    """The version an advisor may use today: released, within its validity, the newest unless named."""
    require(uow, Permission.PIECE_MAKE if uow.actor.advisor_id else Permission.PIECE_MAKE_MASTER)
    today = day_of(uow.clock.now())
    statement = (
        select(TemplateVersion)
        .join(TemplateVersion.template)
        .where(Template.slug == slug, TemplateVersion.state == TemplateState.PUBLISHED)
        .order_by(TemplateVersion.number.desc())
        .options(joinedload(TemplateVersion.template))
    )
    if number is not None:
        statement = statement.where(TemplateVersion.number == number)
    for version in uow.session.scalars(statement):
        if (version.valid_from is None or version.valid_from <= today) and (
            version.valid_until is None or today <= version.valid_until
        ):
            return version
    raise Missing(noun="template_version")
