import pytest

from templates_lib.catalog import Catalog, UnknownTemplateError
from templates_lib.manifest import ManifestError
from tests.unit.templates_lib.factories import write_template


def test_versions_are_listed_by_slug_and_number(tmp_path):
    write_template(tmp_path / "note" / "1")

    assert [(m.slug, m.version) for m in Catalog(tmp_path).versions()] == [("note", 1)]


def test_an_unknown_version_is_said_so(tmp_path):
    write_template(tmp_path / "note" / "1")

    with pytest.raises(UnknownTemplateError):
        Catalog(tmp_path).source("note", 2)


def test_a_folder_named_otherwise_than_its_manifest_is_refused(tmp_path):
    write_template(tmp_path / "letter" / "1")

    with pytest.raises(ManifestError, match="folder"):
        Catalog(tmp_path).versions()


def test_a_change_of_any_file_changes_the_digest(tmp_path):
    source = write_template(tmp_path)
    before = source.digest()

    (tmp_path / "extra.svg").write_text("<svg/>", encoding="utf-8")
    with_a_new_file = source.digest()
    (tmp_path / "extra.svg").write_text("<svg />", encoding="utf-8")

    assert len({before, with_a_new_file, source.digest()}) == 3


def test_the_digest_does_not_depend_on_where_the_folder_lies(tmp_path):
    here, there = write_template(tmp_path / "here"), write_template(tmp_path / "there")

    assert here.digest() == there.digest()
