"""Samples are read from a folder that may be anybody's."""

import pytest

from templates_lib.manifest import ManifestError
from templates_lib.samples import load_samples
from tests.unit.templates_lib.factories import picture, write_template


def samples(folder, text):
    source = write_template(folder)
    (folder / "samples.yaml").write_text(text, encoding="utf-8")
    return load_samples(source)


def test_a_sample_holds_texts_dates_numbers_and_pictures_of_the_folder(tmp_path):
    write_template(tmp_path)
    (tmp_path / "face.jpg").write_bytes(picture())
    (only,) = samples(
        tmp_path,
        "- {name: a, label: 甲, values: {made_on: 2026-11-21, name: 7, photo: face.jpg}}",
    )

    assert (only.values["made_on"], only.values["name"]) == ("2026-11-21", "7")
    assert only.values["photo"].data == picture()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "- a",
        "- {name: a, label: b}",
        "- {name: a, label: b, values: [c]}",
        "- {name: a, label: b, values: {headline: [c]}}",
        "- {name: a, label: b, values: {headline: {c: d}}}",
        "- {name: a, label: b, values: {photo: ../../etc/passwd}}",
        "- {name: a, label: b, values: {photo: gone.jpg}}",
        "- !!python/object/apply:os.system [id]",
        "[" * 5_000,
        "- " + "9" * 5_000,
        "- {name: a, label: b, values: {headline: " + "[" * 40 + "]" * 40 + "}}",
        "\ud7ff: [",
    ],
)
def test_what_is_no_list_of_samples_is_a_fault_not_an_accident(tmp_path, text):
    with pytest.raises(ManifestError):
        samples(tmp_path, text)


def test_a_list_that_names_itself_a_million_times_is_not_written_out(tmp_path):
    levels = "".join(f", &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 12))

    with pytest.raises(ManifestError, match="text, number or date"):
        samples(tmp_path, f"- {{name: a, label: b, values: {{headline: [&a0 [ha]{levels}]}}}}")
