"""作品: an advisor's own pieces, where each stands, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.annotation import PinStanding
from app.domain.errors import CheckBlocked, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.piece import EDITABLE, TRANSITIONS, PieceState
from app.domain.review import Refusal
from app.queries.annotation import pins_on
from app.queries.own_piece import (
    Shelf,
    own_piece_story,
    own_pieces,
    usual_review_minutes,
    waiting_before,
)
from app.services.access import access_piece, own_advisor
from app.services.correction import drop_correction, start_correction
from app.services.making import adopt_and_resubmit, adopt_decision_and_resubmit, open_slots
from app.services.reading import crops_of, pictures_in
from app.services.refresh import stale_editions
from app.services.rendition import compiled_for, kept_picture, revision_spec
from app.services.submission import submit_for_review, withdraw_piece
from app.web.corrections import correction_choices, correction_kind
from app.web.edge import render_page, unit_of_work
from app.web.errors import said
from app.web.i18n import translate as _
from app.web.pictures import asked_page, asked_width, in_page, picture_answer
from templates_lib.manifest import SlotKind

# Only then does the maker read what a reviewer left on the picture: before, it may still be taken back.
_SENT_BACK = frozenset({PieceState.CHANGES_REQUESTED, PieceState.REJECTED})
bp = Blueprint("own_pieces", __name__)

SHELF_WORDS: Final = {
    Shelf.TO_DO: "待处理",
    Shelf.WAITING: "审核中",
    Shelf.USABLE: "可用",
    Shelf.ENDED: "已结束",
}
_USUAL_OVER: Final = timedelta(days=30)


@bp.get("/works")
def list_works() -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        pieces = own_pieces(uow.session, advisor.id, at=uow.clock.now())
        stale = stale_editions(uow, advisor)
    asked = request.args.get("show", "")
    chosen = Shelf(asked) if asked in set(Shelf) else None
    counts = {shelf: sum(piece.shelf is shelf for piece in pieces) for shelf in Shelf}
    return render_page(
        "own_pieces/list.html",
        groups=[
            (_(SHELF_WORDS[shelf]), [piece for piece in pieces if piece.shelf is shelf])
            for shelf in Shelf
            if (chosen is None or shelf is chosen) and counts[shelf]
        ],
        total=len(pieces),
        stale=stale,
        chips=[(_("全部"), "/works", chosen is None)]
        + [
            (f"{_(SHELF_WORDS[shelf])} {counts[shelf]}", f"/works?show={shelf.value}", chosen is shelf)
            for shelf in Shelf
        ],
    )


@bp.get("/works/<uuid:piece_id>")
def show_work(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        now = uow.clock.now()
        story = own_piece_story(uow.session, advisor.id, piece_id, at=now)
        if story is None:
            raise Missing(noun="piece")
        piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
        manifest = compiled_for(uow, piece.template_version).manifest
        labels = {slot.name: slot.label for slot in manifest.slots}
        sent_back = story.decision is not None and story.state in _SENT_BACK
        refusal = Refusal.from_text(story.decision.reason) if story.decision and sent_back else None
        return render_page(
            "own_pieces/work.html",
            block="standing",
            story=story,
            may={action.value for (state, action) in TRANSITIONS if state is story.state},
            is_editable=story.state in EDITABLE,
            words=[
                (slot.name, slot.label, str(story.values.get(slot.name, ""))) for slot in open_slots(manifest)
            ],
            labels=labels,
            pictures={slot.name for slot in manifest.slots if slot.kind is SlotKind.IMAGE},
            crops=in_page(crops_of(uow, pictures_in(manifest, story.values), story.findings)),
            refusal=refusal,
            read_reason=Refusal.from_text,
            pins=[
                one
                for one in pins_on(uow.session, piece_id, story.values)
                if story.state in _SENT_BACK and one.standing is not PinStanding.FIXED
            ],
            size=manifest.size,
            corrections=correction_choices(),
            usual_minutes=usual_review_minutes(uow.session, since=now - _USUAL_OVER),
            before=waiting_before(uow.session, piece_id),
        )


@bp.get("/works/<uuid:piece_id>/picture.jpg")
def show_picture(piece_id: UUID) -> ResponseReturnValue:
    """The piece as it stands, small: a draft is looked at here, not handed out."""
    with unit_of_work() as uow:
        piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
        revision = piece.current_revision
        if revision is None:
            raise Missing(noun="piece_revision")
        version = piece.template_version
        page = asked_page(compiled_for(uow, version).manifest.pages)
        spec = revision_spec(uow, version, revision, page=page, width_px=asked_width())
        picture = kept_picture(uow, spec)
    return picture_answer(picture)


@bp.post("/works/<uuid:piece_id>/submit")
def submit_work(piece_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            slug = access_piece(uow, piece_id, may=Permission.PIECE_MAKE).template_version.template.slug
            submit_for_review(uow, piece_id)
    except CheckBlocked as blocked:
        # the making page judges again and shows each finding at its field
        flash(said(blocked), "attention")
        return redirect(url_for("make.show_make", slug=slug, piece=piece_id), 303)
    flash(_("已送审。结果出来后会显示在这里和“今日”。"), "good")
    return _back(piece_id)


@bp.post("/works/<uuid:piece_id>/withdraw")
def withdraw_work(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        withdraw_piece(uow, piece_id)
    flash(_("已撤回。内容还在，可以修改后再送审。"), "good")
    return _back(piece_id)


@bp.post("/works/<uuid:piece_id>/correct")
def correct_work(piece_id: UUID) -> ResponseReturnValue:
    """Open one's published piece for correction; it stays usable until the new one is approved."""
    with unit_of_work() as uow:
        piece = start_correction(uow, piece_id, correction_kind(request.form.get("kind")))
        slug = piece.template_version.template.slug
    return redirect(url_for("make.show_make", slug=slug, piece=piece_id), 303)


@bp.post("/works/<uuid:piece_id>/correct/drop")
def drop_work_correction(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        drop_correction(uow, piece_id)
    flash(_("已放弃更正，原版照常使用。"), "info")
    return _back(piece_id)


@bp.post("/works/<uuid:piece_id>/adopt/<uuid:finding_id>")
def adopt_wording(piece_id: UUID, finding_id: UUID) -> ResponseReturnValue:
    """Take the ready wording and send the piece again, in one tap."""
    try:
        with unit_of_work() as uow:
            adopt_and_resubmit(uow, piece_id, finding_id)
    except (CheckBlocked, InvalidInput) as refused:
        flash(said(refused), "attention")
    else:
        flash(_("已采用建议措辞并重新送审。"), "good")
    return _back(piece_id)


@bp.post("/works/<uuid:piece_id>/adopt")
def adopt_decision(piece_id: UUID) -> ResponseReturnValue:
    """Take the reviewer's wordings and send the piece again, in one tap."""
    try:
        with unit_of_work() as uow:
            adopt_decision_and_resubmit(uow, piece_id)
    except (CheckBlocked, InvalidInput) as refused:
        flash(said(refused), "attention")
    else:
        flash(_("已采用审核人的措辞并重新送审。"), "good")
    return _back(piece_id)


def _back(piece_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("own_pieces.show_work", piece_id=piece_id), 303)
