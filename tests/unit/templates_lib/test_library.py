"""Every design of the library with every sample it carries."""

import io
from functools import cache

import pypdfium2
import pytest
from PIL import Image

from templates_lib.catalog import Catalog
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import PDF, compose, compose_pages
from templates_lib.document import FILTERS
from templates_lib.fill import fill
from templates_lib.manifest import SlotKind, SlotSource
from templates_lib.qr import decode_qr
from templates_lib.samples import load_samples
from templates_lib.twin import text_twin

CATALOG = Catalog()
DESIGNS = [(manifest.slug, manifest.version) for manifest in CATALOG.versions()]
SAMPLES = [
    (slug, version, sample.name)
    for slug, version in DESIGNS
    for sample in load_samples(CATALOG.source(slug, version))
]


@cache
def compiled(slug: str, version: int) -> CompiledTemplate:
    return compile_template(CATALOG.source(slug, version))


def values_of(slug, version, name):
    samples = load_samples(CATALOG.source(slug, version))
    return next(sample.values for sample in samples if sample.name == name)


@pytest.mark.parametrize(("slug", "version", "name"), SAMPLES)
def test_a_sample_is_drawn_and_its_code_reads_back(slug, version, name):
    design, values = compiled(slug, version), values_of(slug, version, name)

    pages = compose_pages(design, values)

    size = design.manifest.size
    assert len(pages) == design.manifest.pages
    assert {Image.open(io.BytesIO(page.data)).size for page in pages} == {(size.width_px, size.height_px)}
    assert [url for page in pages for url in decode_qr(page.data)] == [values["qr"]]


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_a_pdf_holds_all_pages_and_the_disclosure_on_each(slug, version):
    design = compiled(slug, version)
    made = compose(design, values_of(slug, version, "no-photo"), format=PDF)

    document = pypdfium2.PdfDocument(made.data)
    texts = []
    for page in document:
        words = page.get_textpage()
        texts.append("".join(words.get_text_range().split()))
        words.close()
        page.close()
    document.close()

    assert len(texts) == design.manifest.pages
    assert all(design.manifest.disclosure[:12] in text for text in texts)


@pytest.mark.parametrize(("slug", "version", "name"), SAMPLES)
def test_the_twin_tells_the_disclosure_and_every_value(slug, version, name):
    design, values = compiled(slug, version), values_of(slug, version, name)
    filled = fill(design.manifest, values)

    twin = text_twin(design.manifest, filled)

    told = {line.slot: line.text for line in twin}
    assert told["disclosure"] == design.manifest.disclosure
    for slot in design.manifest.slots:
        if slot.kind in (SlotKind.TEXT, SlotKind.PHRASE) and filled.texts[slot.name]:
            shown = filled.texts[slot.name]
            assert told[slot.name] in (shown, FILTERS["grouped"](shown))


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_every_phrase_of_every_pool_fits(slug, version):
    design, values = compiled(slug, version), values_of(slug, version, "longest")

    for slot in design.manifest.slots:
        for phrase in slot.phrases:
            design.place(fill(design.manifest, {**values, slot.name: phrase}))


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_a_design_offers_profile_head_office_and_advisor_something_to_say(slug, version):
    manifest = compiled(slug, version).manifest

    assert {slot.source for slot in manifest.slots} == set(SlotSource)
    profile = {slot.profile_field for slot in manifest.slots if slot.profile_field}
    assert profile == {
        "name", "title", "licence_no", "org_name", "phone", "photo", "institution",
    }  # fmt: skip


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_a_design_makes_no_promise(slug, version):
    """A coarse net; the checker with its scopes is tested in its own suite."""
    manifest = compiled(slug, version).manifest
    filled = fill(manifest, values_of(slug, version, "longest"))
    words = "".join(line.text for line in text_twin(manifest, filled)) + manifest.use_guide

    forbidden = (
        "保本",
        "保息",
        "稳赚",
        "零风险",
        "最高",
        "最佳",
        "第一",
        "唯一",
        "顶级",
        "预期收益",
        "抢购",
    )
    assert [word for word in forbidden if word in words] == []


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_a_design_carries_its_extremes(slug, version):
    names = {sample.name for sample in load_samples(CATALOG.source(slug, version))}

    assert names >= {"longest", "shortest", "no-photo"}


@pytest.mark.parametrize(("slug", "version"), DESIGNS)
def test_a_design_can_be_shown_before_head_office_or_advisor_wrote_a_word(slug, version):
    """The shelf draws every design with a profile and the day's date, nothing else."""
    design, values = compiled(slug, version), values_of(slug, version, "shortest")
    given = {
        slot.name: "2026-11-21" if slot.kind is SlotKind.DATE else values[slot.name]
        for slot in design.manifest.slots
        if slot.kind is SlotKind.DATE
        or (slot.source in (SlotSource.PROFILE, SlotSource.SYSTEM) and slot.name in values)
    }

    design.place(fill(design.manifest, given))
