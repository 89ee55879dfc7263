"""Beside an item under review: what was found, where on the picture; pins; notes among reviewers."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.annotation import PinStanding, PinState
from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.models.review import Review
from app.queries.annotation import ShownPin, pins_on
from app.queries.reading import boxes_of
from app.queries.review import FoundHit, hits_of
from app.services.access import access_review
from app.services.annotation import note, pin, pin_slot, places_on, settle_pin
from app.services.check import reading_of
from app.services.shown import shown_values
from app.services.template import manifest_of
from app.services.unit_of_work import UnitOfWork
from app.web.edge import render_page, unit_of_work
from app.web.i18n import translate as _
from compliance.reading import PictureReading
from templates_lib.survey import Box
from templates_lib.whereabouts import Whereabouts

bp = Blueprint("annotation", __name__)
_BOX_MARGIN_PX = 6


@bp.get("/reviews/<uuid:review_id>/marks")
def show_marks(review_id: UUID) -> ResponseReturnValue:
    """What lies over the pages of the picture: the hits, and the pins with their numbers."""
    with unit_of_work() as uow:
        review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
        manifest = manifest_of(uow, review.piece.template_version)
        hits, pins = _hits_on(uow, review), _pins(uow, review)
        by_page = {
            page: (
                [(hit, box) for hit, box in hits if box.page == page],
                [one for one in pins if one.page == page],
            )
            for page in range(manifest.pages)
        }
        return render_page(
            "reviews/all_marks.html",
            size=manifest.size,
            margin=_BOX_MARGIN_PX,
            pages={page: marks for page, marks in by_page.items() if any(marks)},
        )


@bp.post("/reviews/<uuid:review_id>/pins")
def leave_pin(review_id: UUID) -> ResponseReturnValue:
    """Pin a remark at a place of the picture, or at a slot where nobody could point."""
    words = request.form.get("words", "")
    x, y = (request.form.get(name, type=int) for name in ("x", "y"))
    try:
        with unit_of_work() as uow:
            if x is None or y is None:
                pin_slot(uow, review_id, request.form.get("slot", ""), words)
            else:
                page = request.form.get("page", 0, type=int)
                pin(uow, review_id, words, page=page, x_permille=x, y_permille=y)
    except InvalidInput as refused:
        flash(refused.faults[0].reason, "attention")
    return _back_to(review_id, "pins")


@bp.post("/reviews/<uuid:review_id>/pins/<uuid:pin_id>")
def settle(review_id: UUID, pin_id: UUID) -> ResponseReturnValue:
    state = PinState.FIXED if request.form.get("state") == PinState.FIXED else PinState.OPEN
    with unit_of_work() as uow:
        settle_pin(uow, review_id, pin_id, state)
    return _back_to(review_id, "pins")


@bp.post("/reviews/<uuid:review_id>/notes")
def write_note(review_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            note(uow, review_id, request.form.get("note", ""))
    except InvalidInput as refused:
        flash(refused.faults[0].reason, "attention")
    else:
        flash(_("备注已保存，只有审核人看得到。"), "good")
    return _back_to(review_id, "notes")


def _back_to(review_id: UUID, place: str) -> ResponseReturnValue:
    address = url_for("review.show_item", review_id=review_id)
    filtered = f"?{urlencode(request.args)}" if request.args else ""
    return redirect(f"{address}{filtered}#{place}", 303)


def _pins(uow: UnitOfWork, review: Review) -> tuple[ShownPin, ...]:
    shown = pins_on(uow.session, review.piece_id, review.revision.values)
    return tuple(one for one in shown if one.standing is not PinStanding.FIXED)


def _hits_on(uow: UnitOfWork, review: Review) -> list[tuple[FoundHit, Box]]:
    """Every hit with its boxes. Words of the design itself have no place of their own to show."""
    places = places_on(uow, review)
    values = shown_values(uow, review.piece, review.revision)
    lines = {line.field: line for line in reading_of(uow, review.piece.template_version, values)}
    found: list[tuple[FoundHit, Box]] = []
    for hit in hits_of(uow.session, review.check_run_id):
        line = lines.get(hit.field)
        if line is None or line.slot is None:
            if (whole := places.pictures.get(hit.field)) is not None:
                found.append((hit, whole))  # a picture that could not be read
        elif line.picture is not None:
            found.extend((hit, box) for box in _boxes_in(places, line.slot, line.picture, hit))
        else:
            boxes = places.boxes_of(line.slot, line.text, hit.start, hit.end)
            found.extend((hit, box) for box in boxes)
    return found


def _boxes_in(places: Whereabouts, slot: str, picture: PictureReading, hit: FoundHit) -> list[Box]:
    """Where words inside an uploaded picture come to lie on the page, as far as they are seen there."""
    width, height = picture.width, picture.height
    parts = (
        places.part_of(slot, box.left / width, box.top / height, box.width / width, box.height / height)
        for box in boxes_of(picture, hit)
    )
    return [part for part in parts if part is not None]
