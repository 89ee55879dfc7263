"""Cut the faces that pages show where a device has no Chinese one.

Usage: python cut_for_pages.py OUT_DIR. GB 2312 of this folder's sans, and all the rest of it apart, which a
browser only asks for where a name needs it. They bear names of their own: no page takes them for the device's.
"""

import sys
from pathlib import Path

from extract import EVERYDAY, WIDE, cut, rename
from fontTools.ttLib import TTFont


def main(out: Path) -> None:
    for family, unicodes in (("Imprimatur Sans", EVERYDAY), ("Imprimatur Sans Rare", WIDE - EVERYDAY)):
        sans = TTFont(Path(__file__).parents[1] / "NotoSansCJKsc-Regular.otf", recalcTimestamp=False)
        rename(sans, family)
        sans.flavor = "woff2"
        cut(sans, unicodes, out / f"{family.replace(' ', '')}-Regular.woff2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
