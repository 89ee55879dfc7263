"""Find out beforehand what drawing a design will ask for, so that nobody waits for it."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from templates_lib import layout
from templates_lib.compile import CompiledTemplate
from templates_lib.compose import ready_pictures
from templates_lib.fill import SlotErrors, Value, fill, without_omitted
from templates_lib.skeleton import Counts, Skeleton

_MOST_ARRANGEMENTS: Final = 16  # of one set of values: more than a design with two flowing texts has


def rehearse(compiled: CompiledTemplate, casts: Iterable[Mapping[str, Value]]) -> int:
    """Make the still pages of these values, and of all numbers of lines their texts may take.

    Returns how many arrangements could be laid out. Values that do not fit are passed over: the
    numbers of lines they would have taken are none that a picture may have.
    """
    manifest = compiled.manifest
    arranged: set[tuple[frozenset[str], Counts]] = set()
    for cast in casts:
        values = without_omitted(manifest, cast)
        try:
            skeleton = compiled.skeleton(fill(manifest, values))
            own = ready_pictures(compiled, values).counts
        except SlotErrors:
            continue
        for counts in itertools.islice(_numbers_of_lines(compiled, skeleton, own), _MOST_ARRANGEMENTS):
            if (skeleton.present, counts) in arranged:
                continue
            arranged.add((skeleton.present, counts))
            with layout.ENGINE:
                if (plates := compiled.plates(skeleton, counts)) is not None:
                    for page in range(manifest.pages):
                        compiled.plate(plates, page, skeleton)
    return len(arranged)


def _numbers_of_lines(compiled: CompiledTemplate, skeleton: Skeleton, own: Counts) -> Iterator[Counts]:
    """Yield those the values take, then every other combination, the shortest first."""
    yield own
    slots = {place.element.ordinal: place.element.slot for place in skeleton.texts}
    ranges = [
        range(1, (compiled.manifest.slot(slots[ordinal]).max_lines or lines) + 1) if lines else (0,)
        for ordinal, lines in own
    ]
    for lines in itertools.product(*ranges):
        counts = tuple((ordinal, count) for (ordinal, _), count in zip(own, lines, strict=True))
        if counts != own:
            yield counts
