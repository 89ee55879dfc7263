"""Make the fonts of this folder from the packages of their makers.

Usage: python extract.py NOTO_DIR WENKAI_DIR OUT_DIR, where the first two hold the unpacked
files of Debian's fonts-noto-cjk, fonts-noto-cjk-extra and fonts-lxgw-wenkai. A collection (TTC)
is cut to its simplified-Chinese face: WeasyPrint embeds a static face only.

What stays in:
  wide     every ideograph of the face (basic block, extensions A to G) for names and places
  common   the basic block, for headlines; a rarer character falls back to the wide sans
  everyday the 6,763 characters of GB 2312, for verses and greetings
Hangul, vertical forms and hinting instructions go: nothing here uses them.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

LATIN_AND_SIGNS = [
    *range(0x20, 0x250),
    *range(0x2000, 0x2070),
    *range(0x20A0, 0x20C0),
    *range(0x2100, 0x2400),
    *range(0x2460, 0x2700),
    *range(0x2E80, 0x2FE0),
    *range(0x3000, 0x3100),
    *range(0x3105, 0x3130),
    *range(0x3190, 0x31F0),
    *range(0x3220, 0x3400),
    *range(0xFE10, 0xFE70),
    *range(0xFF00, 0xFFF0),
]
BASIC = range(0x4E00, 0xA000)
COMPATIBILITY = range(0xF900, 0xFB00)
EXTENSION_A = range(0x3400, 0x4DC0)
SUPPLEMENTARY = range(0x20000, 0x32000)

WIDE = {*LATIN_AND_SIGNS, *BASIC, *COMPATIBILITY, *EXTENSION_A, *SUPPLEMENTARY}
COMMON = {*LATIN_AND_SIGNS, *BASIC}
EVERYDAY = {
    *LATIN_AND_SIGNS,
    *(
        ord(bytes((high, low)).decode("gb2312"))
        for high in range(0xB0, 0xF8)
        for low in range(0xA1, 0xFF)
        if not (high == 0xD7 and low > 0xF9)
    ),
}
# `locl` would keep the Japanese, Korean and Taiwanese shapes of 18,000 characters
FEATURES = ["kern", "palt", "halt", "chws", "ccmp", "tnum", "lnum", "mark", "mkmk"]


def simplified_face(path: Path) -> TTFont:
    for font in TTCollection(path, lazy=True).fonts:
        name = font["name"].getDebugName(1)
        if "SC" in name.split() and "Mono" not in name:
            return font
    raise SystemExit(f"{path} has no simplified-Chinese face")


def rename(font: TTFont, family: str) -> None:
    """Give a cut font a name of its own, as the licence asks where a name is reserved."""
    for record in list(font["name"].names):
        if record.nameID in (1, 3, 4, 6, 16, 18, 21):
            font["name"].removeNames(nameID=record.nameID)
    for name_id, text in (
        (1, family),
        (3, family),
        (4, family),
        (6, family.replace(" ", "") + "-Regular"),
    ):
        font["name"].setName(text, name_id, 3, 1, 0x409)


def cut(font: TTFont, unicodes: set[int], target: Path) -> None:
    options = subset.Options()
    options.layout_features = FEATURES
    options.hinting = False
    options.drop_tables += ["DSIG", "VORG", "vhea", "vmtx"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.canonical_order = True
    options.recalc_timestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    font.save(target)
    print(target.name, len(font.getGlyphOrder()), "glyphs", target.stat().st_size, "bytes")


def main(noto: Path, wenkai: Path, out: Path) -> None:
    def find(folder: Path, name: str) -> Path:
        return next(folder.rglob(name))

    for source, target, unicodes in (
        ("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", WIDE),
        ("NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", WIDE),
        ("NotoSerifCJK-SemiBold.ttc", "NotoSerifCJKsc-SemiBold.otf", COMMON),
        ("NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf", EVERYDAY),
    ):
        cut(simplified_face(find(noto, source)), unicodes, out / target)
    kai = TTFont(find(wenkai, "LXGWWenKai-Regular.ttf"))
    rename(kai, "Imprimatur Kai")
    cut(kai, EVERYDAY, out / "ImprimaturKai-Regular.ttf")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
