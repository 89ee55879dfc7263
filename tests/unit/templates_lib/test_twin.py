import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from templates_lib import document
from templates_lib.fill import SlotErrors, fill
from templates_lib.twin import TwinLine, text_twin
from tests.unit.templates_lib.factories import BODY, MANIFEST, URL, write_template
from tests.unit.templates_lib.test_library import SAMPLES, compiled, values_of


def twin_of(folder, body=BODY, manifest=MANIFEST, **values):
    source = write_template(folder, body=body, manifest=manifest)
    return text_twin(source.manifest, fill(source.manifest, {"qr": URL, **values}))


def test_the_twin_reads_slots_fixed_words_and_disclosure_in_order(tmp_path):
    assert twin_of(tmp_path, headline="山有四季\n路在脚下", made_on="2026-11-21", name="𠮷䶮") == (
        TwinLine("headline", "标题", "山有四季\n路在脚下"),
        TwinLine(None, "", "设计里的字"),
        TwinLine("seal", "印", "示例银行"),
        TwinLine("mood", "问候", "早安"),
        TwinLine("made_on", "日期", "2026年11月21日"),
        TwinLine("name", "姓名", "𠮷䶮"),
        TwinLine("disclosure", "风险提示", "基金有风险，投资须谨慎。"),
    )


def test_what_is_not_drawn_is_not_read(tmp_path):
    assert {line.slot for line in twin_of(tmp_path)} == {
        "headline",
        None,
        "seal",
        "mood",
        "disclosure",
    }


def test_the_design_s_own_words_change_with_the_design(tmp_path):
    changed = twin_of(tmp_path, body=BODY.replace("设计里的字", "换了一句"))

    assert TwinLine(None, "", "换了一句") in changed


@pytest.mark.parametrize("text", ["<script>", "{{ headline }}", "&amp;", "a < b & c"])
def test_words_come_out_as_they_were_given(tmp_path, text):
    assert twin_of(tmp_path, headline=text)[0].text == text


def test_a_word_broken_for_looks_is_read_whole(tmp_path):
    body = BODY.replace("设计里的字", "业绩<br>比较 <b>基</b>准<br>Good<br>morning")

    assert TwinLine(None, "", "业绩比较 基准 Good morning") in twin_of(tmp_path, body=body)


def test_indentation_and_comments_of_the_design_are_not_words(tmp_path):
    body = BODY.replace("设计里的字", "\n   设计\n  <!-- 旧话 -->\n 里的字\n  ")

    assert TwinLine(None, "", "设计 里的字") in twin_of(tmp_path, body=body)


@pytest.mark.parametrize(("slug", "version", "name"), SAMPLES)
def test_every_word_of_the_filled_page_is_read_in_its_order(slug, version, name):
    manifest = compiled(slug, version).manifest
    filled = fill(manifest, values_of(slug, version, name))

    assert squeezed(line.text for line in text_twin(manifest, filled)) == squeezed(page_of(filled).itertext())


@given(
    st.dictionaries(st.sampled_from(["headline", "name"]), st.text("保本 \n\u3000<>&{}%'a1𠮷", max_size=9))
)
def test_what_was_read_with_other_values_is_not_read_again(note, values):
    try:
        filled = fill(note, {"headline": "早安", "qr": URL, **values})
    except SlotErrors:
        reject()

    assert squeezed(line.text for line in text_twin(note, filled)) == squeezed(page_of(filled).itertext())


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return write_template(tmp_path_factory.mktemp("note"), body=BODY, manifest=MANIFEST).manifest


def page_of(filled):
    body = (filled.manifest.directory / filled.manifest.body_name).read_text(encoding="utf-8")
    return document.parse_tree(document.fill_body(document.parse_body(body, filled.manifest), filled))


def squeezed(texts):
    return "".join("".join(texts).split())
