"""Bring a picture from outside into the house: judged, decoded once, stripped, with its rights."""

import hashlib
import io
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import uuid4

from PIL import Image, ImageOps
from sqlalchemy import select

from app.domain.errors import InvalidInput, UnsupportedFile
from app.domain.text import unprintable
from app.models.asset import Asset
from app.ports import TaskName
from app.services.rendition import asset_key
from app.services.unit_of_work import UnitOfWork
from templates_lib.darkroom import develop
from templates_lib.pictures import BadImageError, UnsupportedImageError

_QUALITY: Final = 92
_FACE: Final = (0.5, 0.35)
_MAX_RIGHTS_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Rights:
    """Who says that we may use a picture, in their words, and until when. None: without end."""

    statement: str
    until: date | None = None


def keep_picture(
    uow: UnitOfWork,
    data: bytes,
    *,
    kind: str,
    field: str,
    rights: Rights,
    most_pixels: int,
    aspect: tuple[int, int] | None = None,
) -> Asset:
    """Store an uploaded picture as pixels of ours; the same picture twice is one asset.

    What arrives is never kept, and never decoded in this process: the darkroom judges the file by
    its header before a pixel, turns it upright and hands back bare pixels, free of every piece of
    metadata (place, device, thumbnail, whatever follows the picture). They are encoded anew; with
    an aspect, width to height, what is beyond it is cut off.
    Raises InvalidInput naming `field`, UnsupportedFile.
    """
    statement = rights.statement.strip()
    if not statement or len(statement) > _MAX_RIGHTS_LENGTH or unprintable(statement):
        raise InvalidInput.of("rights", "required", "请说明这张图片的使用授权。")
    pixels = _develop(data, field, most_pixels)
    if aspect is not None:
        pixels = _cut(pixels, aspect)
    encoded = _as_jpeg(pixels)
    sha256 = hashlib.sha256(encoded).hexdigest()
    known = uow.session.scalar(select(Asset).where(Asset.sha256 == sha256))
    if known is not None:
        return known
    # bytes first: a row never points at nothing, while bytes without a row are only unused
    uow.store.put(asset_key(uow, sha256), encoded, "image/jpeg")
    asset = Asset(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        sha256=sha256,
        kind=kind,
        content_type="image/jpeg",
        size_bytes=len(encoded),
        width_px=pixels.width,
        height_px=pixels.height,
        rights=statement,
        rights_until=rights.until,
        uploaded_by=uow.actor.user_id,
        uploaded_at=uow.clock.now(),
    )
    uow.session.add(asset)
    uow.session.flush()
    uow.audit.record("asset:upload", asset.id, kind=kind, sha256=sha256)
    uow.after_commit(TaskName.READ_PICTURE, asset.id)
    return asset


def _develop(data: bytes, field: str, most_pixels: int) -> Image.Image:
    try:
        return develop(data, most_pixels).pixels
    except BadImageError as error:
        if error.code == UnsupportedImageError.code:
            raise UnsupportedFile(field=field, formats="JPEG、PNG 或 WEBP 图片") from error
        raise InvalidInput.of(field, error.code, f"{error}。") from error


def _cut(pixels: Image.Image, aspect: tuple[int, int]) -> Image.Image:
    """The largest part of that shape, from the middle, a little above it: faces are up there."""
    width, height = aspect
    scale = min(pixels.width / width, pixels.height / height)
    size = (round(width * scale), round(height * scale))
    return ImageOps.fit(pixels, size, centering=_FACE)


def _as_jpeg(pixels: Image.Image) -> bytes:
    if pixels.mode != "RGB":
        ground = Image.new("RGB", pixels.size, "white")
        ground.paste(pixels, mask=pixels.getchannel("A"))
        pixels = ground
    target = io.BytesIO()
    pixels.save(target, "JPEG", quality=_QUALITY, optimize=True)
    return target.getvalue()
