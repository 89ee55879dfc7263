"""Personal data: numbers that belong to a person, beside a word that says whose they are.

Source: 个人信息保护法 art. 25, 28, 29. Masked values (尾号3302, L女士) are lawful.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.document import FieldKind
from compliance.match import DocumentView, FieldView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule

# region, year of birth, and the rest: written out, or masked so that it can be guessed
_IDENTITY = re.compile(
    r"(?<![0-9a-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}"
    r"(?:[0-9]{7}[0-9x]|[x*]{4}[0-9]{3}[0-9x]|[0-9x*]{8})(?![0-9])"
)
_CARD = re.compile(r"(?<![0-9a-z])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?(?![0-9])")
_PHONE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])|(?<![0-9])1[3-9][0-9]{5}[x*]{4}(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataRule(Rule):
    """Finds identity, card and phone numbers of customers.

    An identity number offends by itself; a card or phone number where one of `whose`
    stands in the same field. Verified profile fields hold the advisor's own data.
    """

    whose: tuple[Pattern, ...]

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        return self.needs + self.unless + self.whose

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.fields:
            if field.field.kind in {FieldKind.FREE, FieldKind.FIXED}:
                yield from self._numbers(field)

    def _numbers(self, field: FieldView) -> Iterator[Hit]:
        for found in _IDENTITY.finditer(field.text):
            yield Hit(field.index, *found.span())
        if not any(field.has(pattern) for pattern in self.whose):
            return
        for number in (_CARD, _PHONE):
            for found in number.finditer(field.text):
                yield Hit(field.index, *found.span())


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a personal-data rule: `whose`."""
    whose = draft.patterns("whose")
    if not whose:
        raise draft.fault("a personal-data rule needs `whose`")
    return PersonalDataRule(**common, whose=whose)
