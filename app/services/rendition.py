"""Draw pictures once and keep them under their SHA-256; the preview is the output."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog
from PIL import Image
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.archive import ItemKind
from app.domain.edition import RenderSpec
from app.domain.errors import Fault, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.tracking import PREVIEW_CODE
from app.models.advisor import Advisor
from app.models.asset import ASSET_PREFIX
from app.models.edition import Rendition
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.review import Decision
from app.models.template import TemplateVersion
from app.models.tenant import Tenant
from app.ports import ObjectMissing
from app.queries.scope import within
from app.services.access import require
from app.services.archive import note_shown
from app.services.unit_of_work import UnitOfWork
from templates_lib.compile import CompiledTemplate
from templates_lib.compose import DOCUMENTS, PictureFormat, compose, require_fit
from templates_lib.fill import SlotError, SlotErrorCode, SlotErrors, fill, without_omitted
from templates_lib.manifest import SlotKind, SlotSource, TemplateManifest
from templates_lib.pictures import ImageValue
from templates_lib.samples import load_samples
from templates_lib.twin import TwinLine, text_twin

log = structlog.get_logger(__name__)

CONTENT_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "print": "application/pdf",
}
_THUMBNAIL_QUALITY = 84
_LAST_SIGNS = 6
_MOST_REMEMBERED_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PictureFile:
    """The bytes of one rendition with what an edge needs to hand them out."""

    data: bytes
    content_type: str
    sha256: str
    width_px: int
    height_px: int


def asset_key(uow: UnitOfWork, sha256: str) -> str:
    return f"assets/{uow.tenant_id}/{sha256}"


def rendition_key(uow: UnitOfWork, sha256: str) -> str:
    return f"renditions/{uow.tenant_id}/{sha256[:2]}/{sha256}"


def compiled_for(uow: UnitOfWork, version: TemplateVersion, size: str = "") -> CompiledTemplate:
    return uow.around.shelf.compiled(version.template.slug, version.number, version.digest, size)


def profile_values(
    uow: UnitOfWork, manifest: TemplateManifest, advisor: Advisor, *, link: str
) -> dict[str, str]:
    """The slots that the platform fills: profile fields, the institution, and the QR link."""
    tenant = uow.session.get_one(Tenant, uow.tenant_id)
    fields = {
        "name": advisor.name,
        "title": advisor.title,
        "licence_no": advisor.licence_no,
        "org_name": advisor.org_unit.name,
        "phone": advisor.phone,
        "institution": tenant.name,
        "photo": f"{ASSET_PREFIX}{advisor.photo_sha256}" if advisor.photo_sha256 else "",
    }
    values: dict[str, str] = {}
    for slot in manifest.slots:
        if slot.kind is SlotKind.QR:
            values[slot.name] = link
        elif slot.source is SlotSource.PROFILE and (value := fields.get(slot.profile_field or "", "")):
            values[slot.name] = value
    return values


def spec_for(
    version: TemplateVersion,
    values: Mapping[str, str],
    *,
    image_format: str = "jpeg",
    page: int = 0,
    width_px: int | None = None,
    size: str = "",
) -> RenderSpec:
    return RenderSpec(
        template_slug=version.template.slug,
        template_version=version.number,
        template_digest=version.digest,
        values=values,
        image_format=image_format,
        page=page,
        width_px=width_px,
        size=size,
    )


def revision_spec(
    uow: UnitOfWork,
    version: TemplateVersion,
    revision: PieceRevision,
    advisor: Advisor | None = None,
    *,
    link: str = "",
    image_format: str = "jpeg",
    page: int = 0,
    width_px: int | None = None,
    size: str = "",
) -> RenderSpec:
    """What a revision looks like; for a piece made for everybody, in this advisor's edition."""
    values = dict(revision.values)
    if advisor is not None:
        manifest = compiled_for(uow, version).manifest
        values |= profile_values(uow, manifest, advisor, link=link)
    return spec_for(version, values, image_format=image_format, page=page, width_px=width_px, size=size)


def published_spec(
    uow: UnitOfWork,
    publication: Publication,
    advisor: Advisor,
    *,
    link: str,
    image_format: str = "jpeg",
    page: int = 0,
    size: str = "",
) -> RenderSpec:
    """What one advisor's edition of a publication looks like.

    An advisor's own piece is drawn from exactly the values that were approved; in one made for
    everybody the profile slots and the link are this advisor's. What is shown in this way for the
    first time is noted in the archive.
    """
    own = publication.piece.advisor_id is not None
    spec = revision_spec(
        uow,
        publication.piece.template_version,
        publication.revision,
        None if own else advisor,
        link=link,
        image_format=image_format,
        page=page,
        size=size,
    )
    # a preview's code leads nowhere: that picture is shown to its advisor alone
    if not own and not link.endswith(f"/{PREVIEW_CODE}"):
        note_shown(uow, publication, ItemKind.EDITION, advisor_id=advisor.id, values=spec.values)
    return spec


