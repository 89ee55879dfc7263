"""All twenty-seven ways of disguise: where each is met and what is seen; and company that helps none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.check import check
from compliance.document import Document, Sector
from compliance.finding import Layer, Severity
from compliance.report import Verdict
from compliance.ruleset import load_ruleset

PACK = """\
dated: 2026-01-02
sound: [利息, 收益, 微信]
rules:
  - id: slug/words
    title: 承诺
    severity: block
    basis: 《广告法》第二十五条
    reason: 不能这样写。
    terms: [保本, 保收益, 稳赚, 稳赚不赔, 零风险, 无风险, 绝对安全, 停售, 老师]
    sound: [保本, 保收益, 稳赚, 稳赚不赔, 零风险, 停售]
    examples:
      violations: [保本, 稳赚, 停售]
      compliant: [早安, 晚安, 午安]
  - id: slug/meaning
    title: 说法
    severity: block
    basis: 《广告法》第二十五条
    reason: 不能这样写。
    patterns:
      - (跌|亏) ~4 我 ~3 (补|赔)
      - (年年|每年) ~4 <percent>
      - 利息 ~3 <percent>
      - (加|扫|聊) ~2 (微信 | vx | qq)
      - (左边|右边) ~3 (加|去) ~4 (旁|人|字)
      - (写|说) ~3 (被删|被封)
    examples:
      violations: [跌了我补, 年年8%, 加微信]
      compliant: [早安, 晚安, 午安]
