"""Wording: listed terms, their sound, and patterns with slots."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.finding import BasisStatus, Severity
from compliance.match import DocumentView, FieldView, Hit, without_allowed
from compliance.pattern import Pattern
from compliance.rule import Draft, Examples, Rule

_LONG_ENOUGH_TO_HEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingRule(Rule):
    """Finds terms, and patterns for what no single term says.

    `terms` maps each term to the wording that may replace it. A longer `allow` phrase wins
    over a term inside it. `sound` terms are also found by pinyin and homophone. `alone` is how far
    a pattern goes where no second rule objects to the piece.
    """

    terms: Mapping[str, str | None]
    term_words: frozenset[str]
    allow: tuple[str, ...]
    sound_words: frozenset[str]
    patterns: tuple[Pattern, ...]
    alone: Severity

    @property
    def words(self) -> frozenset[str]:
        return self.term_words.union(self.allow)

    @property
    def trigger_words(self) -> frozenset[str]:
        return self.term_words

    @property
    def trigger_patterns(self) -> tuple[Pattern, ...]:
        return self.patterns

    @property
    def guarded_words(self) -> frozenset[str]:
        # what sounds like a long word by accident is rare; of short ones those that are worth it are listed
        return self.sound_words.union(term for term in self.term_words if len(term) >= _LONG_ENOUGH_TO_HEAR)

    def is_sign(self, hit: str) -> bool:
        # a listed word, and what no context excuses, is meant as it stands
        return bool(self.frames) and not any(term in hit for term in self.term_words)

    def is_outright(self, hit: str) -> bool:
        return self.alone is self.severity or any(term in hit for term in self.term_words)

    def hits(self, document: DocumentView) -> Iterator[Hit]:
        for field in document.judged:
            if field.offends:
                yield from self._hits_in(field)

    def _hits_in(self, field: FieldView) -> Iterator[Hit]:
        spans: dict[tuple[int, int], str | None] = {}
        for term in self.term_words & field.sight.words:
            for start in field.starts(term):
                spans[start, start + len(term)] = self.terms[term] or self.suggestion
        for pattern in field.sight.ready_of(self.patterns):
            for span in field.counting(pattern):
                spans.setdefault(span, None)
        if not spans:
            return
        allowed = [
            (start, start + len(phrase))
            for phrase in field.seen(self.allow)
            for start in field.starts(phrase)
        ]
        for start, end in without_allowed(spans, allowed):
            yield Hit(field.index, start, end, field.completed(start, end, spans[start, end]))


def parse(draft: Draft, common: Mapping[str, Any]) -> Rule:
    """Read a wording rule: `terms`, `allow`, `sound`, `patterns`."""
    terms = draft.replacements("terms")
    patterns = draft.patterns("patterns")
    sound = frozenset(draft.words("sound"))
    if not terms and not patterns:
        raise draft.fault("a wording rule needs `terms` or `patterns`")
    if unlisted := sound - terms.keys():
        raise draft.fault(f"`sound` names words that are no terms: {sorted(unlisted)}")
    return WordingRule(
        **common,
        terms=terms,
        term_words=frozenset(terms),
        allow=draft.words("allow"),
        sound_words=sound,
        patterns=patterns,
        alone=_alone(draft, common["severity"]),
    )


def _alone(draft: Draft, severity: Severity) -> Severity:
    if "alone" not in draft.fields:
        return severity
    alone = draft.text("alone")
    if alone != Severity.REVIEW or severity is not Severity.BLOCK:
        raise draft.fault("`alone` can only be `review`, of a rule that blocks")
    return Severity.REVIEW


def own_words(words: Mapping[str, str | None], severity: Severity) -> WordingRule:
    """Return the rule of an institution's own words; they are folded already."""
    return WordingRule(
        id="own-words/listed",
        title="本机构规定的用语",
        severity=severity,
        sectors=frozenset(),
        channels=frozenset(),
        basis="本机构用语规定",
        basis_status=BasisStatus.IN_FORCE,
        certainty="verified",
        reason="本机构规定不使用这个词，请换一种说法。",
        suggestion=None,
        examples=Examples((), ()),
        frames=frozenset(),
        topic=(),
        needs=(),
        unless=(),
        terms=words,
        term_words=frozenset(words),
        allow=(),
        sound_words=frozenset(),
        patterns=(),
        alone=severity,
    )
