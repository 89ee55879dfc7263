"""What a rule may see: the fields of a piece and what the forms already know about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self


class FieldKind(StrEnum):
    """Who is answerable for a field's text."""

    FREE = "free"  # written by a person for this piece
    PROFILE = "profile"  # verified profile value: name, title, licence number
    DISCLOSURE = "disclosure"  # registered disclosure: satisfies duties, never offends
    FIXED = "fixed"  # locked text of the template
    PICTURE = "picture"  # read from the pixels of a picture: a machine may have misread it
    UNREAD = "unread"  # stands for a picture that no machine could read


class Sector(StrEnum):
    BANK = "bank"
    FUND = "fund"
    SECURITIES = "securities"
    INSURANCE = "insurance"
    GENERAL = "general"


class Channel(StrEnum):
    MOMENTS = "moments"
    GROUP = "group"
    OA = "oa"
    SMS = "sms"
    POSTER = "poster"
    PRODUCT_PAGE = "product_page"
    LIVE = "live"
    OTHER = "other"


class ProductType(StrEnum):
    NONE = "none"
    WEALTH = "wealth"
    FUND = "fund"
    MONEY_FUND = "money_fund"
    INSURANCE = "insurance"
    DIVIDEND_INSURANCE = "dividend_insurance"
    LOAN = "loan"
    DEPOSIT = "deposit"
    SECURITIES_ADVICE = "securities_advice"


_CHANNEL_WORDS = MappingProxyType(
    {
        "朋友圈": Channel.MOMENTS,
        "微信群": Channel.GROUP,
        "企微群": Channel.GROUP,
        "社群": Channel.GROUP,
        "群": Channel.GROUP,
        "公众号": Channel.OA,
        "短信": Channel.SMS,
        "海报": Channel.POSTER,
        "知识卡": Channel.POSTER,
        "产品页": Channel.PRODUCT_PAGE,
        "直播": Channel.LIVE,
    }
)

_SECTOR_WORDS = MappingProxyType(
    {
        "银行": Sector.BANK,
        "基金": Sector.FUND,
        "证券": Sector.SECURITIES,
        "保险": Sector.INSURANCE,
        "通用": Sector.GENERAL,
    }
)


def parse_channel(word: str) -> Channel:
    """Read a channel from its code or its Chinese word; what is unknown is `other`."""
    word = word.strip()
    if word in _CHANNEL_WORDS:
        return _CHANNEL_WORDS[word]
    try:
        return Channel(word.lower())
    except ValueError:
        return Channel.OTHER


def parse_sector(word: str) -> Sector:
    """Read a sector from its code or its Chinese word; what is unknown is `general`.

    General is the careful reading: the rules of every sector apply to it.
    """
    word = word.strip()
    if word in _SECTOR_WORDS:
        return _SECTOR_WORDS[word]
    try:
        return Sector(word.lower())
    except ValueError:
        return Sector.GENERAL


@dataclass(frozen=True, slots=True)
class Lettering:
    """How `text[start:end]` of a picture is written.

    `height` is that of the characters, in thousandths of the picture's shorter side; `contrast` how
    they stand out from their ground, from 1 (not at all) to 21 (black on white).
    """

    start: int
    end: int
    height: float
    contrast: float


@dataclass(frozen=True, slots=True)
class TextField:
    """One named text of a piece, as the customer will read it; with its lettering where it was measured."""

    name: str
    text: str
    kind: FieldKind = FieldKind.FREE
    lettering: tuple[Lettering, ...] = ()

    def to_list(self) -> list[Any]:
        """Return what `of_list` makes this very field of again."""
        measured = [[part.start, part.end, part.height, part.contrast] for part in self.lettering]
        return [self.name, self.text, self.kind.value, *([measured] if measured else [])]

    @classmethod
    def of_list(cls, kept: Sequence[Any]) -> Self:
        """Read what `to_list` wrote."""
        name, text, kind, *measured = kept
        return cls(
            name, text, FieldKind(kind), tuple(Lettering(*part) for parts in measured for part in parts)
        )


@dataclass(frozen=True, slots=True)
class Document:
    """Everything the checker may know about a piece.

    `product_type` is `None` when the forms do not know it; the checker then tells it from
    the words. `ProductType.NONE` states that no product is offered.
    """

    fields: tuple[TextField, ...]
    sector: Sector = Sector.GENERAL
    channel: Channel = Channel.OTHER
    product_type: ProductType | None = None

    @classmethod
    def of_text(cls, text: str, sector: Sector = Sector.GENERAL, channel: Channel = Channel.OTHER) -> Self:
        """Wrap plain text as a document of one free field named `text`."""
        return cls(fields=(TextField("text", text),), sector=sector, channel=channel)

    def to_dict(self) -> dict[str, Any]:
        """Return what `of_dict` makes this very document of again."""
        return {
            "fields": [field.to_list() for field in self.fields],
            "sector": self.sector.value,
            "channel": self.channel.value,
            "product_type": self.product_type.value if self.product_type is not None else None,
        }

    @classmethod
    def of_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        product = kept["product_type"]
        return cls(
            fields=tuple(TextField.of_list(field) for field in kept["fields"]),
            sector=Sector(kept["sector"]),
            channel=Channel(kept["channel"]),
            product_type=None if product is None else ProductType(product),
        )
