"""Feed the checker what nobody would write, and see that it neither fails nor slows down.

    python -m benchmarks.compliance_fuzz [--minutes M] [--seed N]

Texts are spliced from the rules' own words and examples, from disguises and from any Unicode at all.
Of every one it is asked that the checker answers, that each span is the text it names, that folding
again changes nothing, and that the same text gets the same report. An input that opens lines of
code no earlier one had reached is kept and built upon. For every pattern, and for every tenth text,
the text is then repeated to ten times its length, and must not take more than its share of time: one that
does is asked again in a process of its own, three times, before it counts.
Ends with 1 and the inputs in question where any of this does not hold.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Any, Final

import compliance
from compliance.check import check
from compliance.disguises import CONFUSABLES, LOOK_ALIKES, PARTS, PICTURES
from compliance.document import Channel, Document, FieldKind, ProductType, Sector, TextField
from compliance.normalise import normalise
from compliance.pattern import Pattern
from compliance.rule import Rule
from compliance.ruleset import Ruleset, load_ruleset

_HOME: Final = str(Path(compliance.__file__).parent)
_SHORT: Final = 500
_TIMES: Final = 10
_SLACK: Final = 4.0  # a repeated text may cost so much more a character: caches, neighbours
_FLOOR_SECONDS: Final = 0.02  # below this the clock is noise
_TIMES_AGAIN: Final = 3
_SLOW_MICROSECONDS: Final = 200.0  # a character; a poster of 2,000 would take 0.4 s
_NOISE: Final = (
    *" \n\t·.*_-~|/、，。！？：；“”「」《》()【】…—×✗",
    *"\u200b\u200d\u00ad\u2060\ufeff\ufe0f\u0336\u0301\u202e\u3000\ud800\udfff\0\u115f\U000e0041",
    *"0123456789０１２⑧八捌%％元块年月日天",
)


@dataclass
class Findings:
    """What went wrong, and how slow the slowest was."""

    inputs: int = 0
    patterns: int = 0
    kept: int = 0
    passing: int = 0  # growths that did not come again
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


class _Reached:
    """Lines of the library reached so far, told by tracing."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()
        self._new = False

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_HOME):
            return None
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            if line not in self.lines:
                self.lines.add(line)
                self._new = True
        return self._trace

    def during(self, act: Callable[[], object]) -> bool:
        """Run an act and tell whether it reached a line nobody had."""
        self._new = False
        sys.settrace(self._trace)
        try:
            act()
        finally:
            sys.settrace(None)
        return self._new


class _Writer:
    """Writes texts out of words, examples and disguises."""

    def __init__(self, ruleset: Ruleset, seed: int) -> None:
        self.random = random.Random(seed)
        self.words = sorted(
            {word for pattern in patterns_of(ruleset) for gate in pattern.gates for word in gate}
        )
        self.words += sorted({word for rule in ruleset.rules for word in rule.words})
        self.kept = [
            text for rule in ruleset.rules for text in (*rule.examples.violations, *rule.examples.compliant)
        ]
        self._disguises = [*LOOK_ALIKES, *CONFUSABLES, *PARTS, *PICTURES]

    def text(self) -> str:
        pieces = []
        for _ in range(self.random.randint(1, 12)):
            kind = self.random.random()
            if kind < 0.35:
                pieces.append(self.random.choice(self.words))
            elif kind < 0.6:
                pieces.append(self._cut(self.random.choice(self.kept)))
            elif kind < 0.75:
                pieces.append(self.random.choice(_NOISE) * self.random.choice((1, 1, 1, 3, 40)))
            elif kind < 0.85:
                pieces.append(self.random.choice(self._disguises))
            elif kind < 0.95:
                pieces.append(self._torn(self.random.choice(self.words)))
            else:
                pieces.append("".join(chr(self.random.randrange(0x110000)) for _ in range(5)))
        return "".join(pieces)

    def _cut(self, text: str) -> str:
        low, high = sorted(self.random.randrange(len(text) + 1) for _ in range(2))
        return text[low:high] or text

    def _torn(self, word: str) -> str:
        return str(self.random.choice(_NOISE)).join(word)

    def document(self, text: str) -> Document:
        cut = self.random.randrange(len(text) + 1)
        kinds = [*FieldKind]
        return Document(
            fields=(
                TextField("a", text[:cut], self.random.choice(kinds)),
                TextField("b", text[cut:]),
            ),
            sector=self.random.choice([*Sector]),
            channel=self.random.choice([*Channel]),
            product_type=self.random.choice([None, *ProductType]),
        )


def patterns_of(ruleset: Ruleset) -> list[Pattern]:
    return [pattern for rule in ruleset.rules for pattern in (*rule.trigger_patterns, *rule.other_patterns)]


def faults_in(text: str, document: Document, ruleset: Ruleset) -> Iterator[str]:
    """Yield what does not hold of a text."""
    report = check(document, ruleset)
    texts = {given.name: given.text for given in document.fields}
    for found in report.findings:
        if texts[found.field][found.span.start : found.span.end] != found.text or not found.text:
            yield f"span {found.span} of {found.rule_id} is not what it says"
    if report.to_json() != check(document, ruleset).to_json():
        yield "two reports differ"
    once = normalise(text)
    if normalise(once.text).text != once.text:
        yield "normalising again changes it"
    if [*once.origins] != sorted(once.origins) or len(once.origins) != len(once.text):
        yield "the way back is broken"


