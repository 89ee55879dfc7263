"""What a reader saw, put into the order of reading; and back from the words to the picture."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.check import check
from compliance.document import Document, FieldKind, Sector, TextField
from compliance.finding import Severity
from compliance.reading import Box, PictureReading, SeenLine, unread_field
from compliance.report import Verdict
from compliance.ruleset import load_ruleset


def line(text, left, top, width, height, *, certainty=0.99, ink=None, contrast=12.0):
    box = Box(left, top, width, height)
    return SeenLine(text, box, certainty, ink or min(width, height) * 0.9, contrast)


def reading(*lines, size=(600, 800)):
    return PictureReading(*size, lines)


def judged(*lines, size=(600, 800)):
    field = reading(*lines, size=size).field("photo")
    return check(Document((field,), Sector.BANK), load_ruleset())


def stopping(report):
    return {found.rule for found in report.findings if found.severity is not Severity.NOTE}


# ── order ──


def test_rows_are_read_from_top_to_bottom():
    seen = reading(line("第二行", 40, 200, 120, 40), line("第一行", 40, 40, 120, 40))
    assert seen.text == "第一行\n第二行"


def test_lines_beside_each_other_are_one_row():
    seen = reading(line("能保本", 180, 42, 120, 40), line("这款产品", 40, 40, 130, 40))
    assert seen.text == "这款产品 能保本"


def test_what_stands_far_apart_is_no_row():
    seen = reading(line("左边", 20, 40, 60, 30), line("右边", 480, 40, 60, 30))
    assert seen.text == "左边\n右边"


def test_a_long_sentence_goes_on_in_the_row_below():
    seen = reading(
        line("一年期产品到期后本金绝不亏", 40, 40, 390, 30),
        line("损，请放心购买", 40, 76, 200, 30),
    )
    assert "绝不亏损" in seen.text


def test_upright_lines_are_read_from_right_to_left():
    seen = reading(
        line("年年分红", 60, 60, 60, 280),
        line("稳赚不赔", 280, 60, 60, 280),
        line("保本保息", 170, 60, 60, 280),
    )
    assert seen.text == "稳赚不赔\n保本保息\n年年分红"


def test_single_characters_under_each_other_are_a_column():
    seen = reading(*(line(char, 100, 60 + place * 90, 50, 50) for place, char in enumerate("保本保息")))
    assert seen.text == "保本保息"


def test_single_characters_beside_each_other_stay_a_row():
    seen = reading(*(line(char, 60 + place * 90, 100, 50, 50) for place, char in enumerate("保本保息")))
    assert seen.text.replace(" ", "") == "保本保息"


def test_two_columns_of_single_characters_are_not_read_across():
    columns = [
        line(char, left, 60 + place * 70, 50, 50)
        for left, words in ((300, "稳赚不赔"), (150, "保本保息"))
        for place, char in enumerate(words)
    ]
    assert reading(*columns).text == "稳赚不赔\n保本保息"


@pytest.mark.parametrize("seen", [line("go", 9, 9, 90, 60, certainty=0.6), line("——", 9, 9, 90, 20)])
def test_what_is_hardly_words_is_not_read(seen):
    assert reading(seen).text == ""


# ── back to the picture ──


def test_a_part_of_a_line_has_its_part_of_the_box():
    seen = reading(line("这款产品保本", 100, 40, 240, 40))
    assert seen.boxes_of(4, 6) == (Box(260.0, 40.0, 80.0, 40.0),)


def test_a_part_of_a_column_has_its_part_of_the_height():
    seen = reading(line("稳赚不赔", 100, 40, 40, 160))
    assert seen.boxes_of(2, 4) == (Box(100.0, 120.0, 40.0, 80.0),)


def test_words_across_two_lines_have_a_box_on_each():
    seen = reading(line("稳赚", 40, 40, 80, 40), line("不赔", 40, 90, 80, 40))
    assert len(seen.boxes_of(0, len(seen.text))) == 2


@given(
    st.lists(
        st.builds(
            line,
            st.text(max_size=12),
            *[st.floats(-50, 900) for _ in range(2)],
            *[st.floats(1, 700) for _ in range(2)],
            certainty=st.floats(0, 1),
        ),
        max_size=12,
    ),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_any_lines_make_a_text_whose_boxes_lie_in_the_picture(lines, start, end):
    seen = reading(*lines)
    for box in seen.boxes_of(start, end):
        assert box.width >= 0
        assert box.height >= 0
    assert PictureReading.of_dict(json.loads(json.dumps(seen.to_dict()))) == seen


# ── what the checker says of it ──


def test_a_promise_in_a_picture_stops_at_a_person_and_is_not_blocked():
    report = judged(line("本产品保本保息，年化收益5%", 40, 40, 520, 40))
    assert report.verdict is Verdict.REVIEW
    assert "guarantee-principal" in stopping(report)


def test_a_disguised_promise_is_found_where_it_stands():
    lines = (line("稳健理财", 40, 40, 200, 50), line("保·本保收益", 40, 200, 240, 40))
    found = next(one for one in judged(*lines).findings if one.rule.startswith("guarantee"))
    (box,) = reading(*lines).boxes_of(found.span.start, found.span.end)
    assert (box.top, box.height) == (200, 40)


def test_a_promise_down_a_column_is_found():
    assert stopping(judged(line("稳赚不赔", 280, 60, 60, 280), line("保本保息", 170, 60, 60, 280)))


def test_a_pale_risk_warning_goes_to_a_person_with_its_figure():
    report = judged(line("理财有风险，投资需谨慎。", 40, 700, 240, 26, contrast=1.3))
    (found,) = (one for one in report.findings if one.rule == "picture-illegible")
    assert found.severity is Severity.REVIEW
    assert "1.3:1" in found.reason


def test_a_tiny_risk_warning_goes_to_a_person_with_its_figure():
    report = judged(line("理财有风险，投资需谨慎。", 40, 700, 90, 7, ink=5))
    (found,) = (one for one in report.findings if one.rule == "picture-illegible")
    assert "0.8%" in found.reason


def test_a_risk_warning_that_can_be_read_passes():
    assert judged(line("理财有风险，投资需谨慎。", 40, 700, 240, 26)).verdict is Verdict.PASS


def test_a_small_warning_beside_a_large_one_passes():
    report = judged(
        line("理财有风险，投资需谨慎。", 40, 700, 240, 26),
        line("市场有风险，入市须谨慎。", 40, 760, 90, 7, ink=5),
    )
    assert "picture-illegible" not in stopping(report)


def test_a_picture_nobody_could_read_goes_to_a_person():
    report = check(Document((unread_field("photo"),)), load_ruleset())
    assert report.verdict is Verdict.REVIEW
    assert stopping(report) == {"picture-unread"}


def test_a_picture_without_words_passes():
    assert judged().verdict is Verdict.PASS


def test_what_was_read_is_judged_the_same_when_it_is_kept():
    field = reading(line("理财有风险，投资需谨慎。", 40, 700, 240, 26, contrast=1.3)).field("photo")
    document = Document((TextField("text", "正文"), field), Sector.BANK)
    again = Document.of_dict(json.loads(json.dumps(document.to_dict())))
    assert again == document
    assert again.fields[1].kind is FieldKind.PICTURE
