"""The layouts and macros: what every page can rely on."""

import re
from pathlib import Path
from typing import Final

import pytest
from jinja2 import UndefinedError
from jinja2_fragments import render_block

from app.domain.piece import PieceState
from app.web.components import SHEETS
from tests.unit.page_environment import (
    GUARANTEE,
    HEADLINE,
    SUPERLATIVE,
    WEB,
    page_environment,
    render,
)

PAGES: Final = sorted((WEB / "pages").rglob("*.html"))
ICONS: Final = WEB / "static" / "vendor" / "tabler-icons-3.51.0" / "icons.svg"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_face = pytest.mark.parametrize("face", ["phone", "desk"])


def ui(expression: str, **context: object) -> str:
    source = "{{ ui." + expression + " }}"
    return page_environment().from_string(source).render(**context)


@each_page
def test_a_page_has_nothing_the_content_policy_would_block(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    scripts = re.findall(r"<script(?![^>]*(?:\bsrc=|application/json))", source)
    handlers = re.findall(r"<[a-z][^>]*\son[a-z]+=", source)

    assert not scripts
    assert not handlers
    assert "<style" not in source
    assert not re.search(r"\sstyle=", source)
    assert "javascript:" not in source


@each_page
def test_a_page_loads_nothing_from_elsewhere(page: Path) -> None:
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page.read_text(encoding="utf-8"))


@each_page
def test_every_form_that_posts_by_hand_carries_its_token(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    forms = [form.split("</form>")[0] for form in source.split("<form")[1:]]

    for form in forms:
        if 'method="post"' in form:
            # by itself, or through a macro of the page that puts in its hidden fields
            assert 'name="csrf_token"' in form or "hidden(" in form, form[:80]


def test_every_sheet_of_macros_is_offered() -> None:
    assert sorted(
        f"components/{sheet.name}" for sheet in PAGES if sheet.parent.name == "components"
    ) == sorted(SHEETS)


@each_face
def test_every_component_shows_on_both_faces(face: str) -> None:
    page = render("styleguide.html", face=face)

    assert page.count("<h1>") == 1


@each_face
def test_every_icon_on_the_style_page_is_in_the_sprite(face: str) -> None:
    shown = set(re.findall(r"icons\.svg#([a-z0-9-]+)", render("styleguide.html", face=face)))
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', ICONS.read_text(encoding="utf-8")))

    assert shown
    assert shown <= drawn


@pytest.mark.parametrize("state", PieceState)
def test_every_state_of_a_piece_has_a_word_and_a_shape(state: str) -> None:
    badge = ui(f"state('{state}')")

    assert "<svg" in badge
    assert re.search(r"</svg>\w+</span>", badge)


def test_no_two_states_of_a_piece_share_a_shape() -> None:
    shapes = [re.findall(r"#([a-z0-9-]+)", ui(f"state('{state}')"))[0] for state in PieceState]

    assert len(set(shapes)) == len(PieceState)


def test_a_block_rendered_alone_finds_the_macros() -> None:
    fragment = render_block(page_environment(), "styleguide.html", "head_actions", face="phone")

    assert fragment.startswith("<a class")


def test_an_unknown_macro_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="sparkle"):
        ui("sparkle()")


def test_findings_are_marked_where_they_stand() -> None:
    marked = ui("marked(text, found)", text=HEADLINE, found=[SUPERLATIVE, GUARANTEE])

    assert re.sub(r"<mark[^>]*>", "[", marked).replace("</mark>", "]") == ("春日理财[稳赚不赔]，给[最好]的您")


def test_marks_count_characters_and_not_their_halves() -> None:
    rare = "𠮷祥稳赚不赔"
    finding = {"severity": "block", "start": 2, "end": 6, "reason": "易误解"}

    assert ">稳赚不赔</mark>" in ui("marked(text, [finding])", text=rare, finding=finding)


def test_overlapping_findings_keep_every_character_once() -> None:
    text = "保证本金安全无忧"
    found = [
        {"severity": "block", "start": 0, "end": 6, "reason": "甲"},
        {"severity": "warn", "start": 4, "end": 8, "reason": "乙"},
    ]

    assert re.sub(r"<[^>]+>", "", ui("marked(text, found)", text=text, found=found)) == text


def test_typed_words_are_never_markup() -> None:
    assert "<b>" not in ui("field('name', 'label', value='<b>')")
    assert "<b>" not in ui("marked('<b>', [])")


def test_an_offer_can_be_taken_without_a_script() -> None:
    offer = ui("findings(found, field='slot.headline')", found=[GUARANTEE])

    assert 'name="adopt" value="slot.headline:4:8"' in offer


def test_an_error_is_tied_to_its_field() -> None:
    field = ui("field('phone', '电话', error='号码少一位')")

    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="error-phone"' in field
    assert 'id="error-phone"' in field


def test_a_figure_that_is_not_known_is_not_zero() -> None:
    assert "暂无数据" in ui("figure('触达', none, '人', '口径')")
    assert "暂无数据" not in ui("figure('触达', 0, '人', '口径')")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422, 429, 500, 503])
def test_every_problem_says_what_is_safe_and_what_to_do(status: int) -> None:
    page = render("error.html", status=status)

    assert "不受影响" in page
    assert "接下来" in page


def test_a_problem_of_an_unlisted_kind_still_has_its_words() -> None:
    assert "没看懂这次请求" in render("error.html", status=418)
    assert "系统出了问题" in render("error.html", status=507)


@pytest.mark.parametrize("standing", ["expired", "taken_down", "recalled", "unpublished"])
def test_a_customer_can_read_the_end_of_a_piece_without_script(standing: str) -> None:
    assert "<script" not in render("public/ended.html", standing=standing)


def test_demo_logins_show_only_where_they_are_given() -> None:
    demo = [{"role": "客户经理", "login": "advisor", "password": "demo"}]

    assert "演示账号" in render("login.html", demo_logins=demo)
    assert "演示账号" not in render("login.html")


def test_the_scripts_of_an_advisors_page_stay_within_their_budget() -> None:
    static = WEB / "static"
    scripts = ("vendor/htmx-2.0.11/htmx.min.js", "js/shell.js", "js/making.js")

    assert sum((static / script).stat().st_size for script in scripts) <= 200_000
