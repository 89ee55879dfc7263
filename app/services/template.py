"""Bring designs from the library into a tenant, release them, clear them, and hold them ready."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.errors import Fault, InvalidInput, Missing, Unavailable
from app.domain.organisation import Permission
from app.domain.template import ProductType, TemplateAction, TemplateState, Upgrade
from app.domain.tracking import day_of
from app.models.template import Template, TemplateVersion
from app.ports import ObjectStoreUnavailable, TaskName
from app.services.access import access_template_version, require
from app.services.independence import require_another_person
from app.services.shelf import LibraryChanged
from app.services.unit_of_work import UnitOfWork
from templates_lib.catalog import TemplateSource
from templates_lib.document import TemplateError
from templates_lib.manifest import ManifestError, TemplateManifest

log = structlog.get_logger(__name__)


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
    uow.after_commit(TaskName.REHEARSE_TEMPLATES)
    return version


def retire_template(uow: UnitOfWork, slug: str, number: int) -> TemplateVersion:
    """Take a version off the shelf; pieces already made from it stay as they are."""
    version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_PUBLISH)
    version.apply(TemplateAction.RETIRE)
    uow.audit.record("template:retire", version.id, digest=version.digest)
    return version


def decide_upgrade(uow: UnitOfWork, slug: str, number: int, upgrade: Upgrade) -> TemplateVersion:
    """Let public pieces of an older version stay, or ask their makers to make them anew (TA-6).

    Taking them down is a recall of the version, which needs its second person. Raises Missing where
    no newer version is released: there is nothing to upgrade to.
    """
    version = access_template_version(uow, slug, number, may=Permission.TEMPLATE_PUBLISH)
    newer = uow.session.scalar(
        select(TemplateVersion.id).where(
            TemplateVersion.template_id == version.template_id,
            TemplateVersion.number > number,
            TemplateVersion.state == TemplateState.PUBLISHED,
        )
    )
    if newer is None:
        raise Missing(noun="template_version")
    if version.upgrade is not upgrade:
        version.upgrade = upgrade
        asks = upgrade is Upgrade.ASK
        uow.audit.record(
            "template:upgrade_ask" if asks else "template:upgrade_keep", version.id, number=number
        )
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


def withdraw_clearance(uow: UnitOfWork, version: TemplateVersion) -> None:
    """Let nothing made from a version pass by itself any more; people look at each piece again."""
    if version.cleared_at is not None:
        version.cleared_at = version.cleared_by = None
        uow.audit.record("template:unclear", version.id, digest=version.digest)


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


def rehearse_next(uow: UnitOfWork) -> bool:
    """Make one released design ready in one of its sizes; False where all of them are.

    Nobody then waits a second for the first picture. One at a time, and a nudge for the next, so
    that a check which comes in between waits for one design and not for the whole library. What
    fails is left to whoever draws it.
    """
    shelf = uow.around.shelf
    released = uow.session.scalars(
        select(TemplateVersion)
        .where(TemplateVersion.state == TemplateState.PUBLISHED)
        .order_by(TemplateVersion.published_at.desc())
        .options(joinedload(TemplateVersion.template))
    )
    for version in released:
        slug, number, digest = version.template.slug, version.number, version.digest
        try:
            for size in shelf.catalog.source(slug, number).manifest.sizes:
                if shelf.rehearse(slug, number, digest, size):
                    uow.after_commit(TaskName.REHEARSE_TEMPLATES)
                    return True
        except (Unavailable, ObjectStoreUnavailable, TemplateError, ManifestError) as error:
            log.warning("template_not_rehearsed", template=slug, version=number, reason=str(error))
    return False
