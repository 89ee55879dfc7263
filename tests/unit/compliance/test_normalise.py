"""The normalised text keeps the way back to every character, for any string."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.finding import Layer, Span
from compliance.normalise import fold, fold_char, is_han, normalise

ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
DISGUISED = st.text(
    alphabet="保本稳赚零风险险 　·.*-_/|\n\u200b\u00ad\ufe0f\u0336０ａＡ穩賺。，？“”", max_size=40
)


@given(st.one_of(ANYTHING, DISGUISED))
def test_every_position_maps_to_the_original_in_order(text):
    normalised = normalise(text)
    assert len(normalised.origins) == len(normalised.text)
    assert list(normalised.origins) == sorted(normalised.origins)
    assert all(0 <= origin < len(text) for origin in normalised.origins)


@given(st.one_of(ANYTHING, DISGUISED))
def test_every_character_comes_from_the_character_it_maps_to(text):
    normalised = normalise(text)
    assert all(
        char in fold_char(text[origin])
        for char, origin in zip(normalised.text, normalised.origins, strict=True)
    )


@given(st.one_of(ANYTHING, DISGUISED))
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(ANYTHING)
def test_the_normalised_text_can_be_encoded(text):
    normalise(text).text.encode("utf-8")


@given(
    st.text(alphabet="保本稳赚稳赚不赔", min_size=1, max_size=12),
    st.sampled_from("·*_~\u200b\u00ad"),
)
def test_a_split_word_reads_as_written_without_the_noise(word, noise):
    assert normalise(noise.join(word)).text == word


@given(st.text(alphabet="保本稳赚", min_size=2, max_size=8), st.sampled_from([" ", "　"]))
def test_a_word_pulled_apart_by_spaces_reads_as_one(word, space):
    assert normalise(space.join(word)).text == word


@pytest.mark.parametrize(
    ("text", "read", "layer"),
    [
        ("保本", "保本", Layer.RAW),
        ("零風險", "零风险", Layer.FOLD),
        ("０风险", "0风险", Layer.FOLD),
        ("保\u200b本", "保本", Layer.FOLD),
        ("保̶本̶", "保本", Layer.FOLD),
        ("⽼师", "老师", Layer.FOLD),
        ("保夲", "保本", Layer.FOLD),
        ("🈚️风险", "无风险", Layer.FOLD),
        ("保·本", "保本", Layer.SKIP),
        ("绝 对 安 全", "绝对安全", Layer.SKIP),
        ("零\n风\n险", "零风险", Layer.SKIP),
        ("零㊙风㊙险", "零风险", Layer.SKIP),
    ],
)
def test_a_disguise_is_read_and_its_layer_told(text, read, layer):
    normalised = normalise(text)
    assert normalised.text == read
    assert normalised.layer(0, len(read)) is layer


def test_columns_of_a_product_page_are_not_run_together():
    assert normalise("净值型理财 / 收益类型").text == "净值型理财 / 收益类型"
    assert normalise("财富增值 收益最大化").text == "财富增值 收益最大化"


def test_invisible_characters_between_han_are_reported():
    assert normalise("保\u200b\u200b本").hidden == (Span(1, 3),)
    assert normalise("family\u200b name").hidden == ()
    assert normalise("👨\u200d👩").hidden == ()


def test_folding_is_stable_for_all_of_unicode():
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.category(char) in {"Cn", "Co"}:
            continue
        folded = fold_char(char)
        assert fold(folded) == folded, hex(code)


def test_han_covers_the_rare_planes():
    assert is_han("𠮷")
    assert is_han("㛃")
    assert not is_han("😀")


@given(st.one_of(ANYTHING, DISGUISED))
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text).text
    assert normalise(once).text == once


@given(st.one_of(ANYTHING, DISGUISED))
def test_a_span_holds_exactly_the_characters_it_was_read_from(text):
    normalised = normalise(text)
    for at in range(len(normalised.text)):
        span = normalised.span(at, at + 1)
        assert normalised.text[at] in fold(text[span.start : span.end])
        assert span.start < span.end <= len(text)


def test_the_mark_over_the_last_character_belongs_to_the_span():
    assert normalise("保̶本̶吧").span(0, 2) == Span(0, 4)


def test_the_spacing_of_typesetters_is_taken_out():
    assert normalise("持有 90 天，年化 3.5 %").text == "持有90天,年化3.5%"
    assert normalise("购买 ETF 基金").text == "购买etf基金"
