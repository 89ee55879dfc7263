"""A second opinion on what is only a sign: does the passage read like those that were not lawful?

A listed duty or a plain promise needs no opinion. A pattern that saw a sentence's build, and a word that
stands in quotation marks or beside a negation, are signs: they stop a piece where the opinion agrees. It
knows how much each run of one to three characters speaks for a violation in labelled texts, and nothing
else: it is deterministic, reads only what stands near the sign, and names what weighed most. By itself it
finds nothing, and it has no say in what a rule blocks.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Self

from compliance.words import common_words

LONGEST = 3
REACH = 60  # characters to either side that are read with a sign
_FIGURES = re.compile("[0-9]+")
_LEAST_READ = 16  # characters
_FEW = 8  # of a longer sign the pattern took in what stands round it
_NAMED = 3  # so many words are named
_UNKNOWN = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sign with what stands round it, normalised."""

    before: str
    sign: str
    after: str

    @property
    def text(self) -> str:
        return self.before + self.sign + self.after


@dataclass(frozen=True, slots=True)
class Opinion:
    """What labelled texts taught.

    `weights` gives each run its rarity and how much it speaks for a violation; `agrees_from` is the
    likeness to violations, from 0 to 1, under which a sign alone stops nothing.
    """

    agrees_from: float
    bias: float
    weights: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, agrees_from: float, bias: float, lines: str) -> Self:
        """Read weights from lines of a run, its rarity and its weight. Raises ValueError."""
        weights = {}
        for line in lines.splitlines():
            run, rarity, weight = line.split(" ")
            weights[run] = (float(rarity), float(weight))
        return cls(agrees_from, bias, weights)

    def agrees(self, passage: Passage) -> bool:
        """Tell whether a passage reads enough like violations for the sign in it to stop a piece.

        Of a few words nothing can be said: they do.
        """
        return len(passage.text) < _LEAST_READ or self.likeness(passage) >= self.agrees_from

    def likeness(self, passage: Passage) -> float:
        """Return how much a passage reads like violations, from 0 to 1."""
        said = self._said(passage)
        length = math.sqrt(math.fsum(much * much for _, much, _ in said))
        score = self.bias + (math.fsum(much * weight for _, much, weight in said) / length if length else 0.0)
        return 1 / (1 + math.exp(-score))

    def lawful_words(self, passage: Passage) -> list[str]:
        """Return the words round the sign that spoke most against a violation."""
        told = sorted((much * weight, run) for run, much, weight in self._said(passage) if weight < 0)
        around = f"{passage.before}\n{passage.after}"
        words = (run for _, run in told if run in around and run in common_words())
        return [*islice(words, _NAMED)]

    def _said(self, passage: Passage) -> list[tuple[str, float, float]]:
        """Return the known runs of a passage, in their order, with how much each says and its weight.

        What speaks against a violation inside a few words is their own: 保证 in 保证不亏 excuses nothing.
        """
        counted = Counter(run for run in runs_of(passage.text) if run in self.weights)
        if len(passage.sign) <= _FEW:
            counted.subtract(run for run in runs_of(passage.sign) if self.weights.get(run, _UNKNOWN)[1] < 0)
        return [
            (run, (1 + math.log(times)) * self.weights[run][0], self.weights[run][1])
            for run, times in counted.items()
            if times > 0
        ]


def runs_of(passage: str) -> Iterator[str]:
    """Yield every run of one to three characters of a normalised passage; all figures read alike."""
    for piece in _FIGURES.sub("0", passage).split():
        for long in range(1, LONGEST + 1):
            for at in range(len(piece) - long + 1):
                yield piece[at : at + long]
