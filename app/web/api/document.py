"""The OpenAPI document, written from the operations themselves, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, current_app, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields
from werkzeug.routing import BaseConverter, Rule

from app.web.api.fields import DOCUMENTED, Strict
from app.web.api.operation import Operation, operation, operation_of
from app.web.api.repeat import KEY_HEADER, KEY_PATTERN

bp = Blueprint("document", __name__)

PREFIX: Final = "api."
VERSION: Final = "1.0.0"
PROBLEM_TYPE: Final = "application/problem+json"
_CACHE: Final = "imprimatur-openapi"
_PLACE: Final = re.compile(r"<(?P<kind>[a-z_0-9]+):(?P<name>[a-z_0-9]+)>")

_ABOUT: Final = """\
印信 Imprimatur 的机器接口。所有写操作与页面走同一组服务：没有一条路绕过审核。

- 令牌：`POST /api/v1/tokens`，之后每个请求带 `Authorization: Bearer …`。Cookie 在这里不起作用。
- 错误一律为 `application/problem+json`（RFC 9457），`errors` 指出每个字段。
- 时间为 RFC 3339；输入必须带时区，输出一律 UTC。
- 列表按 `limit` 与 `cursor` 翻页，`next` 为 null 即最后一页。
- 不在权限范围内的编号与不存在的编号，回答相同。
"""

# What a problem under each status means here; the words of RFC 9110 are known to everybody.
_MEANINGS: Final = {
    400: "请求体不是合格的 JSON",
    401: "没有令牌，或令牌已失效",
    403: "角色、四眼原则或执业资格不允许",
    404: "不存在，或不在权限范围内",
    409: "与当前状态或当前版本冲突，什么也没有改变",
    410: "已停止使用",
    413: "超过一次能处理的上限",
    415: "请求体应为 application/json",
    422: "内容有误，errors 逐项说明",
    429: "尝试过多，请按 Retry-After 等待",
    503: "依赖的服务暂时不可用，请按 Retry-After 重试",
}
_WAITING: Final = frozenset({429, 503})


class SlugConverter(BaseConverter):
    """A template's name in a path."""

    regex = r"[a-z0-9][a-z0-9-]{0,63}"


