"""Unread pictures: what no machine could read, a person looks at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compliance.document import FieldKind, TextField
from compliance.match import DocumentView, Hit
from compliance.rule import Draft, Rule

# How an example says that a picture stands there which could not be read.
_UNREAD: Final = "未读："


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadPictureRule(Rule):
    """Finds every picture that could not be read."""

    def example(self, text: str) -> TextField:
        kind = FieldKind.UNREAD if text.startswith(_UNREAD) else FieldKind.PICTURE
        return TextField("text", text.removeprefix(_UNREAD), kind)

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.fields:
            if field.field.kind is FieldKind.UNREAD and field.text:
                yield Hit(field.index, 0, len(field.text))


def parse(_: Draft, common: Mapping[str, Any]) -> Rule:
    """Read an unread-picture rule; it has no settings of its own."""
    return UnreadPictureRule(**common)
