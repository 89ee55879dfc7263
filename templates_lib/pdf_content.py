"""What a page of a PDF draws: its content streams, followed operator by operator.

Read from pydyf's objects while WeasyPrint still holds them, so there is nothing to parse: every
operator is one item of a stream.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pydyf

Matrix = tuple[float, float, float, float, float, float]
UNMOVED: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator with what it is given.

    `matrix` places it on the stream it stands in, `base` places that stream on the page.
    `resources` are what its names stand for.
    """

    name: bytes
    operands: tuple[bytes, ...]
    matrix: Matrix
    base: Matrix
    resources: Mapping[str, Any]

    @property
    def on_page(self) -> Matrix:
        return multiplied(self.matrix, self.base)

    def named(self, kind: str, pdf: pydyf.PDF) -> Any:
        """What the operator's name stands for among the resources of that kind."""
        return resolved(pdf, self.resources[kind][self.operands[-1].decode().removeprefix("/")])


def pages_of(pdf: pydyf.PDF) -> tuple[Any, ...]:
    return tuple(resolved(pdf, reference) for reference in pdf.page_references)


def resolved(pdf: pydyf.PDF, reference: Any) -> Any:
    """The object behind a reference such as `12 0 R`."""
    return pdf.objects[int(reference.split()[0])] if isinstance(reference, bytes) else reference


def operations_of(pdf: pydyf.PDF, page: Any) -> Iterator[Operation]:
    """Every operator a page is drawn with, also those in its groups and patterns."""
    yield from _operations(pdf, resolved(pdf, page["Contents"]), page["Resources"], UNMOVED)


def _operations(pdf: pydyf.PDF, stream: Any, resources: Any, base: Matrix) -> Iterator[Operation]:
    resources, matrix = resolved(pdf, resources), UNMOVED
    kept: list[Matrix] = []
    within: list[tuple[Any, Matrix]] = []
    for item in stream.stream:
        *operands, name = item.split() if isinstance(item, bytes) else [b""]
        operation = Operation(name, tuple(operands), matrix, base, resources)
        match name:
            case b"q":
                kept.append(matrix)
            case b"Q":
                matrix = kept.pop()
            case b"cm":
                matrix = multiplied(matrix_of(operands), matrix)
            case b"Do":
                drawn = operation.named("XObject", pdf)
                if drawn.extra["Subtype"] == "/Form":
                    within.append((drawn, operation.on_page))
            case b"scn" if operands[-1].startswith(b"/"):
                pattern = operation.named("Pattern", pdf)
                within.append((pattern, multiplied(matrix_of(pattern.extra["Matrix"]), base)))
            case _:
                pass
        yield operation
    for inner, placed in within:
        yield from _operations(pdf, inner, inner.extra["Resources"], placed)


def matrix_of(operands: Iterable[Any]) -> Matrix:
    a, b, c, d, e, f = (float(operand) for operand in operands)
    return a, b, c, d, e, f


def multiplied(first: Matrix, then: Matrix) -> Matrix:
    """The matrix that does one and then the other."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def inverted(matrix: Matrix) -> Matrix:
    a, b, c, d, e, f = matrix
    area = a * d - b * c
    return d / area, -b / area, -c / area, a / area, (c * f - d * e) / area, (b * e - a * f) / area