class NumberConverter(BaseConverter):
    """A version's number in a path: any other spelling leads nowhere."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


class Sha256Converter(BaseConverter):
    """The hash of some bytes in a path."""

    regex = r"[0-9a-f]{64}"


CONVERTERS: Final[dict[str, type[BaseConverter]]] = {
    "slug": SlugConverter,
    "number": NumberConverter,
    "sha256": Sha256Converter,
}

_IN_PATH: Final[dict[str, dict[str, Any]]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "slug": {"type": "string", "pattern": f"^{SlugConverter.regex}$"},
    "number": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    "sha256": {"type": "string", "pattern": f"^{Sha256Converter.regex}$"},
}


class FaultSchema(Strict):
    field = fields.String(required=True)
    code = fields.String(required=True)
    reason = fields.String(required=True)
    row = fields.Integer()
    column = fields.String()


@bp.get("/openapi.json")
@operation("这份文档", answers=("application/json",), needs_token=False)
def show_document() -> Response:
    written = current_app.extensions.get(_CACHE)
    if written is None:
        written = current_app.extensions[_CACHE] = write_document()
    response = jsonify(written)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response


@bp.get("/docs")
@operation("给人看的文档页", answers=("text/html",), needs_token=False)
def show_docs() -> ResponseReturnValue:
    return current_app.make_response(
        render_template("api/docs.html", openapi_url=url_for("api.document.show_document"))
    )


def rules() -> Iterator[tuple[Rule, Operation]]:
    """Every route of the API with its operation."""
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith(PREFIX):
            yield rule, operation_of(current_app.view_functions[rule.endpoint])


def write_document() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    spec = APISpec(
        title="Imprimatur 印信",
        version=VERSION,
        openapi_version="3.1.0",
        info={"description": _ABOUT, "license": {"name": "Apache-2.0"}},
        plugins=[plugin],
    )
    if plugin.converter is None:
        raise TypeError("the plugin was not given its document")
    for kind, type_, format_ in DOCUMENTED:
        plugin.converter.map_to_openapi_type(kind, type_, format_)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Fault", schema=FaultSchema)
    spec.components.schema("Problem", _PROBLEM)
    spec.components.header("RequestId", {"schema": {"type": "string"}, "required": True})
    for status in _MEANINGS:
        spec.components.response(f"Problem{status}", _problem(status))
    for rule, found in sorted(rules(), key=lambda pair: (pair[0].rule, sorted(pair[0].methods or ()))):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            spec.path(
                path=_PLACE.sub(lambda place: "{" + place["name"] + "}", rule.rule),
                operations={method.lower(): _described(plugin, rule, found)},
            )
    return spec.to_dict()


def _name_of(schema: type[Schema] | Schema) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        "findings": {
            "type": "array",
            "items": {"type": "object"},
            "description": "code 为 check_blocked 时：检测命中",
        },
    },
}


def _problem(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in _WAITING:
        headers["Retry-After"] = {"schema": {"type": "string"}, "required": True}
    if status == 401:  # noqa: PLR2004 - the status that asks for a token
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}, "required": True}
    return {
        "description": _MEANINGS[status],
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _described(plugin: MarshmallowPlugin, rule: Rule, found: Operation) -> dict[str, Any]:
    places = list(_PLACE.finditer(rule.rule))
    noun, verb = rule.endpoint.removeprefix(PREFIX).split(".")
    described: dict[str, Any] = {
        "operationId": verb,
        "tags": [noun],
        "summary": found.summary,
        "security": [] if found.is_public else [{"token": []}],
        "parameters": [
            *(
                {"in": "path", "name": place["name"], "required": True, "schema": _IN_PATH[place["kind"]]}
                for place in places
            ),
            *_in_query(plugin, found.query),
            *_in_headers(found),
        ],
        "responses": {
            str(found.status): _success(found),
            **{
                str(status): {"$ref": f"#/components/responses/Problem{status}"}
                for status in found.problems(in_path=bool(places))
            },
        },
    }
    if found.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": found.body}},
        }
    return described


def _in_query(plugin: MarshmallowPlugin, query: Schema) -> list[dict[str, Any]]:
    if plugin.converter is None:
        raise TypeError("the plugin was not given its document")
    return [
        {
            "in": "query",
            "name": one.data_key or name,
            "required": one.required,
            "schema": _never_null(plugin.converter.field2property(one)),
        }
        for name, one in query.fields.items()
    ]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no way to write null: leaving a parameter out is what says it."""
    found = {key: value for key, value in schema.items() if key != "default" or value is not None}
    match found.get("type"):
        case [kind, "null"]:
            found["type"] = kind
    if "enum" in found:
        found["enum"] = [member for member in found["enum"] if member is not None]
    return found


def _in_headers(found: Operation) -> list[dict[str, Any]]:
    if not found.repeatable:
        return []
    return [
        {
            "in": "header",
            "name": KEY_HEADER,
            "required": False,
            "description": "同一键的重复请求得到同一结果；内容不同则 409。",
            "schema": {"type": "string", "pattern": f"^{KEY_PATTERN.pattern}$"},
        }
    ]


def _success(found: Operation) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if found.status == 201:  # noqa: PLR2004 - the status that says where the new thing is
        headers["Location"] = {"schema": {"type": "string", "format": "uri-reference"}, "required": True}
    answer: dict[str, Any] = {"description": found.summary, "headers": headers}
    match found.answers:
        case Schema():
            answer["content"] = {"application/json": {"schema": found.answers}}
        case tuple() as kinds:
            answer["content"] = {kind: {"schema": _bytes_of(kind)} for kind in kinds}
        case None:
            pass
    return answer


def _bytes_of(kind: str) -> dict[str, Any]:
    """Pictures have no schema in OpenAPI 3.1; a JSON document is an object, a page a string."""
    if kind == "application/json":
        return {"type": "object"}
    return {"type": "string"} if kind.startswith("text/") else {}
