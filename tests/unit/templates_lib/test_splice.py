"""A spliced file is the file a whole encode would have given."""

import ctypes
import io
import struct
import zlib

import numpy as np
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from templates_lib.png_splice import Band, PngSplice, encode_png, live_bands
from templates_lib.splice import JpegSettings, JpegSplice, Rectangle, core_of, encode_jpeg

_UNHURRIED = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
_SIZES = st.sampled_from([(1080, 640), (1080, 648), (320, 200), (97, 131), (1081, 77), (64, 64), (16, 9)])
_SETTINGS = st.builds(
    JpegSettings, st.sampled_from([40, 75, 90, 95]), st.sampled_from(["4:4:4", "4:2:2", "4:2:0"])
)


def _picture(size: tuple[int, int], seed: int) -> Image.Image:
    source = np.random.default_rng(seed)
    small = source.integers(0, 256, (size[1] // 9 + 2, size[0] // 9 + 2, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Image.Image, Image.Image, list[Rectangle]]:
    """A picture, another that differs inside some rectangles only, and the rectangles."""
    width, height = draw(_SIZES)
    still = _picture((width, height), draw(st.integers(0, 9)))
    inked = still.copy()
    areas: list[Rectangle] = []
    for number in range(draw(st.integers(0, 5))):
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
        areas.append((left, top, right, bottom))
        inked.paste(_picture((right - left, bottom - top), 10 + number), (left, top))
    return still, inked, areas


@given(_cases(), _SETTINGS, st.integers(0, 3))
@_UNHURRIED
def test_a_spliced_jpeg_is_byte_for_byte_the_whole_encode(
    case: tuple[Image.Image, Image.Image, list[Rectangle]], chosen: JpegSettings, still_places: int
) -> None:
    still, inked, areas = case
    others = [(9 * place, 7, 9 * place + 40, 50) for place in range(still_places)]
    splice = JpegSplice(still, [*areas, *others], chosen)
    assert splice.splice(core_of(inked).crop, splice.areas(areas) or ()) == encode_jpeg(inked, chosen)


@given(_cases(), _SETTINGS)
@_UNHURRIED
def test_the_encoder_called_directly_writes_what_pillow_writes(
    case: tuple[Image.Image, Image.Image, list[Rectangle]], chosen: JpegSettings
) -> None:
    _, inked, _ = case
    written = encode_jpeg(inked, chosen)
    interval = struct.unpack_from(">H", written, written.index(b"\xff\xdd") + 4)[0]
    plain = io.BytesIO()
    inked.save(
        plain,
        "JPEG",
        quality=chosen.quality,
        subsampling=chosen.chroma,
        restart_marker_blocks=interval,
    )
    assert written == plain.getvalue()


@given(_cases())
@_UNHURRIED
def test_a_spliced_png_is_the_whole_encode_and_has_its_very_pixels(
    case: tuple[Image.Image, Image.Image, list[Rectangle]],
) -> None:
    still, inked, areas = case
    bands = live_bands(still, areas)
    splice = PngSplice(still, bands)
    changed = splice.areas(areas)
    assert changed is not None
    spliced = splice.splice(core_of(inked).crop, changed)
    assert spliced == encode_png(inked, bands)
    assert Image.open(io.BytesIO(spliced)).convert("RGB").tobytes() == inked.tobytes()
    if inked.width * inked.height < 20_000:  # a decoder in plain Python is slow
        assert _by_the_book(spliced) == inked.tobytes()


def test_few_live_columns_of_a_lively_picture_are_set_apart_and_cost_little() -> None:
    still = _picture((320, 200), 1)
    inked = still.copy()
    area = (40, 60, 90, 150)
    inked.paste(_picture((50, 90), 2), area[:2])
    bands = live_bands(still, [area])
    assert [band.columns for band in bands] == [(40, 90)]
    splice = PngSplice(still, bands)
    spliced = splice.splice(core_of(inked).crop, splice.areas([area]) or ())
    assert spliced == encode_png(inked, bands)
    assert _by_the_book(spliced) == inked.tobytes()
    assert splice.areas([(40, 60, 91, 150)]) is None, "one column more is not live"
    whole = encode_png(inked, [Band(band.top, band.bottom) for band in bands])
    assert len(spliced) < 1.15 * len(whole)


def test_columns_of_a_plain_picture_are_not_set_apart() -> None:
    plain = Image.new("RGB", (320, 200), "#f7f3ec")
    assert [band.columns for band in live_bands(plain, [(40, 60, 90, 150)])] == [None]


@given(_cases())
@settings(deadline=None, max_examples=15)
def test_a_png_does_not_depend_on_what_was_made_when(
    case: tuple[Image.Image, Image.Image, list[Rectangle]],
) -> None:
    still, inked, areas = case
    every = live_bands(still, [(0, 0, *inked.size)])
    splice, whole = PngSplice(still, every), PngSplice(inked, every)
    changed = splice.areas(areas)
    assert changed is not None
    assert splice.splice(core_of(inked).crop, changed) == encode_png(inked, every)
    assert whole.splice(core_of(inked).crop, changed) == encode_png(inked, every)


@given(_cases(), st.sampled_from([JpegSplice, PngSplice]))
@_UNHURRIED
def test_what_may_not_change_is_not_coded_anew(
    case: tuple[Image.Image, Image.Image, list[Rectangle]], kind: type[JpegSplice | PngSplice]
) -> None:
    still, _, areas = case
    narrow = [area for area in areas if area[3] < still.height // 2]
    splice = (
        JpegSplice(still, narrow, JpegSettings())
        if kind is JpegSplice
        else PngSplice(still, live_bands(still, narrow))
    )
    far = (0, still.height - 1, still.width, still.height)
    if still.height > 200:
        assert splice.areas([*narrow, far]) is None
    assert splice.areas(narrow) is not None


@pytest.mark.parametrize("chroma", ["4:4:4", "4:2:2", "4:2:0"])
def test_other_decoders_see_the_pixels_of_a_plain_file(chroma: str) -> None:
    still, inked = _picture((1080, 640), 1), _picture((1080, 640), 1)
    inked.paste(_picture((300, 90), 2), (400, 333))
    chosen = JpegSettings(90, chroma)
    splice = JpegSplice(still, [(400, 333, 700, 423)], chosen)
    spliced = splice.splice(core_of(inked).crop, splice.areas([(400, 333, 700, 423)]) or ())
    plain = io.BytesIO()
    inked.save(plain, "JPEG", quality=90, subsampling=chroma)
    assert Image.open(io.BytesIO(spliced)).tobytes() == Image.open(plain).tobytes()
    assert _by_pdfium(spliced) == _by_pdfium(plain.getvalue())


def _by_pdfium(jpeg: bytes) -> bytes:
    document = pypdfium2.PdfDocument.new()
    image = pypdfium2.PdfImage.new(document)
    image.load_jpeg(io.BytesIO(jpeg), inline=True)
    bitmap = image.get_bitmap()
    return ctypes.string_at(bitmap.buffer, bitmap.stride * bitmap.height)


def _by_the_book(png: bytes) -> bytes:
    """Decode an RGB PNG with nothing but its specification and an inflater that checks the sum."""
    place, body, header = 8, b"", b""
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        data = png[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", png, place + 8 + length)
        assert zlib.crc32(kind + data) == check
        body += data if kind == b"IDAT" else b""
        header = data if kind == b"IHDR" else header
        place += 12 + length
    width, height = struct.unpack_from(">II", header)
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + 3 * width)
    above = np.zeros(3 * width, np.int32)
    out = np.empty((height, 3 * width), np.uint8)
    for number, row in enumerate(rows):
        kind, line = int(row[0]), row[1:].astype(np.int32)
        if kind == 2:
            line = (line + above) & 255
        elif kind:
            for x in range(3 * width):
                left = line[x - 3] if x >= 3 else 0
                corner = above[x - 3] if x >= 3 else 0
                line[x] = (line[x] + _predicted(kind, left, above[x], corner)) & 255
        above = line
        out[number] = line
    return out.tobytes()


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def test_a_marker_stands_where_the_standard_wants_it() -> None:
    """RST markers count modulo eight through the whole file, whoever coded the cells between."""
    still, inked = _picture((1080, 640), 3), _picture((1080, 640), 3)
    inked.paste(_picture((90, 30), 4), (64, 100))
    splice = JpegSplice(still, [(64, 100, 154, 130)], JpegSettings())
    spliced = splice.splice(core_of(inked).crop, splice.areas([(64, 100, 154, 130)]) or ())
    scan = spliced[spliced.index(b"\xff\xda") :]
    marks = [scan[at + 1] for at in range(len(scan) - 1) if scan[at] == 0xFF and 0xD0 <= scan[at + 1] <= 0xD7]
    assert marks == [0xD0 + number % 8 for number in range(len(marks))]
    assert len(marks) > 100
