"""The content desk: pieces made for everybody, from the first draft to the audience and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.domain.errors import CheckBlocked, IllegalTransition, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.piece import EDITABLE, TRANSITIONS, PieceAction, PieceState
from app.domain.publication import DEFAULT_VALIDITY
from app.domain.review import Refusal
from app.domain.route import UseChannel
from app.domain.template import REQUIRED_LICENCE, TemplateState
from app.domain.tracking import TENANT_ZONE
from app.models.piece import Piece
from app.models.template import TemplateVersion
from app.queries.distribution import audience, editions_of, tags_in, units_in
from app.queries.piece import PieceFilter, history_of, piece_list, successors_for
from app.queries.review import FoundHit, decisions_on_piece, hits_of
from app.queries.template import designs
from app.services.access import access_piece, require
from app.services.correction import drop_correction, start_correction
from app.services.draft import preview_draft, try_out
from app.services.piece import save_piece
from app.services.publication import publish_piece, set_successor, take_down
from app.services.reading import crops_of, pictures_in
from app.services.routing import made_slots
from app.services.shown import shown_picture
from app.services.submission import submit_for_review, withdraw_piece
from app.services.template import manifest_of, usable_version
from app.services.unit_of_work import UnitOfWork
from app.web.corrections import correction_choices, correction_kind, correction_words
from app.web.edge import actor, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import uuid_of
from app.web.i18n import translate as _
from app.web.pictures import asked_page, asked_size, in_page, picture_answer
from app.web.route_words import channel_choices, chosen_channel
from compliance.report import Report

bp = Blueprint("pieces", __name__)

SLOT: Final = "slot."  # what a form's field is called before the slot's name
_LONGEST_VALUE: Final = 4000
_PREVIEW_PX: Final = 720
OWNERS: Final = ("master", "advisor", "mine")


@bp.get("/pieces")
def show_list() -> ResponseReturnValue:
    wanted = PieceFilter(
        text=request.args.get("q", "").strip()[:80],
        state=request.args.get("state", "") if request.args.get("state") in set(PieceState) else "",
        template=request.args.get("template", ""),
        owner=request.args.get("owner", "") if request.args.get("owner") in OWNERS else "",
    )
    me = actor()
    with unit_of_work() as uow:
        scope = require(uow, Permission.PIECE_VIEW)
        found = piece_list(
            uow.session, scope, wanted, by=me.user_id, page=request.args.get("page", 1, type=int)
        )
    named = asdict(wanted)
    named["q"] = named.pop("text")
    return render_page(
        "pieces/list.html",
        block="results",
        pieces=found,
        wanted=wanted,
        query={name: value for name, value in named.items() if value},
        may_make=me.may(Permission.PIECE_MAKE_MASTER),
    )


@bp.get("/pieces/new")
def show_new() -> ResponseReturnValue:
    """Choose a design, or fill the one that is chosen."""
    slug = request.args.get("template")
    with unit_of_work() as uow:
        require(uow, Permission.PIECE_MAKE_MASTER)
        if not slug:
            released = designs(
                uow.session, actor().scope_for(Permission.PIECE_VIEW), state=TemplateState.PUBLISHED
            )
            return render_page("pieces/choose.html", designs=released)
        version = usable_version(uow, slug)
        manifest = manifest_of(uow, version)
        values = {name: slot.default or "" for name, slot in made_slots(manifest).items()}
        return _form(uow, version, values, title=version.template.name, tags=version.tags)


@bp.post("/pieces")
def create() -> ResponseReturnValue:
    return _save(None)


@bp.get("/pieces/<uuid:piece_id>/edit")
def show_edit(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE_MASTER)
        if piece.state not in EDITABLE:
            raise IllegalTransition(state=piece.state.value, action=PieceAction.EDIT.value)
        values = piece.current_revision.values if piece.current_revision else {}
        return _form(uow, piece.template_version, values, title=piece.title, tags=piece.tags, piece=piece)


@bp.post("/pieces/<uuid:piece_id>")
def change(piece_id: UUID) -> ResponseReturnValue:
    return _save(piece_id)


@bp.get("/pieces/preview.jpg")
def preview() -> ResponseReturnValue:
    """The picture with the form's words in it, in the edition of an advisor with a long name."""
    with unit_of_work() as uow:
        version, _piece = _making(uow, request.args)
        return picture_answer(
            preview_draft(
                uow,
                version,
                _entered(request.args),
                page=asked_page(manifest_of(uow, version).pages),
                width_px=_PREVIEW_PX,
            )
        )


