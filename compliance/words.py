"""Ordinary words, by jieba's dictionary."""

from functools import cache

from compliance.installed import file_of

LONGEST = 4
_MIN_FREQUENCY = 10


@cache
def common_words() -> frozenset[str]:
    """Return the words of two to four characters in jieba's dictionary.

    Read as a file, when first asked for: importing jieba would build its tree, and detection
    never segments.
    """
    words: set[str] = set()
    for line in file_of("jieba", "dict.txt").read_text("utf-8").splitlines():
        word, frequency, _ = line.split(" ", 2)
        if 1 < len(word) <= LONGEST and int(frequency) >= _MIN_FREQUENCY:
            words.add(word)
    return frozenset(words)
