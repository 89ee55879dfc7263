"""Words set alone break and lie exactly as in the page they belong to."""

import random
from html import escape
from pathlib import Path

import pytest

from templates_lib import layout
from templates_lib.lines import TextStyle, set_lines, style_of

_HAN = "当前全球经济周期切换利率中枢持续下移居民资产配置需求正从单一储蓄走向多元均衡稳健前行共赴美好未来"
_OTHER = (
    *"，。、；：！？“”‘’（）《》【】·—…%", "——", "……", "95588", "3.85%", "2026年", "CFP®", "Wealth ",
    "VIP", "400-888-6666", "+86 138", "A/B", "R2", "A股", " ", "T+0", "¥1,000.00", "《公告》", "“我”",
)  # fmt: skip
_WIDTH_PX = 312


def _string(source: random.Random) -> str:
    length = source.randint(1, 60)
    words = (source.choice(_HAN) if source.random() < 0.75 else source.choice(_OTHER) for _ in range(length))
    return "".join(words)


def _page(style: str, words: list[str]) -> layout.LaidOut:
    paragraphs = "".join(f'<p data-field="a">{escape(each)}</p>' for each in words)
    html = (
        '<!doctype html><html lang="zh-CN"><head><style>@page{size:800px 90000px;margin:0}'
        f"*{{margin:0;padding:0}} p{{width:{_WIDTH_PX}px;{style}}}</style></head>"
        f"<body>{paragraphs}</body></html>"
    )
    return layout.lay_out(html, layout.AssetFetcher(Path()))


def _style(laid_out: layout.LaidOut) -> TextStyle:
    return style_of(next(mark.computed[0] for mark in laid_out.marks.values() if mark.computed))


@pytest.mark.parametrize(
    "style",
    [
        "font:400 24px/40px 'Noto Sans CJK SC'",
        "font:600 31px/50px 'Noto Serif CJK SC';letter-spacing:2px",
        "font:400 27.5px/40px 'Imprimatur Kai';text-align:center",
        "font:700 22px/36px 'Noto Sans CJK SC';text-align:right;white-space:pre-line",
        "font:400 20px/30px 'Noto Sans CJK SC';letter-spacing:-1px;overflow-wrap:anywhere",
    ],
)
def test_a_thousand_random_strings_break_as_they_do_in_the_page(style: str) -> None:
    source = random.Random(style)
    words = [_string(source) for _ in range(1_000)]
    laid_out = _page(style, words)
    text_style = _style(laid_out)
    for ordinal, each in enumerate(words):
        mark = laid_out.marks.get(ordinal)
        theirs = [] if mark is None else mark.lines
        ours = set_lines(each, text_style, _WIDTH_PX)
        assert [line.width for line in ours] == pytest.approx([line.width for line in theirs]), each
        assert all(line.whole for line in ours), each


@pytest.mark.parametrize("words", ["", " ", "\n", "　", "\n\n", " \n "])
def test_nothing_but_space_sets_no_ink(words: str) -> None:
    style = _style(_page("font:400 24px/40px 'Noto Sans CJK SC'", ["永"]))
    assert not any(line.glyphs for line in set_lines(words, style, 100) if words.strip())


def test_a_character_no_face_draws_is_noticed() -> None:
    style = _style(_page("font:400 24px/40px 'Noto Sans CJK SC'", ["永"]))
    (line,) = set_lines("好🎉", style, None)
    assert not line.whole


def test_a_break_the_author_made_is_kept_where_the_design_keeps_it() -> None:
    style = _style(_page("font:400 24px/40px 'Noto Sans CJK SC';white-space:pre-line", ["永"]))
    assert [len(line.glyphs) for line in set_lines("一二\n三", style, 400)] == [2, 1]
