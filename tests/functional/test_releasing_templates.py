"""The brand desk: a version is looked at in its extremes, released, cleared by another, retired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.bootstrap import Platform, build_platform
from app.domain.organisation import Role
from app.factory import create_app
from app.models.template import TemplateVersion
from app.services.template import load_library
from templates_lib.catalog import Catalog
from tests.conftest import settings_for
from tests.designs import small_library
from tests.factories import House
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue

A_BROWSER = {"Accept": "text/html"}
NOTE = "/templates/note/1"


class Shop:
    """A house whose library is one small design, loaded and not yet released."""

    def __init__(self, platform: Platform, root: Path) -> None:
        self.platform, self.root = platform, root
        self.house = House.build(platform, templates=False)
        app = create_app(platform=platform)
        app.config["WTF_CSRF_ENABLED"] = False
        self.client = app.test_client()

    def load(self) -> None:
        with self.house.by("brand") as uow:
            load_library(uow)

    def as_(self, who: str) -> FlaskClient:
        self.client.post("/logout")
        return self.house.log_in(self.client, who)

    def version(self) -> TemplateVersion:
        with self.platform.sessions() as session:
            return session.scalars(select(TemplateVersion)).one()


@pytest.fixture
def shop(
    database_url: str,
    tmp_path: Path,
    clock: FixedClock,
    queue: RecordingTaskQueue,
    store: MemoryObjectStore,
) -> Iterator[Shop]:
    platform = build_platform(settings_for(database_url, tmp_path), store=store, queue=queue, clock=clock)
    root = small_library(tmp_path / "library")
    platform.surroundings.shelf.catalog = Catalog(root)
    yield Shop(platform, root)
    platform.engine.dispose()


def break_the_longest_sample(root: Path) -> None:
    samples = root / "note" / "1" / "samples.yaml"
    words = samples.read_text(encoding="utf-8").replace(
        "一二三四五六七八九十十一", "一句写得太长因而放不下的话啊"
    )
    samples.write_text(words, encoding="utf-8")


def test_brand_releases_a_version_and_a_reviewer_clears_it(shop: Shop) -> None:
    shop.load()

    released = shop.as_("brand").post(f"{NOTE}/publish")
    cleared = shop.as_("reviewer").post(f"{NOTE}/clear")

    assert (released.status_code, cleared.status_code) == (303, 303)
    assert shop.version().cleared_by == shop.house.people["reviewer"].user_id
    assert "合规已放行" in shop.client.get(NOTE).text


def test_a_version_is_not_released_while_a_sample_does_not_fit(shop: Shop) -> None:
    break_the_longest_sample(shop.root)
    shop.load()

    answer = shop.as_("brand").post(f"{NOTE}/publish", headers=A_BROWSER)

    assert answer.status_code == 422
    assert "样例“写满”的「一句话」：「一句话」最多 12 个字" in answer.text
    assert shop.version().state == "draft"


def test_a_version_that_shows_nothing_of_its_extremes_is_not_released(shop: Shop) -> None:
    (shop.root / "note" / "1" / "samples.yaml").unlink()
    shop.load()

    answer = shop.as_("brand").post(f"{NOTE}/publish", headers=A_BROWSER)

    assert answer.status_code == 422
    assert "没有可用的样例文件" in answer.text


def test_the_page_of_a_version_shows_every_sample_and_what_is_locked(shop: Shop) -> None:
    shop.load()

    page = shop.as_("brand").get(NOTE).text

    assert f"{NOTE}/samples/longest.jpg" in page
    assert f"{NOTE}/samples/shortest.jpg" in page
    assert "客户经理可改" in page
    assert "取自资料" in page
    assert shop.client.get(f"{NOTE}/samples/longest.jpg").content_type == "image/jpeg"


def test_whoever_released_a_version_does_not_clear_it(shop: Shop) -> None:
    shop.load()
    shop.house.people["both"] = shop.house.two_roles("both", Role.BRAND, Role.REVIEWER, path="/HQ/")
    client = shop.as_("both")
    client.post(f"{NOTE}/publish")

    answer = client.post(f"{NOTE}/clear", headers=A_BROWSER)

    assert answer.status_code == 403
    assert "四眼原则" in answer.text
    assert "请由另一位审核人放行" in client.get(NOTE).text


def test_a_retired_version_is_released_again_uncleared(shop: Shop) -> None:
    shop.load()
    shop.as_("brand").post(f"{NOTE}/publish")
    shop.as_("reviewer").post(f"{NOTE}/clear")

    brand = shop.as_("brand")
    brand.post(f"{NOTE}/retire")
    brand.post(f"{NOTE}/publish")

    assert shop.version().state == "published"
    assert shop.version().cleared_at is None


@pytest.mark.parametrize(
    ("who", "act"), [("reviewer", "publish"), ("reviewer", "retire"), ("brand", "clear")]
)
def test_each_act_belongs_to_one_role(shop: Shop, who: str, act: str) -> None:
    shop.load()

    assert shop.as_(who).post(f"{NOTE}/{act}").status_code == 403


def test_the_list_says_who_uses_what(house: House, client: FlaskClient) -> None:
    house.published("advisor", "card-benchmark")
    house.log_in(client, "brand")

    page = client.get("/templates?q=业绩比较基准").text

    assert "看懂业绩比较基准" in page
    assert "求是 · 群山" not in page
    assert page.count('<td class="im-number">1</td>') == 3


def test_the_list_asks_as_much_for_many_pieces_as_for_few(
    house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    house.log_in(client, "brand")
    house.draft("advisor")
    few = count_queries(lambda: client.get("/templates"))
    for who in ("advisor", "advisor_b") * 2:
        house.draft(who, "card-benchmark")

    assert count_queries(lambda: client.get("/templates")) == few
