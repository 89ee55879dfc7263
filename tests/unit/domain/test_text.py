"""What may be typed into a field."""

from __future__ import annotations

import pytest

from app.domain.errors import InvalidInput
from app.domain.text import clean_tags, clean_text, unstorable, without_marks


@pytest.mark.parametrize("sign", ["\0", "\ud800", "\u202e", "\u200b", "\x1b", "\ue000", "\u2028"])
def test_a_sign_that_no_page_may_show_is_refused_by_its_field(sign: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_text("note", f"停{sign}售", longest=10, lines=True)
    [fault] = refused.value.faults
    assert (fault.field, fault.code) == ("note", "unprintable")
    assert f"U+{ord(sign):04X}" in fault.reason


def test_a_title_is_one_line_and_a_remark_may_be_several() -> None:
    assert clean_text("note", " 停售。\r\n请换用新版。 ", longest=20, lines=True) == "停售。\n请换用新版。"
    with pytest.raises(InvalidInput):
        clean_text("title", "停售\n换新", longest=20)


def test_a_remark_may_hold_joined_emoji() -> None:
    assert clean_text("note", "谢谢👩‍💻", longest=20, lines=True) == "谢谢👩‍💻"


def test_length_is_counted_in_characters_without_the_blanks_around() -> None:
    assert clean_text("title", "  " + "字" * 10 + "  ", longest=10) == "字" * 10
    with pytest.raises(InvalidInput) as refused:
        clean_text("title", "字" * 11, longest=10)
    assert refused.value.faults[0].code == "too_long"


def test_tags_are_kept_once_and_in_order() -> None:
    assert clean_tags("tags", ("早安", "节日 ", "早安", "")) == ("早安", "节日")
    with pytest.raises(InvalidInput):
        clean_tags("tags", tuple(str(number) for number in range(31)))
    with pytest.raises(InvalidInput):
        clean_tags("tags", ("长" * 65,))


def test_only_what_cannot_be_stored_is_refused_at_the_door() -> None:
    assert unstorable("👩‍💻\n\u202e") is None
    assert unstorable("a\0") == "U+0000"
    assert unstorable("\udfff") == "U+DFFF"


def test_the_marks_a_phone_adds_to_a_contact_are_left_out() -> None:
    assert without_marks("\u202a138 0013 8000\u202c") == "138 0013 8000"
