"""Cut the face that pages show where a device has no Chinese one.

Usage: python cut_for_pages.py OUT_DIR. GB 2312 of this folder's sans, compressed for browsers; it bears a
name of its own, so that no page takes it for the device's.
"""

import sys
from pathlib import Path

from extract import EVERYDAY, cut, rename
from fontTools.ttLib import TTFont


def main(out: Path) -> None:
    sans = TTFont(Path(__file__).parents[1] / "NotoSansCJKsc-Regular.otf")
    rename(sans, "Imprimatur Sans")
    sans.flavor = "woff2"
    cut(sans, EVERYDAY, out / "ImprimaturSans-Regular.woff2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
