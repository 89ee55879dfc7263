import json
import os
import subprocess
import sys

import pytest

from templates_lib import fonts

# what a wide census of Chinese names needs beyond the basic block
RARE = "𠮷㛃䶮𬶋𰻞𬭚𬬭𫖯𬀩㙍䥽𡋾𣲗𬍛㼆𫍽𪨶"


@pytest.mark.parametrize("character", RARE)
def test_a_rare_character_is_in_both_weights_of_the_sans(character):
    faces = [font for font in fonts.registered_fonts() if font.family == fonts.SANS]

    assert len(faces) == 2
    assert all(ord(character) in face.characters for face in faces)


def test_everyday_characters_are_in_every_face():
    everyday = "永和九年岁在癸丑客户经理理财基金风险投资谨慎，。：；！？「」（）0123456789ABCabc"

    for face in fonts.registered_fonts():
        assert not [character for character in everyday if ord(character) not in face.characters]


def test_the_whole_basic_block_and_extension_a_can_be_drawn():
    # 0x9FF0 to 0x9FFF came with Unicode 13 and 14, after the faces were cut
    wanted = [*range(0x4E00, 0x9FF0), *range(0x3400, 0x4DB6)]

    assert not fonts.missing_glyphs("".join(map(chr, wanted)))


def test_an_emoji_is_missing_and_is_said_once():
    assert fonts.missing_glyphs("早🙂安🙂") == ("🙂",)


def test_fonts_stay_within_their_budget_and_carry_their_licence():
    size = sum(font.path.stat().st_size for font in fonts.registered_fonts())

    assert size <= 40 * 1024 * 1024
    assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts.FOLDER / "OFL.txt").read_text("utf-8")


def test_the_renderer_sees_our_fonts_and_no_others():
    script = (
        "import json, templates_lib.layout\n"
        "from weasyprint.text.ffi import ffi, fontconfig\n"
        "from weasyprint.text.fonts import FontConfiguration\n"
        "config = FontConfiguration()\n"
        "found = fontconfig.FcConfigGetFonts(config._config, fontconfig.FcSetSystem)\n"
        "print(found.nfont)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FONTCONFIG_FILE": "/etc/fonts/fonts.conf"},
    )

    assert json.loads(run.stdout) == len(fonts.registered_fonts())


def test_loading_the_renderer_before_the_fonts_is_refused():
    script = (
        "import weasyprint\n"
        "from templates_lib import fonts\n"
        "try:\n    import templates_lib.layout\n"
        "except fonts.FontsNotIsolatedError:\n    print('refused')\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "FONTCONFIG_FILE"}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )

    assert run.stdout.strip() == "refused"


def test_a_missing_portrait_takes_the_outline_of_a_rare_surname():
    assert fonts.glyph_outline("𠮷") is not None
    assert fonts.glyph_outline("🙂") is None
