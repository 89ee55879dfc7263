"""The scripts of the two faces in a real browser, under the policy the site is served with.

The pages come from the templates and the answers from a table: no server takes part.
"""

import mimetypes
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.unit.page_environment import GUARANTEE, SUPERLATIVE, WEB, page_environment

SITE: Final = "http://house.test"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CHROMIUM: Final = "/usr/bin/chromium"
PICTURE: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="108" height="144"/>'

MAKING: Final = """
{% extends "layouts/phone.html" %}
{% block scripts %}
<script src="{{ static_url('js/making.js') }}" type="module"></script>
{% endblock %}
{% block main %}
<img data-preview="/preview" src="/preview?first" width="108" height="144" alt="">
<span data-preview-slow hidden>更新中</span><span data-preview-failed hidden>预览没有更新</span>
{% call ui.form("/make/spring", default_action=("action", "save"), attrs={"data-making": ""}) %}
{{ ui.field("slot.headline", "主标题", value=headline, maxlength=20, hints_url="/hints",
            found=found) }}
{{ ui.button("送审", name="action", value="submit") }}
{% endcall %}
{% endblock %}
"""

REVIEW: Final = """
{% extends "layouts/desk.html" %}
{% block scripts %}
<script src="{{ static_url('js/review.js') }}" type="module"></script>
{% endblock %}
{% block main %}
<form action="/approve" method="get"><button data-keys="a space">通过</button></form>
<details data-keys="r"><summary>退回修改</summary><textarea aria-label="原因"></textarea></details>
<a href="/next" data-keys="j">下一件</a>
<input aria-label="搜索">
{% endblock %}
"""


class House:
    """The site as a table of answers; remembers what was asked for."""

    def __init__(self, page: Page, source: str, **context: object) -> None:
        self.asked: list[str] = []
        self.posted: list[dict[str, list[str]]] = []
        self.complaints: list[str] = []
        self.refused: set[str] = set()
        self.hints = ""
        self._html = page_environment().from_string(source).render(**context)
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)
        page.goto(SITE + "/")

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        self.asked.append(address.path + ("?" + address.query if address.query else ""))
        if address.path in self.refused:
            route.fulfill(status=500, body="")
        elif address.path.startswith("/static/"):
            file = WEB / address.path.removeprefix("/")
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        elif address.path == "/preview":
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        elif address.path == "/hints":
            self.posted.append(parse_qs(route.request.post_data or ""))
            route.fulfill(body=self.hints, content_type="text/html")
        elif address.path == "/brand.css":
            route.fulfill(body="", content_type="text/css")
        else:
            route.fulfill(
                body=self._html,
                content_type="text/html; charset=utf-8",
                headers={"Content-Security-Policy": POLICY},
            )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def test_the_offered_wording_replaces_exactly_the_words_it_is_about(page: Page) -> None:
    rare = {
        "severity": "block",
        "text": "稳赚不赔",
        "start": 2,
        "end": 6,
        "reason": "易误解",
        "suggestion": "力争稳健",
        "basis": None,
    }
    House(page, MAKING, headline="𠮷祥稳赚不赔的一年", found=[rare])

    page.get_by_role("button", name="采用").click()

    expect(page.get_by_label("主标题")).to_have_value("𠮷祥力争稳健的一年")


def test_an_offer_finds_its_words_after_they_have_moved(page: Page) -> None:
    house = House(page, MAKING, headline="春日理财稳赚不赔，给最好的您", found=[GUARANTEE])
    headline = page.get_by_label("主标题")
    house.hints = page.locator("[data-hints]").inner_html()

    headline.fill("今年春日理财稳赚不赔，给您")
    page.get_by_role("button", name="采用").click()

    expect(headline).to_have_value("今年春日理财力争稳健回报，给您")


def test_a_second_offer_holds_after_the_first_was_taken(page: Page) -> None:
    house = House(page, MAKING, headline="春日理财稳赚不赔，给最好的您", found=[GUARANTEE, SUPERLATIVE])
    house.hints = page.locator("[data-hints]").inner_html()
    headline = page.get_by_label("主标题")

    page.get_by_role("button", name="采用").first.click()
    page.get_by_role("button", name="采用").last.click()

    expect(headline).to_have_value("春日理财力争稳健回报，给适合的您")