def twin_of(uow: UnitOfWork, spec: RenderSpec) -> tuple[TwinLine, ...]:
    """Every word on a picture in reading order; the same for all of its pages and formats."""
    key = spec.key()
    if (remembered := uow.around.twins.get(key)) is not None:
        return remembered
    manifest = uow.around.shelf.compiled(
        spec.template_slug, spec.template_version, spec.template_digest
    ).manifest
    return uow.around.twins.keep(key, text_twin(manifest, fill(manifest, slot_values(uow, spec.values))))


def portrait(uow: UnitOfWork, advisor: Advisor, *, width_px: int) -> PictureFile | None:
    """The advisor's photo for a page, made small; None where there is none that was verified."""
    if advisor.photo_sha256 is None or "photo" not in advisor.verified_fields:
        return None
    original = uow.store.get(asset_key(uow, advisor.photo_sha256))
    data, width, height = _narrowed(original, width_px, "jpeg")
    return PictureFile(data, CONTENT_TYPES["jpeg"], hashlib.sha256(data).hexdigest(), width, height)


def draw(uow: UnitOfWork, spec: RenderSpec) -> PictureFile:
    """A picture without keeping it in the store; raises InvalidInput naming the slots at fault.

    One that this process drew a moment ago is not drawn again: equal specs give equal bytes.
    """
    remembered = uow.around.pictures
    key = (uow.tenant_id, spec.key())
    if (known := remembered.get(key)) is not None:
        return known
    picture = _drawn(uow, spec)
    return picture if len(picture.data) > _MOST_REMEMBERED_BYTES else remembered.keep(key, picture)


def _drawn(uow: UnitOfWork, spec: RenderSpec) -> PictureFile:
    compiled = uow.around.shelf.compiled(
        spec.template_slug, spec.template_version, spec.template_digest, spec.size
    )
    return _composed(compiled, slot_values(uow, spec.values), spec)


def _composed(
    compiled: CompiledTemplate, values: Mapping[str, str | ImageValue], spec: RenderSpec
) -> PictureFile:
    if not 0 <= spec.page < compiled.manifest.pages:
        raise InvalidInput.of("page", "out_of_range", f"模板共 {compiled.manifest.pages} 页，从 0 数起。")
    try:
        picture = compose(
            compiled,
            without_omitted(compiled.manifest, values),
            format=PictureFormat(spec.image_format),
            page=spec.page,
        )
    except SlotErrors as refused:
        raise _in_size(compiled.manifest, refused) from refused
    if spec.width_px is None or spec.image_format in DOCUMENTS:
        data, width_px, height_px = picture.data, picture.width_px, picture.height_px
    else:
        data, width_px, height_px = _narrowed(picture.data, spec.width_px, spec.image_format)
    return PictureFile(
        data,
        CONTENT_TYPES[spec.image_format],
        hashlib.sha256(data).hexdigest(),
        width_px,
        height_px,
    )


def kept_picture(uow: UnitOfWork, spec: RenderSpec) -> PictureFile:
    """The stored picture of a spec, drawn and stored at first use."""
    return _kept(uow, spec, lambda: draw(uow, spec))


def sample_picture(
    uow: UnitOfWork,
    version: TemplateVersion,
    name: str,
    *,
    page: int = 0,
    width_px: int | None = None,
    size: str = "",
) -> PictureFile:
    """A version with the values of one of its samples; raises Missing, InvalidInput.

    The samples lie in the version's own folder, so its digest and the sample's name decide the bytes.
    """
    compiled = compiled_for(uow, version, size)
    sample = next((one for one in load_samples(compiled.source) if one.name == name), None)
    if sample is None or not 0 <= page < compiled.manifest.pages:
        raise Missing(noun="sample")
    spec = spec_for(version, {"sample": name}, page=page, width_px=width_px, size=size)
    return _kept(uow, spec, lambda: _composed(compiled, sample.values, spec))


def _kept(uow: UnitOfWork, spec: RenderSpec, drawn: Callable[[], PictureFile]) -> PictureFile:
    """What the store gives back is believed by its hash alone.

    Bytes that were lost or changed there are drawn again, and put back where they are the very
    bytes that were kept. Raises ObjectMissing where they are not.
    """
    key = spec.key()
    if (row := _rendition(uow, key)) is not None:
        return _read_back(uow, row, drawn)
    picture = drawn()
    # bytes first: a row never points at nothing, while bytes without a row are only unused
    uow.store.put(rendition_key(uow, picture.sha256), picture.data, picture.content_type)
    kept = uow.session.scalar(
        insert(Rendition)
        .values(
            tenant_id=uow.tenant_id,
            key=key,
            sha256=picture.sha256,
            content_type=picture.content_type,
            width_px=picture.width_px,
            height_px=picture.height_px,
            size_bytes=len(picture.data),
            rendered_at=uow.clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Rendition.id)
    )
    # somebody kept it in the same moment: theirs is what is served, so theirs is what is shown
    first = _rendition(uow, key) if kept is None else None
    return picture if first is None else _read_back(uow, first, drawn)


