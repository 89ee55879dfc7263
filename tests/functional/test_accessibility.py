"""The main pages as axe and a phone's width judge them, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from app.embedded.postgres import PostgresServer
from app.embedded.valkey import ValkeyServer
from app.models.review import Review
from app.models.user import User
from app.services.edition import edition_links, edition_of
from tests.conftest import fresh_database
from tests.factories import PASSWORD, POSTER, House
from tests.live import LivePlatform, desk, live_platform, phone

OWN_WORDS = {"headline": "时间会奖励\n耐心的人"}


class Stage:
    """A running platform with something to see on every page."""

    def __init__(self, live: LivePlatform) -> None:
        self.live = live
        self.house = House.build(live.platform)
        self.published = self.house.published("advisor")
        self.house.in_review("advisor", **OWN_WORDS)
        self.house.in_review("advisor_b", headline="慢一点\n也很好")
        self.house.published("operator")

    def address(self, path: str) -> str:
        return self.live.url + path

    def sign_in(self, page: Page, who: str) -> None:
        with self.live.platform.sessions() as session:
            login = session.scalars(select(User.login).where(User.id == self.house.people[who].user_id)).one()
        page.goto(self.address("/login"))
        page.locator("input[name=login]").first.fill(login)
        page.locator("input[name=password]").first.fill(PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        page.wait_for_url(lambda url: "/login" not in url)

    def link(self) -> str:
        """The address in the picture of the advisor's published piece."""
        with self.house.by("advisor") as uow:
            edition = edition_of(uow, self.published, self.house.people["advisor"].advisor_id)
            assert edition is not None
            return next(iter(edition_links(uow, edition.id).values()))

    def review(self) -> str:
        with self.house.by("reviewer") as uow:
            return str(uow.session.scalars(select(Review.id).where(Review.state == "open")).first())


@pytest.fixture(scope="module")
def stage(
    postgres: PostgresServer, migrated: str, valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("stage")
    with (
        fresh_database(postgres, migrated) as url,
        live_platform(url, valkey, str(folder / "objects"), folder) as live,
    ):
        yield Stage(live)


def serious_faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_login_page_has_no_serious_fault(stage: Stage, browser: Browser) -> None:
    with phone(browser) as context:
        page = context.new_page()
        page.goto(stage.address("/login"))
        assert serious_faults(page) == []
        assert sideways(page) <= 0


def test_the_advisors_pages_have_no_serious_fault_and_do_not_scroll_sideways(
    stage: Stage, browser: Browser
) -> None:
    with phone(browser) as context:
        page = context.new_page()
        stage.sign_in(page, "advisor")
        for path in ("/today", "/library", f"/make/{POSTER}", "/works", "/visitors", "/me"):
            page.goto(stage.address(path))
            assert serious_faults(page) == [], path
            assert sideways(page) <= 0, path


def test_the_landing_page_has_no_serious_fault_and_can_be_read_at_twice_the_size(
    stage: Stage, browser: Browser
) -> None:
    with phone(browser) as context:
        page = context.new_page()
        page.goto(stage.link())
        assert serious_faults(page) == []
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert sideways(page) <= 0


@pytest.mark.parametrize(
    ("who", "paths"),
    [
        ("reviewer", ("/reviews", "review", "/rules")),
        ("brand", ("/templates", f"/templates/{POSTER}/1", "/brand")),
        ("operator", ("/pieces", "/board")),
        ("administrator", ("/organisation", "/users", "/imports", "/audit")),
    ],
)
def test_the_desks_pages_have_no_serious_fault(
    stage: Stage, browser: Browser, who: str, paths: tuple[str, ...]
) -> None:
    with desk(browser) as context:
        page = context.new_page()
        stage.sign_in(page, who)
        for path in paths:
            page.goto(stage.address(f"/reviews/{stage.review()}" if path == "review" else path))
            assert serious_faults(page) == [], path


def test_an_advisor_with_scripts_off_makes_a_poster_and_submits_it(stage: Stage, browser: Browser) -> None:
    with phone(browser, java_script_enabled=False) as context:
        page = context.new_page()
        stage.sign_in(page, "advisor_b")
        page.goto(stage.address("/library"))
        page.get_by_role("link", name="求是 · 群山").click()
        page.get_by_label("正文").fill("这只产品稳赚不赔，欢迎来聊。")
        page.get_by_role("button", name="送审").click()
        expect(page.get_by_text("「稳赚不赔」")).to_be_visible()
        page.get_by_role("button", name="采用", exact=True).click()
        assert "稳赚不赔" not in page.get_by_label("正文").input_value()
        page.get_by_label("正文").fill("先想清楚这笔钱为谁准备，打算陪它走多久。")
        page.get_by_role("button", name="送审").click()
        page.wait_for_url("**/works/**")


def test_the_story_needs_no_script_from_elsewhere(stage: Stage, browser: Browser) -> None:
    with phone(browser) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        stage.sign_in(page, "advisor")
        page.goto(stage.address(f"/make/{POSTER}"))
        assert [url for url in asked if not url.startswith((stage.live.url, "data:", "blob:"))] == []
