"""Patterns say what they find, and refuse to be slow."""

import pytest

from compliance.pattern import PatternError, Vocabulary, compile_pattern

WORDS = Vocabulary({"loss": ("亏", "跌"), "repay": ("补", "賠")})


def found(source, text):
    match = compile_pattern(source, WORDS).regex.search(text)
    return match.group() if match else None


def test_a_gap_bridges_a_few_characters():
    assert found("<loss> ~4 我 ~3 <repay>", "放心,跌了我给你补。") == "跌了我给你补"


def test_a_gap_stops_at_the_end_of_a_sentence():
    assert found("亏 ~6 补", "会亏。我补觉") is None


def test_a_gap_does_not_cross_a_negation():
    assert found("波动 ~8 被隔绝", "波动完全被隔绝") == "波动完全被隔绝"
    assert found("波动 ~8 被隔绝", "波动无法被隔绝") is None


def test_words_of_the_vocabulary_are_folded_like_the_text():
    assert found("<loss> 我 <repay>", "跌我赔") == "跌我赔"


@pytest.mark.parametrize("number", ["8%", "3.5%", "八个点", "百分之二点六", "2.2%-2.6%", "叁点捌厘", "两成"])
def test_a_rate_is_read_in_every_way_people_write_it(number):
    assert found("收益 <percent>", f"收益{number}") == f"收益{number}"


def test_guards_look_at_the_neighbours():
    assert found("-(不) 保本 !(基金)", "不保本") is None
    assert found("-(不) 保本 !(基金)", "保本基金") is None
    assert found("-(不) 保本 !(基金)", "保本型") == "保本"


def test_a_word_does_not_stand_within_another():
    assert found("有人 ~8 (批|放款)", "有人三年来的陪伴与批评") is None
    assert found("有人 ~8 (批|放款)", "有人能帮你批") == "有人能帮你批"
    assert found("(别|不用) 写", "识别写法") is None
    assert found("送 ~4 现金", "送满期现金价值表") is None


def test_a_guard_sees_the_words_within_others():
    assert found("红 !(利)", "年年红利") is None
    assert found("好 !(报)", "好报名") is None


def test_one_of_the_gate_always_stands_in_a_match():
    pattern = compile_pattern("(年年|月月) ~4 <percent>", WORDS)
    assert pattern.gate == {"年年", "月月"}


def test_alternatives_ask_for_all_that_each_of_them_needs():
    gates = compile_pattern("(榜首|前 <number> 强)", WORDS).gates
    assert {"榜首", "前"} in gates
    assert {"榜首", "强"} in gates
    assert any(gate > {"榜首", "1", "十"} for gate in gates)


@pytest.mark.parametrize(
    "source",
    [
        "~8",
        "(亏)?",
        "(亏|",
        "亏)",
        "<unknown> 亏",
        "亏 ~99",
        "[a-z] 亏 [",
        "(亏|) 补",
        "亏~40补~40赔~40",
    ],
)
def test_a_pattern_that_is_broken_or_unbounded_is_refused(source):
    with pytest.raises(PatternError):
        compile_pattern(source, WORDS)
