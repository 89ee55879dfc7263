"""Offers: whether a piece sells a product, told by what it says about it, and what it then owes.

One word makes no offer: a lesson about 理财 names the product, its risk grades and the branch
where one may ask. An offer is a product together with enough signs of selling (a minimum, a
day of sale, a rate, a call), less the signs that the piece teaches, reports or warns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.document import ProductType, Sector
from compliance.match import DocumentView, FieldView, Hit
from compliance.pattern import SENTENCE_END, Pattern
from compliance.rule import NEARBY, Draft, Rule
from compliance.speech import generalises

_STRONG, _WEAK, _AGAINST = 3, 1, 2
_LONGEST_SIDE = 24

_Weighed = tuple[tuple[Pattern, ...], int]  # a sign, any of its patterns, and what it counts


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRule(Rule):
    """Finds an offer without the disclosure it owes.

    `product` tells what is offered. Every `strong` sign seen counts three, every `weak` one, and
    every sign `against` takes two away; with `least` the piece is an offer. Of every entry of
    `requires` one wording must stand in the piece; without any, no such offer may be made at all.
    With `offers`, a piece the forms declare as one of these products owes the disclosure whatever
    it says. With `within`, only signs so many characters from the product count.
    """

    product: tuple[Pattern, ...]
    strong: tuple[tuple[Pattern, ...], ...]
    weak: tuple[tuple[Pattern, ...], ...]
    against: tuple[tuple[Pattern, ...], ...]
    least: int
    requires: tuple[tuple[Pattern, ...], ...]
    offers: frozenset[ProductType]
    within: int | None

    @property
    def is_duty(self) -> bool:
        return True

    @property
    def forbids(self) -> bool:
        return not self.requires

    def is_sign(self, hit: str) -> bool:  # noqa: ARG002 - every hint is one
        return self.forbids

    @property
    def trigger_patterns(self) -> tuple[Pattern, ...]:
        return self.product

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        groups = (*self.strong, *self.weak, *self.against, *self.requires)
        return self.conditions + tuple(pattern for group in groups for pattern in group)

    @property
    def owed_by(self) -> frozenset[ProductType]:
        return self.offers

    def indispensable(self, sector: Sector) -> Iterator[tuple[Pattern, ...]]:
        yield from Rule.indispensable(self, sector)
        if self.offers:
            return  # a declared product needs no sign
        all_said = len(self.strong) * _STRONG + len(self.weak) * _WEAK
        if all_said - _STRONG < self.least:
            yield from self.strong

    def may_hit(self, document: DocumentView) -> bool:
        if document.product_type is ProductType.NONE and self.offers:
            return False
        if self._is_declared(document):
            return True
        return document.at_most(self.strong) * _STRONG + document.at_most(self.weak) * _WEAK >= self.least

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        # what is owed comes first: a piece that says it, and most do, need not be told an offer
        if self.requires and all(map(document.has_any, self.requires)):
            return
        place = self._offer(document) or self._whole(document)
        if place is not None:
            yield place

    def _offer(self, document: DocumentView) -> Hit | None:
        """Return the first statement that names the product, where enough else says it is sold."""
        declared = self._is_declared(document)
        said = self._said_in(document)
        if not declared and sum(weight for _, weight in said) < self.least:
            return None
        for field in document.fields:
            if not field.offends:
                continue
            for start, end in field.all_matches(self.product):
                if declared or (
                    self._is_sold(document, said, field, start, end)
                    and not generalises(field.sentence(start, end))
                ):
                    low, high = _statement(field, start, end)
                    return Hit(field.index, low, high, field.completed(low, high, self.suggestion))
        return None

    def _whole(self, document: DocumentView) -> Hit | None:
        """Return the first text of a piece whose declared product owes the disclosure."""
        if self._is_declared(document):
            for field in document.fields:
                if field.offends and field.text:
                    return Hit(field.index, 0, len(field.text))
        return None

    def _is_declared(self, document: DocumentView) -> bool:
        return document.product_type in self.offers

    def _said_in(self, document: DocumentView) -> list[_Weighed]:
        """Return the signs of selling that stand anywhere in the piece."""
        return [
            (sign, weight)
            for signs, weight in ((self.strong, _STRONG), (self.weak, _WEAK))
            for sign in filter(document.has_any, signs)
        ]

    def _is_sold(
        self, document: DocumentView, said: Sequence[_Weighed], named: FieldView, start: int, end: int
    ) -> bool:
        """Tell whether enough of what is said stands near the name of the product, and little against it."""
        reach = self.within or NEARBY
        total = sum(
            weight for sign, weight in said if self._shows(sign, document, named, start - reach, end + reach)
        )
        if total < self.least:
            return False  # what speaks against it only takes away, and is seen from further off
        against = sum(
            self._shows(sign, document, named, start - NEARBY, end + NEARBY) for sign in self.against
        )
        return total - _AGAINST * against >= self.least

    def _shows(
        self, sign: tuple[Pattern, ...], document: DocumentView, named: FieldView, low: int, high: int
    ) -> bool:
        if self.within is not None:
            return named.has_any_between(sign, low, high)
        return any(
            field.has_any_between(sign, low, high) if field is named else field.speaks and field.has_any(sign)
            for field in document.fields
        )


def _statement(field: FieldView, start: int, end: int) -> tuple[int, int]:
    """Widen the name of a product to the statement about it, as far as one line reads."""
    low, high = start, end
    while low > max(0, start - _LONGEST_SIDE) and field.text[low - 1] not in SENTENCE_END:
        low -= 1
    while high < min(len(field.text), end + _LONGEST_SIDE) and field.text[high] not in SENTENCE_END:
        high += 1
    return low, high


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read an offer rule: `product`, `strong`, `weak`, `against`, `least`, `requires`, `offers`."""
    product = draft.patterns("product")
    if not product:
        raise draft.fault("an offer rule needs `product`")
    least = draft.fields.get("least")
    if not isinstance(least, int) or least <= 0:
        raise draft.fault("`least` must be a positive number")
    within = draft.fields.get("within")
    if within is not None and (not isinstance(within, int) or within <= 0):
        raise draft.fault("`within` must be a positive number of characters")
    try:
        offers = frozenset(ProductType(name) for name in draft.texts("offers"))
    except ValueError as error:
        raise draft.fault(f"`offers`: {error}") from error
    return OfferRule(
        **common,
        product=product,
        strong=draft.groups("strong"),
        weak=draft.groups("weak"),
        against=draft.groups("against"),
        least=least,
        requires=draft.groups("requires"),
        offers=offers,
        within=within,
    )
