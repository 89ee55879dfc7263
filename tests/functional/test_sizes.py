"""One design in many sizes: offered, previewed, reviewed and handed out, on pages, API and command line."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from app.bootstrap import build_platform
from app.cli.render import render
from app.cli.template import check
from app.domain.errors import InvalidInput
from app.models.edition import Edition, Rendition
from app.services.check import reading_of
from app.services.piece import save_piece
from app.services.template import load_library, publish_template
from templates_lib.catalog import LIBRARY, Catalog
from templates_lib.compose import require_fit
from tests.conftest import settings_for
from tests.designs import library_with_a_strip
from tests.factories import POSTER, House
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue
from tests.functional.machine import Switchboard, named, problem
from tests.functional.pages import form_fields, links, pictures, tree, words

SIZES = {"": (1080, 1920), "card": (1080, 1440), "square": (1080, 1080), "cover": (1080, 460)}
OWN_WORDS = "先想清楚\n再迈一步"


@pytest.fixture
def phone(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "advisor")


def edition_of(house: House, piece_id: UUID) -> UUID:
    with house.platform.sessions() as session:
        return session.scalars(select(Edition.id).where(Edition.piece_id == piece_id)).one()


def measure(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def trim_mm(pdf: bytes) -> tuple[int, int]:
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    left, bottom, right, top = page.get_trimbox()
    page.close()
    document.close()
    return round((right - left) / 72 * 25.4), round((top - bottom) / 72 * 25.4)


# pages


def test_an_edition_offers_every_size_of_its_design_as_a_choice(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    page = phone.get(f"/editions/{edition_id}", query_string={"size": "square"}).text
    chooser = next(nav for nav in tree(page).iter("nav") if nav.get("aria-label") == "尺寸")
    offered = {anchor.get("href"): words(anchor[0].text or "") for anchor in chooser.iter("a")}
    assert [*offered.values()] == ["海报", "卡片", "方图", "封面"]
    assert [a.get("href") for a in chooser.iter("a") if a.get("aria-current")] == [
        f"/editions/{edition_id}?size=square"
    ]


def test_the_page_of_a_size_shows_and_hands_out_that_size(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    for size, pixels in SIZES.items():
        page = phone.get(f"/editions/{edition_id}", query_string={"size": size} if size else None).text
        (shown,) = [src for src in pictures(page) if "/picture.jpg" in src]
        assert measure(phone.get(shown).data) == pixels
        (saved,) = [href for href in links(page) if "/picture.png" in href]
        assert measure(phone.get(saved).data) == pixels


def test_a_saved_size_says_which_it_is_in_its_name(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    answer = phone.get(f"/editions/{edition_id}/picture.jpg?size=cover&save=1")
    assert "%E5%B0%81%E9%9D%A2.jpg" in answer.headers["Content-Disposition"]


def test_every_size_is_kept_under_a_key_of_its_own(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    for size in SIZES:
        phone.get(f"/editions/{edition_id}/picture.jpg", query_string={"size": size})
    with house.platform.sessions() as session:
        before = session.scalar(select(func.count()).select_from(Rendition))
    for size in SIZES:
        phone.get(f"/editions/{edition_id}/picture.jpg", query_string={"size": size})
    with house.platform.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Rendition)) == before


def test_a_size_that_does_not_exist_is_missing(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    assert phone.get(f"/editions/{edition_id}?size=banner").status_code == 404
    assert phone.get(f"/editions/{edition_id}/picture.jpg?size=banner").status_code == 404
    assert phone.get(f"/editions/{edition_id}/picture.jpg?size=square&page=1").status_code == 404


def test_a_design_of_one_size_offers_no_choice(phone, house):
    edition_id = edition_of(house, house.published("advisor", "card-benchmark", lead="五张小图讲清楚。"))
    assert 'aria-label="尺寸"' not in phone.get(f"/editions/{edition_id}").text


def test_a_sheet_for_the_press_is_handed_out_with_its_measure(phone, house):
    edition_id = edition_of(house, house.published("advisor", headline=OWN_WORDS))
    page = phone.get(f"/editions/{edition_id}?size=square").text
    assert "148 × 148 毫米" in words(page)
    (sheet,) = [href for href in links(page) if "/picture.print.pdf" in href]
    answer = phone.get(sheet)
    assert answer.mimetype == "application/pdf"
    assert trim_mm(answer.data) == (148, 148)


def test_the_making_page_previews_the_size_that_is_chosen(phone):
    fields = form_fields(phone.get(f"/make/{POSTER}").text, f"/make/{POSTER}")
    assert fields["size"] == ""
    for size, pixels in SIZES.items():
        answer = phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields | {"size": size})
        assert measure(answer.data) == pixels


def test_what_was_previewed_in_a_size_is_byte_for_byte_what_is_handed_out(phone, house):
    fields = form_fields(phone.get(f"/make/{POSTER}").text, f"/make/{POSTER}") | {"slot.headline": OWN_WORDS}
    preview = phone.get(f"/make/{POSTER}/preview.jpg", query_string=fields | {"size": "card"}).data
    phone.post(f"/make/{POSTER}", data=fields | {"action": "submit"})
    house.run_checks()
    with house.platform.sessions() as session:
        edition = session.scalars(select(Edition)).one()
    house.decide(edition.piece_id)
    assert phone.get(f"/editions/{edition.id}/picture.jpg?size=card").data == preview


def test_the_reviewer_sees_every_size_of_the_piece(house, client):
    review = house.review_of(house.in_review("advisor", headline=OWN_WORDS))
    reviewer = house.log_in(client, "reviewer")
    found = pictures(reviewer.get(f"/reviews/{review.id}").text)
    shown = dict.fromkeys(src for src in found if "/picture.jpg" in src)
    assert [measure(reviewer.get(src).data) for src in shown] == [*SIZES.values()]


def test_the_desk_shows_every_size_of_a_piece(house, client):
    piece_id = house.in_review("advisor", headline=OWN_WORDS)
    operator = house.log_in(client, "operator")
    shown = [src for src in pictures(operator.get(f"/pieces/{piece_id}").text) if "/picture.jpg" in src]
    assert [measure(operator.get(src).data) for src in shown] == [*SIZES.values()]


def test_brand_sees_every_sample_in_every_size(house, client):
    brand = house.log_in(client, "brand")
    page = brand.get(f"/templates/{POSTER}/1").text
    shown = [src for src in pictures(page) if "/samples/" in src]
    assert len(shown) == 3 * len(SIZES)
    width, height = measure(brand.get(next(src for src in shown if "size=cover" in src)).data)
    assert width / height == pytest.approx(1080 / 460, rel=0.01)


# what is judged


@pytest.fixture
def house_with(
    database_url: str,
    tmp_path: Path,
    clock: FixedClock,
    queue: RecordingTaskQueue,
    store: MemoryObjectStore,
) -> Iterator[Callable[[Path], House]]:
    """A house whose designs are those of a library of the test's own."""
    platform = build_platform(settings_for(database_url, tmp_path), store=store, queue=queue, clock=clock)

    def build(library: Path) -> House:
        platform.surroundings.shelf.catalog = Catalog(library)
        return House.build(platform)

    yield build
    platform.engine.dispose()


