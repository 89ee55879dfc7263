"""Legibility: what a picture has to say is written so that it can be read.

Source: 广告法 art. 8 para. 3: what must be stated is stated prominently and clearly. No provision
names a size or a contrast; the pack does, and a person decides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.document import FieldKind, Lettering, TextField
from compliance.finding import Span
from compliance.match import DocumentView, FieldView, Hit
from compliance.pattern import Pattern
from compliance.rule import Draft, Rule

# How an example says what a picture would show: 高 11‰，反差 1.4：理财有风险
_MEASURED = re.compile(r"高 (?P<height>[0-9.]+)‰，反差 (?P<contrast>[0-9.]+)：(?P<text>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegibilityRule(Rule):
    """Finds the first of the statements where all that stand in the piece are too small or too pale.

    `least_height` is in thousandths of the picture's shorter side, `least_contrast` a ratio to one.
    """

    of: tuple[Pattern, ...]
    least_height: float
    least_contrast: float

    @property
    def trigger_patterns(self) -> tuple[Pattern, ...]:
        return self.of

    def example(self, text: str) -> TextField:
        measured = _MEASURED.fullmatch(text)
        if measured is None:
            return TextField("text", text)
        said = measured["text"]
        lettering = Lettering(0, len(said), float(measured["height"]), float(measured["contrast"]))
        return TextField("text", said, FieldKind.PICTURE, (lettering,))

    def may_hit(self, document: DocumentView) -> bool:
        return any(field.field.lettering for field in document.fields)

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        places = [(field, *span) for field in document.fields for span in field.all_matches(self.of)]
        hits = [self._hit(*place) for place in places]
        if hits and hits[0] is not None and all(hits):
            yield hits[0]

    def _hit(self, field: FieldView, start: int, end: int) -> Hit | None:
        span = field.normalised.span(start, end)
        parts = [part for part in field.field.lettering if span.overlaps(Span(part.start, part.end))]
        if not parts:
            return None
        height = min(part.height for part in parts)
        contrast = min(part.contrast for part in parts)
        faults = [f"字高约为图片短边的 {height / 10:.1f}%"] if height < self.least_height else []
        faults += [f"与底色的反差约为 {contrast:.1f}:1"] if contrast < self.least_contrast else []
        return Hit(field.index, start, end, remark=f"（{'，'.join(faults)}）") if faults else None


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a legibility rule: `of`, `least_height`, `least_contrast`."""
    of = draft.patterns("of")
    if not of:
        raise draft.fault("a legibility rule needs `of`")
    return LegibilityRule(
        **common,
        of=of,
        least_height=_number(draft, "least_height"),
        least_contrast=_number(draft, "least_contrast"),
    )


def _number(draft: Draft, key: str) -> float:
    value = draft.fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise draft.fault(f"`{key}` must be a number above nought")
    return float(value)
