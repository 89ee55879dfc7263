"""Inspections: what passed by itself and was drawn, looked at afterwards, with its consequence."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import AlreadyDecided, InvalidInput
from app.domain.inspection import InspectionOutcome
from app.domain.organisation import Permission
from app.queries.inspection import inspection_row, inspections, pass_figures
from app.services.access import access_piece, require
from app.services.inspection import access_inspection, conclude_inspection
from app.services.sampling import sampling_policy
from app.services.shown import shown_picture, shown_values
from app.services.template import manifest_of
from app.web.edge import actor, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import errors_by_field, page_number
from app.web.i18n import translate as _
from app.web.pictures import asked_page, asked_size, picture_answer

bp = Blueprint("inspection", __name__, url_prefix="/inspections")
# what the figures on top look back on
_SINCE: Final = timedelta(days=30)


@bp.get("")
def show_inspections() -> ResponseReturnValue:
    done = request.args.get("state") == "done"
    with unit_of_work() as uow:
        scope = require(uow, Permission.REVIEW_VIEW)
        found = inspections(uow.session, scope, done=done, page=page_number(request.args.get("page")))
        figures = pass_figures(uow.session, scope, since=uow.clock.now() - _SINCE)
        policy = sampling_policy(uow)
        now = uow.clock.now()
    state = "done" if done else None
    return render_page(
        "inspections/list.html",
        found=found,
        figures=figures,
        share=f"{policy.share_bp / 100:g}",
        done=done,
        now=now,
        previous_url=url_for("inspection.show_inspections", state=state, page=found.number - 1)
        if found.has_previous
        else None,
        next_url=url_for("inspection.show_inspections", state=state, page=found.number + 1)
        if found.has_next
        else None,
    )


@bp.get("/<uuid:inspection_id>")
def show_inspection(inspection_id: UUID) -> ResponseReturnValue:
    return _inspection(inspection_id)


@bp.get("/<uuid:inspection_id>/picture.jpg")
def picture(inspection_id: UUID) -> ResponseReturnValue:
    """The picture as it went out."""
    with unit_of_work() as uow:
        drawn = access_inspection(uow, inspection_id, may=Permission.REVIEW_VIEW)
        piece = access_piece(uow, drawn.auto_pass.piece_id, may=Permission.REVIEW_VIEW)
        manifest = manifest_of(uow, piece.template_version)
        size = asked_size(manifest)
        page = asked_page(manifest.in_size(size).pages)
        revision = piece.current_revision
        assert revision is not None  # noqa: S101 - what passed had a revision
        return picture_answer(shown_picture(uow, piece, revision, page=page, size=size))


@bp.post("/<uuid:inspection_id>")
def conclude(inspection_id: UUID) -> ResponseReturnValue:
    form = request.form
    try:
        outcome = InspectionOutcome(form.get("outcome", ""))
    except ValueError:
        return _inspection(inspection_id, refused=_("请选择抽检结果。")), 422
    try:
        with unit_of_work() as uow:
            conclude_inspection(
                uow,
                inspection_id,
                outcome,
                note=form.get("note", "").replace("\r\n", "\n"),
                stop_design=form.get("stop_design") == "1",
            )
    except InvalidInput as error:
        return _inspection(inspection_id, errors=errors_by_field(error)), 422
    except AlreadyDecided as error:
        return _inspection(inspection_id, refused=said(error)), 409
    if outcome is InspectionOutcome.FINDING:
        flash(_("已记录问题，内容已下架，链接和二维码立即停用。"), "attention")
    else:
        flash(_("抽检通过，已记录。"), "good")
    return redirect(url_for("inspection.show_inspections"), 303)


def _inspection(
    inspection_id: UUID, *, errors: dict[str, str] | None = None, refused: str | None = None
) -> Response:
    with unit_of_work() as uow:
        drawn = access_inspection(uow, inspection_id, may=Permission.REVIEW_VIEW)
        row = inspection_row(uow.session, inspection_id)
        piece = access_piece(uow, drawn.auto_pass.piece_id, may=Permission.REVIEW_VIEW)
        manifest = manifest_of(uow, piece.template_version)
        revision = piece.current_revision
        values = shown_values(uow, piece, revision) if revision is not None else {}
    labels = {slot.name: slot.label for slot in manifest.slots}
    return render_page(
        "inspections/inspection.html",
        row=row,
        manifest=manifest,
        labels=labels,
        texts=[
            (labels[name], text)
            for name, text in values.items()
            if name in labels and text and not text.startswith(("asset:", "http"))
        ],
        may_conclude=actor().may(Permission.INSPECT) and row.outcome is None,
        errors=errors or {},
        refused=refused,
    )
