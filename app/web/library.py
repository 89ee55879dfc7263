"""模板: the advisor's own finished pictures, one for each template they may use."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.domain.template import ProductType
from app.services.library import OwnTemplate, answers_to, own_templates, template_picture
from app.web.edge import render_page, unit_of_work
from app.web.i18n import translate as _
from app.web.pictures import asked_width, picture_answer

bp = Blueprint("library", __name__)

KIND_WORDS: Final = {
    "poster": "海报",
    "card": "知识卡",
    "daily": "日签",
    "brief": "早报",
    "festival": "节日",
    "invitation": "邀请函",
    "business_card": "名片",
}
_LONGEST_SEARCH: Final = 40
_MOST_TAGS: Final = 8


@bp.get("/library")
def show_library() -> ResponseReturnValue:
    with unit_of_work() as uow:
        found = own_templates(uow)
    words = request.args.get("q", "")[:_LONGEST_SEARCH].strip()
    tag = request.args.get("tag", "")
    shown = [
        one
        for one in found
        if (not tag or tag in _tags(one)) and (not words or answers_to(_searched(one), words))
    ]
    return render_page(
        "library/library.html",
        block="results",
        templates=shown,
        total=len(found),
        words=words,
        tag=tag,
        chips=[(_("全部"), _address(words, ""), not tag)]
        + [(_(one), _address(words, one), tag == one) for one in _chips(found)],
        kind_words=KIND_WORDS,
        none_product=ProductType.NONE,
    )


@bp.get("/library/<slug>/<int:number>.jpg")
def show_picture(slug: str, number: int) -> ResponseReturnValue:
    with unit_of_work() as uow:
        picture = template_picture(uow, slug, number, width_px=asked_width())
    # the address carries a mark of the picture, so it may be kept
    return picture_answer(picture, max_age_s=24 * 3600)


def _tags(template: OwnTemplate) -> tuple[str, ...]:
    return (KIND_WORDS.get(template.kind, template.kind), *template.tags)


def _searched(template: OwnTemplate) -> str:
    return " ".join((template.name, *_tags(template)))


def _chips(templates: list[OwnTemplate]) -> list[str]:
    """Kinds first, then the tags that most templates carry."""
    kinds = sorted({KIND_WORDS.get(one.kind, one.kind) for one in templates})
    tags = [tag for one in templates for tag in one.tags if tag not in kinds]
    ranked = sorted(set(tags), key=lambda tag: (-tags.count(tag), tag))
    return [*kinds, *ranked[:_MOST_TAGS]]


def _address(words: str, tag: str) -> str:
    query = urlencode({name: value for name, value in (("q", words), ("tag", tag)) if value})
    return f"/library?{query}" if query else "/library"