def test_words_that_stand_on_one_size_alone_are_read_too(house_with, tmp_path):
    folder = tmp_path / "library" / POSTER / "1"
    shutil.copytree(LIBRARY / POSTER / "1", folder)
    body = (folder / "square.html").read_text("utf-8")
    (folder / "square.html").write_text(
        body.replace("<footer>", "<footer><p class='who'>只在方图</p>"), "utf-8"
    )
    with house_with(tmp_path / "library").by("advisor") as uow:
        piece = save_piece(uow, POSTER, {"headline": OWN_WORDS})
        assert piece.current_revision is not None
        read = [line.text for line in reading_of(uow, piece.template_version, piece.current_revision.values)]
    assert read.count("只在方图") == 1
    assert read.count("示例银行") == 1


@pytest.fixture
def strip(house_with, tmp_path: Path) -> House:
    """A house whose one design also comes as a strip for six characters."""
    short = "- {name: shortest, label: 最短, values: {headline: 早, name: 于一}}\n"
    house: House = house_with(library_with_a_strip(tmp_path / "library", samples=short))
    return house


def test_words_that_fit_the_design_but_not_a_size_are_refused_by_the_name_of_the_size(strip):
    with pytest.raises(InvalidInput) as refused, strip.by("advisor") as uow:
        save_piece(uow, "note", {"headline": "春天来了万物生长"})
    (fault,) = refused.value.faults
    assert fault.field == "headline"
    assert fault.reason.startswith("横条 2:1：「一句话」")
    assert "写到“春天来了万物”为止刚好放得下" in fault.reason


def test_words_that_fit_every_size_are_saved(strip):
    with strip.by("advisor") as uow:
        assert save_piece(uow, "note", {"headline": "春天来了"}).current_revision is not None


def test_words_once_found_to_fit_are_not_laid_out_again(strip, monkeypatch):
    laid_out: list[str] = []

    def watched(compiled, filled):
        laid_out.append(compiled.manifest.size.name)
        require_fit(compiled, filled)

    monkeypatch.setattr("app.services.rendition.require_fit", watched)
    for headline in ("春天来了", "春天来了", "秋天来了"):
        with strip.by("advisor") as uow:
            save_piece(uow, "note", {"headline": headline})
    sizes = set(laid_out)
    assert len(sizes) > 1
    assert len(laid_out) == 2 * len(sizes)  # two headlines, though one was saved twice


def test_words_that_did_not_fit_are_refused_again(strip):
    for _ in range(2):
        with pytest.raises(InvalidInput), strip.by("advisor") as uow:
            save_piece(uow, "note", {"headline": "春天来了万物生长"})


