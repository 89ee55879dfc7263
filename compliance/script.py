"""The script a text is written in, so that what is suggested in it looks like the rest of it."""

from collections import Counter
from functools import cache, lru_cache
from types import MappingProxyType

from compliance.normalise import character_pairs


def in_script_of(text: str, wording: str) -> str:
    """Return a wording, which the rules give in simplified script, in the script of a text.

    One or two traditional characters in a simplified text are a disguise and no habit.
    """
    if not _is_traditional(text):
        return wording
    return "".join(_forms().get(char, char) for char in wording)


@lru_cache(maxsize=64)  # asked for every hit in a text
def _is_traditional(text: str) -> bool:
    counted = Counter(text)
    forms, traditional = _forms(), _traditional()
    return sum(counted[char] for char in counted if char in traditional) > sum(
        counted[char] for char in counted if char in forms
    )


@cache
def _forms() -> MappingProxyType[str, str]:
    """Return the traditional form, as printed in Hong Kong, of what is written otherwise in it."""
    printed = dict(character_pairs("HKVariants"))
    forms = {simplified: printed.get(form, form) for simplified, form in character_pairs("STCharacters")}
    return MappingProxyType({char: form for char, form in forms.items() if char != form})


@cache
def _traditional() -> frozenset[str]:
    return frozenset(_forms().values())
