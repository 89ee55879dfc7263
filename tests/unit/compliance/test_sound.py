"""Words written by their sound are heard; ordinary words are left alone."""

import pytest

from compliance.normalise import normalise
from compliance.sound import SoundIndex

INDEX = SoundIndex(["保本", "稳赚", "固定回报", "预期收益", "私募", "零风险", "停售", "利息"])


def heard_in(text):
    normalised = normalise(text)
    return INDEX.find(normalised, {form for form in INDEX.forms if form in normalised.text})


@pytest.mark.parametrize(
    ("text", "word", "written"),
    [
        ("基本bao本的", "保本", "bao本"),
        ("一款gu ding hui bao型", "固定回报", "gu ding hui bao"),
        ("yuqi shouyi四个点", "预期收益", "yuqi shouyi"),
        ("宝本的,放心", "保本", "宝本"),
        ("文赚,我跑过", "稳赚", "文赚"),
        ("零风阝佥", "零风险", "零风阝佥"),
        ("禾厶募股权", "私募", "禾厶募"),
        ("稳 zhuan", "稳赚", "稳 zhuan"),
    ],
)
def test_a_word_written_by_its_sound_is_heard(text, word, written):
    hits = [(hit.word, text[hit.span.start : hit.span.end]) for hit in heard_in(text)]
    assert (word, written) in hits


@pytest.mark.parametrize("text", ["保本", "simulate", "抱着本子", "问转账的事", "亭子收拾好了", ""])
def test_ordinary_writing_is_not_heard_as_something_else(text):
    assert heard_in(text) == []
