"""Disclosures: what a statement or an offer obliges the piece to say as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.document import ProductType
from compliance.match import DocumentView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule, gates


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
    def literals(self) -> frozenset[str]:
        required = frozenset().union(*(gates(group) for group in self.requires))
        return gates(self.needs) | gates(self.unless) | gates(self.when) | required

    @property
    def triggers(self) -> frozenset[str]:
        # a declared product owes its disclosure whatever the words
        return frozenset() if self.offers else gates(self.when)

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        if all(document.has_any(group) for group in self.requires):
            return
        triggered = False
        for field in document.fields:
            if not field.offends:
                continue
            spans = sorted(span for pattern in self.when for span in field.matches(pattern))
            if spans:
                # one duty, one finding: the first statement that triggers it
                start, end = spans[0]
                yield Hit(field.index, start, end, self.suggestion)
                triggered = True
                break
        if not triggered and document.product_type in self.offers:
            for field in document.fields:
                if field.offends and field.text:
                    yield Hit(field.index, 0, len(field.text))
                    return


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a disclosure rule: `when`, `requires` (each entry one group), `offers`."""
    when = draft.patterns("when")
    requires = draft.patterns("requires")
    if not when or not requires:
        raise draft.fault("a disclosure rule needs `when` and `requires`")
    try:
        offers = frozenset(ProductType(name) for name in draft.texts("offers"))
    except ValueError as error:
        raise draft.fault(f"`offers`: {error}") from error
    return DisclosureRule(
        **common,
        when=when,
        requires=tuple((pattern,) for pattern in requires),
        offers=offers,
    )
