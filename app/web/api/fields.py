"""Fields of the API that say in the OpenAPI document exactly what they take."""

# ruff: noqa: ARG002 - the signatures are those of marshmallow
from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.queries.api.page import Place
from app.web.edge import platform

_DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?P<zone>[Zz]|[+-]\d\d:\d\d)?"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Beyond these no instant means anything here, and arithmetic over the ends of time overflows.
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199


class Strict(Schema):
    """What a request may say: an unknown name is refused."""

    class Meta:
        unknown = RAISE


class Shown(Strict):
    """What an answer always says: every field is there, an empty one is null."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        super().on_bind_field(field_name, field_obj)
        field_obj.required = "optional" not in field_obj.metadata


class Instant(fields.Field[datetime]):
    """RFC 3339 with a time zone in; UTC with a Z out."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value is not None else None

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        if not isinstance(value, str) or (found := _DATE_TIME.fullmatch(value)) is None:
            raise ValidationError("不是 RFC 3339 时间，例如 2026-12-01T09:00:00+08:00。")
        if found["zone"] is None:
            raise ValidationError("时间缺少时区，例如 +08:00。")
        try:
            instant = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise ValidationError("没有这个时间。") from error
        if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            raise ValidationError(f"年份应在 {_FIRST_YEAR} 与 {_LAST_YEAR} 之间。")
        return instant


class Day(fields.Field[date]):
    """A calendar day, YYYY-MM-DD."""

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.isoformat() if value is not None else None

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValidationError("不是日期，例如 2026-12-01。")
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise ValidationError("没有这一天。") from error
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise ValidationError(f"年份应在 {_FIRST_YEAR} 与 {_LAST_YEAR} 之间。")
        return day


class Cursor(fields.Field[Place]):
    """Where a list goes on: opaque to its reader, the last row's place to us."""

    def _serialize(self, value: Place | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        packed = json.dumps([value.at.astimezone(UTC).isoformat(), str(value.id)])
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Place:
        try:
            at, row_id = json.loads(base64.urlsafe_b64decode(f"{value}==").decode())
            place = Place(datetime.fromisoformat(at), UUID(row_id))
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise ValidationError("不是上一页给出的位置。") from error
        if place.at.tzinfo is None or not _FIRST_YEAR <= place.at.year <= _LAST_YEAR:
            raise ValidationError("不是上一页给出的位置。")
        return place


class Id(fields.Field[UUID]):
    """A UUID in its one usual spelling."""

    def _serialize(self, value: UUID | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return str(value) if value is not None else None

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> UUID:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise ValidationError("不是 UUID。")
        return UUID(value)


class QueryCount(fields.Field[int]):
    """A whole number in a query, in decimal digits."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,9}", value):
            raise ValidationError("不是整数。")
        return int(value)


class QueryFlag(fields.Field[bool]):
    """`true` or `false` in a query."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if value not in {"true", "false"}:
            raise ValidationError("应为 true 或 false。")
        return bool(value == "true")


class LinkAddress(fields.String):
    """The whole address of a short code."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return f"{platform().settings.web.public_url}/s/{value}" if value is not None else None


def text(*, most: int, least: int = 0, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=least, max=most), **more)


class Member(fields.Enum[StrEnum]):
    """A member of a closed set, by its value; a row may hold the bare value."""

    def _serialize(self, value: str | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return self.enum(value).value if value is not None else None


def one_of(members: type[StrEnum], **more: Any) -> Member:
    return Member(members, by_value=fields.String, **more)


def some_of(members: type[StrEnum], **more: Any) -> fields.List[Any]:
    """Any number of the members of a closed set; none by default."""
    return fields.List(one_of(members), validate=validate.Length(max=len(members)), load_default=(), **more)


def whole(*, least: int, most: int, **more: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=least, max=most), **more)


def tags(**more: Any) -> fields.List[Any]:
    return fields.List(text(least=1, most=64), validate=validate.Length(max=50), **more)


def org_path(**more: Any) -> fields.String:
    """A unit of the organisation and all below it, by the path its codes make."""
    return fields.String(
        validate=[
            validate.Length(max=500),
            validate.Regexp(r"^/(?:[^/]{1,64}/)+$", error="不是机构路径，例如 /HQ/SH/。"),
        ],
        **more,
    )


def sha256(**more: Any) -> fields.String:
    return fields.String(validate=validate.Regexp(r"^[0-9a-f]{64}$", error="不是 SHA-256。"), **more)


def slot_values(**more: Any) -> fields.Dict:
    """Slot → what is entered there; a slot that is not named keeps its value."""
    return fields.Dict(keys=text(least=1, most=64), values=text(most=4000), **more)


class PageQuery(Strict):
    """A list, page by page."""

    limit = QueryCount(load_default=50, validate=validate.Range(min=1, max=100))
    cursor = Cursor(load_default=None, metadata={"description": "上一页的 next"})


# What the document says of the fields that are our own.
DOCUMENTED: Final[tuple[tuple[type[fields.Field[Any]], str, str | None], ...]] = (
    (Instant, "string", "date-time"),
    (Day, "string", "date"),
    (Id, "string", "uuid"),
    (Cursor, "string", None),
    (LinkAddress, "string", "uri"),
    (QueryCount, "integer", None),
    (QueryFlag, "boolean", None),
)
