"""The faces of our own: who gets them, and that they can write every page and every name."""

from __future__ import annotations

from functools import cache

import pytest
from fontTools.ttLib import TTFont

from app.web.edge import STATIC
from app.web.own_face import FACES, own_faces
from tests.live import WECHAT_IPHONE
from tests.unit.page_environment import WEB

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
ANDROID = "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"


@cache
def characters_of(family: str) -> set[str]:
    return {chr(code) for code in TTFont(STATIC / FACES[family]).getBestCmap()}


@pytest.mark.parametrize("family", FACES)
def test_a_linux_desktop_gets_them(family: str) -> None:
    assert f'font-family: "{family}"' in own_faces(LINUX)
    assert f'"{family}"' in (STATIC / "css" / "tokens.css").read_text("utf-8")


@pytest.mark.parametrize("device", [ANDROID, WINDOWS, WECHAT_IPHONE, ""])
def test_a_device_with_chinese_faces_never_fetches_them(device: str) -> None:
    assert own_faces(device) == ""


def test_the_first_has_every_character_that_pages_and_refusals_are_written_in() -> None:
    written = {
        char
        for kind in ("*.html", "*.py", "*.js")
        for file in WEB.rglob(kind)
        if "vendor" not in file.parts
        for char in file.read_text("utf-8")
        if char > "\u2000"
    }

    assert written - characters_of("Imprimatur Sans") == set()


@pytest.mark.parametrize("name", ["司马景𠮷", "李喆", "王堃", "㛃然"])
def test_the_second_has_what_names_are_written_with_besides(name: str) -> None:
    assert set(name) - characters_of("Imprimatur Sans") <= characters_of("Imprimatur Sans Rare")
