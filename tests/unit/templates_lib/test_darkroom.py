"""Pictures from strangers: what they hide is gone, what they ask for is refused, whatever they are."""

import base64
import io
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from templates_lib.darkroom import LIMITS, develop
from templates_lib.pictures import (
    BadImageError,
    EmptyImageError,
    LargeImageError,
    UnsupportedImageError,
    decode,
)
from templates_lib.sandbox import Limits, call_limited
from tests.unit.templates_lib import bombs
from tests.unit.templates_lib.factories import picture

SECRET = "30.27415N 120.15515E"


def file_of(image: Image.Image, image_format: str, **options) -> bytes:
    target = io.BytesIO()
    image.save(target, image_format, **options)
    return target.getvalue()


def noted() -> Image.Exif:
    """What a phone writes beside a picture: lying on its side, and where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = exif[0x0110] = exif[0x013B] = SECRET
    exif[0x8769] = {0x927C: SECRET.encode(), 0x9286: SECRET.encode(), 0xA430: SECRET}
    exif[0x8825] = {1: "N", 2: (30.0, 16.0, 27.0), 3: "E", 4: (120.0, 9.0, 19.0), 0x1D: SECRET}
    return exif


def texts() -> PngImagePlugin.PngInfo:
    found = PngImagePlugin.PngInfo()
    found.add_text("Comment", SECRET)
    found.add_text("Comment", SECRET, zip=True)
    found.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{SECRET}</x:xmpmeta>")
    return found


def two_shots() -> bytes:
    """As some cameras write it: the photo, then a second picture in the same file."""
    return file_of(
        Image.new("RGB", (90, 60), "#884422"),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (90, 60), "#00ff00")],
    )


LIGHT = Image.new("RGB", (90, 60), "#884422")
XMP = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
TAIL = b"PK\x03\x04" + SECRET.encode() + b"<script>alert(1)</script><?php __HALT_COMPILER();"

METADATA = {
    "jpeg exif": file_of(LIGHT, "JPEG", exif=noted()),
    "jpeg xmp": file_of(LIGHT, "JPEG", xmp=XMP),
    "jpeg comment": file_of(LIGHT, "JPEG", comment=SECRET),
    "jpeg profile": file_of(LIGHT, "JPEG", icc_profile=SECRET.encode()),
    "jpeg all of it": file_of(LIGHT, "JPEG", exif=noted(), xmp=XMP, comment=SECRET),
    "jpeg progressive": file_of(LIGHT, "JPEG", exif=noted(), progressive=True),
    "jpeg grey": file_of(LIGHT.convert("L"), "JPEG", exif=noted()),
    "jpeg of ink": file_of(LIGHT.convert("CMYK"), "JPEG", exif=noted()),
    "jpeg and an archive": file_of(LIGHT, "JPEG") + TAIL,
    "jpeg of two shots": two_shots() + TAIL,
    "png exif": file_of(LIGHT, "PNG", exif=noted()),
    "png texts": file_of(LIGHT, "PNG", pnginfo=texts()),
    "png profile": file_of(LIGHT, "PNG", icc_profile=SECRET.encode()),
    "png see-through": file_of(LIGHT.convert("RGBA"), "PNG", exif=noted(), pnginfo=texts()),
    "png of a palette": file_of(LIGHT.quantize(8), "PNG", pnginfo=texts()),
    "png of deep grey": file_of(Image.new("I;16", (90, 60), 30_000), "PNG", pnginfo=texts()),
    "png and a page": file_of(LIGHT, "PNG") + TAIL,
    "webp exif": file_of(LIGHT, "WEBP", exif=noted().tobytes()),
    "webp xmp": file_of(LIGHT, "WEBP", xmp=XMP),
    "webp and an archive": file_of(LIGHT, "WEBP", exif=noted().tobytes(), xmp=XMP) + TAIL,
}


@pytest.mark.parametrize("name", METADATA)
def test_nothing_but_pixels_leaves(name):
    pixels = decode(METADATA[name])
    written = file_of(pixels, "PNG")

    assert pixels.info == {}
    assert not pixels.getexif()
    assert SECRET.encode() not in written
    assert b"alert" not in written


def test_what_the_darkroom_hands_back_is_bare_and_upright():
    found = develop(METADATA["jpeg all of it"]).pixels

    assert (found.size, found.mode, found.info) == ((60, 90), "RGB", {})
    assert abs(found.getpixel((30, 45))[0] - 0x88) <= 3


def test_what_shines_through_still_does():
    found = develop(file_of(Image.new("RGBA", (60, 60), "#88442280"), "PNG")).pixels

    assert found.getpixel((30, 30)) == (0x88, 0x44, 0x22, 0x80)


def test_the_first_of_two_shots_is_the_photo():
    assert decode(two_shots()).getpixel((45, 30))[1] < 0x60


def test_ink_becomes_light():
    red = decode(file_of(Image.new("CMYK", (60, 60), (0, 255, 255, 0)), "JPEG", quality=95))

    assert red.getpixel((30, 30))[0] > 200
    assert max(red.getpixel((30, 30))[1:]) < 60


def test_colours_are_those_the_pictures_own_profile_means():
    """A profile whose red and green are exchanged: what it calls red, we call green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")
    found = decode(file_of(Image.new("RGB", (60, 60), "#ff0000"), "PNG", icc_profile=exchanged))

    assert found.getpixel((30, 30))[1] > 200
    assert found.getpixel((30, 30))[0] < 60


