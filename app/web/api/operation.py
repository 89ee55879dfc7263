"""One declaration an operation: the same words read the request, write the answer and document both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from flask import Response, jsonify, make_response
from marshmallow import Schema

from app.services.rendition import CONTENT_TYPES, PictureFile
from app.web.api.fields import Strict
from app.web.api.reading import read_body, read_query
from app.web.edge import public

View = Callable[..., Any]
Answering = Callable[..., Response]

MARK: Final = "__imprimatur_operation__"
PICTURES: Final = tuple(dict.fromkeys(CONTENT_TYPES.values()))


class NoParameters(Strict):
    """The query of an operation that takes none."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one operation takes, gives and may refuse.

    `answers` is the schema of the answer, the media types of its bytes, or None for no content.
    `refuses` lists the statuses that follow from the operation's own rules; those that follow from
    its shape (a body, a token, a path with an id in it) are added by themselves. 503 stands for
    every server we depend on.
    """

    summary: str
    answers: Schema | tuple[str, ...] | None
    status: int
    body: Schema | None
    query: Schema
    refuses: frozenset[int]
    is_public: bool
    repeatable: bool

    def problems(self, *, in_path: bool) -> list[int]:
        """Every status under which this operation answers with a problem."""
        found = {422} | self.refuses
        if not self.is_public:
            found |= {401, 503}
        if in_path:
            found.add(404)
        if self.body is not None:
            found |= {400, 413, 415}
        return sorted(found)


@dataclass(frozen=True, slots=True)
class Created:
    """Something new, and where it can be found from now on."""

    thing: object
    location: str


def operation(
    summary: str,
    *,
    answers: type[Schema] | tuple[str, ...] | None,
    status: int = 200,
    body: type[Schema] | None = None,
    query: type[Schema] = NoParameters,
    refuses: Collection[int] = (),
    needs_token: bool = True,
    repeatable: bool = False,
) -> Callable[[View], Answering]:
    """Make a view an operation of the API.

    The view gets its path parameters, `body` where it takes one and `query` where it has
    parameters, all of them checked; it returns what the answer's schema shows. `repeatable`
    operations heed the Idempotency-Key header.
    """
    spec = Operation(
        summary=summary,
        answers=answers() if isinstance(answers, type) else answers,
        status=status,
        body=body() if body is not None else None,
        query=query(),
        refuses=frozenset(refuses),
        is_public=not needs_token,
        repeatable=repeatable,
    )

    def declare(view: View) -> Answering:
        @wraps(view)
        def answer(**found: Any) -> Response:
            parameters = read_query(spec.query)
            if query is not NoParameters:
                found["query"] = parameters
            if spec.body is not None:
                found["body"] = read_body(spec.body)
            return _answer(spec, view(**found))

        setattr(answer, MARK, spec)
        return public(answer) if spec.is_public else answer

    return declare


def operation_of(view: Callable[..., Any]) -> Operation:
    """The declaration of a view; a view of the API without one is a mistake of ours."""
    found: Operation = getattr(view, MARK)
    return found


def _answer(spec: Operation, given: object) -> Response:
    if isinstance(given, Response):
        return given
    if isinstance(given, PictureFile):
        return _picture(given)
    location = given.location if isinstance(given, Created) else None
    if isinstance(spec.answers, Schema):
        response = jsonify(spec.answers.dump(given.thing if isinstance(given, Created) else given))
        response.status_code = spec.status
    else:
        response = make_response(b"", spec.status)
        response.headers.pop("Content-Type", None)
    if location is not None:
        response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    return response


def _picture(picture: PictureFile) -> Response:
    """The bytes under their hash: whoever keeps them can prove later what they were given."""
    response = make_response(picture.data)
    response.content_type = picture.content_type
    response.set_etag(picture.sha256)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
