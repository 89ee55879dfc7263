"""Numbers of customers are told from numbers that only look like them."""

import pytest

from compliance.check import check
from compliance.document import Document
from compliance.rules.personal_data import is_card_number, is_identity_number
from compliance.ruleset import load_ruleset

PACK = """\
dated: 2026-01-02
rules:
  - id: personal-info/numbers
    title: 客户的号码
    severity: block
    family: personal_data
    basis: 《个人信息保护法》第二十五条
    reason: 请删去或遮盖。
    whose: [客户 | 先生 | 女士]
    examples:
      violations: [客户号110101199003074530, 客户13806001234, 先生13806001234]
      compliant: [早安, 晚安, 午安]
"""


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "pack.yaml"
    path.write_text(PACK, "utf-8")
    return load_ruleset([path])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("证号11010519491231002X，已核对", "11010519491231002X"),
        (
            "身份证110105194912310021，已核对",
            "110105194912310021",
        ),  # the check digit is wrong, the text says it
        ("客户陈先生 4111 1111 1111 1111 到账", "4111 1111 1111 1111"),
        ("感谢手机号13806001234的陈先生", "13806001234"),
        ("感谢手机号１３８０６００１２３４的陈先生", "１３８０６００１２３４"),
        ("陈女士138 0600 1234谢谢", "138 0600 1234"),
    ],
)
def test_a_customer_s_number_is_found(ruleset, text, number):
    found = [f.text for f in check(Document.of_text(text), ruleset).findings]
    assert found == [number]


@pytest.mark.parametrize(
    "text",
    [
        "流水110105194912310021，已核对",  # a wrong check digit, and nobody calls it an identity number
        "编号110105199913450021，客户可查",  # no such day
        "尾号1111的卡已到账",
        "欢迎客户致电客户经理13806001234",
        "预约电话13806001234，先生女士均可",
        "客户须知。" + "本行网点周末照常营业。" * 8 + "流水4111111111111112",
    ],
)
def test_what_only_looks_like_one_is_left_alone(ruleset, text):
    assert check(Document.of_text(text), ruleset).findings == ()


def test_a_check_digit_is_computed():
    assert is_identity_number("11010519491231002x")
    assert not is_identity_number("110105194912310021")
    assert is_card_number("4111 1111 1111 1111")
    assert not is_card_number("4111 1111 1111 1112")
