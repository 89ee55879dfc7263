"""Checks: the checker's word on a text, or on everything a picture would say; nothing is kept."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from flask import Blueprint
from marshmallow import ValidationError, fields, validate, validates_schema

from app.domain.errors import InvalidInput, TooLarge
from app.services.check import check_picture, check_text
from app.services.draft import check_entered
from app.services.unit_of_work import UnitOfWork
from app.web.api.fields import Shown, Strict, one_of, slot_values, text, whole
from app.web.api.operation import operation
from app.web.edge import unit_of_work
from compliance.document import Channel, Sector
from compliance.finding import Layer, Severity
from compliance.report import Report, Verdict

bp = Blueprint("checks", __name__)

MAX_BATCH: Final = 100
MAX_PICTURE_CHARS: Final = 1_900_000  # of Base64: what a body holds


class FindingSchema(Shown):
    """One rule on one span, in code points of the original text."""

    rule = fields.String()
    severity = one_of(Severity)
    start = fields.Integer()
    end = fields.Integer()
    text = fields.String()
    basis = fields.String()
    reason = fields.String()
    suggestion = fields.String(allow_none=True)
    layer = one_of(Layer)
    field = fields.String(metadata={"optional": True, "description": "检测模板时，命中所在的槽位"})
    boxes = fields.List(
        fields.List(fields.Float(), metadata={"minItems": 4, "maxItems": 4}),
        metadata={
            "optional": True,
            "description": "命中在上传图片里的位置，逐行一个：左、上、宽、高，单位为像素",
        },
    )


class TemplateNameSchema(Strict):
    slug = text(least=1, most=64, required=True)
    version = whole(least=1, most=999_999_999, load_default=None)


class AskedCheckSchema(Strict):
    """Either a text, or a template with what is entered into it."""

    id = text(most=64, load_default=None, allow_none=True, metadata={"description": "原样返回"})
    text = text(least=1, most=10_000)
    sector = one_of(Sector, metadata={"description": "默认：机构所属行业"})
    channel = one_of(Channel, metadata={"description": "默认：other"})
    template = fields.Nested(TemplateNameSchema)
    values = slot_values()

    @validates_schema
    def _one_subject(self, data: dict[str, Any], **_: Any) -> None:
        if ("text" in data) == ("template" in data):
            raise ValidationError("text 与 template 必须且只能给一个。", "text")
        strangers = ({"values"} if "text" in data else {"sector", "channel"}) & set(data)
        if strangers:
            raise ValidationError({name: ["与检测对象不相配。"] for name in sorted(strangers)})


class CheckedSchema(Shown):
    id = fields.String(allow_none=True)
    verdict = one_of(Verdict)
    findings = fields.List(fields.Nested(FindingSchema))
    ruleset = fields.String()


class AskedPictureSchema(Strict):
    """The file of a picture; it is read and judged, and not kept."""

    id = text(most=64, load_default=None, allow_none=True, metadata={"description": "原样返回"})
    picture = text(
        least=1,
        most=MAX_PICTURE_CHARS,
        required=True,
        metadata={"description": "JPEG、PNG 或 WEBP 文件，Base64 编码", "format": "byte"},
    )
    sector = one_of(Sector, metadata={"description": "默认：机构所属行业"})
    channel = one_of(Channel, metadata={"description": "默认：other"})


class CheckedPictureSchema(CheckedSchema):
    text = fields.String(allow_none=True, metadata={"description": "从图中读到的文字；null 为未能读取"})


class AskedBatchSchema(Strict):
    items = fields.List(
        fields.Nested(AskedCheckSchema),
        required=True,
        validate=validate.Length(min=1),
        metadata={"maxItems": MAX_BATCH},  # more is not wrong but too large: 413
    )


class CheckedBatchSchema(Shown):
    items = fields.List(fields.Nested(CheckedSchema))


@bp.post("/checks")
@operation(
    "检测一段文字，或一个模板的全部文字",
    body=AskedCheckSchema,
    answers=CheckedSchema,
    refuses={403, 404},
)
def check_one(body: dict[str, Any]) -> dict[str, Any]:
    with unit_of_work() as uow:
        return _checked(uow, body)


@bp.post("/checks/batch")
@operation(
    "一次检测至多 100 项，逐项按原序回答",
    body=AskedBatchSchema,
    answers=CheckedBatchSchema,
    refuses={403, 404},
)
def check_batch(body: dict[str, Any]) -> dict[str, Any]:
    if len(body["items"]) > MAX_BATCH:
        raise TooLarge(limit=f"{MAX_BATCH} 项")
    with unit_of_work() as uow:
        return {"items": [_checked(uow, asked) for asked in body["items"]]}


@bp.post("/checks/picture")
@operation(
    "读出一张图片里的文字并检测，指出命中在图中的位置",
    body=AskedPictureSchema,
    answers=CheckedPictureSchema,
    refuses={403},
)
def check_one_picture(body: dict[str, Any]) -> dict[str, Any]:
    try:
        data = base64.b64decode(body["picture"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput.of("picture", "malformed", "不是 Base64 编码。") from error
    with unit_of_work() as uow:
        found = check_picture(
            uow, data, sector=body.get("sector"), channel=body.get("channel", Channel.OTHER)
        )
    reading = found.reading
    answer = checked(body["id"], found.report) | {"text": reading.text if reading is not None else None}
    for shown, finding in zip(answer["findings"], found.report.findings, strict=True):
        boxes = reading.boxes_of(finding.span.start, finding.span.end) if reading is not None else ()
        shown["boxes"] = [box.to_list() for box in boxes]
    return answer


def _checked(uow: UnitOfWork, asked: dict[str, Any]) -> dict[str, Any]:
    if "text" in asked:
        report = check_text(
            uow, asked["text"], sector=asked.get("sector"), channel=asked.get("channel", Channel.OTHER)
        )
        return checked(asked["id"], report)
    named = asked["template"]
    report = check_entered(uow, named["slug"], asked.get("values", {}), number=named["version"])
    return checked(asked["id"], report, with_fields=True)


def checked(given_id: str | None, report: Report, *, with_fields: bool = False) -> dict[str, Any]:
    """A report as the contract has it: the same keys as a line of `imprimatur check --jsonl`."""
    return {
        "id": given_id,
        "verdict": report.verdict,
        "findings": [
            {
                "rule": found.rule,
                "severity": found.severity,
                "start": found.span.start,
                "end": found.span.end,
                "text": found.text,
                "basis": found.basis,
                "reason": found.reason,
                "suggestion": found.suggestion,
                "layer": found.layer,
                **({"field": found.field} if with_fields else {}),
            }
            for found in report.findings
        ],
        "ruleset": report.ruleset_version,
    }
