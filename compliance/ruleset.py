"""Rulesets: dated YAML files read into one immutable whole with a version and a digest."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

import yaml

from compliance.document import Channel, ProductType, Sector
from compliance.finding import BasisStatus, Severity
from compliance.match import DocumentView, FieldView, Reader
from compliance.normalise import fold
from compliance.opinion import Opinion
from compliance.pattern import Pattern, Vocabulary
from compliance.rule import Draft, Examples, Rule, RuleFaultError
from compliance.rules import (
    disclosure,
    hidden_characters,
    legibility,
    offer,
    performance,
    performance_window,
    personal_data,
    unread_picture,
    wording,
)
from compliance.scope import USUAL_FRAMES, Frame
from compliance.sight import LiteralIndex
from compliance.sound import SoundIndex

__all__ = ["Examples", "Rule", "Ruleset", "RulesetError", "load_ruleset", "read_ruleset"]

_Member = TypeVar("_Member")

RULESETS = Path(__file__).parent / "rulesets"
_VOCABULARY_KEY = "vocabulary"
_PHRASES_KEY = "phrases"
_SOUND_KEY = "sound"
_ALLOW_KEY = "allow"
_OPINION_KEY = "opinion"
_MIN_EXAMPLES = 3

_FAMILIES: Mapping[str, Callable[[Draft, Mapping[str, Any]], Rule]] = MappingProxyType(
    {
        "wording": wording.parse,
        "disclosure": disclosure.parse,
        "offer": offer.parse,
        "performance": performance.parse,
        "performance_window": performance_window.parse,
        "personal_data": personal_data.parse,
        "hidden_characters": hidden_characters.parse,
        "legibility": legibility.parse,
        "unread_picture": unread_picture.parse,
    }
)
_PACK_KEYS = frozenset(
    {"dated", "rules", _VOCABULARY_KEY, _PHRASES_KEY, _SOUND_KEY, _ALLOW_KEY, _OPINION_KEY}
)
_COMMON_KEYS = frozenset(
    {"id", "title", "family", "severity", "sectors", "channels", "basis", "basis_status"}
    | {"certainty", "reason", "suggestion", "examples", "frames", "topic", "needs", "unless"}
)
_FAMILY_KEYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "wording": frozenset({"terms", "allow", "sound", "patterns", "alone"}),
        "disclosure": frozenset({"when", "requires", "offers"}),
        "offer": frozenset({"product", "strong", "weak", "against", "least", "requires", "offers", "within"}),
        "performance": frozenset({"figures", "shorter_than", "annualised", "of", "requires"}),
        "performance_window": frozenset({"when", "days"}),
        "personal_data": frozenset({"whose"}),
        "hidden_characters": frozenset(),
        "legibility": frozenset({"of", "least_height", "least_contrast"}),
        "unread_picture": frozenset(),
    }
)


class RulesetError(Exception):
    """A ruleset that is refused: which file, which line, what is wrong."""

    def __init__(self, path: Path, line: int, fault: str) -> None:
        super().__init__(f"{path}, line {line}: {fault}")
        self.path = path
        self.line = line
        self.fault = fault


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


class _Marked(dict[str, Any]):
    """A YAML mapping that remembers its line."""

    line: int = 1


class _Loader(yaml.CSafeLoader):
    """Reads mappings with their lines and refuses a key given twice."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> _Marked:
    marked = _Marked()
    marked.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in marked:
            raise RuleFaultError(key_node.start_mark.line + 1, f"`{key}` is given twice")
        marked[key] = loader.construct_object(value_node, deep=True)
    return marked


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def load_ruleset(paths: Iterable[Path] | None = None) -> Ruleset:
    """Read rule files, or all files in folders, into a ruleset; without paths the shipped ones.

    Raises RulesetError.
    """
    if paths is None:
        return _shipped()
    return _read(_loaded(_files_of(paths)))


def read_ruleset(files: Iterable[tuple[str, bytes]]) -> Ruleset:
    """Make a ruleset of files by name, such as those another ruleset was read from.

    Raises RulesetError.
    """
    return _read([_parse(Path(name), name, content) for name, content in sorted(files)])


def load_with_shared_words(paths: Iterable[Path]) -> Ruleset:
    """Read rule files together with the word groups that the shipped files share.

    Raises RulesetError.
    """
    given = _files_of(paths)
    known = {path.resolve() for path, _ in given}
    words = [
        (path, name)
        for path, name in _files_of([RULESETS])
        if path.resolve() not in known and not _load(path, name).fields.get("rules")
    ]
    return _read(_loaded([*words, *given]))


