"""Advisors for measuring: as many as wanted, each different, none of them anybody."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageOps

from templates_lib.fill import Value
from templates_lib.manifest import Slot, SlotKind, SlotSource, TemplateManifest
from templates_lib.pictures import ImageValue
from templates_lib.samples import SHARED_PICTURES

INSTITUTION = "示例银行"
PORTRAITS = 32
PORTRAIT_PX = 240

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN = (
    "一乙川山木云禾竹舟帆溪泉谷岚岩岭松柏桐榆荷菊兰芷苇葵蔓苏茗芸霜雪露雨虹霞晨曦朗晴旭昀晖"
    "书砚墨简诗词文章乐琴瑟韵弦歌舞画笔言语诚信和平安宁静远志明德仁义礼智正直温良恭俭让宽厚实"
)
_TITLES = (
    *("客户经理", "理财经理", "高级理财经理", "财富顾问", "私人银行顾问"),
    *("个人客户经理", "资深财富顾问", "财富管理中心主任"),
)
_PLACES = (
    *("城东", "城西", "滨江", "文一西路", "科技园", "人民广场", "解放大道", "大学城", "新城", "港口"),
    *("经济技术开发区", "湖滨", "南山", "高新园区", "北站", "老城", "江南西路", "会展中心", "机场路"),
)
_OFFICES = ("支行", "支行营业部", "财富中心", "支行财富管理中心")


@dataclass(frozen=True, slots=True)
class Advisor:
    """One person's profile, with the portrait as it was uploaded."""

    staff_no: str
    name: str
    title: str
    org_name: str
    licence_no: str
    phone: str
    portrait: bytes
    address: str

    def values(self, manifest: TemplateManifest) -> dict[str, Value]:
        """What this advisor's poster is made of: the profile, the code, the design's own words."""
        profile: Mapping[str, Value] = {
            "institution": INSTITUTION,
            "name": self.name,
            "title": self.title,
            "org_name": self.org_name,
            "licence_no": self.licence_no,
            "phone": self.phone,
            "photo": ImageValue(self.portrait),
        }

        def value(slot: Slot) -> Value | None:
            if slot.kind is SlotKind.QR:
                return self.address
            if slot.source is SlotSource.PROFILE:
                return profile.get(slot.profile_field or "")
            return None

        given = {slot.name: value(slot) for slot in manifest.slots}
        return {name: found for name, found in given.items() if found is not None}


def make_advisors(count: int, *, first: int = 0) -> list[Advisor]:
    """Advisors number `first` and following; the same number is the same advisor on every machine."""
    return [_advisor(number) for number in range(first, first + count)]


def _advisor(number: int) -> Advisor:
    # a step that shares no factor with the number of names meets each of them once
    names = len(_SURNAMES) * len(_GIVEN) ** 2
    rest, surname = divmod(number * 104_729 % names, len(_SURNAMES))
    second, third = divmod(rest, len(_GIVEN))
    return Advisor(
        staff_no=f"DEMO{number:06d}",
        name=_SURNAMES[surname] + _GIVEN[second] + (_GIVEN[third] if number % 3 else ""),
        title=_TITLES[number % len(_TITLES)],
        org_name=f"{INSTITUTION}{_PLACES[number % len(_PLACES)]}{_OFFICES[number // 19 % len(_OFFICES)]}",
        licence_no=f"S{1_990_000_000_000 + number * 7_919:013d}",
        phone=f"1380{number:07d}",
        portrait=portraits()[number % PORTRAITS],
        address=f"https://go.example.com/s/{_code(number)}?c=poster",
    )


def _code(number: int) -> str:
    signs = random.Random(number)
    return "".join(signs.choices("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz", k=8))


@cache
def portraits() -> tuple[bytes, ...]:
    """The portrait files: the library's two drawings, cut and coloured differently each time."""
    made = []
    for number in range(PORTRAITS):
        name = ("portrait-woman.jpg", "portrait-man.jpg")[number % 2]
        with Image.open(SHARED_PICTURES / name) as drawing:
            margin = 6 * (number // 8)
            side = drawing.width - 2 * margin
            cut = drawing.convert("RGB").crop((margin, margin, margin + side, margin + side))
        small = cut.resize((PORTRAIT_PX, PORTRAIT_PX), Image.Resampling.LANCZOS)
        if number // 2 % 2:
            small = ImageOps.mirror(small)
        wash = Image.new("RGB", small.size, _hue(number))
        target = io.BytesIO()
        Image.blend(small, wash, 0.08).save(target, "JPEG", quality=90)
        made.append(target.getvalue())
    return tuple(made)


def _hue(number: int) -> tuple[int, int, int]:
    red, green, blue = Image.new("HSV", (1, 1), (number * 8 % 256, 150, 200)).convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return int(red), int(green), int(blue)