def test_hints_are_asked_for_with_the_token_after_a_pause(page: Page) -> None:
    house = House(page, MAKING, headline="春日理财", found=[])
    house.hints = "<p>这句话容易被理解为保本承诺</p>"

    with page.expect_request("**/hints") as asked:
        page.get_by_label("主标题").fill("稳赚不赔")

    assert asked.value.headers["x-csrftoken"] == "token-of-this-session"
    expect(page.locator("[data-hints]")).to_contain_text("保本承诺")
    assert house.posted[-1]["slot.headline"] == ["稳赚不赔"]
    assert not house.complaints


def test_the_preview_follows_the_words(page: Page) -> None:
    house = House(page, MAKING, headline="春日", found=[])

    page.get_by_label("主标题").fill("夏日")

    expect(page.locator("[data-preview]")).to_have_attribute(
        "src", f"{SITE}/preview?slot.headline=%E5%A4%8F%E6%97%A5"
    )
    assert not [address for address in house.asked if "csrf_token" in address]


def test_a_preview_that_fails_keeps_the_old_picture_and_says_so(page: Page) -> None:
    house = House(page, MAKING, headline="春日", found=[])
    house.refused.add("/preview")

    page.get_by_label("主标题").fill("夏日")

    expect(page.get_by_text("预览没有更新")).to_be_visible()
    expect(page.locator("[data-preview]")).to_have_attribute("src", "/preview?first")


def test_the_preview_is_tried_again_after_a_failure(page: Page) -> None:
    house = House(page, MAKING, headline="春日", found=[])
    house.refused.add("/preview")
    page.get_by_label("主标题").fill("夏日")
    expect(page.get_by_text("预览没有更新")).to_be_visible()

    house.refused.clear()
    page.get_by_label("主标题").fill("秋日")

    expect(page.get_by_text("预览没有更新")).to_be_hidden()


def test_a_hint_that_is_not_answered_is_said_once_and_nothing_typed_is_lost(page: Page) -> None:
    house = House(page, MAKING, headline="春日", found=[])
    house.refused.add("/hints")

    page.get_by_label("主标题").fill("夏日")

    expect(page.get_by_text("这一步没有完成")).to_have_count(1)
    expect(page.get_by_label("主标题")).to_have_value("夏日")


def test_enter_in_a_field_saves_and_takes_no_offer(page: Page) -> None:
    House(page, MAKING, headline="春日理财稳赚不赔", found=[GUARANTEE])

    with page.expect_request("**/make/spring") as sent:
        page.get_by_label("主标题").press("Enter")

    fields = parse_qs(sent.value.post_data or "")
    assert fields["action"] == ["save"]
    assert "adopt" not in fields


def test_the_room_left_is_counted_in_characters(page: Page) -> None:
    House(page, MAKING, headline="𠮷祥", found=[])

    expect(page.locator("[data-count-for]")).to_have_text("2 / 20")


@pytest.mark.parametrize("key", ["a", "A", " "])
def test_one_key_approves(page: Page, key: str) -> None:
    House(page, REVIEW)

    with page.expect_navigation(url="**/approve*"):
        page.keyboard.press(key)


def test_a_key_typed_into_a_field_decides_nothing(page: Page) -> None:
    house = House(page, REVIEW)

    page.get_by_label("搜索").press_sequentially("a j r")

    expect(page.get_by_label("搜索")).to_have_value("a j r")
    assert "/approve" not in house.asked


def test_a_key_with_control_stays_the_browsers(page: Page) -> None:
    house = House(page, REVIEW)

    page.keyboard.press("Control+a")

    assert page.url == SITE + "/"
    assert "/approve" not in house.asked


def test_the_key_of_a_folded_form_opens_it_ready_to_type(page: Page) -> None:
    House(page, REVIEW)

    page.keyboard.press("r")
    page.keyboard.type("ar")

    expect(page.get_by_label("原因")).to_have_value("ar")


def test_escape_folds_the_form_and_gives_the_keys_back(page: Page) -> None:
    House(page, REVIEW)
    page.keyboard.press("r")
    page.keyboard.press("Escape")

    with page.expect_navigation(url="**/next"):
        page.keyboard.press("j")


def test_the_user_menu_closes_on_escape(page: Page) -> None:
    House(page, REVIEW)
    page.get_by_text("沈知远").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="退出登录")).to_be_hidden()