@cache
def _shipped() -> Ruleset:
    return _read(_loaded(_files_of([RULESETS])))


@dataclass(frozen=True, slots=True)
class _Pack:
    """A rule file as read: what it is called in the ruleset, its bytes, its mapping."""

    path: Path
    name: str
    content: bytes
    fields: "_Marked"

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return the word groups of the file. Raises RulesetError."""
        return self._lists(_VOCABULARY_KEY)

    @property
    def phrases(self) -> Mapping[str, tuple[str, ...]]:
        """Return the phrases of the file: patterns under a name. Raises RulesetError."""
        return self._lists(_PHRASES_KEY)

    def _lists(self, key: str) -> dict[str, tuple[str, ...]]:
        given = self.fields.get(key) or _Marked()
        if not isinstance(given, _Marked):
            raise RulesetError(self.path, self.fields.line, f"`{key}` is a mapping of lists")
        for name, words in given.items():
            if not isinstance(words, list) or not words or not all(map(str, words)):
                raise RulesetError(self.path, given.line, f"{key} `{name}` is not a list of words")
        return {name: tuple(map(str, words)) for name, words in given.items()}

    @property
    def opinion(self) -> Opinion | None:
        """Return what labelled texts taught, where the file holds it. Raises RulesetError."""
        given = self.fields.get(_OPINION_KEY)
        if given is None:
            return None
        if not isinstance(given, _Marked) or given.keys() != {"agrees_from", "bias", "weights"}:
            raise RulesetError(
                self.path, self.fields.line, "`opinion` has `agrees_from`, `bias` and `weights`"
            )
        try:
            return Opinion.of(float(given["agrees_from"]), float(given["bias"]), str(given["weights"]))
        except (TypeError, ValueError) as error:
            raise RulesetError(self.path, given.line, f"`opinion`: {error}") from error

    def list_of(self, key: str) -> list[str]:
        """Return words that hold for the whole ruleset: `sound` or `allow`. Raises RulesetError."""
        given = self.fields.get(key) or []
        if not isinstance(given, list) or not all(isinstance(word, str) and word for word in given):
            raise RulesetError(self.path, self.fields.line, f"`{key}` is a list of words")
        return given


def _files_of(paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return every file with its name in the ruleset, a folder's files by their way inside it."""
    files: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            files += ((inner, inner.relative_to(path).as_posix()) for inner in path.rglob("*.yaml"))
        else:
            files.append((path, path.name))
    return sorted(files, key=lambda file: (file[1], file[0]))


def _loaded(files: Iterable[tuple[Path, str]]) -> list[_Pack]:
    return [_load(path, name) for path, name in files]


def _read(packs: Sequence[_Pack]) -> Ruleset:
    shared = _shared_words(packs)
    rules: dict[str, Rule] = {}
    for pack in packs:
        vocabulary = _vocabulary_of(pack, shared)
        for fields in pack.fields.get("rules") or []:
            try:
                rule = _rule(fields, pack.fields, vocabulary)
            except RuleFaultError as error:
                raise RulesetError(pack.path, error.line, error.fault) from error
            if rule.id in rules:
                raise RulesetError(pack.path, fields.line, f"{rule.id}: this id is taken")
            rules[rule.id] = rule
    digest = hashlib.sha256()
    for pack in packs:
        digest.update(pack.name.encode() + b"\0" + pack.content + b"\0")
    version = max((str(pack.fields["dated"]) for pack in packs), default="none")
    guarded = {fold(word) for pack in packs for word in pack.list_of(_SOUND_KEY)}
    allowed = [word for pack in packs for word in pack.list_of(_ALLOW_KEY)]
    return Ruleset.of(
        version,
        digest.hexdigest(),
        rules.values(),
        guarded=guarded,
        allowed=allowed,
        opinion=_opinion_of(packs),
        files=((pack.name, pack.content) for pack in packs),
    )


def _opinion_of(packs: Iterable[_Pack]) -> Opinion | None:
    """Return the one second opinion of all files. Raises RulesetError."""
    found: Opinion | None = None
    for pack in packs:
        given = pack.opinion
        if given is not None and found is not None:
            raise RulesetError(pack.path, pack.fields.line, "there is a second opinion already")
        found = given or found
    return found