def test_a_version_whose_sample_breaks_a_size_is_not_released(strip, tmp_path):
    second = library_with_a_strip(tmp_path / "second") / "note"
    (second / "1").rename(second / "2")
    manifest = (second / "2" / "manifest.yaml").read_text("utf-8")
    (second / "2" / "manifest.yaml").write_text(manifest.replace("version: 1", "version: 2"), "utf-8")
    strip.platform.surroundings.shelf.catalog = Catalog(second.parent)
    with pytest.raises(InvalidInput) as refused, strip.by("brand") as uow:
        load_library(uow)
        publish_template(uow, "note", 2)
    (fault,) = refused.value.faults
    assert fault.field == "longest.headline"
    assert "横条 2:1：「一句话」" in fault.reason


# API


def test_a_machine_asks_for_a_size_of_what_it_may_see(house):
    switchboard = Switchboard(house)
    piece_id = house.published("advisor", headline=OWN_WORDS)
    advisor = switchboard.of("advisor")
    for subject in (
        {"piece_id": str(piece_id)},
        {"edition_id": str(edition_of(house, piece_id))},
        {"template": {"slug": POSTER}},
    ):
        assert measure(advisor.post("/renders", {**subject, "size": "square"}).data) == (1080, 1080)


def test_a_machine_gets_the_sheet_for_the_press(house):
    advisor = Switchboard(house).of("advisor")
    answer = advisor.post("/renders", {"template": {"slug": POSTER}, "format": "print", "page": 7})
    assert answer.mimetype == "application/pdf"
    assert trim_mm(answer.data)[0] == 210


def test_a_machine_that_asks_for_an_unknown_size_is_told_the_field(house):
    advisor = Switchboard(house).of("advisor")
    refused = advisor.post("/renders", {"template": {"slug": POSTER}, "size": "banner"})
    assert refused.status_code == 422
    assert named(refused) == {"size"}
    assert "card、square、cover" in problem(refused)["errors"][0]["reason"]


def test_a_machine_reads_which_sizes_a_template_has(house):
    found = Switchboard(house).of("advisor").get(f"/templates/{POSTER}/1").get_json()
    assert {one["name"]: (one["width_px"], one["height_px"]) for one in found["sizes"]} == SIZES


# command line


def run(*arguments: str):
    return CliRunner().invoke(render, [POSTER, *arguments])


@pytest.fixture
def values(tmp_path: Path) -> str:
    file = tmp_path / "values.json"
    slots = {
        "institution": "示例银行", "name": "丁一", "title": "客户经理", "org_name": "城东支行",
        "phone": "13800138000", "qr": "https://go.example.com/s/a1",
    }  # fmt: skip
    file.write_text(json.dumps(slots), "utf-8")
    return str(file)


def test_one_file_of_values_is_drawn_in_every_size(values, tmp_path):
    for size, pixels in SIZES.items():
        out = tmp_path / f"{size or 'own'}.png"
        done = run("--values", values, "--out", str(out), "--format", "png", "--size", size)
        assert done.exit_code == 0, done.output
        assert measure(out.read_bytes()) == pixels


def test_an_unknown_size_is_a_wrong_call_that_names_the_known(values, tmp_path):
    done = run("--values", values, "--out", str(tmp_path / "x.jpg"), "--size", "banner")
    assert done.exit_code == 2
    assert "card, square, cover" in done.output
    assert not (tmp_path / "x.jpg").exists()


def test_several_sizes_of_one_table_lie_in_one_folder(values, tmp_path):
    table = tmp_path / "advisors.csv"
    table.write_text(
        "staff_no,institution,name,title,org_name,qr\nA1,示例银行,丁一,经理,城东支行,https://go.example.com/s/a1\n",
        "utf-8",
    )
    for size in ("", "square"):
        assert run("--advisors", str(table), "--out", str(tmp_path / "out"), "--size", size).exit_code == 0
    assert sorted(file.name for file in (tmp_path / "out").glob("A*")) == ["A1-square.jpg", "A1.jpg"]


def test_the_sheet_for_the_press_is_written_with_a_word_on_coarse_pictures(values, tmp_path):
    Image.new("RGB", (150, 200), "#446688").save(tmp_path / "me.png")
    given = json.loads(Path(values).read_text("utf-8")) | {"photo": "me.png"}
    Path(values).write_text(json.dumps(given), "utf-8")
    done = run("--values", values, "--out", str(tmp_path / "x.pdf"), "--format", "print")
    assert done.exit_code == 0
    assert re.search(r"^photo\t\d+ dpi\tlow_dpi$", done.output, re.MULTILINE)
    assert re.search(r"^mountains.jpg\t\d+ dpi$", done.output, re.MULTILINE)


def test_a_check_of_a_template_says_how_each_size_fares(tmp_path):
    done = CliRunner().invoke(check, [str(LIBRARY / POSTER / "1"), "--sheet", str(tmp_path / "sheet.png")])
    assert done.exit_code == 0
    assert "longest\t方图 1:1\t可用" in done.output
    assert re.search(r"^print\t方图 1:1\tmountains.jpg\t\d+ dpi$", done.output, re.MULTILINE)
