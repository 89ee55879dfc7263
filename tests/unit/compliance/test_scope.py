"""A forbidden word in lawful company is lowered, with the reason; a trick is not."""

import pytest

from compliance.normalise import fold
from compliance.scope import is_plain, judge


def reason(text, hit):
    text, hit = fold(text), fold(hit)
    start = text.index(hit)
    return judge(text, start, start + len(hit))


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("本产品不保本、不承诺收益。", "保本"),
        ("打新并非稳赚，新股可能破发。", "稳赚"),
        ("唔係零風險，亦唔等於存款。", "零風險"),
        ("不得承诺或者变相承诺保本。", "保本"),
        ("没有稳赚的投资。", "稳赚"),
        ("基金管理人不保证保本保收益。", "保本"),
    ],
)
def test_a_negation_is_recognised(text, hit):
    assert "否定" in reason(text, hit)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("谁说不能保本？", "保本"),
        ("不保本才怪。", "保本"),
        ("没有不稳赚的。", "稳赚"),
        ("这可不是别家，保本。", "保本"),
        ("理财非存款，但这款保本。", "保本"),
        ("不仅保本，还高收益。", "保本"),
        ("不得不说，这款稳赚。", "稳赚"),
        ("某大V喊单被罚，要赚钱还得找我们，稳赚。", "稳赚"),
        ("保本！投资有风险，入市需谨慎。", "保本"),
        ("不懂行情也能稳赚。", "稳赚"),
        ("绝不是骗局，稳赚不赔。", "稳赚不赔"),
        ("谨防错过，保本理财今天截止。", "保本"),
        ("远离亏损，稳赚不赔。", "稳赚不赔"),
        ("我不敢说稳赚，可跟了还亏钱，那才叫稀罕事。", "稳赚"),
        ("邻居问我靠不靠谱，我说保本。", "保本"),
        ("7×24小时服务，稳赚不赔，5×8也行。", "稳赚不赔"),
        ("以前从来没有“零风险高收益”，现在终于有了。", "零风险"),
        ("市场上从未推出过“保本保息”的好产品，今天来了。", "保本保息"),
    ],
)
def test_a_pseudo_negation_or_a_wrapper_excuses_nothing(text, hit):
    assert reason(text, hit) is None


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("谨防“保本高收益”骗局。", "保本"),
        ("凡是宣称“稳赚不赔”的，十有八九是骗局。", "稳赚不赔"),
        ("“闭眼买”？没有这回事。", "闭眼买"),
        ("不相信“名额有限、错过不再有”的话术。", "错过不再有"),
        ("自称“稳赚”的群主被判刑。", "稳赚"),
        ("刷到“保本高收益”的广告先别点。", "保本"),
        ("“低风险高收益”的说法，大家一致摇头。", "低风险高收益"),
        ("群里老师保证稳赚。真能做到，他何必教您？一律当骗子。", "稳赚"),
        ("自查清单，以下话术禁用：\n1. 保本保息\n2. 稳赚不赔", "稳赚不赔"),
        ("消费提示：有人用“末班车”“最后三天”制造焦虑。", "最后三天"),
    ],
)
def test_a_quotation_to_refute_is_recognised(text, hit):
    assert reason(text, hit) is not None


def test_a_question_answered_no_is_recognised():
    assert reason("银行理财能保本吗？不能，盈亏自负。", "保本") == "提问之后作了否定回答"
    assert reason("这个能稳赚吗？能，放心。", "稳赚") is None


def test_law_and_penalty_reports_are_recognised():
    assert reason("《广告法》第二十五条规定，广告不得含有保本内容。", "保本") is not None
    assert reason("某公司宣传“稳赚”，被罚款十万元。", "稳赚") is not None


def test_a_quiz_item_marked_wrong_is_recognised():
    assert reason("判断题：理财产品保本。（×）", "保本") == "判断题里标为错误的说法"


def test_a_definition_is_recognised():
    assert reason("什么是刚性兑付？名词解释。", "刚性兑付") == "在解释这个词的意思"


def test_a_name_is_recognised():
    assert reason("禾川银行保本路支行迁址。", "保本") == "名称的一部分"


