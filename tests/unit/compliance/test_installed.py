"""Files of other packages: found where they lie, missed by name."""

import pytest

from compliance.installed import file_of


def test_a_file_of_a_package_is_found_where_it_lies():
    assert file_of("opencc", "dictionary", "STCharacters.txt").is_file()


def test_a_package_that_is_missing_is_named():
    with pytest.raises(RuntimeError, match="no_such_package"):
        file_of("no_such_package", "table.txt")
