"""Disclosures: what a statement or an offer obliges the piece to say as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.document import ProductType
from compliance.match import DocumentView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRule(Rule):
    """Finds a statement that triggers a duty when the piece does not fulfil it.

    `when` are the triggering statements. `requires` are groups: of each group one wording
    must stand in the piece, a registered disclosure field included. With `offers`, a piece
    the forms declare as one of these products owes the disclosure whatever it says.
    """

    when: tuple[Pattern, ...]
    requires: tuple[tuple[Pattern, ...], ...]
    offers: frozenset[ProductType]

    @property
    def is_duty(self) -> bool:
        return True

    @property
    def trigger_patterns(self) -> tuple[Pattern, ...]:
        return self.when

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        return self.conditions + tuple(pattern for group in self.requires for pattern in group)

    @property
    def owed_by(self) -> frozenset[ProductType]:
        return self.offers

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        place = self._statement(document) or self._whole(document)
        if place is not None and not all(document.has_any(group) for group in self.requires):
            yield place

    def _statement(self, document: DocumentView) -> Hit | None:
        """Return the first statement that triggers the duty: one duty, one finding."""
        for field in document.fields:
            if field.offends:
                spans = field.all_matches(self.when)
                if spans:
                    start, end = spans[0]
                    return Hit(field.index, start, end, field.completed(start, end, self.suggestion))
        return None

    def _whole(self, document: DocumentView) -> Hit | None:
        """Return the first text of a piece whose declared product owes the disclosure."""
        if document.product_type in self.offers:
            for field in document.fields:
                if field.offends and field.text:
                    return Hit(field.index, 0, len(field.text))
        return None


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a disclosure rule: `when`, `requires` (each entry one group), `offers`."""
    when = draft.patterns("when")
    requires = draft.groups("requires")
    if not when or not requires:
        raise draft.fault("a disclosure rule needs `when` and `requires`")
    try:
        offers = frozenset(ProductType(name) for name in draft.texts("offers"))
    except ValueError as error:
        raise draft.fault(f"`offers`: {error}") from error
    return DisclosureRule(
        **common,
        when=when,
        requires=requires,
        offers=offers,
    )
