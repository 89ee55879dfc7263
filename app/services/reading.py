"""Read the words in uploaded pictures, each picture once."""

import io
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

import structlog
from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from app.models.asset import ASSET_PREFIX, Asset
from app.models.check import CheckRun
from app.models.reading import KeptReading
from app.ports import ObjectMissing, PictureNotRead
from app.queries.reading import Found, boxes_of, readings_of
from app.services.access import revision_of
from app.services.rendition import asset_key
from app.services.unit_of_work import UnitOfWork
from compliance.reading import Box, PictureReading, around
from templates_lib.manifest import SlotKind, TemplateManifest

log = structlog.get_logger(__name__)

_LEAST_MARGIN_PX: Final = 12
_CROP_SIDE_PX: Final = 480
_CROP_QUALITY: Final = 84
_FRAME: Final = "#d92d20"


def pictures_in(manifest: TemplateManifest, values: Mapping[str, str]) -> dict[str, str]:
    """By slot, the SHA-256 of every uploaded picture that these values show."""
    return {
        slot.name: value.removeprefix(ASSET_PREFIX)
        for slot in manifest.slots
        if slot.kind is SlotKind.IMAGE and (value := values.get(slot.name, "")).startswith(ASSET_PREFIX)
    }


def kept_readings(uow: UnitOfWork, pictures: Collection[str]) -> dict[str, PictureReading]:
    """What is known of these pictures, by their SHA-256."""
    return readings_of(uow.session, pictures, reader=uow.around.reader.name)


def read_picture(uow: UnitOfWork, sha256: str) -> PictureReading | None:
    """Read a stored picture and keep what it says; `None` where it could not be read.

    One that the present reader has read is not read again; one it could not read is tried anew.
    """
    reader = uow.around.reader
    known = uow.session.scalar(
        select(KeptReading).where(
            KeptReading.sha256 == sha256, KeptReading.reader == reader.name, KeptReading.fault.is_(None)
        )
    )
    if known is not None:
        return PictureReading.of_dict(known.seen)
    reading: PictureReading | None = None
    fault: str | None = None
    try:
        reading = reader.read(uow.store.get(asset_key(uow, sha256)))
    except PictureNotRead as refused:
        fault = refused.code
    except ObjectMissing:
        fault = "missing"
    if fault is not None:
        log.warning("picture_not_read", sha256=sha256, fault=fault)
    seen = {"seen": reading.to_dict() if reading is not None else {}, "fault": fault}
    uow.session.execute(
        insert(KeptReading)
        .values(tenant_id=uow.tenant_id, sha256=sha256, reader=reader.name, read_at=uow.clock.now(), **seen)
        .on_conflict_do_update(
            index_elements=["tenant_id", "sha256", "reader"],
            set_=seen | {"read_at": uow.clock.now()},
            where=KeptReading.fault.is_not(None),
        )
    )
    return reading


def pictures_of_check(uow: UnitOfWork, run_id: UUID, *, also_failed: bool = False) -> list[str]:
    """The pictures that the present reader has yet to read before a check's verdict counts.

    `also_failed` names again those it could not read. An advisor's portrait in a piece made for
    everybody is not the piece's own: it was looked at when it was uploaded.
    """
    run = uow.session.get(CheckRun, run_id)
    if run is None or run.completed_at is not None:
        return []
    values = revision_of(uow, run.revision_id).values
    shown = {value.removeprefix(ASSET_PREFIX) for value in values.values() if _is_picture(value)}
    known = select(KeptReading.sha256).where(
        KeptReading.sha256.in_(shown), KeptReading.reader == uow.around.reader.name
    )
    if also_failed:
        known = known.where(KeptReading.fault.is_(None))
    return sorted(shown - set(uow.session.scalars(known)))


Place = tuple[str, int, int]


def crops_of(uow: UnitOfWork, pictures: Mapping[str, str], found: Iterable[Found]) -> dict[Place, bytes]:
    """By field and span, the part of the uploaded picture that a finding speaks of, framed, as a JPEG.

    `pictures` are their SHA-256 by field. Of a picture that could not be read, the whole is shown:
    somebody has to look at it.
    """
    hits = [hit for hit in found if hit.field in pictures]
    readings = kept_readings(uow, {pictures[hit.field] for hit in hits})
    crops = {}
    for hit in hits:
        sha256 = pictures[hit.field]
        boxes = boxes_of(readings.get(sha256), hit)
        try:
            crops[hit.field, hit.start, hit.end] = _crop(uow.store.get(asset_key(uow, sha256)), boxes)
        except ObjectMissing:
            log.warning("picture_missing", sha256=sha256)
    return crops


def _crop(data: bytes, boxes: tuple[Box, ...]) -> bytes:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as picture:
        shown = picture.convert("RGB")
    if (part := around(boxes)) is not None:
        margin = max(_LEAST_MARGIN_PX, part.size)
        left, top = max(0, round(part.left - margin)), max(0, round(part.top - margin))
        right = min(shown.width, round(part.right + margin))
        bottom = min(shown.height, round(part.bottom + margin))
        drawing = ImageDraw.Draw(shown)
        for box in boxes:
            drawing.rectangle(
                (box.left - 2, box.top - 2, box.right + 2, box.bottom + 2), outline=_FRAME, width=2
            )
        shown = shown.crop((left, top, right, bottom))
    shown.thumbnail((_CROP_SIDE_PX, _CROP_SIDE_PX), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    shown.save(target, "JPEG", quality=_CROP_QUALITY)
    return target.getvalue()


def _is_picture(value: object) -> bool:
    return isinstance(value, str) and value.startswith(ASSET_PREFIX)


def tenant_of_picture(sessions: sessionmaker[Session], asset_id: UUID) -> UUID | None:
    """Whose picture a message speaks of; messages carry ids and nothing else."""
    with sessions() as session:
        return session.scalar(select(Asset.tenant_id).where(Asset.id == asset_id))


def read_asset(uow: UnitOfWork, asset_id: UUID) -> PictureReading | None:
    """Read an uploaded picture; `None` where it is gone or cannot be read."""
    asset = uow.session.get(Asset, asset_id)
    return read_picture(uow, asset.sha256) if asset is not None else None
