"""The folder of a template: plain files of known size, and pictures that are what they seem.

It is judged before anything in it is parsed: a link would read another's file into the picture.
"""

import stat
from pathlib import Path
from typing import Final

from templates_lib.drawing import MOST_BYTES as MOST_DRAWING_BYTES
from templates_lib.drawing import check_drawing
from templates_lib.embedded_picture import check_picture
from templates_lib.fault import TemplateError
from templates_lib.pictures import MAX_BYTES

MOST_FILES: Final = 200
MOST_BYTES: Final = 48 * 1024 * 1024
_TEXT_BYTES: Final = 256 * 1024
_TEXTS: Final = frozenset({".html", ".css", ".yaml"})
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def check_folder(directory: Path) -> None:
    """Refuse links, devices, too much of anything, and pictures that are none.

    Raises TemplateError.
    """
    total = 0
    for place, file in enumerate(sorted(directory.rglob("*"))):
        name = file.relative_to(directory).as_posix()
        status = file.lstat()
        if stat.S_ISDIR(status.st_mode):
            continue
        if not stat.S_ISREG(status.st_mode):
            raise TemplateError(name, None, "is a link or a device; a template consists of plain files")
        total += status.st_size
        if place >= MOST_FILES or total > MOST_BYTES:
            reason = f"a template has at most {MOST_FILES} files and {MOST_BYTES >> 20} MB"
            raise TemplateError(name, None, reason)
        _check_file(file, name, status.st_size)


def _check_file(file: Path, name: str, size: int) -> None:
    suffix = file.suffix.lower()
    drawing, picture, text = suffix == ".svg", suffix in _PICTURES, suffix in _TEXTS
    most = MOST_DRAWING_BYTES if drawing else MAX_BYTES if picture else _TEXT_BYTES
    if size > most and (drawing or picture or text):
        raise TemplateError(name, None, f"has {size} bytes, at most {most} are read")
    if drawing:
        check_drawing(file)
    elif picture and (reason := check_picture(file.read_bytes())):
        raise TemplateError(name, None, reason)