"""


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "pack.yaml"
    path.write_text(PACK, "utf-8")
    return load_ruleset([path])


# disguise, text, what the reader sees of the offence, layer
DISGUISES = [
    ("1 full width", "年年８％，放心", "年年８％", Layer.FOLD),
    ("1 compatibility letters", "加ＶＸ领取", "加ＶＸ", Layer.FOLD),
    ("2 traditional", "全程零風險哦", "零風險", Layer.FOLD),
    ("3 mixed scripts", "定投就是稳賺", "稳賺", Layer.FOLD),
    ("3 Japanese forms", "零風険商品", "零風険", Layer.FOLD),
    ("4 spaces", "问就是保 本", "保 本", Layer.SKIP),
    ("4 ideographic spaces", "绝　对　安　全", "绝　对　安　全", Layer.SKIP),
    ("5 dots", "这款稳.赚.不.赔", "稳.赚.不.赔", Layer.SKIP),
    ("5 a heart", "保♥本", "保♥本", Layer.SKIP),
    ("5 an ellipsis in a torn word", "就俩字保……本", "保……本", Layer.SKIP),
    ("5 a character in brackets", "零（风）险", "零（风）险", Layer.SKIP),
    ("5 the last character in brackets", "保【本】的", "保【本】", Layer.SKIP),
    ("5 the first character in brackets", "这（稳）赚", "（稳）赚", Layer.SKIP),
    ("5 a character in quotation marks", "稳「赚」不赔", "稳「赚」不赔", Layer.SKIP),
    ("5 enumerated", "稳、赚、不、赔", "稳、赚、不、赔", Layer.SKIP),
    ("6 zero width", "保\u200b本", "保\u200b本", Layer.FOLD),
    ("6 soft hyphen", "稳\u00ad赚", "稳\u00ad赚", Layer.FOLD),
    ("6 word joiner", "保\u2060本", "保\u2060本", Layer.FOLD),
    ("6 variation selector", "保\ufe0f本", "保\ufe0f本", Layer.FOLD),
    ("7 strike-through, the last mark included", "保̶本̶吧", "保̶本̶", Layer.FOLD),
    ("8 Kangxi radical", "⽼师", "⽼师", Layer.FOLD),
    ("8 radical of the supplement", "零⻛险", "零⻛险", Layer.FOLD),
    ("9 odd character", "保夲又灵活", "保夲", Layer.FOLD),
    ("9 everyday look-alike", "稳嫌的机会", "稳嫌", Layer.SOUND),
    ("10 a framed character", "全程🈚️风险", "🈚️风险", Layer.FOLD),
    ("10 a picture for a word", "加薇❤聊", "薇❤", None),
    ("10 a picture of the word", "保📖型", "保📖", Layer.SOUND),
    ("11 circled figures", "年年⑧%", "年年⑧%", Layer.FOLD),
    ("11 mathematical figures", "年年𝟖%", "年年𝟖%", Layer.FOLD),
    ("11 capital figures", "年年捌个点", "年年捌个点", Layer.RAW),
    ("12 pinyin", "这个bao ben的", "bao ben", Layer.SOUND),
    ("12 pinyin with tones", "这个bǎo běn的", "bǎo běn", Layer.SOUND),
    ("13 half pinyin", "稳zhuan的", "稳zhuan", Layer.SOUND),
    ("13 half initials", "稳z的", "稳z", Layer.SOUND),
    ("14 initials", "bsy型产品", "bsy", Layer.SOUND),
    ("14 four initials", "这款wzbp，冲", "wzbp", Layer.SOUND),
    ("15 homophone", "宝本的，放心", "宝本", Layer.SOUND),
    ("15 homophones all through", "文赚", "文赚", Layer.SOUND),
    ("15 a homophone in a pattern", "厉息四个点", "厉息四个点", Layer.SOUND),
    ("15 a homophone of a long word nobody guards", "绝对安权", "绝对安权", Layer.SOUND),
    ("13 half pinyin of one", "绝对an全", "绝对an全", Layer.SOUND),
    ("16 taken apart", "零风阝佥", "零风阝佥", Layer.SOUND),
    ("16 taken apart twice", "禾急贝兼", "禾急贝兼", Layer.SOUND),
    ("17 described", "呆字左边加个人", "左边加个人", Layer.RAW),
    ("18 set backwards", "本保型产品", "本保", Layer.SOUND),
    ("18 backwards by instruction", "倒着念：赚稳", "赚稳", Layer.SOUND),
    ("19 down a column", "零\n风\n险", "零\n风\n险", Layer.SKIP),
    ("20 enclosed ornaments", "零㊙风㊙险", "零㊙风㊙险", Layer.SKIP),
    ("21 a hint at the censor", "写出来就被删", "写出来就被删", Layer.RAW),
    ("22 meaning", "跌了我给你补", "跌了我给你补", Layer.RAW),
    ("23 pseudo-negation", "谁说不能保本", "保本", Layer.RAW),
    ("24 a lawful wrapper", "理财非存款，产品有风险，投资须谨慎。保本", "保本", Layer.RAW),
    ("26 letters apart", "加 V X 聊", "加 V X", Layer.SKIP),
    ("26 a spelled word", "加 w e i x i n", "加 w e i x i n", Layer.SOUND),
    ("27 a name for the contact", "加葳信", "加葳信", Layer.SOUND),
]


@pytest.mark.parametrize(
    ("text", "seen", "layer"), [pytest.param(*case[1:], id=case[0]) for case in DISGUISES]
)
def test_a_disguise_is_seen_through(ruleset, text, seen, layer):
    found = [f for f in check(Document.of_text(text), ruleset).findings if f.severity is not Severity.NOTE]
    assert seen in [f.text for f in found] or any(seen in f.text for f in found), found
    if layer is not None:
        (exact,) = [f for f in found if f.text == seen]
        assert exact.layer is layer
        assert exact.severity is (Severity.REVIEW if layer is Layer.SOUND else Severity.BLOCK)


@pytest.mark.parametrize(
    "text",
    [
        "基本保障责任以条款为准",  # 18: 本保 inside
        "成本保持平稳",
        "请抱着本子来听课",  # 15
        "发文转给大家看",
        "威信来自长期的诚信",
        "亭子收拾好了",
        "普通话表达 更清楚",  # 4
        "年报·季报·月报",  # 5
        "保单\n服务\n热线",  # 19
        "第1季度\n第2季度",
        "A股、B股和ETF都有涨跌",  # 13
        "这是BSY公司的产品手册编号",  # 14
        "投保、本金和费用见条款",  # 5
        "祝您🎉❤️🌟",  # 10
        "爱读书📖的孩子",
        "simulate a bao",  # 12
        "女子马拉松周末开跑",  # 16
        "急诊隐私保护",  # 9
        "7 月 8 日见",
    ],
)
def test_ordinary_writing_is_no_disguise(ruleset, text):
    assert check(Document.of_text(text), ruleset).verdict is Verdict.PASS


NOISE = ("", "\u200b", "\u00ad", "\ufe0f", "\u0336", "·", "*", "♥")


@given(
    before=st.text(alphabet="今天气好，。 \n😀·a1", max_size=12),
    after=st.text(alphabet="，。！😀\n", max_size=6),
    noise=st.lists(st.sampled_from(NOISE), min_size=3, max_size=3),
)
def test_the_span_is_the_visible_text_that_offends(ruleset, before, after, noise):
    written = "稳" + noise[0] + "赚" + noise[1] + "不" + noise[2] + "赔"
    text = before + "，" + written + after
    spans = {f.text for f in check(Document.of_text(text), ruleset).findings}
    assert any(span.rstrip("\ufe0f\u0336\u200b\u00ad") == written for span in spans), spans


@pytest.mark.parametrize(
    "text",
    [
        "本产品稳赚不赔，请拨打客服热线咨询。",
        "保本保息，请核实后直接办理。",
        "其实就是保本，别信别家的。",
        "“保本保息”最后一天，没汇款的抓紧。",
        "“稳赚不赔”，咱行没搞过虚的，放心买。",
        "以下说法句句属实：本产品保本。",
        "零风险，速来！",
        "躺赢，就现在。",
        "趣味运动会现场，稳赚不赔的理财同步发售。",
        "周末请您吃火锅，顺便聊聊这只稳赚不赔的基金。",
        "今晚看决赛，绝对零风险的理财等您来。",
        "这款理财跟存款没什么区别，利息还高。",
        "市场上从未推出过“保本保息”的好产品，今天来了。",
    ],
)
def test_what_stands_beside_a_promise_does_not_buy_it_off(text):
    report = check(Document.of_text(text, sector=Sector.BANK), load_ruleset())

    assert report.verdict in {Verdict.REVIEW, Verdict.BLOCK}
