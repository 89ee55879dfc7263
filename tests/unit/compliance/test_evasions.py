"""The disguises of classes 1 to 9 hide nothing."""

import pytest

from compliance.check import check
from compliance.document import Document
from compliance.report import Verdict
from compliance.ruleset import load_ruleset

DISGUISES = {
    "1 full width": ["０风险，随时取", "加ＶＸ领取名单"],
    "2 traditional": ["零風險，放心入", "這款絕對安全"],
    "3 mixed scripts": ["定投就是稳賺", "本金絕对安全"],
    "4 spaces": ["问就是保 本", "绝　对　安　全"],
    "5 noise symbols": ["稳.赚.不.赔", "保·本型理财", "保~本", "停_售_倒_计_时，险种更替"],
    "6 invisible characters": ["保\u200b本", "保\u2060本的存在", "稳\u00ad赚", "保\ufe0f本"],
    "7 strike-through": ["保̶本̶", "稳̲赚̲不赔"],
    "8 radicals and compatibility forms": ["⽼⼈⼩孩都适合这只基金", "零⻛险"],
    "9 look-alikes": ["保夲又灵活", "这只基金躺嬴"],
}


@pytest.mark.parametrize(
    ("disguise", "text"),
    [(disguise, text) for disguise, texts in DISGUISES.items() for text in texts],
)
def test_a_disguised_promise_is_stopped(disguise, text):
    assert check(Document.of_text(text), load_ruleset()).verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    "text", ["普通话表达 更清楚", "年报·季报·月报", "保单\n服务\n热线", "第1季度\n第2季度"]
)
def test_plain_spacing_is_no_disguise(text):
    assert check(Document.of_text(text), load_ruleset()).verdict is Verdict.PASS
