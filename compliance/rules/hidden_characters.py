"""Hidden characters: invisible code points set between two Han characters.

Nobody types them there; they are put in to pass a word list.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.match import DocumentView, Hit
from compliance.rule import Draft, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenCharactersRule(Rule):
    """Finds the pair of characters between which something is hidden."""

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.fields:
            if not field.offends or not field.normalised.hidden:
                continue
            origins = field.normalised.origins
            hidden = iter(field.normalised.hidden)
            span = next(hidden, None)
            for index, origin in enumerate(origins):
                if span is None:
                    break
                if origin >= span.end and index > 0:
                    yield Hit(field.index, index - 1, index + 1)
                    span = next(hidden, None)


def parse(_: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a hidden-characters rule; it has no settings of its own."""
    return HiddenCharactersRule(**common)
