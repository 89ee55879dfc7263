"""制作: the picture above, below it only what may be changed.

The page holds a signed reservation: the QR code its picture shows and the key of the one piece it
makes. So the preview is the output, and two taps on one button are one piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from app.domain.errors import CheckBlocked, InvalidInput
from app.domain.organisation import Actor
from app.domain.piece import TRANSITIONS, PieceAction, PieceState
from app.domain.route import UseChannel
from app.queries.own_piece import usual_review_minutes
from app.services.making import (
    Outlook,
    Reserved,
    Workplace,
    adopted,
    foresee,
    hint_at,
    open_workplace,
    preview_picture,
    reopen_workplace,
    save_draft,
)
from app.services.submission import submit_for_review
from app.services.unit_of_work import UnitOfWork
from app.web.edge import actor, render_page, unit_of_work
from app.web.i18n import translate as _
from app.web.pictures import picture_answer, size_words
from app.web.route_words import channel_choices, chosen_channel
from templates_lib.manifest import Slot, SlotKind

bp = Blueprint("make", __name__)

SLOT: Final = "slot."  # what a form's field is called before the slot's name
_LONGEST_VALUE: Final = 4000
_USUAL_OVER: Final = timedelta(days=30)


@bp.get("/make/<slug>")
def show_make(slug: str) -> ResponseReturnValue:
    piece_id = request.args.get("piece", type=UUID)
    with unit_of_work() as uow:
        place = open_workplace(uow, slug, piece_id=piece_id, key=uuid4().hex)
        return _page(uow, place, foresee(uow, place.reserved, place.entered), blank=piece_id is None)


@bp.get("/make/<slug>/preview.jpg")
def show_preview(slug: str) -> ResponseReturnValue:
    """The picture with the form's words in it: exactly the bytes that would go out."""
    reserved = _reserved(slug, request.args)
    with unit_of_work() as uow:
        size = request.args.get("size", default="")
        page = 0 if size else request.args.get("page", default=0, type=int)  # another size is one page
        picture = preview_picture(uow, reserved, _entered(request.args), page=page, size=size)
    return picture_answer(picture)


@bp.post("/make/<slug>/hints")
def show_hints(slug: str) -> ResponseReturnValue:
    """What the checker says about the field being typed in; the bar below comes along."""
    reserved = _reserved(slug, request.form)
    entered = _entered(request.form)
    field = request.headers.get("HX-Trigger-Name", "")
    with unit_of_work() as uow:
        outlook = foresee(uow, reserved, entered)
        return render_page(
            "make/hints.html",
            field=field,
            found=outlook.hints_for(field.removeprefix(SLOT)),
            fault=outlook.fault_for(field.removeprefix(SLOT)),
            **_standing(uow, outlook),
        )


@bp.post("/make/<slug>")
def make(slug: str) -> ResponseReturnValue:
    reserved = _reserved(slug, request.form)
    entered = _entered(request.form)
    if adopt := request.form.get("adopt"):
        return _adopt(reserved, entered, adopt)
    match request.form.get("action"):
        case "save":
            return _save(reserved, entered)
        case "submit":
            return _submit(reserved, entered)
        case _:
            return _shown(reserved, entered)


def _save(reserved: Reserved, entered: Mapping[str, str]) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            piece_id = save_draft(uow, reserved, entered, channel=_channel()).id
    except InvalidInput as refused:
        return _shown(reserved, entered, refused=refused)
    flash(_("草稿已保存，随时可以回来接着改。"), "good")
    return redirect(url_for("own_pieces.show_work", piece_id=piece_id), 303)


def _submit(reserved: Reserved, entered: Mapping[str, str]) -> ResponseReturnValue:
    """Save first, in a transaction of its own: what the checker stops is kept as a draft."""
    try:
        with unit_of_work() as uow:
            piece = save_draft(uow, reserved, entered, channel=_channel())
            piece_id, state = piece.id, piece.state
        if (state, PieceAction.SUBMIT) in TRANSITIONS:
            with unit_of_work() as uow:
                submit_for_review(uow, piece_id)
    except InvalidInput as refused:
        return _shown(reserved, entered, refused=refused)
    except CheckBlocked:
        return _shown(reserved, entered, blocked=True)
    if state in {PieceState.DRAFT, PieceState.CHANGES_REQUESTED}:
        flash(_("已送审。结果出来后会显示在这里和“今日”。"), "good")
    return redirect(url_for("own_pieces.show_work", piece_id=piece_id), 303)


