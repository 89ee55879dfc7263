"""The second opinion: what it may and may not do to a verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.check import check
from compliance.document import Document, FieldKind, TextField
from compliance.finding import Layer, Severity
from compliance.opinion import LONGEST, Opinion, Passage, runs_of
from compliance.report import Verdict
from compliance.ruleset import RulesetError, load_ruleset
from compliance.words import common_words

SHIPPED = load_ruleset().opinion
common_words()  # read once, before anything is timed
PACK = """\
dated: 2026-01-02
rules:
  - id: slug/sign
    title: 像是承诺
    severity: review
    basis: 《广告法》第二十五条
    reason: 可能被理解为承诺。
    patterns: ['越来越 ~2 (多|厚)']
    examples:
      violations: [越来越多, 越来越厚, 会越来越多]
      compliant: [早安, 晚安, 午安]
  - id: slug/words
    title: 承诺
    severity: block
    basis: 《广告法》第二十五条
    reason: 不能这样写。
    terms: [稳赚不赔]
    sound: [稳赚不赔]
    examples:
      violations: [稳赚不赔, 都稳赚不赔, 这稳赚不赔]
      compliant: [早安, 晚安, 午安]
  - id: slug/seen
    title: 给人看的词
    severity: review
    basis: 《广告法》第二十五条
    reason: 请人看。
    terms: [安心]
    examples:
      violations: [安心, 都安心, 真安心]
      compliant: [早安, 晚安, 午安]
  - id: slug/listed
    title: 不用的词
    severity: review
    basis: 《广告法》第二十五条
    reason: 不用。
    terms: [躺赢]
    frames: []
    examples:
      violations: [躺赢, 都躺赢, 真躺赢]
      compliant: [早安, 晚安, 午安]
"""
OPINION = """\
dated: 2026-01-02
opinion:
  agrees_from: 0.2
  bias: 1
  weights: |
    外婆 1 -9
    厨房 2 -5
    理财 1 6
