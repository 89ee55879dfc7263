"""A new version of a design: what stems from the old one, and one act that decides about all of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.errors import AccessDenied, Missing
from app.domain.organisation import Actor, Permission
from app.domain.template import Upgrade
from app.models.notice import Notice
from app.models.template import TemplateVersion
from app.queries.template import lineage
from app.services.notice import tell_what_happened
from app.services.template import decide_upgrade, load_library, publish_template
from templates_lib.catalog import Catalog
from tests.factories import House


def release_second_version(house: House) -> None:
    library: Path = house.platform.surroundings.shelf.catalog.root
    shutil.copytree(library / "note" / "1", library / "note" / "2")
    manifest = library / "note" / "2" / "manifest.yaml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("version: 1", "version: 2"), encoding="utf-8"
    )
    house.platform.surroundings.shelf.catalog = Catalog(library)  # as after a start
    with house.by("brand") as uow:
        load_library(uow)
    with house.by("brand") as uow:
        publish_template(uow, "note", 2)


@pytest.fixture
def used(small_house: House) -> House:
    """A public piece of an advisor's, made from the first version; then a second version comes."""
    small_house.published("advisor", "note", headline="慢慢来")
    release_second_version(small_house)
    return small_house


def test_brand_sees_what_is_public_from_which_version_and_branch(used: House) -> None:
    with used.by("operator") as uow:
        rows = lineage(uow.session, uow.actor.scope_for(Permission.PIECE_VIEW), "note")
    assert [(row.number, row.branch, row.live) for row in rows] == [(1, "上海分行", 1)]


def test_asking_for_an_upgrade_is_told_to_whoever_has_a_piece_in_use(used: House) -> None:
    with used.platform.unit_of_work(Actor.system("tell", used.tenant_id)) as uow:
        tell_what_happened(uow)
    with used.by("brand") as uow:
        decide_upgrade(uow, "note", 1, Upgrade.ASK)
    with used.platform.unit_of_work(Actor.system("tell", used.tenant_id)) as uow:
        tell_what_happened(uow)
    with used.platform.sessions() as session:
        told = session.scalars(select(Notice.user_id).where(Notice.tag == "template:upgrade_ask")).all()
    assert told == [used.people["advisor"].user_id]


def test_the_maker_is_offered_the_newer_version_and_the_piece_stays_in_use(
    used: House, client: FlaskClient
) -> None:
    with used.by("brand") as uow:
        decide_upgrade(uow, "note", 1, Upgrade.ASK)
    with used.platform.sessions() as session:
        version = session.scalars(select(TemplateVersion).where(TemplateVersion.number == 1)).one()
        assert version.upgrade is Upgrade.ASK
    used.log_in(client, "advisor")
    piece = re.search(r"/works/[0-9a-f-]{36}", client.get("/works").text)
    assert piece is not None
    page = client.get(piece.group()).text
    assert "用新版再做一张" in page
    assert "可以使用至" in page


def test_where_there_is_no_newer_version_there_is_nothing_to_upgrade_to(used: House) -> None:
    with used.by("brand") as uow, pytest.raises(Missing):
        decide_upgrade(uow, "note", 2, Upgrade.ASK)


def test_an_advisor_decides_nothing_about_versions(used: House) -> None:
    with used.by("advisor") as uow, pytest.raises(AccessDenied):
        decide_upgrade(uow, "note", 1, Upgrade.KEEP)


def test_the_page_of_a_version_offers_keep_ask_and_recall(used: House, client: FlaskClient) -> None:
    used.log_in(client, "brand")
    page = client.get("/templates/note/2").text
    assert "在用作品来自哪一版" in page
    assert "请制作人重做" in page

    client.post("/templates/note/1/upgrade", data={"upgrade": "ask", "shown": 2})
    assert "已请重做" in client.get("/templates/note/2").text
