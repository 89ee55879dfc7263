"""A piece that only explains, reports or reminds is told from one that offers something."""

import pytest

from compliance.check import check
from compliance.document import Document
from compliance.finding import Severity
from compliance.report import Verdict
from compliance.ruleset import load_ruleset
from compliance.speech import informing

LESSONS = [
    "什么是基金的最大回撤？比如净值从1.50元跌到1.20元，最大回撤就是20%。",
    "为什么不能只看一个月？一个月涨了5%折成年化会很吓人，可它只说明这一个月。",
    "重疾险理赔的三个误解：确诊就赔？得了病就赔？交得多赔得多？都要看条款。",
]
NOTICES = [
    "监管部门提醒广大消费者：不要因为“最后机会”“末班车”等话术冲动投保。",
    "个人投资者应当满足下列条件：申请前二十个交易日账户内的资产日均不低于五十万元。",
    "据统计局数据，十一月制造业景气度回升，基金公司认为后市仍有分歧。",
]
OFFERS = [
    "什么是省心？就是这款理财，扫码就能买。",
    "监管部门都提醒过了，还是我们家的产品稳，找我预约。",
    "为什么选它？我行理财本周五发售，一万元起购。",
]


@pytest.mark.parametrize("text", LESSONS + NOTICES)
def test_a_lesson_or_a_notice_informs(text):
    assert informing(text) is not None


@pytest.mark.parametrize("text", OFFERS)
def test_a_question_does_not_make_an_offer_a_lesson(text):
    assert informing(text) is None


@pytest.mark.parametrize("text", LESSONS + NOTICES)
def test_a_piece_that_informs_is_not_held_up(text):
    assert check(Document.of_text(text), load_ruleset()).verdict is Verdict.PASS


def test_a_finding_that_a_lesson_lowered_says_so():
    report = check(Document.of_text("什么是复利？年利率3%，24年左右翻一番。"), load_ruleset())
    reasons = {found.scope_reason for found in report.findings}
    assert reasons == {"全文在讲解或告知，没有推介：“什么是”"}


def test_a_promise_in_a_notice_still_needs_a_person():
    report = check(Document.of_text("提醒消费者：存进来的钱保证收益。"), load_ruleset())
    assert report.verdict is Verdict.REVIEW
    assert {found.severity for found in report.findings} == {Severity.REVIEW}


@pytest.mark.parametrize("disclaimer", ["本材料不构成投资建议。", "仅供参考。", "投资须谨慎。"])
def test_a_disclaimer_alone_makes_no_lesson_of_a_piece(disclaimer: str) -> None:
    assert informing(f"稳健之选，年年都有好收成。{disclaimer}") is None