def test_insured_deposits_may_say_that_they_are_insured():
    assert reason("整存整取定期存款，本金安全有存款保险保障。", "本金安全") is not None
    assert reason("这款理财本金安全，像定期存款。", "本金安全") is None


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("我们不会对您说“这款稳赚，放心买”。", "稳赚"),
        ("有人说“咱们这款保本，跟我买”，这是骗人的。", "保本"),
        ("某员工发布“这款保本！我妈都买了。”被责令改正。", "保本"),
        ("骗子最爱说：这款产品保本。", "保本"),
        ("禁用话术清单：\n1. 这款保本；", "保本"),
        ("下列哪项错误？A. 这款产品保本 B. 净值会波动", "保本"),
    ],
)
def test_what_another_says_of_a_product_is_not_a_turn_to_ours(text, hit):
    assert reason(text, hit) is not None


@pytest.mark.parametrize("text", ["我们不只说“保本”，还做得到。", "不说别的，这款“保本”。", "这就叫“保本”。"])
def test_quotation_marks_alone_excuse_nothing(text):
    assert reason(text, "保本") is None


@pytest.mark.parametrize(
    "text",
    [
        "群里喊稳赚的那位，上月已失联。",
        "有位储户听人说稳赚，钱转走后报警。",
        "这样的稳赚，警方一月立案三起。",
    ],
)
def test_a_piece_that_warns_excuses_what_it_tells(text):
    assert reason(text, "稳赚") is not None


@pytest.mark.parametrize("text", ["这年头骗子真多。想稳赚的私信我。", "市面骗局多，只有我们这款稳赚。"])
def test_a_warning_that_sells_excuses_nothing(text):
    assert reason(text, "稳赚") is None


def test_a_question_either_way_promises_nothing():
    assert reason("客户问这只基金会不会亏，我请他先看风险等级。", "不会亏") is not None
    assert reason("您问会不会亏？放心。", "不会亏") is None


def test_the_script_of_a_call_is_no_warning_but_a_list_of_banned_talk_is():
    assert reason("回访话术：这款稳赚。", "稳赚") is None
    assert reason("促成话术：这款稳赚。", "稳赚") is None
    assert reason("话术：“这款稳赚。”", "稳赚") is None
    assert reason("常见的骗人话术：稳赚。", "稳赚") is not None


@pytest.mark.parametrize("standing", ["理财非存款、产品有风险、投资须谨慎。", "投资须谨慎。"])
def test_the_warning_every_piece_ends_with_answers_no_question(standing):
    assert reason(f"月月稳赚，好不好？{standing}", "稳赚") is None


def test_what_explains_the_answer_of_a_quiz_is_meant():
    assert reason("判断题：理财会亏。（×）解析：本行产品稳赚。", "稳赚") is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("这款理财稳赚。", True),
        ("谁说不能稳赚？", True),
        ("这款理财稳赚。理财非存款。", True),
        ("这款“稳赚”理财。", False),
        ("这款稳赚的事我没听过。", False),
    ],
)
def test_only_what_is_said_outright_is_plain(text, plain):
    text = fold(text)
    start = text.index("稳赚")
    assert is_plain(text, start, start + 2) is plain


@pytest.mark.parametrize(
    "text",
    [
        "客户：听说这款保本？经理：不保，净值会波动。",
        "大姐问我能不能保本，我照实说不能，跌了就是跌了。",
        "有人要我承诺保本，我笑着回：这话我不能说。",
        "这两样，一个保本，一个不保，别弄混。",
    ],
)
def test_what_a_customer_asks_and_the_answer_declines_is_no_promise(text):
    text = fold(text)
    start = text.index("保本")
    assert judge(text, start, start + 2) is not None


@pytest.mark.parametrize(
    "text",
    [
        "客户：听说这款保本？经理：那当然，您放心。",
        "大姐问我有没有保本的，我说就这款保本，赶紧来。",
    ],
)
def test_what_the_answer_confirms_stays_a_promise(text):
    text = fold(text)
    start = text.rindex("保本")
    assert judge(text, start, start + 2) is None


def test_what_is_ruled_out_in_the_same_breath_is_no_offer():
    text = "黑户可贷吗这种话别问,黑户可贷是办不了的。"
    start = text.rindex("黑户可贷")
    assert judge(text, start, start + 4) is not None


def test_a_court_that_can_do_nothing_is_no_report_of_a_penalty():
    text = "这份保单谁也动不了,法院都拿不走。"
    assert judge(text, 5, 9) is None