def _shared_words(packs: Iterable[_Pack]) -> Vocabulary:
    """Return the word groups and phrases of files without rules, which every pack may name."""
    shared = Vocabulary({})
    for pack in packs:
        if not pack.fields.get("rules"):
            shared = _joined(shared, pack)
    return shared


def _vocabulary_of(pack: _Pack, shared: Vocabulary) -> Vocabulary:
    """Return what a pack may name: what is shared and its own."""
    return _joined(shared, pack) if pack.fields.get("rules") else shared


def _joined(shared: Vocabulary, pack: _Pack) -> Vocabulary:
    names = [*pack.groups, *pack.phrases]
    taken = {name for name in names if name in shared.groups or name in shared.phrases}
    if taken or len(set(names)) < len(names):
        raise RulesetError(pack.path, pack.fields.line, f"vocabulary {sorted(taken)} is shared already")
    return Vocabulary(
        MappingProxyType({**shared.groups, **pack.groups}),
        MappingProxyType({**shared.phrases, **pack.phrases}),
    )


def _load(path: Path, name: str) -> _Pack:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RulesetError(path, 1, str(error)) from error
    return _parse(path, name, content)


def _parse(path: Path, name: str, content: bytes) -> _Pack:
    try:
        pack = yaml.load(content.decode("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise RulesetError(path, line, error.problem or "not YAML") from error
    except RuleFaultError as error:
        raise RulesetError(path, error.line, error.fault) from error
    except UnicodeDecodeError as error:
        raise RulesetError(path, 1, str(error)) from error
    if not isinstance(pack, _Marked) or "dated" not in pack:
        raise RulesetError(path, 1, "a rule file is a mapping with `dated` and `rules`")
    if unknown := pack.keys() - _PACK_KEYS:
        raise RulesetError(path, pack.line, f"unknown keys {sorted(unknown)}")
    return _Pack(path, name, content, pack)


def _rule(fields: object, pack: _Marked, vocabulary: Vocabulary) -> Rule:
    if not isinstance(fields, _Marked):
        raise RuleFaultError(pack.line, "every rule is a mapping")
    draft = Draft(fields, fields.line, vocabulary)
    family = fields.get("family", "wording")
    if family not in _FAMILIES:
        raise draft.fault(f"unknown family {family!r}")
    if unknown := fields.keys() - _COMMON_KEYS - _FAMILY_KEYS[family]:
        raise draft.fault(f"unknown keys {sorted(unknown)}")
    return _FAMILIES[family](draft, _common(draft))


def _common(draft: Draft) -> dict[str, Any]:
    """Return what every family shares."""
    rule_id = draft.text("id")
    if rule_id.count("/") != 1:
        raise draft.fault("`id` must be `slug/name`")
    return {
        "id": rule_id,
        "title": draft.text("title"),
        "severity": _member(draft, Severity, draft.text("severity")),
        "sectors": _members(draft, Sector, "sectors"),
        "channels": _members(draft, Channel, "channels"),
        "basis": draft.text("basis"),
        "basis_status": _member(draft, BasisStatus, str(draft.fields.get("basis_status", "in_force"))),
        "certainty": str(draft.fields.get("certainty", "memory")),
        "reason": draft.text("reason"),
        "suggestion": draft.optional_text("suggestion"),
        "examples": _examples(draft),
        "frames": _members(draft, Frame, "frames") if "frames" in draft.fields else USUAL_FRAMES,
        "topic": draft.patterns("topic"),
        "needs": draft.patterns("needs"),
        "unless": draft.patterns("unless"),
    }


def _examples(draft: Draft) -> Examples:
    given = draft.fields.get("examples")
    if not isinstance(given, _Marked):
        raise draft.fault("`examples` are missing")
    examples = Draft({**given, "id": draft.text("id")}, given.line, draft.vocabulary)
    violations, compliant = examples.texts("violations"), examples.texts("compliant")
    if min(len(violations), len(compliant)) < _MIN_EXAMPLES:
        raise RuleFaultError(
            given.line,
            f"{draft.text('id')}: {_MIN_EXAMPLES} violations and {_MIN_EXAMPLES} compliant "
            "examples are needed",
        )
    return Examples(violations, compliant)


def _member(draft: Draft, kind: Callable[[str], _Member], name: str) -> _Member:
    try:
        return kind(name)
    except ValueError as error:
        raise draft.fault(str(error)) from error


def _members(draft: Draft, kind: Callable[[str], _Member], key: str) -> frozenset[_Member]:
    return frozenset(_member(draft, kind, name) for name in draft.texts(key))
