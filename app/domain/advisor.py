"""What a profile of the front line holds, and which of it the institution vouches for."""

import re
from enum import StrEnum
from typing import Final

MAX_CODE_LENGTH: Final = 40
MAX_NAME_LENGTH: Final = 50
MAX_TITLE_LENGTH: Final = 40
MAX_TAG_LENGTH: Final = 20
MAX_TAGS: Final = 30
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# A mobile number of the mainland, a landline with its area code, or a service number.
_PHONE: Final = re.compile(r"1[3-9]\d{9}|0\d{9,11}|[48]00\d{7}|9\d{4,5}")
_TAG_SEPARATORS: Final = re.compile(r"[、,，;；|]")


class AdvisorKind(StrEnum):
    """What kind of front-line person; decides words and licences, never permissions."""

    ACCOUNT_MANAGER = "am"
    WEALTH_MANAGER = "wm"
    INVESTMENT_ADVISER = "ia"
    AGENT = "agent"
    BROKER = "broker"


class ProfileField(StrEnum):
    """The fields of a profile that a picture may show; each is verified or not."""

    NAME = "name"
    TITLE = "title"
    PHONE = "phone"
    LICENCE_NO = "licence_no"
    PHOTO = "photo"


def phone_digits(text: str) -> str | None:
    """The number without the signs people write between digits; None when it is no number."""
    digits = re.sub(r"[\s()（）-]", "", text).removeprefix("+86")
    return digits if _PHONE.fullmatch(digits) else None


def tags_in(text: str) -> list[str]:
    """The tags of one cell or field, each once, in their order."""
    parts = (part.strip() for part in _TAG_SEPARATORS.split(text))
    return list(dict.fromkeys(part for part in parts if part))
