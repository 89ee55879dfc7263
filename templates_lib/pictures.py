"""Pictures that arrive from outside, and the drawing that stands in for one that does not.

An uploaded picture is decoded here once, upright, without its metadata, and leaves as pixels of
ours: what a file may hide behind its pixels never reaches a rendition.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    from templates_lib import fonts

ACCEPTED_FORMATS: Final = ("JPEG", "PNG", "WEBP")
MAX_BYTES: Final = 12 * 1024 * 1024
MAX_SIDE_PX: Final = 8_000
MAX_PIXELS: Final = 40_000_000
MIN_SIDE_PX: Final = 48
KEPT_SIDE_PX: Final = 1_200  # twice the largest photo frame of the library


class BadImageError(ValueError):
    """A picture cannot be used; the message says why in the words of the person who chose it."""

    code = "bad_image"


class EmptyImageError(BadImageError):
    code = "empty"

    def __init__(self) -> None:
        super().__init__("图片是空文件")


class UnsupportedImageError(BadImageError):
    """The bytes are not a picture of an accepted format, whatever their name says."""

    code = "unsupported_image"

    def __init__(self) -> None:
        super().__init__("只支持 JPEG、PNG、WEBP 图片")


class LargeImageError(BadImageError):
    """The header asks for more pixels than may be decoded."""

    code = "too_many_pixels"


@dataclass(frozen=True, slots=True)
class ImageValue:
    """The bytes of a picture as uploaded: JPEG, PNG or WEBP."""

    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class CleanImage:
    """A decoded picture: upright, sRGB, no metadata, at most KEPT_SIDE_PX a side."""

    pixels: Image.Image

    @property
    def content_type(self) -> str:
        return "image/png" if self.pixels.mode == "RGBA" else "image/jpeg"

    @cached_property
    def data(self) -> bytes:
        """The pixels as a file of ours: PNG where something shines through, else JPEG."""
        target = io.BytesIO()
        if self.pixels.mode == "RGBA":
            self.pixels.save(target, "PNG", compress_level=1)
        else:
            self.pixels.save(target, "JPEG", quality=94, subsampling="4:4:4")
        return target.getvalue()


@lru_cache(maxsize=8)
def clean_image(value: ImageValue) -> CleanImage:
    """Decode a picture safely. Raises BadImageError.

    The header is judged before a pixel is decoded, so a small file cannot ask for much memory.
    What a stranger sends is decoded by `darkroom.develop`; this is for pictures that were.
    """
    return CleanImage(decode(value.data))


_SOUND: Final[dict[str, None]] = {}
_MOST_SOUND: Final = 4_096


def forget_images() -> None:
    """Forget which pictures are sound: for measuring."""
    _SOUND.clear()


def check_image(value: ImageValue) -> None:
    """Decode a picture once in its life here. Raises BadImageError."""
    digest = value.sha256
    if digest not in _SOUND:
        clean_image(value)
        if len(_SOUND) >= _MOST_SOUND:
            _SOUND.clear()
        _SOUND[digest] = None


def decode(data: bytes, most_pixels: int = MAX_PIXELS, *, kept_side: int = KEPT_SIDE_PX) -> Image.Image:
    """Turn a file into pixels: upright, sRGB, no side longer than `kept_side`. Raises BadImageError."""
    # WeasyPrint turns this switch on for the whole process; half a picture is not a picture here
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    image = open_judged(data, most_pixels)
    try:
        image.draft("RGB", (kept_side, kept_side))
        image.load()
        return _bare(image, kept_side)
    except Exception as error:
        # a decoder meets a damaged file with whatever it stumbles over: SyntaxError, struct.error …
        raise BadImageError("图片文件不完整或已损坏") from error


def open_judged(data: bytes, most_pixels: int = MAX_PIXELS, *, least_side: int = MIN_SIDE_PX) -> Image.Image:
    """Open a picture by its header alone, no pixel decoded. Raises BadImageError."""
    if not data:
        raise EmptyImageError
    if len(data) > MAX_BYTES:
        raise BadImageError(f"图片超过 {MAX_BYTES // 1024 // 1024} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS)
        frames = getattr(image, "n_frames", 1)
    except UnidentifiedImageError as error:
        raise UnsupportedImageError from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LargeImageError("图片尺寸过大") from error
    except Exception as error:
        raise BadImageError("图片文件不完整或已损坏") from error
    width, height = image.size
    if max(width, height) > MAX_SIDE_PX or width * height > min(most_pixels, MAX_PIXELS):
        raise LargeImageError(f"图片尺寸 {width}×{height} 过大，长边请不超过 {MAX_SIDE_PX} 像素")
    if min(width, height) < least_side:
        raise BadImageError(f"图片尺寸 {width}×{height} 过小，短边请不少于 {least_side} 像素")
    # a camera's second frame (MPO) is a depth map or a preview; the first is the photo
    if frames > 1 and image.format != "MPO":
        raise BadImageError("请使用静态图片，动图无法印在海报上")
    return image


def _bare(image: Image.Image, kept_side: int) -> Image.Image:
    """The pixels alone: small, upright, in our colours, with nothing attached."""
    see_through = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        image = image.convert("RGBA" if see_through else "RGB")
    # first of all: every later step then works on a tenth of the pixels
    image.thumbnail((kept_side, kept_side), Image.Resampling.LANCZOS)
    upright = _in_srgb(ImageOps.exif_transpose(image))
    pixels = upright.convert("RGBA" if see_through else "RGB")
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare


def _in_srgb(image: Image.Image) -> Image.Image:
    """The colours the picture's own profile means; without a usable one they are taken as they are."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode == "L":
        return image
    try:
        found = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        return image
    return found or image


