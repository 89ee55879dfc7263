"""The one door: fields, sectors, disclosures, and any content at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.check import check
from compliance.document import (
    Channel,
    Document,
    FieldKind,
    ProductType,
    Sector,
    TextField,
    parse_channel,
    parse_sector,
)
from compliance.finding import Layer, Severity
from compliance.report import Verdict
from compliance.ruleset import load_ruleset

RULESET = load_ruleset()


def report_on(*fields, **known):
    return check(Document(fields=tuple(fields), **known), RULESET)


def slugs(report):
    return {f.rule for f in report.findings if f.severity is not Severity.NOTE}


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_no_content_makes_the_checker_fail(text):
    report = check(Document.of_text(text), RULESET)
    assert all(text[f.span.start : f.span.end] == f.text for f in report.findings)
    json.loads(report.to_json())


@pytest.mark.parametrize("text", ["", "\0", "\ud800保本\udfff", "保\0本", "稳赚不赔" * 5000, "\n" * 999])
def test_odd_content_is_judged_like_any_other(text):
    assert check(Document.of_text(text), RULESET).verdict in set(Verdict)


def test_the_same_document_gets_the_same_bytes():
    document = Document.of_text("稳赚不赔，保本保息，闭眼买！")
    assert check(document, RULESET).to_json() == check(document, RULESET).to_json()


def test_spans_count_code_points_of_the_original():
    (finding,) = report_on(TextField("title", "🎉😀 穩·賺·不·賠！")).findings
    assert (finding.span.start, finding.span.end) == (3, 10)
    assert finding.text == "穩·賺·不·賠"
    assert finding.layer is Layer.SKIP


def test_a_registered_disclosure_never_offends():
    report = report_on(TextField("risk", "稳赚不赔", FieldKind.DISCLOSURE))
    assert report.verdict is Verdict.PASS


def test_a_registered_disclosure_fulfils_the_duty_of_another_field():
    offer = TextField("body", "云岭中证指数基金，12月3日起发售，10元起投。")
    risk = TextField("risk", "基金有风险，投资须谨慎。", FieldKind.DISCLOSURE)
    assert "missing-risk-warning" in slugs(report_on(offer))
    assert report_on(offer, risk).verdict is Verdict.PASS


def test_a_declared_product_owes_its_disclosure_whatever_the_words():
    field = TextField("body", "秋天的第一份问候。")
    assert report_on(field).verdict is Verdict.PASS
    report = report_on(field, product_type=ProductType.FUND)
    assert "missing-risk-warning" in slugs(report)


def test_the_advisor_s_own_number_is_no_personal_data():
    words = "客户服务，电话13806001234"
    assert "personal-info" in slugs(report_on(TextField("body", words)))
    assert "personal-info" not in slugs(report_on(TextField("phone", words, FieldKind.PROFILE)))


def test_a_disclaimer_never_cancels_a_promise():
    text = "这款基金稳赚不赔。基金有风险，投资须谨慎。过往业绩不预示未来表现。"
    assert check(Document.of_text(text), RULESET).verdict is Verdict.BLOCK


def test_a_promise_told_by_its_sense_is_not_excused_by_the_disclosure_of_the_design():
    words = TextField("slot.message", "晴天收，雨天也收，这款产品是台收割机。")
    risk = TextField("risk", "本产品不承诺收益，可能亏损。", FieldKind.DISCLOSURE)
    assert report_on(words, risk).verdict is Verdict.REVIEW


def test_a_finding_shows_the_words_and_not_the_comma_behind_them():
    report = check(Document.of_text("账户交给我来开，您只管看风景，理财就这么省心。"), RULESET)
    assert report.findings
    assert all(f.text == f.text.strip("，。") for f in report.findings if f.suggestion is None)


def test_a_word_only_heard_stops_at_review():
    report = check(Document.of_text("基本bǎo本的哈"), RULESET)
    assert report.verdict is Verdict.REVIEW
    assert {f.layer for f in report.findings} == {Layer.SOUND}


def test_a_lowered_hit_is_kept_with_its_reason():
    report = check(Document.of_text("谨防“稳赚不赔”骗局。"), RULESET)
    assert report.verdict is Verdict.PASS
    (finding,) = report.findings
    assert finding.severity is Severity.NOTE
    assert finding.scope_reason is not None


def test_a_marketing_message_needs_an_opt_out_only_as_sms():
    text = "【江海银行】新户有礼，欢迎到网点咨询。"
    sms = check(Document.of_text(text, Sector.BANK, Channel.SMS), RULESET)
    assert "sms-no-optout" in slugs(sms)
    poster = check(Document.of_text(text, Sector.BANK, Channel.POSTER), RULESET)
    assert "sms-no-optout" not in slugs(poster)


def test_a_window_of_less_than_six_months_is_counted():
    text = "云岭混合基金2026-08-03成立，截至2026-11-18净值增长4.6%。过往业绩不预示未来表现。"
    assert "past-performance-short" in slugs(check(Document.of_text(text), RULESET))


@pytest.mark.parametrize(
    ("word", "channel"),
    [("朋友圈", Channel.MOMENTS), ("公众号", Channel.OA), ("短信", Channel.SMS),
     ("产品页", Channel.PRODUCT_PAGE), ("海报", Channel.POSTER), ("sms", Channel.SMS),
     ("飞鸽", Channel.OTHER)],
)  # fmt: skip
def test_a_channel_is_read_from_its_chinese_word_or_code(word, channel):
    assert parse_channel(word) is channel


def test_an_unknown_sector_is_read_with_every_sector_s_rules():
    assert parse_sector("？") is Sector.GENERAL
    assert parse_sector("银行") is Sector.BANK


def test_severities_and_verdicts_are_ordered():
    assert [s.rank for s in Severity] == [0, 1, 2, 3]
    assert Verdict.BLOCK.rank > Verdict.REVIEW.rank > Verdict.WARN.rank > Verdict.PASS.rank


@pytest.mark.parametrize("unit", ["跌了我给你补。", "年年8%，", "保本公司即可"])
def test_a_text_is_judged_alike_however_long_it_is(unit):
    short = report_on(TextField("body", unit))
    long = report_on(TextField("body", unit * (20_000 // len(unit))))
    assert slugs(long) == slugs(short)
    assert long.verdict is short.verdict
