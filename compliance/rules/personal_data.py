"""Personal data: numbers that belong to a person, beside a word that says whose they are.

Source: 个人信息保护法 art. 25, 28, 29. Masked values (尾号3302, L女士) are lawful. Identity and card
numbers carry a check digit: one that is right is no accident, one that is wrong counts only where
the text itself says what it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from compliance.document import FieldKind
from compliance.match import DocumentView, FieldView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule

# region, date of birth, and the rest: written out, or masked so that it can be guessed
_IDENTITY = re.compile(
    r"(?<![0-9a-z])[1-9][0-9]{5}(?P<birth>(?:19|20)[0-9]{6})[0-9]{3}[0-9x](?![0-9])"
    r"|(?<![0-9a-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:[x*]{4}[0-9]{3}[0-9x]|[0-9x*]{8})(?![0-9])"
)
_CARD = re.compile(r"(?<![0-9a-z])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?(?![0-9])")
_PHONE = re.compile(
    r"(?<![0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])|(?<![0-9])1[3-9][0-9]{5}[x*]{4}(?![0-9])"
)
_LONG_NUMBER = re.compile(r"[0-9][0-9x* -]{9}")
_SAYS_IDENTITY = re.compile("身份证|证件|公民身份")
_SAYS_CARD = re.compile("卡号|账号|账户|银行卡|储蓄卡|借记卡|信用卡|存折")
_OWN_CONTACT = re.compile(
    "(?:客户经理|理财经理|客户顾问|理财顾问|投资顾问|联系人?|咨询|致电|热线|客服|预约)[^。!?;\n]{0,14}$"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10x98765432"
_ANYBODYS = frozenset({FieldKind.FREE, FieldKind.FIXED, FieldKind.PICTURE})
_NEAR = 20
_BESIDE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataRule(Rule):
    """Finds identity, card and phone numbers of customers.

    An identity number offends by itself; a card or phone number where one of `whose`
    stands beside it. Verified profile fields hold the advisor's own data.
    """

    whose: tuple[Pattern, ...]

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        return self.conditions + self.whose

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.fields:
            if field.field.kind in _ANYBODYS and _LONG_NUMBER.search(field.text):
                yield from self._numbers(field)

    def _numbers(self, field: FieldView) -> Iterator[Hit]:
        text = field.text
        for found in _IDENTITY.finditer(text):
            said = _SAYS_IDENTITY.search(text, max(0, found.start() - _NEAR), found.start())
            if said or found["birth"] is None or is_identity_number(found.group()):
                yield Hit(field.index, *found.span())
        owners = field.all_matches(self.whose)
        if not owners:
            return
        for found in _CARD.finditer(text):
            said = _SAYS_CARD.search(text, max(0, found.start() - _NEAR), found.start())
            reach = _BESIDE if said or is_card_number(found.group()) else _NEAR
            if _is_beside(found.span(), owners, reach):
                yield Hit(field.index, *found.span())
        for found in _PHONE.finditer(text):
            own = _OWN_CONTACT.search(text, max(0, found.start() - _NEAR), found.start())
            if own is None and _is_beside(found.span(), owners, _BESIDE):
                yield Hit(field.index, *found.span())


def _is_beside(number: tuple[int, int], owners: list[tuple[int, int]], reach: int) -> bool:
    return any(start - number[1] <= reach and number[0] - end <= reach for start, end in owners)


def is_identity_number(number: str) -> bool:
    """Tell whether eighteen characters are an identity number: a day of birth, a right check digit."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return number[17] == _CHECK_DIGITS[total % 11]


def is_card_number(number: str) -> bool:
    """Tell whether the digits of a card number pass Luhn's check."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    doubled = (digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(digit - 9 if digit > 9 else digit for digit in doubled)) % 10 == 0  # noqa: PLR2004 - ten


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a personal-data rule: `whose`."""
    whose = draft.patterns("whose")
    if not whose:
        raise draft.fault("a personal-data rule needs `whose`")
    return PersonalDataRule(**common, whose=whose)
