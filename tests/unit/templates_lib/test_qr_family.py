import random

import pytest
import rxing
from PIL import Image

from templates_lib import qr
from templates_lib.qr import decode_qr, qr_mask, qr_modules
from templates_lib.qr_family import CannotLearn, QrFamily
from tests.unit.templates_lib.factories import URL

SIGNS = "".join(map(chr, range(0x21, 0x7F)))


def by_the_library(text: str) -> tuple[bytes, ...]:
    code = rxing.encode(text, "QR_CODE", 1, 1, {"ERROR_CORRECTION": "M", "MARGIN": "0"})
    return tuple(bytes(row) for row in code.data)


def addresses(length: int, count: int, seed: int) -> list[str]:
    signs = random.Random(seed)
    start = "https://go.example.com/"
    return [start + "".join(signs.choices(SIGNS, k=length - len(start))) for _ in range(count)]


def rows_of(family: QrFamily, address: str) -> tuple[bytes, ...]:
    image = Image.frombytes("1", (family.side, family.side), family.bits(address))
    return tuple(
        bytes(map(bool, image.crop((0, y, family.side, y + 1)).tobytes("raw", "L")))
        for y in range(family.side)
    )


@pytest.mark.parametrize("length", [26, 31, 42, 45, 62])
def test_a_learned_symbol_is_the_one_the_library_makes(length: int) -> None:
    family = QrFamily(length, by_the_library)

    for address in addresses(length, 400, seed=length):
        assert rows_of(family, address) == by_the_library(address)


def test_a_code_is_the_same_before_and_after_its_length_was_learned() -> None:
    qr._asked.clear()
    qr._families.clear()
    those = addresses(40, 2 * qr._LEARNED_AFTER, seed=3)

    masks = [qr_mask(address, 300)[0] for address in those]

    assert qr._families[40] is not None
    for address, mask in zip(those, masks, strict=True):
        side = len(qr_modules(address))
        module_px = 300 // side
        dark = b"".join(qr_modules(address)).translate(bytes([0, *([255] * 255)]))
        small = Image.frombytes("L", (side, side), dark)
        assert mask.convert("L") == small.resize((side * module_px,) * 2, Image.Resampling.NEAREST)
        picture = Image.new("L", (360, 360), 255)
        picture.paste(0, (30, 30), mask)
        assert decode_qr(picture) == (address,)


def test_an_address_in_capitals_is_not_taken_for_one_of_the_family() -> None:
    qr._asked.clear()
    qr._families.clear()
    for address in addresses(len(URL), qr._LEARNED_AFTER, seed=1):
        qr_mask(address, 300)
    shouted = URL.upper()
    assert qr._families[len(URL)] is not None

    picture = Image.new("L", (360, 360), 255)
    picture.paste(0, (30, 30), qr_mask(shouted, 300)[0])

    assert decode_qr(picture) == (shouted,)


def test_what_is_no_sum_is_not_learned() -> None:
    def others(text: str) -> tuple[bytes, ...]:
        return by_the_library(text[::-1] if "a" in text else text)

    with pytest.raises(CannotLearn):
        QrFamily(24, others)