@bp.post("/pieces/hints")
def hints() -> ResponseReturnValue:
    """What the checker says of the field that is being typed in."""
    field = request.headers.get("HX-Trigger-Name", "")
    with unit_of_work() as uow:
        version, _piece = _making(uow, request.form)
        found, faults = _hints(uow, version, _entered(request.form))
    name = field.removeprefix(SLOT)
    return render_page("pieces/hints.html", field=field, found=found.get(name, ()), fault=faults.get(name))


@bp.get("/pieces/<uuid:piece_id>")
def show_piece(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        return _piece(uow, piece_id)


@bp.get("/pieces/<uuid:piece_id>/picture.jpg")
def picture(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        piece = _seen_piece(uow, piece_id)
        if piece.current_revision is None:
            raise Missing(noun="piece_revision")
        manifest = manifest_of(uow, piece.template_version)
        size = asked_size(manifest)
        page = asked_page(manifest.in_size(size).pages)
        return picture_answer(shown_picture(uow, piece, piece.current_revision, page=page, size=size))


@bp.post("/pieces/<uuid:piece_id>/submit")
def submit(piece_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            submit_for_review(uow, piece_id)
    except CheckBlocked as error:
        flash(said(error), "attention")
        return redirect(url_for("pieces.show_edit", piece_id=piece_id), 303)
    flash(_("已送审。审核结果会出现在本页。"), "good")
    return _back(piece_id)


@bp.post("/pieces/<uuid:piece_id>/withdraw")
def withdraw(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        withdraw_piece(uow, piece_id)
    flash(_("已撤回。内容仍在，可修改后重新送审。"), "info")
    return _back(piece_id)


@bp.post("/pieces/<uuid:piece_id>/publish")
def publish(piece_id: UUID) -> ResponseReturnValue:
    form = request.form
    try:
        with unit_of_work() as uow:
            publication = publish_piece(
                uow,
                piece_id,
                path=form.get("path") or None,
                tags=tuple(form.getlist("tag")),
                valid_from=_start(form.get("valid_from", ""), "valid_from", now=uow.clock.now()),
                valid_until=_end(form.get("valid_until", "")),
                why=form.get("why", "").strip()[:500],
            )
            number = publication.approval_no
    except InvalidInput as error:
        with unit_of_work() as uow:
            return _piece(uow, piece_id, entered=form, refused=error), 422
    flash(_("已发布给受众，审核编号 {number}。").format(number=number), "good")
    return _back(piece_id)


@bp.post("/pieces/<uuid:piece_id>/successor")
def name_successor(piece_id: UUID) -> ResponseReturnValue:
    """What a visitor is shown once this piece has ended."""
    chosen = request.form.get("successor", "")
    try:
        with unit_of_work() as uow:
            set_successor(uow, piece_id, uuid_of(chosen, "piece") if chosen else None)
    except InvalidInput as error:
        with unit_of_work() as uow:
            return _piece(uow, piece_id, refused=error), 422
    flash(_("已保存。到期后，原链接和二维码会引导到这份内容。"), "good")
    return _back(piece_id)


@bp.post("/pieces/<uuid:piece_id>/correct")
def correct(piece_id: UUID) -> ResponseReturnValue:
    """Open what is published for correction; it stays public until the correction is approved."""
    with unit_of_work() as uow:
        start_correction(uow, piece_id, correction_kind(request.form.get("kind")))
    flash(_("已进入更正。原版继续有效，新版审核通过的那一刻在同一链接替换它。"), "info")
    return redirect(url_for("pieces.show_edit", piece_id=piece_id), 303)


@bp.post("/pieces/<uuid:piece_id>/correct/drop")
def drop(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        drop_correction(uow, piece_id)
    flash(_("已放弃更正，原版照常使用。"), "info")
    return _back(piece_id)


@bp.post("/pieces/<uuid:piece_id>/take-down")
def end(piece_id: UUID) -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            take_down(uow, piece_id, note=request.form.get("note", ""))
    except InvalidInput as error:
        with unit_of_work() as uow:
            return _piece(uow, piece_id, refused=error), 422
    flash(_("已下架。链接、二维码和图片从此刻起都显示“已下架”。"), "good")
    return _back(piece_id)


def _back(piece_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("pieces.show_piece", piece_id=piece_id), 303)


def _seen_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """A piece within reach; an advisor's draft is their own desk until they submit it."""
    piece = access_piece(uow, piece_id, may=Permission.PIECE_VIEW)
    if piece.advisor_id is not None and piece.state is PieceState.DRAFT:
        raise Missing(noun="piece")
    return piece


def _piece(
    uow: UnitOfWork,
    piece_id: UUID,
    *,
    entered: MultiDict[str, str] | None = None,
    refused: InvalidInput | None = None,
) -> Response:
    me = actor()
    piece = _seen_piece(uow, piece_id)
    chosen = entered if entered is not None else request.args
    history = history_of(uow.session, piece.id, revision_id=piece.current_revision_id)
    making = piece.advisor_id is None and me.scope_for(Permission.PIECE_MAKE_MASTER).covers(
        piece.org_unit.path
    )
    allowed = {action for (state, action) in TRANSITIONS if state is piece.state}
    publishing = (
        piece.advisor_id is None
        and PieceAction.PUBLISH in allowed
        and me.scope_for(Permission.PUBLISH).covers(piece.org_unit.path)
    )
    hits = hits_of(uow.session, history.last_check.id) if history.last_check else ()
    manifest = manifest_of(uow, piece.template_version)
    return render_page(
        "pieces/piece.html",
        block="audience",
        piece=piece,
        manifest=manifest,
        history=history,
        hits=hits,
        crops=in_page(crops_of(uow, pictures_in(manifest, piece.current_revision.values), hits))
        if piece.current_revision
        else {},
        decisions=decisions_on_piece(uow.session, piece.id),
        read_reason=Refusal.from_text,
        actions=_ACTION_WORDS,
        use=editions_of(uow.session, me.scope_for(Permission.PIECE_VIEW), piece.id)
        if history.publications
        else None,
        may_edit=making and PieceAction.EDIT in allowed,
        may_submit=making and PieceAction.SUBMIT in allowed,
        may_withdraw=making and PieceAction.WITHDRAW in allowed,
        may_take_down=(PieceAction.TAKE_DOWN in allowed or piece.correcting is not None)
        and me.scope_for(Permission.TAKE_DOWN).covers(piece.org_unit.path),
        may_correct=making and PieceAction.CORRECT in allowed,
        may_drop=making and piece.correcting is not None,
        corrections=correction_choices(),
        correction_words=correction_words(piece.correcting),
        successors=successors_for(uow.session, me.scope_for(Permission.PUBLISH), piece.id, at=uow.clock.now())
        if me.scope_for(Permission.PUBLISH).covers(piece.org_unit.path)
        else None,
        may_recall=PieceAction.RECALL in allowed
        and me.scope_for(Permission.RECALL).covers(piece.org_unit.path),
        may_review=me.may(Permission.REVIEW_VIEW),
        publishing=_publishing(uow, piece, chosen) if publishing else None,
        refused=said(refused) if refused else None,
        faults={fault.field: fault.reason for fault in refused.faults} if refused else {},
    )


def _publishing(uow: UnitOfWork, piece: Piece, chosen: MultiDict[str, str]) -> dict[str, Any]:
    """The publish form with what was chosen in it, and whom that would reach."""
    scope = require(uow, Permission.PUBLISH)
    units = units_in(uow.session, scope)
    path = chosen.get("path") or piece.org_unit.path
    tags = chosen.getlist("tag")
    now = uow.clock.now().astimezone(TENANT_ZONE)
    return {
        "units": [
            (unit.path, "　" * (unit.path.count("/") - 2) + f"{unit.name}（{unit.advisors}）")
            for unit in units
        ],
        "path": path,
        "all_tags": [(one.tag, f"{one.tag}（{one.advisors}）") for one in tags_in(uow.session, scope)],
        "tags": tags,
        "audience": audience(
            uow.session, scope, path, tags, licence=REQUIRED_LICENCE.get(piece.product_type)
        ),
        "valid_from": chosen.get("valid_from") or f"{now:%Y-%m-%dT%H:%M}",
        "valid_until": chosen.get("valid_until")
        or f"{_midnight(now + DEFAULT_VALIDITY + timedelta(days=1)):%Y-%m-%dT%H:%M}",
        "why": chosen.get("why", ""),
    }


_ACTION_WORDS: Final = {
    PieceAction.EDIT: "修改",
    PieceAction.SUBMIT: "送审",
    PieceAction.PASS_CHECK: "检测完成，进入审核",
    PieceAction.FAIL_CHECK: "检测未过，退回草稿",
    PieceAction.APPROVE: "审核通过",
    PieceAction.REQUEST_CHANGES: "退回修改",
    PieceAction.REJECT: "驳回",
    PieceAction.WITHDRAW: "撤回",
    PieceAction.PUBLISH: "发布",
    PieceAction.EXPIRE: "到期",
    PieceAction.TAKE_DOWN: "下架",
    PieceAction.RECALL: "召回",
    PieceAction.ARCHIVE: "归档",
    PieceAction.CORRECT: "开始更正",
    PieceAction.DROP_CORRECTION: "放弃更正",
}


def _making(uow: UnitOfWork, form: Mapping[str, str]) -> tuple[TemplateVersion, Piece | None]:
    """The version a form fills: that of the piece it changes, or the design's usable one."""
    if piece_id := form.get("piece"):
        try:
            piece = access_piece(uow, UUID(piece_id), may=Permission.PIECE_MAKE_MASTER)
        except ValueError:
            raise Missing(noun="piece") from None
        return piece.template_version, piece
    return usable_version(uow, form.get("template", "")), None


def _save(piece_id: UUID | None) -> ResponseReturnValue:
    """Save what the form holds, and send it for review where that was asked for."""
    form = request.form
    entered = _entered(form)
    if "adopt" in form:
        return _adopt(piece_id, entered, form["adopt"])
    try:
        with unit_of_work() as uow:
            piece = save_piece(
                uow,
                form.get("template", ""),
                entered,
                piece_id=piece_id,
                title=form.get("title", "").strip()[:80] or None,
                tags=_tags(form.get("tags", "")),
                channel=chosen_channel(form.get("channel")),
                idempotency_key=form.get("key", "")[:64] or None,
            )
            saved_id = piece.id
    except InvalidInput as error:
        return _form_again(piece_id, entered, refused=error), 422
    if form.get("action") != "submit":
        flash(_("已存为草稿。"), "good")
        return _back(saved_id)
    try:
        with unit_of_work() as uow:
            submit_for_review(uow, saved_id)
    except CheckBlocked as error:
        flash(_("内容已保存。") + said(error), "attention")
        return redirect(url_for("pieces.show_edit", piece_id=saved_id), 303)
    flash(_("已保存并送审。"), "good")
    return _back(saved_id)


def _adopt(piece_id: UUID | None, entered: Mapping[str, str], offer: str) -> ResponseReturnValue:
    """Put a suggestion in its place for a browser that runs no script; a fresh check says which."""
    field, *span = offer.rsplit(":", 2)
    name = field.removeprefix(SLOT)
    with unit_of_work() as uow:
        version, _piece = _making(uow, _with_piece(request.form, piece_id))
        found, _faults = _hints(uow, version, entered)
    text = entered.get(name, "")
    for hit in found.get(name, ()):
        if [str(hit.start), str(hit.end)] == span and hit.suggestion is not None:
            text = text[: hit.start] + hit.suggestion + text[hit.end :]
            break
    return _form_again(piece_id, {**entered, name: text})


def _with_piece(form: Mapping[str, str], piece_id: UUID | None) -> dict[str, str]:
    return {**form, "piece": str(piece_id) if piece_id else ""}


def _form_again(
    piece_id: UUID | None, entered: Mapping[str, str], *, refused: InvalidInput | None = None
) -> Response:
    form = request.form
    with unit_of_work() as uow:
        version, piece = _making(uow, _with_piece(form, piece_id))
        return _form(
            uow,
            version,
            entered,
            title=form.get("title", ""),
            tags=_tags(form.get("tags", "")),
            piece=piece,
            key=form.get("key"),
            refused=refused,
        )


def _form(
    uow: UnitOfWork,
    version: TemplateVersion,
    values: Mapping[str, str],
    *,
    title: str,
    tags: Sequence[str],
    piece: Piece | None = None,
    key: str | None = None,
    refused: InvalidInput | None = None,
) -> Response:
    manifest = manifest_of(uow, version)
    slots = made_slots(manifest)
    found, faults = _hints(uow, version, {name: values.get(name, "") for name in slots})
    if refused is not None:
        faults |= {fault.field: fault.reason for fault in refused.faults}
    return render_page(
        "pieces/form.html",
        piece=piece,
        version=version,
        manifest=manifest,
        slots=slots,
        values=values,
        phrases={name: [(one, one) for one in slot.phrases] for name, slot in slots.items()},
        title=title,
        tags="、".join(tags),
        channels=channel_choices(),
        channel=request.form.get("channel") or (piece.channel if piece else UseChannel.MOMENTS),
        key=key or uuid4().hex,
        found=found,
        faults=faults,
        refused=said(refused) if refused else None,
        elsewhere=[reason for name, reason in faults.items() if name not in slots],
        preview_url=url_for(
            "pieces.preview",
            template=version.template.slug,
            piece=piece.id if piece else None,
            **{SLOT + name: values.get(name, "") for name in slots},  # type: ignore[arg-type]
        ),
        hints_url=url_for("pieces.hints"),
    )


def _hints(
    uow: UnitOfWork, version: TemplateVersion, entered: Mapping[str, str]
) -> tuple[dict[str, tuple[FoundHit, ...]], dict[str, str]]:
    """By slot: what the checker finds in these values, and why they cannot be drawn."""
    require(uow, Permission.PIECE_MAKE_MASTER)
    trial = try_out(uow, version, entered, qr_code="")
    return _by_slot(trial.report), {fault.field: fault.reason for fault in trial.faults}


def _by_slot(report: Report) -> dict[str, tuple[FoundHit, ...]]:
    found: dict[str, dict[tuple[str, int, int], FoundHit]] = {}
    for one in report.findings:
        if one.severity.value == "note":
            continue
        # a slot that stands on several pages is found on each of them: say it once
        found.setdefault(one.field, {})[one.rule, one.span.start, one.span.end] = FoundHit.of(one)
    return {field: tuple(hits.values()) for field, hits in found.items()}


def _entered(form: Mapping[str, str]) -> dict[str, str]:
    """The slots of a form; a browser ends lines with CR LF, the checker counts one character."""
    return {
        name.removeprefix(SLOT): value[:_LONGEST_VALUE].replace("\r\n", "\n")
        for name, value in form.items()
        if name.startswith(SLOT)
    }


def _tags(text: str) -> tuple[str, ...]:
    for mark in "，、;；\n":
        text = text.replace(mark, ",")
    return tuple(dict.fromkeys(part.strip()[:64] for part in text.split(",") if part.strip()))


def _instant(text: str, field: str) -> datetime | None:
    """A minute in the tenant's zone, or the beginning of a day; None where nothing was entered."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TENANT_ZONE)
    except ValueError:
        raise InvalidInput.of(
            field, "bad_date", _("请写成 2026-11-21 或 2026-11-21T09:30 这样的时间。")
        ) from None


def _start(text: str, field: str, *, now: datetime) -> datetime | None:
    """The minute something begins; this minute, or today, begins now."""
    start = _instant(text, field)
    here = now.astimezone(TENANT_ZONE)
    if start is None or start == (here.replace(second=0, microsecond=0) if "T" in text else _midnight(here)):
        return None
    return start


def _end(text: str) -> datetime | None:
    """The minute something ends, or the end of the day that is named as the last one."""
    end = _instant(text, "valid_until")
    return end if end is None or "T" in text else end + timedelta(days=1)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), time(), TENANT_ZONE)
