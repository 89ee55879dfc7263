"""Every further size of every design of the library, with every sample."""

import io
from functools import cache

import pypdfium2
import pytest
from PIL import Image

from templates_lib.catalog import Catalog
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import PRINT, compose
from templates_lib.fill import without_omitted
from templates_lib.manifest import SlotKind
from templates_lib.qr import decode_qr
from templates_lib.samples import load_samples

CATALOG = Catalog()
SIZES = [
    (manifest.slug, manifest.version, variant.name)
    for manifest in CATALOG.versions()
    for variant in manifest.variants
]
SAMPLES = [
    (*size, sample.name) for size in SIZES for sample in load_samples(CATALOG.source(size[0], size[1]))
]


@cache
def compiled(slug: str, version: int, size: str) -> CompiledTemplate:
    return compile_template(CATALOG.source(slug, version).variant(size))


def values_of(slug, version, size, name):
    samples = load_samples(CATALOG.source(slug, version))
    values = next(sample.values for sample in samples if sample.name == name)
    return without_omitted(compiled(slug, version, size).manifest, values)


@pytest.mark.parametrize(("slug", "version", "size", "name"), SAMPLES)
def test_a_sample_fits_every_size_and_its_code_reads_back(slug, version, size, name):
    design, values = compiled(slug, version, size), values_of(slug, version, size, name)
    codes = [values[slot.name] for slot in design.manifest.slots if slot.kind is SlotKind.QR]

    made = compose(design, values)

    assert Image.open(io.BytesIO(made.data)).size == (made.width_px, made.height_px)
    assert list(decode_qr(made.data)) == codes


@pytest.mark.parametrize(("slug", "version", "size"), SIZES)
def test_every_phrase_of_every_pool_fits_every_size(slug, version, size):
    design, values = compiled(slug, version, size), values_of(slug, version, size, "longest")

    for slot in design.manifest.slots:
        for phrase in slot.phrases:
            compose(design, {**values, slot.name: phrase})


@pytest.mark.parametrize(("slug", "version", "size"), SIZES)
def test_the_sheet_of_every_size_holds_the_disclosure_as_text(slug, version, size):
    design = compiled(slug, version, size)
    made = compose(design, values_of(slug, version, size, "no-photo"), format=PRINT)

    document = pypdfium2.PdfDocument(made.data)
    page = document[0]
    words = page.get_textpage()
    text = "".join(words.get_text_range().split())
    words.close()
    page.close()
    document.close()

    assert design.manifest.disclosure[:12] in text
