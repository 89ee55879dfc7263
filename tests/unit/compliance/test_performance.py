"""Which numbers are the record of a product, over which window, and which are something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.normalise import normalise
from compliance.rules import performance
from compliance.rules.performance import FigureKind, figures_in


def figures(text):
    return list(figures_in(normalise(text).text))


@pytest.mark.parametrize(
    ("text", "kind", "days"),
    [
        ("这只基金近三年收益28%", FigureKind.PERIOD, 1095),
        ("成立才两个月，已经赚了12个点", FigureKind.PERIOD, 60),
        ("今年以来组合回报15.3%", FigureKind.YEAR, None),
        ("成立以来翻了三倍", FigureKind.INCEPTION, None),
        ("自2月低点反弹以来涨了37%", FigureKind.PICKED, None),
        ("近1月+1.93%", FigureKind.PERIOD, 30),
        ("2024年净值增长2.61%", FigureKind.YEAR, None),
        ("上市整百日，净值已走到1.2847", FigureKind.PERIOD, 100),
        ("年化21%！成立45天", FigureKind.PERIOD, 45),
    ],
)
def test_a_record_is_read_with_its_window(text, kind, days):
    (figure,) = figures(text)
    assert (figure.kind, figure.days) == (kind, days)


@pytest.mark.parametrize(
    "text",
    [
        "本周沪指上涨1.2%，成交放大",
        "管理费每年0.6%",
        "近一年最大回撤8%",
        "业绩比较基准3.2%",
        "假设过去一年年化4%，三年后是多少",
        "近两年10年期国债收益率在1.7%上下",
        "截至11月20日单位净值1.0532",
        "2025年GDP增长5%",
        "近三年收益-3.1%",
    ],
)
def test_what_is_no_record_is_left_alone(text):
    assert figures(text) == []


def test_a_short_stretch_made_a_year_is_told():
    (figure,) = figures("近一个月收益折合年化8.2%")
    assert figure.annualised
    assert figure.days == 30


@given(st.text(alphabet="0123456789.%+-一二十百半几个点多成倍番翻了分之 涨的，", max_size=60))
def test_no_number_is_passed_over(text):
    everywhere = [number.span() for number in performance._NUMBER.finditer(text)]
    assert [number.span() for number in performance._numbers_in(text)] == everywhere