"""


def rulesets(folder, opinion=OPINION):
    (folder / "rules.yaml").write_text(PACK, "utf-8")
    (folder / "opinion.yaml").write_text(opinion, "utf-8")
    return load_ruleset([folder])


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory):
    return rulesets(tmp_path_factory.mktemp("packs"))


def findings(ruleset, *fields):
    given = [
        field if isinstance(field, TextField) else TextField(f"f{at}", field)
        for at, field in enumerate(fields)
    ]
    return check(Document(fields=tuple(given)), ruleset)


def test_a_sign_stops_a_piece_that_reads_like_a_pitch(ruleset):
    assert findings(ruleset, "理财让钱越来越多").verdict is Verdict.REVIEW


def test_a_sign_in_a_passage_that_reads_lawful_is_told_and_stops_nothing(ruleset):
    report = findings(ruleset, "今天外婆的厨房里又挂上了越来越多的辣椒")
    (found,) = report.findings
    assert (report.verdict, found.severity, found.text) == (Verdict.WARN, Severity.WARN, "越来越多")


def test_what_weighed_most_is_named(ruleset):
    (found,) = findings(ruleset, "今天外婆的厨房里又挂上了越来越多的辣椒").findings
    assert "“厨房”、“外婆”" in found.reason


def test_of_a_few_words_it_says_nothing(ruleset):
    assert findings(ruleset, "外婆越来越多").verdict is Verdict.REVIEW


def test_a_few_words_do_not_excuse_themselves(tmp_path):
    opinion = OPINION.replace("外婆 1 -9", "来越 1 -9")
    text = "今天这里又说了一遍，大家的会越来越多"
    assert findings(rulesets(tmp_path, opinion), text).verdict is Verdict.REVIEW


def test_a_passage_it_knows_nothing_of_stays_with_a_person(ruleset):
    assert findings(ruleset, "越来越多").verdict is Verdict.REVIEW


def test_a_plain_promise_is_blocked_whatever_stands_round_it(ruleset):
    assert findings(ruleset, "外婆厨房稳赚不赔外婆厨房").verdict is Verdict.BLOCK


def test_a_disguised_word_stays_with_a_person(ruleset):
    report = findings(ruleset, "外婆厨房稳赚bu赔外婆厨房")
    assert [(found.severity, found.layer) for found in report.findings] == [(Severity.REVIEW, Layer.SOUND)]


def test_a_word_that_no_context_excuses_stays_with_a_person(ruleset):
    assert findings(ruleset, "外婆厨房躺赢外婆厨房").verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    "word", ["安心", "“稳赚不赔”"], ids=["to be seen", "blocked but for its quotation marks"]
)
def test_a_listed_word_is_never_only_a_sign(ruleset, word):
    assert findings(ruleset, f"外婆厨房{word}外婆厨房").verdict is Verdict.REVIEW


def test_of_a_piece_that_a_person_sees_anyway_every_sign_is_shown_as_it_is(ruleset):
    kitchen = "今天外婆的厨房里又挂上了越来越多的辣椒"
    for stopping in ("大家都安心", "大家都稳赚不赔"):
        found = findings(ruleset, kitchen, stopping).findings
        assert Severity.WARN not in {one.severity for one in found}


def test_what_is_read_from_a_picture_stays_with_a_person(ruleset):
    picture = TextField("portrait", "外婆的厨房越来越多", FieldKind.PICTURE)
    assert findings(ruleset, picture).verdict is Verdict.REVIEW


def test_what_stands_far_off_weighs_nothing(ruleset):
    far = "外婆的厨房" * 20
    assert findings(ruleset, f"越来越多{'。' * 60}{far}").verdict is Verdict.REVIEW


def test_a_headline_is_read_with_what_stands_under_it(ruleset):
    kitchen = "外婆的厨房，今天又添了辣椒和大蒜"
    assert findings(ruleset, "越来越多", kitchen).verdict is Verdict.WARN
    assert findings(ruleset, kitchen, "越来越多").verdict is Verdict.WARN


def test_a_disclosure_and_a_card_weigh_nothing(ruleset):
    card = TextField("card", "外婆的厨房", FieldKind.PROFILE)
    risk = TextField("risk", "外婆的厨房", FieldKind.DISCLOSURE)
    assert findings(ruleset, "越来越多", card, risk).verdict is Verdict.REVIEW


def test_an_institutions_own_words_stay_with_a_person(ruleset):
    assert findings(ruleset.with_words({"辣椒": None}), "外婆的厨房辣椒").verdict is Verdict.REVIEW


def test_without_an_opinion_every_sign_stops_a_piece(tmp_path):
    (tmp_path / "rules.yaml").write_text(PACK, "utf-8")
    assert (
        findings(load_ruleset([tmp_path]), "今天外婆的厨房里又挂上了越来越多的辣椒").verdict is Verdict.REVIEW
    )


def test_the_opinion_is_part_of_what_a_verdict_rests_on(tmp_path, ruleset):
    assert rulesets(tmp_path, OPINION.replace("-9", "-8")).digest != ruleset.digest


@pytest.mark.parametrize(
    ("opinion", "fault"),
    [
        (OPINION.replace("    外婆 1 -9", "    外婆 1"), "line 3: `opinion`"),
        (OPINION.replace("bias: 1", "bias: viel"), "line 3: `opinion`"),
        (OPINION.replace("  bias: 1\n", ""), "`opinion` has `agrees_from`, `bias` and `weights`"),
    ],
    ids=["a weight is missing", "no number", "no bias"],
)
def test_a_faulty_opinion_is_refused_naming_file_and_line(tmp_path, opinion, fault):
    with pytest.raises(RulesetError, match=r"opinion\.yaml") as refused:
        rulesets(tmp_path, opinion)
    assert fault in str(refused.value)


def test_two_opinions_are_refused(tmp_path):
    (tmp_path / "other.yaml").write_text(OPINION, "utf-8")
    with pytest.raises(RulesetError, match="there is a second opinion already"):
        rulesets(tmp_path)


def test_figures_read_alike():
    assert [*runs_of("年化12%")] == [*runs_of("年化3%")]


@given(st.text(max_size=150), st.text(max_size=20), st.text(max_size=150))
def test_any_passage_is_like_violations_to_some_degree(before, sign, after):
    assert SHIPPED is not None
    passage = Passage(before, sign, after)
    assert 0 < SHIPPED.likeness(passage) < 1
    assert all(word in before or word in after for word in SHIPPED.lawful_words(passage))


@given(st.text(max_size=60))
def test_runs_are_what_stands_side_by_side(text):
    assert all(1 <= len(run) <= LONGEST and not any(map(str.isspace, run)) for run in runs_of(text))


def test_the_shipped_opinion_is_small():
    assert isinstance(SHIPPED, Opinion)
    assert 5_000 < len(SHIPPED.weights) < 15_000
