"""What a reviewer sees of a changed text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.piece import ChangeKind, inline_change


def test_a_replaced_word_is_marked_and_the_rest_is_kept() -> None:
    assert inline_change("本产品稳健回报，投资须谨慎。", "本产品稳赚不赔，投资须谨慎。") == (
        ("same", "本产品稳"),
        ("removed", "健回报"),
        ("added", "赚不赔"),
        ("same", "，投资须谨慎。"),
    )


def test_another_sentence_altogether_is_not_cut_to_confetti() -> None:
    assert inline_change("山有四季\n路在脚下", "等风，也等花") == (
        ("removed", "山有四季\n路在脚下"),
        ("added", "等风，也等花"),
    )


def test_a_text_where_there_was_none_is_all_new() -> None:
    assert inline_change("", "早安") == (("added", "早安"),)


@given(st.text("稳健赚不赔，。ab\n", max_size=30), st.text("稳健赚不赔，。ab\n", max_size=30))
def test_both_texts_can_be_read_off_the_marks(before: str, after: str) -> None:
    parts = inline_change(before, after)

    assert "".join(words for kind, words in parts if kind is not ChangeKind.ADDED) == before
    assert "".join(words for kind, words in parts if kind is not ChangeKind.REMOVED) == after