_FRAME_SIDE: Final = 1_000
_MONOGRAM_SIDE: Final = 440


@dataclass(frozen=True, slots=True)
class MonogramFrame:
    """A character set large in the middle of a square of `side`: its glyph, origin and size."""

    glyph: "fonts.GlyphOutline"
    x: float
    y: float
    size_px: float
    side: int = _FRAME_SIDE


@lru_cache(maxsize=512)
def monogram_frame(text: str) -> MonogramFrame | None:
    """Set the first character of a name for a missing portrait; `None` if no face draws it."""
    from templates_lib import fonts  # reads all faces; whoever only decodes need not wait for it

    first = text.strip()[:1]
    outline = fonts.glyph_outline(first) if first else None
    if outline is None:
        return None
    scale = _MONOGRAM_SIDE / max(outline.x_max - outline.x_min, outline.y_max - outline.y_min)
    middle = _FRAME_SIDE / 2
    return MonogramFrame(
        outline,
        middle - scale * (outline.x_min + outline.x_max) / 2,
        middle + scale * (outline.y_min + outline.y_max) / 2,
        scale * outline.units_per_em,
    )


@lru_cache(maxsize=512)
def monogram_svg(text: str, ink: str) -> bytes:
    """Draw the first character of a name on a clear ground, for a missing portrait.

    The glyph is an outline, not text: it repeats the name and must not be read out twice.
    Where no face draws the character, or there is none, a quiet silhouette takes its place.
    """
    frame = monogram_frame(text)
    if frame is None:
        drawing = (
            f'<g fill="{ink}"><circle cx="500" cy="402" r="158"/>'
            '<path d="M180 1000c0-232 128-372 320-372s320 140 320 372z"/></g>'
        )
    else:
        scale = frame.size_px / frame.glyph.units_per_em
        drawing = (
            f'<path fill="{ink}" transform="translate({frame.x:.2f} {frame.y:.2f}) '
            f'scale({scale:.5f} {-scale:.5f})" d="{frame.glyph.path}"/>'
        )
    side = _FRAME_SIDE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="0 0 {side} {side}">{drawing}</svg>'
    ).encode()
