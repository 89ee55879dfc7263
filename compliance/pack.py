"""Packs: dated YAML files of rules, of words they share, and of a second opinion, read with their lines."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from compliance.document import Channel, Sector
from compliance.finding import BasisStatus, Severity
from compliance.opinion import Opinion
from compliance.pattern import Vocabulary
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

_Member = TypeVar("_Member")

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


@dataclass(frozen=True, slots=True)
class Pack:
    """A rule file as read: what it is called in the ruleset, its bytes, its mapping."""

    path: Path
    name: str
    content: bytes
    fields: _Marked

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

    @property
    def guarded(self) -> list[str]:
        """Return the words that the whole ruleset recognises by their sound. Raises RulesetError."""
        return self._list_of(_SOUND_KEY)

    @property
    def allowed(self) -> list[str]:
        """Return the phrases inside which no rule has a hit. Raises RulesetError."""
        return self._list_of(_ALLOW_KEY)

    def _list_of(self, key: str) -> list[str]:
        given = self.fields.get(key) or []
        if not isinstance(given, list) or not all(isinstance(word, str) and word for word in given):
            raise RulesetError(self.path, self.fields.line, f"`{key}` is a list of words")
        return given


def files_of(paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return every file with its name in the ruleset, a folder's files by their way inside it."""
    files: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            files += ((inner, inner.relative_to(path).as_posix()) for inner in path.rglob("*.yaml"))
        else:
            files.append((path, path.name))
    return sorted(files, key=lambda file: (file[1], file[0]))


def rules_in(packs: Sequence[Pack]) -> list[Rule]:
    """Return the rules of all packs, which may name what those without rules share. Raises RulesetError."""
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
    return [*rules.values()]


def opinion_in(packs: Iterable[Pack]) -> Opinion | None:
    """Return the one second opinion of all files. Raises RulesetError."""
    found: Opinion | None = None
    for pack in packs:
        given = pack.opinion
        if given is not None and found is not None:
            raise RulesetError(pack.path, pack.fields.line, "there is a second opinion already")
        found = given or found
    return found


def _shared_words(packs: Iterable[Pack]) -> Vocabulary:
    """Return the word groups and phrases of files without rules, which every pack may name."""
    shared = Vocabulary({})
    for pack in packs:
        if not pack.fields.get("rules"):
            shared = _joined(shared, pack)
    return shared


def _vocabulary_of(pack: Pack, shared: Vocabulary) -> Vocabulary:
    """Return what a pack may name: what is shared and its own."""
    return _joined(shared, pack) if pack.fields.get("rules") else shared


def _joined(shared: Vocabulary, pack: Pack) -> Vocabulary:
    names = [*pack.groups, *pack.phrases]
    taken = {name for name in names if name in shared.groups or name in shared.phrases}
    if taken or len(set(names)) < len(names):
        raise RulesetError(pack.path, pack.fields.line, f"vocabulary {sorted(taken)} is shared already")
    return Vocabulary(
        MappingProxyType({**shared.groups, **pack.groups}),
        MappingProxyType({**shared.phrases, **pack.phrases}),
    )


def load_pack(path: Path, name: str) -> Pack:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RulesetError(path, 1, str(error)) from error
    return parse_pack(path, name, content)


def parse_pack(path: Path, name: str, content: bytes) -> Pack:
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
    return Pack(path, name, content, pack)


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
