"""Rulesets: dated YAML files read into one immutable whole with a version and a digest."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from compliance.document import Channel, ProductType, Sector
from compliance.finding import Severity
from compliance.match import DocumentView, FieldView, Reader
from compliance.normalise import fold
from compliance.opinion import Opinion
from compliance.pack import Pack, RulesetError, files_of, load_pack, opinion_in, parse_pack, rules_in
from compliance.pattern import Pattern
from compliance.rule import Examples, Rule
from compliance.rules import wording
from compliance.sight import LiteralIndex
from compliance.sound import SoundIndex

__all__ = ["Examples", "Rule", "Ruleset", "RulesetError", "load_ruleset", "read_ruleset"]

RULESETS = Path(__file__).parent / "rulesets"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Rules with the indexes built from them; immutable, so it can be swapped whole."""

    version: str
    digest: str
    rules: tuple[Rule, ...]
    reader: Reader = field(repr=False, compare=False)
    allowed: frozenset[str] = field(repr=False)
    opinion: Opinion | None = field(repr=False, compare=False)
    # the files it was read from, by name: what `read_ruleset` makes this very ruleset of again
    files: tuple[tuple[str, bytes], ...] = field(repr=False, compare=False)
    # of rules sets are kept as bits: one for each, in their order
    _by_word: Mapping[str, int] = field(repr=False, compare=False)
    _by_pattern: Mapping[Pattern, int] = field(repr=False, compare=False)
    _by_product: Mapping[ProductType, int] = field(repr=False, compare=False)
    _by_audience: Mapping[tuple[Sector, Channel], int] = field(repr=False, compare=False)
    # for each rule, in their order, bits of patterns: without one of each it has no hit in the sector
    _indispensable: Mapping[Sector, Sequence[Sequence[int]]] = field(repr=False, compare=False)
    # the rules that more than their own words and patterns may rule out there
    _particular: Mapping[Sector, int] = field(repr=False, compare=False)
    _always: int = field(repr=False, compare=False)

    @classmethod
    def of(
        cls,
        version: str,
        digest: str,
        rules: Iterable[Rule],
        *,
        guarded: Iterable[str] = (),
        allowed: Iterable[str] = (),
        sounds: SoundIndex | None = None,
        opinion: Opinion | None = None,
        files: Iterable[tuple[str, bytes]] = (),
    ) -> Self:
        """Build the indexes over some rules.

        `guarded` words are recognised by their sound as well. Inside an `allowed` phrase no rule has
        a hit. `sounds` is given where the index of another ruleset serves. Without an `opinion` every
        sign stops a piece. `files` are what the rules were read from, where they were read from files.
        """
        sheltering = frozenset(map(fold, allowed))
        ordered = tuple(sorted(rules, key=lambda rule: rule.id))
        by_word: dict[str, int] = {}
        by_pattern: dict[Pattern, int] = {}
        by_product: dict[ProductType, int] = {}
        always = 0
        for at, rule in enumerate(ordered):
            bit = 1 << at
            for word in rule.trigger_words:
                by_word[word] = by_word.get(word, 0) | bit
            for product in rule.owed_by:
                by_product[product] = by_product.get(product, 0) | bit
            for pattern in rule.trigger_patterns:
                by_pattern[pattern] = by_pattern.get(pattern, 0) | bit
            if not rule.trigger_words and not rule.trigger_patterns:
                always |= bit
        if sounds is None:
            sounds = SoundIndex({*guarded, *(word for rule in ordered for word in rule.guarded_words)})
        reader = Reader(
            LiteralIndex(
                {*sheltering, *sounds.forms, *(word for rule in ordered for word in rule.words)},
                by_pattern,
                (pattern for rule in ordered for pattern in rule.other_patterns),
            ),
            sounds,
        )
        return cls(
            version=version,
            digest=digest,
            rules=ordered,
            reader=reader,
            allowed=sheltering,
            opinion=opinion,
            files=tuple(files),
            _by_word=by_word,
            _by_pattern=by_pattern,
            _by_product=by_product,
            _by_audience={
                (sector, channel): sum(
                    1 << at for at, rule in enumerate(ordered) if rule.reads(sector, channel)
                )
                for sector in Sector
                for channel in Channel
            },
            _indispensable={
                sector: [[*map(reader.bits.of, rule.indispensable(sector))] for rule in ordered]
                for sector in Sector
            },
            _particular={
                sector: sum(
                    1 << at
                    for at, rule in enumerate(ordered)
                    if any(rule.indispensable(sector)) or type(rule).may_hit is not Rule.may_hit
                )
                for sector in Sector
            },
            _always=always,
        )

    def rules_for(self, document: DocumentView) -> list[Rule]:
        """Return the rules that read such a document and may have a hit in it."""
        told, asked = self._always, 0
        if document.product_type is not None:
            told |= self._by_product.get(document.product_type, 0)
        doubtful: list[tuple[int, FieldView, Pattern]] = []
        for one in document.judged:
            for word in one.sight.words:
                told |= self._by_word.get(word, 0)
            for pattern in document.bits.patterns_in(one.sight.ready):
                rules = self._by_pattern[pattern]
                if pattern.plain:
                    told |= rules
                else:
                    asked |= rules
                    doubtful.append((rules, one, pattern))
        concerned = self._by_audience[document.sector, document.channel]
        indispensable = self._indispensable[document.sector]
        may_have = document.may_match.__and__
        for at in _positions_in((told | asked) & concerned & self._particular[document.sector]):
            if not (all(map(may_have, indispensable[at])) and self.rules[at].may_hit(document)):
                concerned ^= 1 << at
        for rules, one, pattern in doubtful:
            if rules & concerned & ~told and one.counting(pattern):
                told |= rules
        return [self.rules[at] for at in _positions_in(told & concerned)]

    def with_words(
        self,
        words: Mapping[str, str | None],
        *,
        allowed: Iterable[str] = (),
        severity: Severity = Severity.REVIEW,
    ) -> "Ruleset":
        """Return a ruleset that knows an institution's own words as well; this one stays as it is.

        `words` maps each word to the wording that may take its place. The digest tells both apart.
        """
        allowed = sorted(allowed)
        own = wording.own_words({fold(word): instead for word, instead in words.items()}, severity)
        told = json.dumps([sorted(words.items()), allowed, severity], ensure_ascii=False)
        return Ruleset.of(
            self.version,
            hashlib.sha256(f"{self.digest}\0{told}".encode("utf-8", "surrogatepass")).hexdigest(),
            [*self.rules, *([own] if words else [])],
            allowed=[*self.allowed, *allowed],
            sounds=self.reader.sounds,
            opinion=self.opinion,
        )

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of this id. Raises KeyError."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def _positions_in(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        bits ^= lowest
        yield lowest.bit_length() - 1


