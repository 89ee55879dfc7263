import pytest

from templates_lib.manifest import ManifestError, SlotKind, SlotSource, load_manifest
from tests.unit.templates_lib.factories import MANIFEST, write_template


def test_a_sound_manifest_says_what_it_declares(tmp_path):
    manifest = write_template(tmp_path).manifest

    assert (manifest.slug, manifest.version, manifest.pages) == ("note", 1, 1)
    assert manifest.slot("name").source is SlotSource.PROFILE
    assert manifest.slot("mood").kind is SlotKind.PHRASE
    assert manifest.slot("seal").locked


@pytest.mark.parametrize(
    ("was", "becomes", "field", "line"),
    [
        ("slug: note", "slug: Note!", "slug", 1),
        ("version: 1", "version: one", "version", 2),
        ("version: 1\n", "", "version", 1),
        ("kind: card", "kind: leaflet", "kind", 4),
        ("pages: 1", "pages: 0", "pages", 8),
        ("style: 素", "style: 素\ncolour: red", "colour", 6),
        ("rights: 无图片", "rights: 无图片\nrights: 又一次", "rights", 15),
        ("product_type: fund", "product_type: crypto", "product_type", 10),
        ("name: headline, label", "name: Headline, label", "slots[0].name", 16),
        ("profile_field: name", "profile_field: salary", "slots[4].profile_field", 20),
        ("max_chars: 60", "max_chars: 1", "slots[0].max_chars", 16),
        (
            "phrases: [早安, 晚安], default: 早安",
            "phrases: [早安, 晚安], default: 午安",
            "slots[2].default",
            18,
        ),
        ("phrases: [早安, 晚安], default: 早安", "default: 早安", "slots[2].phrases", 18),
        ("locked: true, default: 示例银行", "locked: true", "slots[1].default", 17),
        ("name: seal", "name: headline", "slots", 1),
        ("name: seal", "name: disclosure", "slots[1].name", 17),
        ("pages: 1", "pages: 31", "pages", 8),
        ("width_px: 400", "width_px: 10001", "size.width_px", 9),
        ("width_px: 400, height_px: 300", "width_px: 9000, height_px: 9000", "size", 9),
        ("max_chars: 60", "max_chars: 5001", "slots[0].max_chars", 16),
        ("rights: 无图片", "rights: 无图片\nvalid_from: 2026-99-99", "valid_from", 15),
        ("version: 1", "version: !!python/object/apply:os.system [id]", "version", 2),
        ("version: 1", "version: " + "9" * 5000, "version", 2),
    ],
)
def test_a_fault_is_named_by_file_line_and_field(tmp_path, was, becomes, field, line):
    assert was in MANIFEST

    with pytest.raises(ManifestError) as caught:
        write_template(tmp_path, manifest=MANIFEST.replace(was, becomes, 1))

    assert caught.value.file == tmp_path / "manifest.yaml"
    assert caught.value.field == field
    assert caught.value.line == line


def test_yaml_that_does_not_parse_is_a_fault_with_its_line(tmp_path):
    with pytest.raises(ManifestError) as caught:
        write_template(tmp_path, manifest=MANIFEST.replace("kind: card", "kind: [card"))

    assert caught.value.field == "yaml"
    assert caught.value.line is not None


def test_a_missing_manifest_is_a_fault_not_a_traceback(tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        load_manifest(tmp_path / "manifest.yaml")


@pytest.mark.parametrize(
    ("product", "disclosure"),
    [
        ("fund", "投资须谨慎。"),
        ("wealth", "产品有风险，投资须谨慎。"),
        ("money_fund", "基金有风险，投资须谨慎。"),
        ("insurance", "请咨询客户经理。"),
        ("dividend_insurance", "详见保险条款。"),
        ("loan", "贷款有成本。"),
        ("securities_advice", "投资须谨慎。"),
    ],
)
def test_a_disclosure_must_carry_the_words_its_product_type_asks_for(tmp_path, product, disclosure):
    text = MANIFEST.replace("product_type: fund", f"product_type: {product}")
    text = text.replace("基金有风险，投资须谨慎。", disclosure)

    with pytest.raises(ManifestError) as caught:
        write_template(tmp_path, manifest=text)

    assert caught.value.field == "disclosure"


def test_a_product_without_obligatory_words_needs_no_disclosure(tmp_path):
    text = MANIFEST.replace("product_type: fund", "product_type: none")
    text = text.replace("disclosure: 基金有风险，投资须谨慎。\n", "")

    assert write_template(tmp_path, manifest=text).manifest.disclosure is None


def test_a_manifest_nested_without_end_is_a_fault(tmp_path):
    with pytest.raises(ManifestError, match="nested too deeply"):
        write_template(tmp_path, manifest=MANIFEST.replace("无图片", "[" * 5_000))


def test_a_manifest_of_a_megabyte_is_refused_unread(tmp_path):
    with pytest.raises(ManifestError, match="larger than"):
        write_template(tmp_path, manifest=MANIFEST + "#" * 1_000_000)
