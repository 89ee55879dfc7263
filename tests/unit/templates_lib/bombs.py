"""Small files that ask for much: pictures as somebody builds them who wishes us ill."""

from __future__ import annotations

import struct
import zlib

from tests.unit.templates_lib.factories import picture

_MILLION = 1_000_000
GREY, TRUE_COLOUR, WITH_ALPHA = 0, 2, 6


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int,
    height: int,
    *,
    pixels: bytes = zlib.compress(bytes(100)),
    beside: bytes = b"",
    interlaced: bool = False,
    colour: int = TRUE_COLOUR,
    depth: int = 8,
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + beside + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _small_png(beside: bytes) -> bytes:
    return png(64, 64, pixels=zlib.compress(bytes(64 * (64 * 3 + 1))), beside=beside)


def jpeg(width: int, height: int, **options) -> bytes:
    """A picture of one colour whose header says another size."""
    data = bytearray(picture("JPEG", (64, 64), **options))
    at = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp(width: int, height: int) -> bytes:
    data = bytearray(picture("WEBP", (64, 64), lossless=True))
    at = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[at : at + 4], "little") >> 28 << 28
    data[at : at + 4] = (bits | (height - 1) << 14 | (width - 1)).to_bytes(4, "little")
    return bytes(data)


def webp_canvas(width: int, height: int, *, animated: bool = False) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inner = picture("WEBP", (64, 64), lossless=True)[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([2 * animated, 0, 0, 0]) + size + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def scans(count: int) -> bytes:
    """A progressive JPEG that is refined for ever: each of its few bytes visits every pixel."""
    data = jpeg(8000, 5000, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


_ZEROS = zlib.compress(bytes(100 * _MILLION), 9)

BOMBS: dict[str, bytes] = {
    "png of 30000": png(30_000, 30_000),
    "png of 65535, interlaced": png(65_535, 65_535, interlaced=True),
    "png of two thousand million": png(2**31 - 1, 2**31 - 1),
    "png of one long row": png(2**31 - 1, 48),
    "png of one long column": png(48, 2**31 - 1),
    "png of deep colour": png(12_000, 12_000, depth=16, colour=WITH_ALPHA),
    "png of bits": png(60_000, 60_000, depth=1, colour=GREY, pixels=_ZEROS),
    "png with a text that grows": _small_png(chunk(b"zTXt", b"a\0\0" + _ZEROS)),
    "png with a text of the world that grows": _small_png(chunk(b"iTXt", b"a\0\1\0\0\0" + _ZEROS)),
    "png with a profile that grows": _small_png(chunk(b"iCCP", b"a\0\0" + _ZEROS)),
    "png with two hundred texts": _small_png(
        b"".join(chunk(b"zTXt", b"a%d\0\0" % at + zlib.compress(bytes(_MILLION - 1))) for at in range(200))
    ),
    "png with pixels beyond its size": png(64, 64, pixels=_ZEROS),
    "png of nothing": png(0, 0),
    "jpeg of 65500": jpeg(65_500, 65_500),
    "jpeg of 65500, progressive": jpeg(65_500, 65_500, progressive=True),
    "jpeg of one long row": jpeg(65_500, 64),
    "webp of 16383": webp(16_383, 16_383),
    "webp of one long row": webp(16_383, 48),
    "webp on a canvas of 16384": webp_canvas(16_384, 16_384),
    "webp moving on a canvas of 16384": webp_canvas(16_384, 16_384, animated=True),
}

# Within every limit of size and yet more work than a photo is: only the clock stops these.
LARGEST = png(8_000, 5_000, colour=WITH_ALPHA, pixels=zlib.compress(bytes(5_000 * (8_000 * 4 + 1)), 1))