@dataclass(frozen=True)
class Checking:
    """The whole checker as the one that reads a text; like `Searching` it can be sent to another process."""

    def __call__(self, text: str) -> object:
        return check(Document.of_text(text), load_ruleset())


@dataclass(frozen=True)
class Searching:
    """One pattern of a rule as the one that reads a text."""

    rule: str
    source: str

    def __call__(self, text: str) -> object:
        return [*_pattern(self.rule, self.source).regex.finditer(text)]


@cache
def _pattern(rule_id: str, source: str) -> Pattern:
    rule = load_ruleset().rule(rule_id)
    return next(one for one in (*rule.trigger_patterns, *rule.other_patterns) if one.source == source)


@dataclass(frozen=True)
class Growth:
    """How much of the processor's time a text takes, and ten times the text."""

    characters: int
    little: float
    much: float

    @property
    def each(self) -> float:
        """Return the microseconds a character of the long text takes."""
        return self.much / (self.characters * _TIMES) * 1e6

    @property
    def is_alarming(self) -> bool:
        """Tell whether time grows faster than length, or is too long in any case."""
        grows = self.much > _FLOOR_SECONDS and self.much > self.little * _TIMES * _SLACK
        return grows or self.each > _SLOW_MICROSECONDS

    def __str__(self) -> str:
        return (
            f"{self.characters} characters take {self.little * 1e3:.1f} ms, "
            f"{self.characters * _TIMES} take {self.much * 1e3:.1f} ms"
        )


def growth_of(read: Callable[[str], object], text: str) -> Growth:
    """Time a text and ten times the text, the least of two goes each, while no garbage is collected.

    A collection walks through all that the process has gathered, and falls to whoever is being timed.
    """
    short = (text * (_SHORT // len(text) + 1))[:_SHORT]
    read(short)
    collects = gc.isenabled()
    gc.disable()
    try:
        return Growth(_SHORT, *(_seconds_of(read, given) for given in (short, short * _TIMES)))
    finally:
        if collects:
            gc.enable()


def _seconds_of(read: Callable[[str], object], text: str) -> float:
    spent = []
    for _ in range(2):
        start = time.process_time()
        read(text)
        spent.append(time.process_time() - start)
    return min(spent)


def grows_again(read: Callable[[str], object], text: str) -> bool:
    """Tell whether a growth alarms three times more, in a process that has read nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return all(fresh.submit(growth_of, read, text).result().is_alarming for _ in range(_TIMES_AGAIN))


def watch_growth(
    name: str,
    text: str,
    read: Callable[[str], object],
    found: Findings,
    comes_again: Callable[[Callable[[str], object], str], bool] = grows_again,
) -> None:
    """Note a text whose time grows faster than its length, if it does so in another process too."""
    if not text:
        return
    growth = growth_of(read, text)
    found.slowest = max(found.slowest, (round(growth.each, 2), f"{name}: {text[:60]!r}"))
    if not growth.is_alarming:
        return
    if comes_again(read, text):
        found.faults.append(f"{name}: {growth}: {text[:80]!r}")
    else:
        found.passing += 1


def worst_texts(rule: Rule, pattern: Pattern, chance: random.Random) -> Iterator[str]:
    """Yield texts that nearly match a pattern again and again."""
    gates = [sorted(gate) for gate in pattern.gates]
    yield "".join(chance.choice(gate) for gate in gates)
    yield "".join(chance.choice(gate) + "的" * 3 for gate in gates)
    for gate in gates:
        yield chance.choice(gate)
        yield chance.choice(gate) + "的" * chance.randrange(12)
    yield chance.choice(rule.examples.violations or ("的",))


def fuzz(minutes: float, seed: int) -> Findings:
    ruleset = load_ruleset()
    writer, reached, found = _Writer(ruleset, seed), _Reached(), Findings()
    end = time.monotonic() + minutes * 60
    pairs = [
        (rule, pattern)
        for rule in ruleset.rules
        for pattern in (*rule.trigger_patterns, *rule.other_patterns)
    ]
    writer.random.shuffle(pairs)
    half = time.monotonic() + minutes * 30
    for rule, pattern in pairs:
        for text in worst_texts(rule, pattern, writer.random):
            watch_growth(
                f"pattern {pattern.source} of {rule.id}", text, Searching(rule.id, pattern.source), found
            )
        found.patterns += 1
        if time.monotonic() > half:
            break
    while time.monotonic() < end:
        text = writer.text()
        document = writer.document(text)
        found.inputs += 1
        try:
            found.faults += (f"{fault}: {text!r}" for fault in faults_in(text, document, ruleset))
            # tracing is slow: one in four is looked at for new ground
            if found.inputs % 4 == 0 and reached.during(lambda: check(document, ruleset)):  # noqa: B023 - called at once
                writer.kept.append(text)
                found.kept += 1
            if found.inputs % 10 == 0:
                watch_growth("text", text, Checking(), found)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is looked for
            found.faults.append(f"{type(error).__name__}: {error}: {text!r}")
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=20261127)
    options = parser.parse_args(argv)
    found = fuzz(options.minutes, options.seed)
    for fault in found.faults[:50]:
        print(fault.encode("utf-8", "backslashreplace").decode())
    each, what = found.slowest
    print(f"{found.patterns} patterns, {found.inputs} texts, {found.kept} opened new ground")
    print(f"{len(found.faults)} faults; {found.passing} growths did not come again")
    print(f"slowest: {each} µs a character, {what}".encode("utf-8", "backslashreplace").decode())
    if found.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
