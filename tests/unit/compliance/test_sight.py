"""The sieve before the patterns: it spares work, and hides nothing."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.check import check
from compliance.document import Document
from compliance.match import KEPT_LENGTH, KEPT_READINGS, Reader, Reading
from compliance.normalise import normalise
from compliance.pattern import Vocabulary, compile_pattern
from compliance.ruleset import Ruleset, load_ruleset
from compliance.sight import LiteralIndex
from compliance.sound import SoundIndex

RULESET = load_ruleset()
EXAMPLES = [
    (rule, text) for rule in RULESET.rules for text in (*rule.examples.violations, *rule.examples.compliant)
]
GLUE = ("", "。", "，", "\n", " ", "！", "不", "没", "的" * 30, "·", "；", "8%")


@st.composite
def texts_with_their_rules(draw):
    """A few examples, cut anywhere and put together, and the rules they are of."""
    chosen = draw(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=5))
    pieces = []
    for _, text in chosen:
        low = draw(st.integers(0, max(0, len(text) // 2)))
        high = draw(st.integers(max(low, len(text) // 2), len(text)))
        pieces += [text[low:high], draw(st.sampled_from(GLUE))]
    return "".join(pieces), {rule.id: rule for rule, _ in chosen}.values()


def spans_of(pattern, text):
    return [found.span() for found in pattern.regex.finditer(text)]


@settings(deadline=None)  # patterns are compiled when first needed
@given(texts_with_their_rules())
def test_every_pattern_is_found_where_its_expression_matches(drawn):
    text, rules = drawn
    reading = RULESET.reader.read(text)
    for rule in rules:
        for pattern in (*rule.trigger_patterns, *rule.other_patterns):
            assert [*reading.matches(pattern)] == spans_of(pattern, reading.normalised.text), pattern.source


def test_a_plain_pattern_matches_wherever_a_word_of_its_gate_stands():
    plain = [pattern for pattern in RULESET.reader.bits.by_pattern if pattern.plain]
    assert plain
    for pattern in plain:
        for word in pattern.gate:
            assert pattern.regex.match(f"的{word}的", 1), (pattern.source, word)


@pytest.mark.parametrize("source", ["稳赚 !(吗)", "-(不) 保本", "保本 ~4 到期", "(保本)? 到期 <percent>"])
def test_a_pattern_with_a_guard_or_a_gap_is_not_plain(source):
    assert not compile_pattern(source, Vocabulary({})).plain


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_in_a_long_sentence_patterns_are_found_all_the_same(seed):
    chance = random.Random(seed)
    rules_and_texts = chance.sample(EXAMPLES, 30)
    text = normalise("、".join(text for _, text in rules_and_texts)).text.replace("。", "、")
    rule = rules_and_texts[0][0]
    patterns = (*rule.trigger_patterns, *rule.other_patterns)
    reading = Reading(normalise(text), LiteralIndex((), patterns).scan(normalise(text)))
    for pattern in patterns:
        assert [*reading.matches(pattern)] == spans_of(pattern, reading.normalised.text), pattern.source


@settings(deadline=None)  # patterns are compiled when first needed
@given(texts_with_their_rules())
def test_a_text_remembered_is_judged_like_one_never_seen(drawn):
    text, rules = drawn
    ruleset = Ruleset.of("these", "", rules)
    never_seen, come_again, remembered = (check(Document.of_text(text), ruleset).to_json() for _ in range(3))
    assert never_seen == come_again == remembered


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("稳赚 !(~6 (吗|不可能))", "这个稳赚。不可能的"),
        ("(保本|保息) ~8 到期", "理财保本,它" + "的" * 4 + "到期"),
        ("只剩 。最后", "名额只剩。最后"),
        ("[^,]{0,20} 归零", "一夜。\n归零"),
    ],
)
def test_a_sentence_end_cuts_no_match_and_blinds_no_guard(source, text):
    pattern = compile_pattern(source, Vocabulary({}))
    filler = "今天天气很好," * 20
    whole = f"{filler}。{text}。{filler}"
    reading = Reader(LiteralIndex((), [pattern]), SoundIndex(())).read(whole)
    assert [*reading.matches(pattern)] == spans_of(pattern, reading.normalised.text)


def test_a_text_is_remembered_once_it_comes_again():
    reader = Reader(LiteralIndex(["保本"]), SoundIndex(()))
    first = reader.read("保本")
    assert first is not reader.read("保本")
    assert reader.read("保本") is reader.read("保本")


def test_what_is_remembered_is_bounded():
    reader = Reader(LiteralIndex(["保本"]), SoundIndex(()))
    for _ in range(2):
        reader.read("保本")
        for number in range(KEPT_READINGS):
            reader.read(str(number))
    assert reader.read("保本") is not reader.read("保本")
    assert reader.read("长" * (KEPT_LENGTH + 1)) is not reader.read("长" * (KEPT_LENGTH + 1))