def _adopt(reserved: Reserved, entered: Mapping[str, str], adopt: str) -> ResponseReturnValue:
    """Without a script: the suggestion comes from a fresh check, never from the request."""
    field, _colon, span = adopt.partition(":")
    start, _colon, end = span.partition(":")
    with unit_of_work() as uow:
        outlook = foresee(uow, reserved, entered)
    if start.isdecimal() and end.isdecimal():
        hint = hint_at(outlook.hints, field.removeprefix(SLOT), int(start), int(end))
        if hint is not None:
            entered = adopted(entered, hint)
    return _shown(reserved, entered)


def _shown(
    reserved: Reserved,
    entered: Mapping[str, str],
    *,
    refused: InvalidInput | None = None,
    blocked: bool = False,
) -> Response:
    """The page again with everything that was entered and what is to be said about it."""
    with unit_of_work() as uow:
        place = reopen_workplace(uow, reserved, entered)
        outlook = foresee(uow, reserved, entered)
        answer = _page(uow, place, outlook, refused=refused, blocked=blocked)
    answer.status_code = 422 if refused or blocked else 200
    return answer


def _page(
    uow: UnitOfWork,
    place: Workplace,
    outlook: Outlook,
    *,
    refused: InvalidInput | None = None,
    blocked: bool = False,
    blank: bool = False,
) -> Response:
    errors = {fault.field: fault.reason for fault in outlook.faults}
    if refused is not None:
        errors |= {fault.field: fault.reason for fault in refused.faults}
    mine = {slot.name for slot in place.open_slots}
    reservation = _signed(place.reserved)
    page = request.values.get("page", default=0, type=int)
    size = request.values.get("size", default="")
    query = {SLOT + name: text for name, text in place.entered.items()}
    return render_page(
        "make/make.html",
        manifest=place.manifest,
        slug=place.reserved.slug,
        piece=place.piece,
        slots=place.open_slots,
        values=place.entered,
        choices={slot.name: _choices(slot) for slot in place.open_slots if slot.kind is SlotKind.PHRASE},
        errors={name: reason for name, reason in errors.items() if name in mine},
        channels=channel_choices(),
        channel=request.form.get("channel") or (place.piece.channel if place.piece else UseChannel.MOMENTS),
        elsewhere=[reason for name, reason in errors.items() if name not in mine],
        found={name: outlook.hints_for(name) for name in mine},
        found_elsewhere=[hint for hint in outlook.hints if hint.slot not in mine],
        blocked=blocked,
        blank=blank,
        reservation=reservation,
        shown_page=min(max(page, 0), place.manifest.pages - 1),
        shown_size=size if size in place.manifest.sizes else "",
        sizes=[(name, *size_words(one)) for name, one in place.manifest.sizes.items()],
        preview_query=urlencode({"reservation": reservation, "page": page, "size": size, **query}),
        **_standing(uow, outlook),
    )


def _channel() -> UseChannel | None:
    return chosen_channel(request.form.get("channel"))


def _choices(slot: Slot) -> list[tuple[str, str]]:
    """The sentences of a pool; a slot that may stay empty offers that first."""
    none = [] if slot.required else [("", _("不放"))]
    return [*none, *((phrase, phrase) for phrase in slot.phrases)]


def _standing(uow: UnitOfWork, outlook: Outlook) -> dict[str, Any]:
    """What the bar says: may it be used at once, and if not, why not and for how long."""
    return {
        "outlook": outlook,
        "usual_minutes": usual_review_minutes(uow.session, since=uow.clock.now() - _USUAL_OVER),
    }


def _entered(form: Mapping[str, str]) -> dict[str, str]:
    """The slots of a form; a browser ends lines with CR LF, the checker counts one character."""
    return {
        name.removeprefix(SLOT): value[:_LONGEST_VALUE].replace("\r\n", "\n")
        for name, value in form.items()
        if name.startswith(SLOT)
    }


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="making")


def _signed(reserved: Reserved) -> str:
    person: Actor = actor()
    return str(
        _serializer().dumps(
            [
                str(person.advisor_id),
                reserved.slug,
                reserved.number,
                reserved.qr_code,
                reserved.key,
                str(reserved.piece_id) if reserved.piece_id else None,
            ]
        )
    )


def _reserved(slug: str, form: Mapping[str, str]) -> Reserved:
    """What the page reserved, if it is this person's and this template's page."""
    try:
        by, of_slug, number, qr_code, key, piece_id = _serializer().loads(form.get("reservation", ""))
    except (BadSignature, ValueError, TypeError):
        by = of_slug = None
    if of_slug != slug or by != str(actor().advisor_id):
        raise InvalidInput.of("reservation", "malformed", _("页面已过时，请从模板重新打开。"))
    return Reserved(slug, number, qr_code, key, UUID(piece_id) if piece_id else None)