def moving(image_format: str, frames: int) -> bytes:
    shades = [Image.new("RGB", (60, 60), (at * 50 % 256, at * 90 % 256, at // 256)) for at in range(frames)]
    return file_of(shades[0], image_format, save_all=True, append_images=shades[1:])


REFUSED = {
    "nothing": (b"", EmptyImageError),
    "half a jpeg": (picture()[: len(picture()) // 2], BadImageError),
    "half a png": (picture("PNG")[:200], BadImageError),
    "half a webp": (picture("WEBP")[:-8], BadImageError),
    "a header of 30000": (bombs.png(30_000, 30_000), LargeImageError),
    "a moving png": (moving("PNG", 500), BadImageError),
    "a moving webp": (moving("WEBP", 5), BadImageError),
    "a moving gif": (moving("GIF", 500), UnsupportedImageError),
    "a drawing": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", UnsupportedImageError),
    "a drawing with entities": (b"<!DOCTYPE svg [<!ENTITY a 'ha'>]><svg>&a;</svg>", UnsupportedImageError),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), UnsupportedImageError),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n", UnsupportedImageError),
    "tiff": (picture("TIFF"), UnsupportedImageError),
    "bmp": (picture("BMP"), UnsupportedImageError),
    "ico": (picture("ICO"), UnsupportedImageError),
    "psd": (b"8BPS\0\1" + bytes(200), UnsupportedImageError),
    "fits": (b"SIMPLE  =                    T" + b" " * 2850, UnsupportedImageError),
    "pdf": (b"%PDF-1.7\n", UnsupportedImageError),
    "zip": (b"PK\x03\x04" + bytes(100), UnsupportedImageError),
    "gif": (b"GIF89a", UnsupportedImageError),
    "too narrow": (picture("JPEG", (47, 200)), BadImageError),
    "too heavy": (bytes(12 * 1024 * 1024 + 1), BadImageError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_whole_picture_is_refused(name):
    data, error = REFUSED[name]

    with pytest.raises(error):
        decode(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"GIF89a", "unsupported_image"),
        (bombs.png(30_000, 30_000), "too_many_pixels"),
        (picture()[:600], "bad_image"),
    ],
    ids=["nothing", "gif", "bomb", "half"],
)
def test_the_darkroom_says_why_in_a_code_and_in_words(data, code):
    with pytest.raises(BadImageError, match="图片") as refused:
        develop(data)

    assert refused.value.code == code


def test_a_header_of_another_size_than_wanted_is_refused_by_the_wish():
    with pytest.raises(LargeImageError):
        decode(picture("JPEG", (300, 400)), 300 * 400 - 1)


def test_no_bomb_takes_a_hundred_megabytes():
    files = [picture(image_format, (64, 64)) for image_format in ("JPEG", "PNG", "WEBP")]
    sent = json.dumps([base64.b64encode(file).decode() for file in (*files[:1], *bombs.BOMBS.values())])

    told = json.loads(
        call_limited(
            "tests.unit.templates_lib.captive:decode_pictures", sent.encode(), Limits(cpu_s=8, wall_s=60)
        )
    )

    assert told["growth_mb"] < 100
    outcomes = dict(zip(bombs.BOMBS, told["outcomes"], strict=True))
    # the pixels that are there are enough, and those behind them are never looked at
    assert [name for name, outcome in outcomes.items() if outcome == "decoded"] == [
        "png with pixels beyond its size"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="counts in kilobytes there")
def test_the_largest_picture_allowed_is_not_decoded_at_our_expense():
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = peak_mb()

    assert develop(bombs.LARGEST).pixels.size == (1200, 750)

    assert peak_mb() - before < 100


def peak_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def test_a_picture_that_is_refined_for_ever_is_stopped():
    with pytest.raises(LargeImageError, match="太复杂"):
        develop(bombs.scans(50_000), limits=Limits(wall_s=30, cpu_s=1, memory_bytes=LIMITS.memory_bytes))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_picture_is_refused_or_decoded_and_never_an_accident(seed):
    """Every damaged byte is another path through a decoder; whatever it raises, we say it is damaged."""
    sound = list(METADATA.values())[seed % len(METADATA)]
    damaged = bytearray(sound)
    for at in range(seed % 7 + 1):
        place = (seed * 7919 + at * 104_729) % len(damaged)
        damaged[place] = (damaged[place] + seed * 31 + at + 1) % 256
    with suppress(BadImageError):
        assert max(decode(bytes(damaged)).size) <= 1200
