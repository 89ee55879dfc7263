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
from itertools import groupby
from typing import Self

LONGEST = 3
REACH = 60  # characters to either side that are read with a sign
_FIGURES = re.compile("[0-9]+")
_WEIGHTIEST, _NAMED = 9, 3  # so many runs are looked at, so many words they make up are named


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

    def agrees(self, passage: str) -> bool:
        """Tell whether a normalised passage reads enough like violations for a sign in it to stop a piece."""
        return self.likeness(passage) >= self.agrees_from

    def likeness(self, passage: str) -> float:
        """Return how much a normalised passage reads like violations, from 0 to 1."""
        said = self._said(passage)
        length = math.sqrt(math.fsum(much * much for _, much, _ in said))
        score = self.bias + (math.fsum(much * weight for _, much, weight in said) / length if length else 0.0)
        return 1 / (1 + math.exp(-score))

    def lawful_signs(self, passage: str) -> list[str]:
        """Return the words that spoke most against a violation, as they stand in the passage."""
        told = sorted((much * weight, run) for run, much, weight in self._said(passage) if weight < 0)
        inside: set[int] = set()
        for _, run in told[:_WEIGHTIEST]:
            if run.isalpha():
                inside.update(at + step for at in _places(run, passage) for step in range(len(run)))
        words = [
            "".join(passage[at] for at in stretch)
            for side, stretch in groupby(range(len(passage)), inside.__contains__)
            if side
        ]
        return [*dict.fromkeys(word for word in words if len(word) > 1)][:_NAMED]

    def _said(self, passage: str) -> list[tuple[str, float, float]]:
        """Return the known runs of a passage, in their order, with how much each says and its weight."""
        counted = Counter(run for run in runs_of(passage) if run in self.weights)
        return [
            (run, (1 + math.log(times)) * self.weights[run][0], self.weights[run][1])
            for run, times in counted.items()
        ]


def _places(run: str, passage: str) -> Iterator[int]:
    at = passage.find(run)
    while at >= 0:
        yield at
        at = passage.find(run, at + 1)


def runs_of(passage: str) -> Iterator[str]:
    """Yield every run of one to three characters of a normalised passage; all figures read alike."""
    for piece in _FIGURES.sub("0", passage).split():
        for long in range(1, LONGEST + 1):
            for at in range(len(piece) - long + 1):
                yield piece[at : at + long]
