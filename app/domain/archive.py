"""What was shown, kept so that it can be found again by the words somebody remembers of it."""

import unicodedata
from enum import StrEnum
from typing import Final
from uuid import UUID

# A search by fewer signs than this finds half of the archive.
SHORTEST_SEARCH: Final = 2
# Near enough to offer to somebody who quotes from memory.
NEAR: Final = 0.6


class ItemKind(StrEnum):
    # a piece as it was published: an advisor's own, or one made for everybody
    PUBLICATION = "publication"
    # an advisor's copy of a piece that was made for everybody
    EDITION = "edition"


def search_form(text: str) -> str:
    """A text as it is searched: letters, digits and Chinese signs alone, all of one width and case.

    A sentence is found however its line was broken and whatever stops and blanks were heard in it.
    """
    signs = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in signs if unicodedata.category(sign)[0] in "LN")


def grams(form: str) -> list[str]:
    """Every two neighbouring signs of a text in its search form, each pair once: what the index holds."""
    return sorted({form[at : at + 2] for at in range(len(form) - 1)})


def record_key(tenant_id: UUID, item_id: UUID) -> str:
    return f"records/{tenant_id}/{item_id}.json"


def file_key(tenant_id: UUID, sha256: str) -> str:
    """Where the vault keeps a picture; records that show the same one share it."""
    return f"records/{tenant_id}/files/{sha256[:2]}/{sha256}"
