"""Read what a machine sends, strictly: what is not understood is refused and named, never guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from flask import request
from marshmallow import Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.domain.errors import Fault, InvalidInput
from app.domain.text import unstorable

JSON_TYPE: Final = "application/json"
MAX_BODY_BYTES: Final = 2 * 1024 * 1024
_DEEPEST: Final = 32
_LONGEST_NAME: Final = 120


class MalformedBody(BadRequest):
    """The body is not JSON at all; where it is, but says the wrong things, InvalidInput."""

    name = "malformed body"


def read_body(schema: Schema) -> dict[str, Any]:
    """The request's JSON object, as the schema has it.

    Raises UnsupportedMediaType, MalformedBody, RequestEntityTooLarge, InvalidInput.
    """
    if request.mimetype != JSON_TYPE:
        raise UnsupportedMediaType
    if (request.content_length or 0) > MAX_BODY_BYTES or len(body := request.get_data()) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    try:
        sent = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once_each,
            parse_constant=_no_number,
        )
    # a RecursionError for brackets without end; a ValueError also for numbers of 5,000 digits
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(sent, dict):
        raise InvalidInput.of("body", "wrong_type", "请求体应为 JSON 对象。")
    if faults := tuple(_unstorable(sent)):
        raise InvalidInput(*faults)
    return _loaded(schema, sent)


def read_query(schema: Schema) -> dict[str, Any]:
    """The query's parameters; one that is given twice is refused unless it is a list."""
    given: MultiDict[str, str] = request.args
    sent: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, values in given.lists():
        if isinstance(schema.fields.get(name), fields.List):
            sent[name] = values
        elif len(values) > 1:
            faults.append(Fault(_shown(name), "repeated", "这个参数只能出现一次。"))
        else:
            sent[name] = values[0]
    faults.extend(_unstorable(sent))
    if faults:
        raise InvalidInput(*faults)
    return _loaded(schema, sent)


def _loaded(schema: Schema, sent: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(sent)
    except ValidationError as refused:
        raise InvalidInput(*faults_of(refused.messages_dict)) from refused
    return loaded


def faults_of(messages: Mapping[Any, Any], path: str = "") -> Iterator[Fault]:
    """The schema's complaints, one a field, under the field's path in the body."""
    for key, said in messages.items():
        here = _joined(path, str(key)) if key != "_schema" else path or "body"
        match said:
            # how marshmallow says which half of a name-and-value pair is wrong
            case {"key": list(sentences)} | {"value": list(sentences)}:
                yield from (Fault(here, "invalid", str(sentence)) for sentence in sentences)
            case Mapping():
                yield from faults_of(said, here)
            case _:
                yield from (Fault(here, "invalid", str(sentence)) for sentence in said)


def _joined(path: str, key: str) -> str:
    return _shown(f"{path}.{key}" if path else key)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name said twice is refused: two readers of one body must not see two different requests."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _unstorable(value: Any, path: str = "", depth: int = 0) -> Iterator[Fault]:
    """Text that no database can hold: NUL, and halves of characters."""
    if depth > _DEEPEST:
        yield Fault(path, "too_deep", "嵌套层数过多。")
        return
    match value:
        case str():
            if unstorable(value):
                yield Fault(path, "unstorable", "含有不能保存的字符（NUL 或半个字符）。")
        case dict():
            for key, inner in value.items():
                if unstorable(key):
                    yield Fault(_joined(path, key), "unstorable", "名称含有不能保存的字符。")
                else:
                    yield from _unstorable(inner, _joined(path, key), depth + 1)
        case list():
            for place, inner in enumerate(value):
                yield from _unstorable(inner, _joined(path, str(place)), depth + 1)


def _shown(name: str) -> str:
    """A name somebody else chose, cropped and free of what cannot be written back."""
    return name[:_LONGEST_NAME].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