def _rendition(uow: UnitOfWork, key: str) -> Rendition | None:
    return uow.session.scalar(select(Rendition).where(Rendition.key == key))


def _read_back(uow: UnitOfWork, row: Rendition, drawn: Callable[[], PictureFile]) -> PictureFile:
    stored_as = rendition_key(uow, row.sha256)
    try:
        data = uow.store.get(stored_as)
    except ObjectMissing:
        data = b""
    if hashlib.sha256(data).hexdigest() != row.sha256:
        picture = drawn()
        if picture.sha256 != row.sha256:
            raise ObjectMissing(stored_as)
        log.error("rendition_restored", key=stored_as, found_bytes=len(data))
        uow.store.put(stored_as, picture.data, picture.content_type)
        data = picture.data
    return PictureFile(data, row.content_type, row.sha256, row.width_px, row.height_px)


def decided_picture(uow: UnitOfWork, sha256: str) -> PictureFile:
    """The very bytes a decision was made on, for whoever may see its piece. Raises Missing."""
    if uow.actor.advisor_id is not None:
        theirs = Piece.advisor_id == uow.actor.advisor_id
    else:
        theirs = within(require(uow, Permission.PIECE_VIEW), OrgUnit.path)
    row = uow.session.scalar(
        select(Rendition)
        .join(Decision, Decision.shown_sha256 == Rendition.sha256)
        .join(Piece, Piece.id == Decision.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(Rendition.sha256 == sha256, theirs)
        .limit(1)
    )
    if row is None:
        raise Missing(noun="rendition")
    data = uow.store.get(rendition_key(uow, row.sha256))
    return PictureFile(data, row.content_type, row.sha256, row.width_px, row.height_px)


def slot_values(uow: UnitOfWork, values: Mapping[str, str]) -> dict[str, str | ImageValue]:
    """Stored values as the renderer takes them: asset references become bytes."""
    return {
        slot: ImageValue(uow.store.get(asset_key(uow, value.removeprefix(ASSET_PREFIX))))
        if value.startswith(ASSET_PREFIX)
        else value
        for slot, value in values.items()
    }


def require_fits(uow: UnitOfWork, version: TemplateVersion, values: Mapping[str, str]) -> None:
    """Raise InvalidInput naming the slots whose words leave their frame; nothing is drawn.

    What was found to fit a moment ago is not laid out again: equal specs give equal pages.
    """
    key = (uow.tenant_id, spec_for(version, values).key())
    if uow.around.fitting.get(key) is None:
        require_fits_in(partial(compiled_for, uow, version), slot_values(uow, values))
        uow.around.fitting.keep(key, True)


def require_fits_in(
    compiled_in: Callable[[str], CompiledTemplate], values: Mapping[str, str | ImageValue]
) -> None:
    """Raise InvalidInput where the words do not fit every size of the design; the first is named."""
    for size in compiled_in("").manifest.sizes:
        compiled = compiled_in(size)
        try:
            require_fit(compiled, fill(compiled.manifest, without_omitted(compiled.manifest, values)))
        except SlotErrors as refused:
            raise _in_size(compiled.manifest, refused) from refused


def _in_size(manifest: TemplateManifest, refused: SlotErrors) -> InvalidInput:
    return slot_faults(refused.in_size(manifest.size.name) if manifest.drawn_as else refused)


def slot_faults(refused: SlotErrors) -> InvalidInput:
    """The renderer's refusals as faults of the form's fields."""
    return InvalidInput(*(Fault(error.slot, error.code, _in_words(error)) for error in refused.errors))


def _in_words(error: SlotError) -> str:
    if error.code is not SlotErrorCode.OVERFLOW or not error.fits:
        return error.reason
    last = "".join(error.fits.split())[-_LAST_SIGNS:]
    return f"{error.reason}。写到“{last}”为止刚好放得下"


def _narrowed(data: bytes, width_px: int, image_format: str) -> tuple[bytes, int, int]:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as picture:
        height_px = max(1, round(picture.height * width_px / picture.width))
        small = picture.convert("RGB").resize((width_px, height_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, image_format.upper(), quality=_THUMBNAIL_QUALITY)
    return out.getvalue(), width_px, height_px
