"""Renders: the bytes of a picture, the very ones that pages show; and those that were decided on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import ValidationError, fields, validates_schema

from app.services.draft import preview
from app.services.piece import piece_picture
from app.services.rendition import PictureFile, decided_picture
from app.services.serving import edition_picture
from app.web.api.checks import TemplateNameSchema
from app.web.api.fields import Id, Strict, one_of, slot_values, text, whole
from app.web.api.operation import PICTURES, operation
from app.web.edge import unit_of_work
from templates_lib.compose import DOCUMENTS, PictureFormat

bp = Blueprint("renders", __name__)


class AskedRenderSchema(Strict):
    """Exactly one of: a template with values (a preview), a piece, or an edition that is public."""

    template = fields.Nested(TemplateNameSchema)
    values = slot_values()
    piece_id = Id()
    edition_id = Id()
    format = one_of(PictureFormat, load_default=PictureFormat.JPEG)
    page = whole(
        least=0, most=99, load_default=0, metadata={"description": "从 0 数起；pdf、print 总是全部页"}
    )
    size = text(
        most=40, load_default="", metadata={"description": "模板的其他尺寸之一，见模板的 sizes；空为原尺寸"}
    )

    @validates_schema
    def _one_subject(self, data: dict[str, Any], **_: Any) -> None:
        if len({"template", "piece_id", "edition_id"} & set(data)) != 1:
            raise ValidationError("template、piece_id、edition_id 必须且只能给一个。", "template")
        if "values" in data and "template" not in data:
            raise ValidationError("只与 template 一起使用。", "values")


@bp.post("/renders")
@operation("出图", body=AskedRenderSchema, answers=PICTURES, refuses={403, 404, 410})
def render(body: dict[str, Any]) -> PictureFile:
    image_format: PictureFormat = body["format"]
    page = 0 if image_format in DOCUMENTS else body["page"]
    drawn: dict[str, Any] = {"image_format": image_format.value, "page": page, "size": body["size"]}
    with unit_of_work() as uow:
        if "piece_id" in body:
            return piece_picture(uow, body["piece_id"], **drawn)
        if "edition_id" in body:
            return edition_picture(uow, body["edition_id"], **drawn)
        named = body["template"]
        return preview(uow, named["slug"], body.get("values", {}), number=named["version"], **drawn)


@bp.get("/renditions/<sha256:sha256>")
@operation("审核决定所针对的那张图，逐字节相同", answers=PICTURES, refuses={403})
def show_rendition(sha256: str) -> PictureFile:
    with unit_of_work() as uow:
        return decided_picture(uow, sha256)
