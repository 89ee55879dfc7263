"""QR symbols of addresses of one length, learned from the library that makes them.

Every module of a symbol is a sum (exclusive or) of bits of the address, of its length and of the
mask: Reed-Solomon codes are linear, and so are placing and masking. So after some hundred symbols of
a length were made by the library, all others follow from those by exclusive or, whole symbols at a
time. Of the eight masks the one with the least penalty is chosen as the library does. What was
learned is tried on fresh addresses before it is used; nothing here knows how a QR code is built.

Source: ISO/IEC 18004:2015, 7.8.3 (penalties) and 7.9.1 (where the number of the mask stands).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

Modules = Sequence[bytes]  # one row of 0 and 1 a line of modules
Make = Callable[[str], Modules]

_SIGNS: Final = tuple(map(chr, range(0x21, 0x7F)))
_BITS: Final = 7  # of a character of ASCII
_MASKS: Final = 8
_MASK_AT: Final = (8, 2)  # row and column of its first bit; the three are inverted by 101
_MASK_XOR: Final = 0b101
_TRIED: Final = 24
_MOST_ASKED: Final = 4  # times the symbols that suffice if no address tells the same twice


class CannotLearn(ValueError):
    """The symbols of this length are no sums, or too few masks were seen."""


class QrFamily:
    """The symbols of all addresses of one length. Raises CannotLearn.

    A symbol is held as one whole number: its rows, and behind them its columns as rows. Rows are
    whole bytes with at least one bit to spare, which no run of modules can cross.
    """

    def __init__(self, length: int, make: Make) -> None:
        signs = random.Random(length)  # noqa: S311  the same on every machine
        addresses = ("".join(signs.choices(_SIGNS, k=length)) for _ in iter(int, 1))
        self.side = len(make(next(addresses)))
        self._stride = self.side // 8 * 8 + 8
        self._half = self.side * self._stride
        row = (1 << self.side) - 1 << self._stride - self.side
        self._all = self._rows(row, 2 * self.side)
        # where a square of two by two begins
        self._squares = self._rows(row & row >> 1, self.side - 1) << self._half + self._stride
        found = self._learned(length, make, addresses)
        self._offsets = found[:_MASKS]
        self._signs: list[dict[str, int]] = [
            {sign: _sum(found[at + bit] for bit in range(_BITS) if ord(sign) >> bit & 1) for sign in _SIGNS}
            for at in range(_MASKS, len(found), _BITS)
        ]
        for _ in range(_TRIED):
            address = next(addresses)
            if self.packed(address) != self._number(make(address)) >> self._half:
                raise CannotLearn(f"addresses of {length} characters")

    def bits(self, address: str) -> bytes:
        """The rows of a symbol as bits, a dark module being 1, each row in whole bytes."""
        return self.packed(address).to_bytes(self._half // 8, "big")

    def packed(self, address: str) -> int:
        """The rows of a symbol as one number."""
        plain = 0
        for sums, sign in zip(self._signs, address, strict=True):
            plain ^= sums[sign]
        return min((plain ^ offset for offset in self._offsets), key=self._penalty) >> self._half

    def _penalty(self, dark: int) -> int:
        light = self._all ^ dark
        penalty = 0
        for one in (dark, light):
            two = one & one >> 1
            five = two & two >> 2 & one >> 4
            # a run of five costs three, each module more one more
            penalty += five.bit_count() + (five ^ five << 1).bit_count()
        unlike = dark ^ dark >> 1
        unlike |= unlike << self._stride | dark ^ dark << self._stride
        penalty += 3 * (self._squares & ~unlike).bit_count()
        four = light & light >> 1
        four &= four >> 2
        finder = dark & dark >> 2 & dark >> 3 & dark >> 4 & dark >> 6 & light >> 1 & light >> 5
        penalty += 40 * (finder & (four << 4 | four >> 7)).bit_count()
        count, whole = (dark >> self._half).bit_count(), self.side**2
        return penalty + 10 * (abs(2 * count - whole) * 10 // whole)

    def _rows(self, row: int, count: int) -> int:
        return _sum(row << at * self._stride for at in range(count))

    def _number(self, modules: Modules) -> int:
        columns = [bytes(column) for column in zip(*modules, strict=True)]
        number = 0
        for row in (*modules, *columns):
            number = number << self._stride | int(row.translate(_DIGITS), 2) << self._stride - self.side
        return number

    def _learned(self, length: int, make: Make, addresses: Iterator[str]) -> list[int]:
        """What each mask and each bit of an address adds to a symbol: Gaussian elimination."""
        wanted = _MASKS + _BITS * length
        known: dict[int, tuple[int, int]] = {}  # by its highest unknown: a sum of unknowns, its symbol
        for _ in range(_MOST_ASKED * wanted):
            address = next(addresses)
            modules = make(address)
            if len(modules) != self.side:
                raise CannotLearn(f"addresses of {length} characters have several sizes")
            at = slice(_MASK_AT[1], _MASK_AT[1] + 3)
            unknowns = 1 << (int(modules[_MASK_AT[0]][at].translate(_DIGITS), 2) ^ _MASK_XOR)
            for place, sign in enumerate(address):
                unknowns |= ord(sign) << _MASKS + _BITS * place
            symbol = self._number(modules)
            while unknowns and (highest := unknowns.bit_length() - 1) in known:
                unknowns, symbol = unknowns ^ known[highest][0], symbol ^ known[highest][1]
            if unknowns:
                known[highest] = unknowns, symbol
            if len(known) == wanted:
                break
        else:
            raise CannotLearn(f"addresses of {length} characters")
        found: list[int] = []
        for highest in range(wanted):
            unknowns, symbol = known[highest]
            for lower, value in enumerate(found):
                if unknowns >> lower & 1:
                    symbol ^= value
            found.append(symbol)
        return found


_DIGITS: Final = bytes([48, 49, *range(2, 256)])


def _sum(numbers: Iterator[int]) -> int:
    total = 0
    for number in numbers:
        total ^= number
    return total
