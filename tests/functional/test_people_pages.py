"""The pages of administration, as forms post them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

import app
from app.bootstrap import Platform
from app.domain.roster import RosterKind
from app.web.people_words import ACTS
from tests.factories import House
from tests.rosters import advisor, roster


@pytest.fixture
def house(platform: Platform, client: FlaskClient) -> House:
    built = House.build(platform, templates=False)
    built.log_in(client, "administrator")
    return built


def upload(client: FlaskClient, data: bytes, name: str = "名册.csv"):
    return client.post("/imports/advisors/upload", data={"file": (io.BytesIO(data), name)})


def test_a_file_is_previewed_and_then_brought_in(client, house):
    answer = upload(
        client, roster(RosterKind.ADVISORS, advisor("N1", "欧阳𠮷", "DEMOHQ-SH"), encoding="gb18030")
    )
    preview = client.get(answer.location).text
    assert "确认导入 1 行" in preview
    assert "欧阳𠮷" in preview
    assert "名册.csv" in preview
    assert "没有符合条件的人" in client.get("/organisation?q=N1").text

    mark = re.search(r'name="file" value="(\w+)"', preview)
    assert mark is not None
    assert client.post("/imports/advisors", data={"file": mark[1]}).location == "/organisation"
    assert "欧阳𠮷" in client.get("/organisation?q=N1").text
    assert mark[1][:12] in client.get("/imports").text
    # the file has done its work
    assert list(house.platform.store.keys("imports/")) == []


def test_a_faulty_file_shows_row_column_and_reason_and_offers_no_go_ahead(client, house):
    answer = upload(client, roster(RosterKind.ADVISORS, advisor("N1", "李", "NOWHERE", 手机="12")))
    page = client.get(answer.location).text

    assert "有 2 处需要修改" in page
    assert "没有编码为 NOWHERE 的机构" in page
    assert "确认导入" not in page


def test_what_became_impossible_since_the_preview_is_looked_at_again(client, house):
    answer = upload(client, roster(RosterKind.ADVISORS, advisor("N1", "李", "DEMOHQ-SH")))
    mark = re.search(r"file=(\w+)", answer.location)
    assert mark is not None
    upload(client, b"something else")

    again = client.post("/imports/advisors", data={"file": mark[1]})
    assert again.status_code == 303
    assert "已被替换或清除" in client.get(again.location).text


def test_a_file_over_the_weight_limit_is_refused(client, house):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    assert upload(client, b"x" * 2000).status_code == 413


def test_nothing_chosen_is_said_kindly(client, house):
    answer = client.post("/imports/advisors/upload", follow_redirects=True)
    assert "请先选择一个文件" in answer.text


def test_the_templates_are_offered_as_files(client, house):
    for kind in RosterKind:
        answer = client.get(f"/imports/{kind.value}/template.xlsx")
        assert answer.data.startswith(b"PK")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="imprimatur-{kind.value}.xlsx"'
    assert client.get("/imports/strangers/template.xlsx").status_code == 404


def test_the_results_alone_come_for_a_search_while_typing(client, house):
    answer = client.get("/organisation?q=lzy", headers={"HX-Request": "true"})

    assert "李知遥" in answer.text
    assert "<html" not in answer.text


def test_a_fault_is_shown_beside_its_field_with_what_was_typed(client, house):
    unit = str(house.units["/HQ/SH/"])
    form = {"unit": unit, "staff_no": "N1", "name": "新人", "phone": "12"}
    answer = client.post("/organisation/advisors", data=form, headers={"Accept": "text/html"})

    assert answer.status_code == 422
    assert "请填 11 位手机号" in answer.text
    assert 'value="新人"' in answer.text


def test_a_profile_is_made_changed_and_shown(client, house):
    form = {
        "unit": str(house.units["/HQ/SH/"]),
        "staff_no": "N1",
        "name": "王㛃",
        "licence_until": "2027-12-31",
    }
    address = client.post("/organisation/advisors", data=form).location
    client.post(address, data=form | {"title": "理财经理", "tags": "养老、私行"})
    house.approve_profiles()

    page = client.get(address).text
    assert 'value="理财经理"' in page
    assert 'value="2027-12-31"' in page
    assert "养老、私行" in page


def test_a_portrait_is_uploaded_shown_and_taken_away(client, house):
    address = f"/organisation/advisors/{house.people['advisor'].advisor_id}"
    out = io.BytesIO()
    Image.new("RGB", (300, 400)).save(out, "PNG")
    out.seek(0)
    assert client.get(address + "/portrait").status_code == 404
    client.post(address + "/portrait", data={"photo": (out, "x.svg"), "attested": "1"})
    house.approve_profiles()

    shown = client.get(address + "/portrait")
    assert shown.content_type == "image/jpeg"
    assert (
        client.get(address + "/portrait", headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    )
    client.post(address + "/portrait/remove")
    assert client.get(address + "/portrait").status_code == 404


def test_a_picture_of_another_kind_is_refused_as_such(client, house):
    address = f"/organisation/advisors/{house.people['advisor'].advisor_id}/portrait"
    form = {"photo": (io.BytesIO(b"<svg/>"), "me.png"), "attested": "1"}

    answer = client.post(address, data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 415
    assert "JPEG、PNG 或 WEBP" in answer.text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=1>', "{{ 7*7 }}", "=HYPERLINK(1)"]
)
def test_a_name_is_shown_as_the_text_it_is(client, house, name):
    form = {"unit": str(house.units["/HQ/SH/"]), "staff_no": "N1", "name": name}
    page = client.get(client.post("/organisation/advisors", data=form).location).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", page)


def test_the_trail_is_filtered_and_verified(client, house):
    client.post(
        "/organisation/units",
        data={"parent": str(house.units["/HQ/"]), "code": "X", "name": "新", "level": "branch"},
    )

    assert "机构 · 新增" in client.get("/audit?kind=org_unit&actor=demo-administrator").text
    assert "没有符合条件的记录" in client.get("/audit?kind=org_unit&actor=nobody").text
    assert "不是有效的日期" in client.get("/audit?since=tomorrow").text
    assert "链条完整" in client.post("/audit/verify", follow_redirects=True).text


def test_a_branch_head_reads_the_organisation_and_is_offered_no_change(client, house):
    house.log_in(client, "branch_head")
    page = client.get("/organisation").text

    assert "上海静安支行" not in page or "苏州" not in page
    assert "新增客户经理" not in page
    assert client.post("/organisation/units", headers={"Accept": "text/html"}).status_code in {403, 404}


@pytest.mark.parametrize("page", ["/organisation", "/users", "/users/new", "/imports", "/audit", "/account"])
def test_every_page_is_a_whole_page_without_inline_code(client, house, page):
    answer = client.get(page)

    assert answer.status_code == 200
    assert "<style" not in answer.text
    assert not re.search(r"\son\w+=|\sstyle=", answer.text)


def test_every_act_the_services_record_has_its_words():
    source = "".join(path.read_text("utf-8") for path in Path(app.__file__).parent.glob("services/*.py"))
    recorded = set(re.findall(r'"([a-z_]+:[a-z_]+)"', source))
    assert {tag for tag in recorded if re.search(rf'record\(\s*[^)]*"{tag}"', source)} <= set(ACTS)