def load_ruleset(paths: Iterable[Path] | None = None) -> Ruleset:
    """Read rule files, or all files in folders, into a ruleset; without paths the shipped ones.

    Raises RulesetError.
    """
    if paths is None:
        return _shipped()
    return _read([load_pack(path, name) for path, name in files_of(paths)])


def read_ruleset(files: Iterable[tuple[str, bytes]]) -> Ruleset:
    """Make a ruleset of files by name, such as those another ruleset was read from.

    Raises RulesetError.
    """
    return _read([parse_pack(Path(name), name, content) for name, content in sorted(files)])


def load_with_shared_words(paths: Iterable[Path]) -> Ruleset:
    """Read rule files together with the word groups that the shipped files share.

    Raises RulesetError.
    """
    given = files_of(paths)
    known = {path.resolve() for path, _ in given}
    shipped = [load_pack(path, name) for path, name in files_of([RULESETS]) if path.resolve() not in known]
    shared = [pack for pack in shipped if not pack.fields.get("rules")]
    return _read([*shared, *(load_pack(path, name) for path, name in given)])


@cache
def _shipped() -> Ruleset:
    return load_ruleset([RULESETS])


def _read(packs: Sequence[Pack]) -> Ruleset:
    digest = hashlib.sha256()
    for pack in packs:
        digest.update(pack.name.encode() + b"\0" + pack.content + b"\0")
    return Ruleset.of(
        max((str(pack.fields["dated"]) for pack in packs), default="none"),
        digest.hexdigest(),
        rules_in(packs),
        guarded={fold(word) for pack in packs for word in pack.guarded},
        allowed=[phrase for pack in packs for phrase in pack.allowed],
        opinion=opinion_in(packs),
        files=((pack.name, pack.content) for pack in packs),
    )
