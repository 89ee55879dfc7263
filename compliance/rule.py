"""What every rule has: its clause, its reason, its examples, and the texts it looks at."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.document import Channel, ProductType, Sector, TextField
from compliance.finding import BasisStatus, Severity
from compliance.match import DocumentView, Hit
from compliance.normalise import fold
from compliance.pattern import Pattern, PatternError, Vocabulary, compile_pattern
from compliance.scope import Frame

NEARBY = 60  # characters to either side that speak of the same thing


class RuleFaultError(ValueError):
    """A rule that cannot be read; `line` is where in its file."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(fault)
        self.line = line
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts the rule must find, and texts it must leave alone. They run as tests."""

    violations: tuple[str, ...]
    compliant: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a ruleset; the families in `compliance.rules` say how it finds.

    `id` is `slug/name`; the slug is the rule's family in law. Empty `sectors` or
    `channels` mean all. The rule applies where one of `needs` and none of `unless`
    stands anywhere in the document. A piece of its sectors is about its topic without
    saying so; pieces of others, and of none stated, must name one of `topic`. `frames` are
    the contexts that make a hit lawful.
    """

    id: str
    title: str
    severity: Severity
    sectors: frozenset[Sector]
    channels: frozenset[Channel]
    basis: str
    basis_status: BasisStatus
    certainty: str
    reason: str
    suggestion: str | None
    examples: Examples
    frames: frozenset[Frame]
    topic: tuple[Pattern, ...]
    needs: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]

    @property
    def slug(self) -> str:
        return self.id.partition("/")[0]

    @property
    def words(self) -> frozenset[str]:
        """Return every word the rule itself looks for in what the automaton saw."""
        return frozenset()

    @property
    def trigger_words(self) -> frozenset[str]:
        """Return words any of which may be a hit."""
        return frozenset()

    @property
    def trigger_patterns(self) -> tuple[Pattern, ...]:
        """Return patterns any of which may be a hit.

        A rule without trigger words and patterns looks at every document.
        """
        return ()

    @property
    def other_patterns(self) -> tuple[Pattern, ...]:
        """Return the patterns the rule asks for once it has a hit."""
        return self.conditions

    @property
    def conditions(self) -> tuple[Pattern, ...]:
        """Return the patterns that tell whether a hit counts."""
        return self.topic + self.needs + self.unless

    @property
    def owed_by(self) -> frozenset[ProductType]:
        """Return the declared products for which the rule looks at the document, whatever it says."""
        return frozenset()

    def is_about(self, document: DocumentView, hit: Hit) -> bool:
        """Tell whether one of `needs` stands near a hit: a long piece speaks of many things."""
        return not self.needs or document.has_any_near(self.needs, hit, NEARBY)

    @property
    def is_duty(self) -> bool:
        """Whether the rule asks for what an offer owes; where nothing is offered, nothing is owed."""
        return False

    @property
    def forbids(self) -> bool:
        """Whether what the rule finds may not be said at all: then no disclosure beside it excuses it."""
        return not self.is_duty

    def is_sign(self, hit: str) -> bool:  # noqa: ARG002 - families that read a sentence by its build ask for it
        """Tell whether a hit is only a sign, that stops a piece where the second opinion agrees."""
        return False

    def is_outright(self, hit: str) -> bool:  # noqa: ARG002 - families that doubt ask for it
        """Tell whether a hit says outright what the rule forbids, so that it needs no second rule."""
        return True

    @property
    def guarded_words(self) -> frozenset[str]:
        """Return the words also recognised by their sound."""
        return frozenset()

    def reads(self, sector: Sector, channel: Channel) -> bool:
        """Tell whether the rule concerns a document of this sector and channel.

        A document of no known sector is read by the rules of all of them; a rule with a topic
        reads every sector, and asks for the topic where it is not at home.
        """
        known = self.sectors | {Sector.GENERAL}
        if self.sectors and not self.topic and sector not in known:
            return False
        return not self.channels or channel in self.channels

    def indispensable(self, sector: Sector) -> Iterator[tuple[Pattern, ...]]:
        """Yield groups of patterns of each of which one stands in every piece of a sector with a hit."""
        if self.topic and sector not in self.sectors:
            yield self.topic
        if self.needs:
            yield self.needs

    def holds_in(self, document: DocumentView) -> bool:
        """Tell whether a hit counts: one of `needs` is there and none of `unless`."""
        if self.topic and document.sector not in self.sectors and not document.has_any(self.topic):
            return False
        if self.needs and not document.has_any(self.needs):
            return False
        if not self.unless:
            return True
        return not (document.says_any(self.unless) if self.forbids else document.has_any(self.unless))

    def example(self, text: str) -> TextField:
        """Return an example as the rule would meet it."""
        return TextField("text", text)

    def may_hit(self, document: DocumentView) -> bool:  # noqa: ARG002 - families that need more ask for it
        """Tell whether `hits` is worth asking, where all that is indispensable may be there."""
        return True

    @abstractmethod
    def hits(self, document: DocumentView) -> Iterator[Hit]:
        """Yield every place where the rule's words stand, whatever their context."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as read from YAML, not yet understood. Accessors raise RuleFaultError."""

    fields: Mapping[str, Any]
    line: int
    vocabulary: Vocabulary

    def fault(self, message: str) -> RuleFaultError:
        name = self.fields.get("id", "a rule without id")
        return RuleFaultError(self.line, f"{name}: {message}")

    def text(self, key: str) -> str:
        value = self.fields.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"`{key}` must be a text")
        return value.strip()

    def optional_text(self, key: str) -> str | None:
        return None if self.fields.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.fields.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fault(f"`{key}` must be a list of texts")
        return tuple(value)

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of literal words, folded as the texts will be."""
        words = tuple(fold(word) for word in self.texts(key))
        if not all(words):
            raise self.fault(f"`{key}` contains an empty word")
        return words

    def replacements(self, key: str) -> dict[str, str | None]:
        """Return words with the wording that may take their place, where they have one."""
        found: dict[str, str | None] = {}
        for item in self.fields.get(key, []):
            if isinstance(item, str):
                found[fold(item)] = None
            elif isinstance(item, dict):
                for word, wording in item.items():
                    if not isinstance(word, str) or not isinstance(wording, str):
                        raise self.fault(f"`{key}`: {item!r} must be `word: wording`")
                    found[fold(word)] = wording
            else:
                raise self.fault(f"`{key}`: {item!r} must be a word or `word: wording`")
        return found

    def patterns(self, key: str) -> tuple[Pattern, ...]:
        """Return patterns any of which will do."""
        return tuple(pattern for group in self.groups(key) for pattern in group)

    def groups(self, key: str) -> tuple[tuple[Pattern, ...], ...]:
        """Return every entry as the patterns it stands for: a phrase alone is all its wordings."""
        return tuple(self._compiled(key, source) for source in self.texts(key))

    def _compiled(self, key: str, source: str) -> tuple[Pattern, ...]:
        named = source.strip().removeprefix("<").removesuffix(">")
        sources = (
            self.vocabulary.phrases.get(named, (source,)) if f"<{named}>" == source.strip() else (source,)
        )
        try:
            return tuple(compile_pattern(one, self.vocabulary) for one in sources)
        except PatternError as error:
            raise self.fault(f"`{key}`: {error}") from error
