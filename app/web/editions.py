"""成品: the picture to keep, the words to send with it, the links, and what became of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import CheckBlocked, Ended, IllegalTransition, Missing, QualificationMissing
from app.domain.piece import PieceState
from app.domain.tracking import LinkChannel
from app.models.edition import Edition
from app.models.publication import Publication
from app.queries.edition import edition_figures
from app.services.access import access_edition
from app.services.edition import edition_links
from app.services.making import open_slots
from app.services.refresh import is_stale, refresh_edition
from app.services.rendition import compiled_for
from app.services.serving import handed_out, own_shown_edition, public_edition
from app.services.unit_of_work import UnitOfWork
from app.web.edge import render_page, unit_of_work
from app.web.errors import said
from app.web.i18n import translate as _
from app.web.pictures import (
    SUFFIXES,
    asked_page,
    asked_size,
    picture_answer,
    size_words,
)
from templates_lib.compose import DOCUMENTS
from templates_lib.manifest import SlotKind, TemplateManifest
from templates_lib.pdf import Paper

bp = Blueprint("editions", __name__)

CHANNEL_WORDS: Final = {
    LinkChannel.MOMENTS: "朋友圈",
    LinkChannel.GROUP: "微信群",
    LinkChannel.OA: "公众号",
    LinkChannel.SMS: "短信",
    LinkChannel.OFFLINE: "线下",
}
_SIGNS_A_LINE: Final = 21
_FIRST_WIDE: Final = 0x2E80  # Han characters and their punctuation take a whole place
_SAID: Final = re.compile(r"「([^「」]{6,})」")


@dataclass(frozen=True, slots=True)
class ReadyText:
    """Words to send with the picture; every one of them was approved with it or its template."""

    label: str
    text: str

    @property
    def rows(self) -> int:
        """Lines the text takes on a phone, so that all of it is in sight."""
        widths = (
            sum(1 if ord(sign) > _FIRST_WIDE else 0.55 for sign in line) for line in self.text.split("\n")
        )
        return max(2, sum(max(1, math.ceil(width / _SIGNS_A_LINE)) for width in widths))


@bp.get("/editions/<uuid:edition_id>")
def show_edition(edition_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        edition = access_edition(uow, edition_id)
        publication, ended = None, None
        try:
            _edition, publication = public_edition(uow, edition_id)
        except (Ended, QualificationMissing) as refused:
            ended = refused
        manifest = compiled_for(uow, edition.piece.template_version).manifest
        size = asked_size(manifest)
        shown = manifest.in_size(size)
        links = edition_links(uow, edition.id) if publication else {}
        return render_page(
            "editions/edition.html",
            edition=edition,
            piece=edition.piece,
            is_own=edition.piece.advisor_id is not None,
            publication=publication,
            ended=ended,
            ended_words=said(ended) if ended else None,
            size=size,
            shown=shown,
            sizes=[
                (
                    *size_words(offered),
                    url_for("editions.show_edition", edition_id=edition.id, size=name or None),
                    name == size,
                )
                for name, offered in manifest.sizes.items()
            ],
            paper=Paper.of(shown),
            texts=_ready_texts(uow, edition, publication, manifest) if publication else [],
            links=[
                (_(words), links[channel]) for channel, words in CHANNEL_WORDS.items() if channel in links
            ],
            is_stale=publication is not None and is_stale(uow, edition.id),
            is_correcting=edition.piece.correcting is not None,
            figures=edition_figures(uow.session, edition.id),
        )


@bp.post("/editions/<uuid:edition_id>/refresh")
def refresh(edition_id: UUID) -> ResponseReturnValue:
    """A live picture anew, with the profile as it is now."""
    try:
        with unit_of_work() as uow:
            state = refresh_edition(uow, edition_id)
    except (CheckBlocked, IllegalTransition) as refused:
        flash(said(refused), "attention")
    else:
        flash(
            _("已刷新，请重新保存图片。链接和二维码不变。")
            if state is PieceState.PUBLISHED
            else _("新图已送审，通过后在同一链接替换；在那之前原图照常使用。"),
            "good",
        )
    return redirect(url_for("editions.show_edition", edition_id=edition_id), 303)


@bp.get("/editions/<uuid:edition_id>/picture.<suffix>")
def show_picture(edition_id: UUID, suffix: str) -> ResponseReturnValue:
    """The picture as approved, in the size asked for. `?save=1` asks the browser to keep it."""
    if suffix not in SUFFIXES:
        raise Missing(noun="format")
    image_format = SUFFIXES[suffix]
    with unit_of_work() as uow:
        shown = own_shown_edition(uow, edition_id)
        piece = shown.edition.piece
        design = compiled_for(uow, piece.template_version).manifest
        size = asked_size(design)
        manifest = design.in_size(size)
        page = 0 if image_format in DOCUMENTS else asked_page(manifest.pages)
        picture = handed_out(uow, shown, image_format=image_format, page=page, size=size)
        name = piece.title
    if size:
        name = f"{name} {size_words(manifest.size)[0]}"
    if image_format == "print":
        name = f"{name} {_('印刷')}"
    elif manifest.pages > 1 and image_format not in DOCUMENTS:
        name = f"{name} {page + 1}"
    ending = {"jpeg": "jpg", "print": "pdf"}.get(image_format, image_format)
    # what may be used can end at any moment: a browser asks each time
    return picture_answer(picture, name=f"{name}.{ending}", save=request.args.get("save") == "1")


def _ready_texts(
    uow: UnitOfWork, edition: Edition, publication: Publication, manifest: TemplateManifest
) -> list[ReadyText]:
    """Three texts, put together from approved words and this edition's links alone."""
    links = edition_links(uow, edition.id)
    values = publication.revision.values
    own_words = [
        " ".join(str(values.get(slot.name, "")).split())
        for slot in open_slots(manifest)
        if slot.kind is not SlotKind.DATE and values.get(slot.name)
    ]
    sentences = [words for words in own_words if words]
    longest = max(sentences, key=len, default=edition.piece.title)
    texts = []
    if said_so := _SAID.search(manifest.use_guide):
        texts.append(ReadyText(_("朋友圈配文"), said_so.group(1)))
    texts.append(ReadyText(_("群里或私聊"), f"{longest}\n{links[LinkChannel.GROUP]}"))
    title = edition.piece.title
    texts.append(
        ReadyText(
            _("短信"), _("%(title)s，详情请看 %(link)s") % {"title": title, "link": links[LinkChannel.SMS]}
        )
    )
    return texts
