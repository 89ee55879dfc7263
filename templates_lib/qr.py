"""QR codes: made by one library, read back by another before a picture is released."""

import io
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import rxing
import zxingcpp
from PIL import Image

from templates_lib.qr_family import CannotLearn, QrFamily
from templates_lib.splice import Core, Pixels, core_of, flat

MAX_URL_CHARS: Final = 300
QUIET_MODULES: Final = 4
_PLAIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][!-~]*)?")
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_HINTS: Final = {"ERROR_CORRECTION": "M", "MARGIN": "0"}


class QrError(ValueError):
    """A QR code cannot be made, or does not read back as what it should say."""

    code = "qr"


def check_url(url: str) -> str:
    """Return the address if a code may carry it: http or https, a host, printable ASCII."""
    if len(url) <= MAX_URL_CHARS and _PLAIN.fullmatch(url):
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise QrError("二维码只能是 http 或 https 网址")
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > MAX_URL_CHARS:
        raise QrError(f"二维码网址须为不超过 {MAX_URL_CHARS} 个字符的 ASCII 文本")
    return url


def qr_modules(url: str) -> tuple[bytes, ...]:
    """Make the symbol without its quiet zone: one row of 0 and 1 a line of modules."""
    return _made(check_url(url))


def _made(text: str) -> tuple[bytes, ...]:
    code = rxing.encode(text, "QR_CODE", 1, 1, _HINTS)
    return tuple(bytes(row) for row in code.data)


_LEARNED_AFTER: Final = 100  # symbols of a length: who draws so many draws thousands
_MOST_LEARNED_CHARS: Final = 64
_MOST_FAMILIES: Final = 8
_asked: Counter[int] = Counter()
_families: dict[int, QrFamily | None] = {}


def _family(url: str) -> QrFamily | None:
    """What was learned of the symbols of this length, if it is worth it: the symbols are the same."""
    length = len(url)
    if length not in _families:
        # an address without a small letter is coded in another, shorter way
        if length > _MOST_LEARNED_CHARS or not _PLAIN.fullmatch(url):
            return None
        _asked[length] += 1
        if _asked[length] < _LEARNED_AFTER or len(_families) >= _MOST_FAMILIES:
            return None
        try:
            _families[length] = QrFamily(length, _made)
        except CannotLearn:
            _families[length] = None
    return _families[length] if _PLAIN.fullmatch(url) else None


def qr_image(url: str, size_px: int = 480) -> Image.Image:
    """Make a picture of at most `size_px` a side: whole pixels a module, quiet zone inside."""
    rows = qr_modules(url)
    count = len(rows) + 2 * QUIET_MODULES
    module_px = size_px // count
    if module_px < 1:
        raise QrError(f"{size_px} 像素放不下 {count} 个模块")
    small = Image.new("L", (count, count), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                small.putpixel((x + QUIET_MODULES, y + QUIET_MODULES), 0)
    return small.resize((count * module_px,) * 2, Image.Resampling.NEAREST)


def qr_mask(url: str, side_px: int) -> tuple[Image.Image, int]:
    """Make the dark modules as a mask, whole pixels a module, and how far into its place it begins.

    Raises QrError where a module would be less than two pixels.
    """
    family = _family(check_url(url))
    if family is not None:
        count, bits = family.side, family.bits(url)
    else:
        rows = _made(url)
        count, bits = len(rows), b"".join(_packed(row) for row in rows)
    module_px, start = _module(side_px, count)
    # a mask of one bit, which draws fifteen times as fast as one of eight
    small = Image.frombytes("1", (count, count), bits)
    return small.resize((count * module_px,) * 2, Image.Resampling.NEAREST), start


def _packed(row: bytes) -> bytes:
    """A row of modules as bits, in whole bytes."""
    wide = -(-len(row) // 8)
    return (int(row.translate(_DIGITS), 2) << wide * 8 - len(row)).to_bytes(wide, "big")


_DIGITS: Final = bytes([48, 49, *range(2, 256)])


def _module(side_px: int, count: int) -> tuple[int, int]:
    """Pixels of a module, and how far in the symbol begins."""
    module_px = side_px // count
    if module_px < 2:  # noqa: PLR2004
        raise QrError(f"二维码内容过长：{side_px} 像素的位置放不下 {count}×{count} 个模块")
    return module_px, (side_px - count * module_px) // 2


@lru_cache(maxsize=256)
def qr_svg(url: str, ink: str, side_px: int | None = None) -> bytes:
    """Draw the code for a page: `ink` on a clear ground, no quiet zone of its own.

    With `side_px` its modules are whole pixels, as in `qr_mask`. Modules that touch are drawn as
    one rectangle a run and reach a hair into the next row: edges that only meet would let the paper
    shine through between them.
    """
    rows = qr_modules(url)
    module, start = _module(side_px, len(rows)) if side_px else (1, 0)
    path: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                whole = module > 1 or not (y + 1 < len(rows) and any(rows[y + 1][x:end]))
                drop = module * (1 if whole else 1.03)
                path.append(
                    f"M{start + x * module} {start + y * module}"
                    f"h{(end - x) * module}v{drop:g}h{(x - end) * module}z"
                )
            x = end + 1
    side = side_px or len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="0 0 {side} {side}"><path fill="{ink}" d="{"".join(path)}"/></svg>'
    ).encode()


def decode_qr(picture: bytes | Image.Image) -> tuple[str, ...]:
    """Read what the QR codes of a picture say, in no particular order."""
    image = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
    return read_codes(core_of(image.convert("L")))


def read_codes(core: Core) -> tuple[str, ...]:
    """Read what the QR codes of a picture say, given as Pillow stores it."""
    return _texts(zxingcpp.read_barcodes(_grey(core), _QR))


def reads_back(core: Core, url: str) -> bool:
    """Say whether a picture, given as Pillow stores it, has a code that says this.

    One threshold for all pixels, upright and dark on light, is half the work; only a code that is
    not read so is looked at with all patience.
    """
    grey = _grey(core)
    quick = zxingcpp.read_barcodes(
        grey,
        _QR,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        binarizer=zxingcpp.Binarizer.GlobalHistogram,
    )
    return url in _texts(quick) or url in _texts(zxingcpp.read_barcodes(grey, _QR))


def _grey(core: Core) -> Pixels:
    return flat(core if core.mode == "L" else core.convert("L", 0))


def _texts(codes: Iterable[zxingcpp.Barcode]) -> tuple[str, ...]:
    return tuple(code.text for code in codes)
