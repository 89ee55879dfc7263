"""The reviewer's desk: the queue, one item with its difference first, one key per decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.domain.errors import (
    AlreadyDecided,
    DomainError,
    Fault,
    IllegalTransition,
    InvalidInput,
    Missing,
    StaleRevision,
)
from app.domain.organisation import Permission
from app.domain.piece import ChangeKind, changed_slots, inline_change
from app.domain.review import Ground, Outcome, Refusal, ReviewState, claim_holds
from app.models.asset import ASSET_PREFIX
from app.models.review import Decision
from app.queries.annotation import notes_on, pins_on
from app.queries.next_item import COUNTED, alike_items, neighbours, reader_of
from app.queries.queue import QueueFilter, QueueRow, queue_facets, review_queue
from app.queries.review import (
    ApprovedRevision,
    FoundHit,
    PastDecision,
    approved_before,
    decisions_on_piece,
    decisions_on_same_wording,
    hits_of,
    names_of,
    open_review_of,
    verdict_of,
)
from app.services.access import access_review, require
from app.services.check import ReadLine, reading_of
from app.services.comparison import made_before, picture_before
from app.services.independence import has_hand_in
from app.services.publication import latest_publication
from app.services.reading import crops_of, pictures_in
from app.services.review import Sitting, claim_review, decide, look_at_review, release_review
from app.services.routing import free_text_slots, made_slots, unverified_slots
from app.services.shown import shown_picture, shown_values
from app.services.template import manifest_of
from app.services.unit_of_work import UnitOfWork
from app.web.edge import actor, platform, render_page, unit_of_work
from app.web.errors import said
from app.web.i18n import translate as _
from app.web.pictures import asked_page, asked_size, in_page, picture_answer
from templates_lib.manifest import DISCLOSURE, SlotKind, TemplateManifest

bp = Blueprint("review", __name__)
VERDICTS: Final = ("block", "review", "warn", "pass")
_SNIPPET_CHARS: Final = 34


@dataclass(frozen=True, slots=True)
class Departure:
    """One slot where a revision differs from what it is compared with, ready to be read."""

    slot: str
    label: str
    parts: tuple[tuple[ChangeKind, str], ...]
    is_picture: bool
    is_rewritten: bool  # another text altogether, not an edit of the one before
    from_pool: bool  # a phrase of the template's own, already read when it was cleared
    past: PastDecision | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture's text with what was found in it."""

    label: str
    text: str
    fixed: bool  # words of the design without a hit: the same on every piece made from it
    found: tuple[FoundHit, ...]


@bp.get("/reviews")
def show_queue() -> ResponseReturnValue:
    wanted = _filter(request.args)
    me = actor()
    now = platform().clock.now()
    with unit_of_work() as uow:
        scope = require(uow, Permission.REVIEW_VIEW)
        queue = review_queue(
            uow.session, scope, wanted, by=me.user_id, at=now, page=request.args.get("page", 1, type=int)
        )
        facets = queue_facets(uow.session, scope)
        changes = {row.id: _departures_in_words(uow, row) for group in queue.groups for row in group.rows}
        reader = reader_of(uow.session, me.user_id, me.grants, at=now)
        start = neighbours(uow.session, scope, wanted, None, by=reader)
    return render_page(
        "reviews/queue.html",
        block="results",
        queue=queue,
        facets=facets,
        template_options=[("", _("全部模板"))]
        + [(one.value, f"{one.label}（{one.count}）") for one in facets.templates],
        wanted=wanted,
        query=_query(wanted),
        changes=changes,
        start=next(iter(start.following), None),
        me=me.user_id,
        now=now,
        claim_holds=claim_holds,
        may_decide=me.may(Permission.REVIEW_DECIDE),
        verdicts=VERDICTS,
    )


@bp.get("/reviews/<uuid:review_id>")
def show_item(review_id: UUID) -> ResponseReturnValue:
    """One item; opening it claims it, so that a colleague sees who is on it."""
    with unit_of_work() as uow:
        if actor().may(Permission.REVIEW_DECIDE):
            return _item(uow, claim_review(uow, review_id))
        return _item(uow, look_at_review(uow, access_review(uow, review_id, may=Permission.REVIEW_VIEW)))


@bp.get("/reviews/<uuid:review_id>/picture.jpg")
def picture(review_id: UUID) -> ResponseReturnValue:
    """The very bytes under review."""
    with unit_of_work() as uow:
        review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
        manifest = manifest_of(uow, review.piece.template_version)
        size = asked_size(manifest)
        page = asked_page(manifest.in_size(size).pages)
        return picture_answer(shown_picture(uow, review.piece, review.revision, page=page, size=size))


@bp.get("/reviews/<uuid:review_id>/before.jpg")
def picture_to_compare(review_id: UUID) -> ResponseReturnValue:
    """The picture as it was approved before, or as the design came. Raises Missing."""
    with unit_of_work() as uow:
        review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
        page = asked_page(manifest_of(uow, review.piece.template_version).pages)
        before = picture_before(uow, review, page=page)
        if before is None:
            raise Missing(noun="picture")
        return picture_answer(before)


@bp.post("/reviews/<uuid:review_id>/claim")
def take_over(review_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        claim_review(uow, review_id, take_over=True)
    flash(_("已由您接手，其他审核人会看到。"), "good")
    return redirect(_item_url(review_id), 303)


@bp.post("/reviews/<uuid:review_id>/release")
def release(review_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        release_review(uow, review_id)
    flash(_("已放回队列。"), "good")
    return redirect(url_for("review.show_queue", **_query(_filter(request.args))), 303)


@bp.post("/reviews/<uuid:review_id>/decision")
def record_decision(review_id: UUID) -> ResponseReturnValue:
    """Decide and go straight on to the next item.

    A decision that was held back in the browser for a while (`held`) is sent by a script, which has
    gone on already and reads nothing but the status.
    """
    wanted = _filter(request.args)
    me = actor()
    outcome = _outcome(request.form.get("outcome", ""))
    refusal = _refusal(request.form)
    held = bool(request.form.get("held"))
    following: tuple[UUID, ...] = ()
    try:
        with unit_of_work() as uow:
            if not held:
                scope = require(uow, Permission.REVIEW_DECIDE)
                reader = reader_of(uow.session, me.user_id, me.grants, at=platform().clock.now())
                following = neighbours(uow.session, scope, wanted, review_id, by=reader).following
            decision = decide(
                uow,
                review_id,
                outcome,
                content_hash=request.form.get("content_hash", ""),
                step=request.form.get("step", 1, type=int),
                reason="" if outcome is Outcome.APPROVE else refusal.to_text(),
            )
            words = "" if held else _decided_words(uow, decision)
        together = _decide_alike(outcome, refusal)
    except (StaleRevision, AlreadyDecided, IllegalTransition) as error:
        return _item_after(review_id, error), 409
    except InvalidInput as error:
        return _item_after(review_id, error, outcome=outcome, refusal=refusal), 422
    if held:
        return "", 204
    if together:
        words = _("{words}另有 {count} 件改动相同的一并决定。").format(words=words, count=together)
    flash(words, "good" if outcome is Outcome.APPROVE else "info")
    if not following:
        return redirect(url_for("review.show_queue", **_query(wanted)), 303)
    return redirect(_item_url(following[0]), 303)


def _decide_alike(outcome: Outcome, refusal: Refusal) -> int:
    """Decide the ticked items with the same change: each by itself, with a record of its own.

    Returns for how many it took effect. One that a colleague decided meanwhile, or that its maker
    changed, is left as it is: it stands in the queue, or has left it.
    """
    decided = 0
    for ticked in request.form.getlist("alike"):
        review_id, _colon, seen = ticked.partition(":")
        step, _colon, content_hash = seen.partition(":")
        try:
            with unit_of_work() as uow:
                decide(
                    uow,
                    UUID(review_id),
                    outcome,
                    content_hash=content_hash,
                    step=int(step),
                    reason="" if outcome is Outcome.APPROVE else refusal.to_text(),
                )
        except (DomainError, ValueError):
            continue
        decided += 1
    return decided


def _item_after(
    review_id: UUID,
    error: DomainError,
    *,
    outcome: Outcome | None = None,
    refusal: Refusal | None = None,
) -> Response:
    """The item as it stands now, after a decision that did not take effect."""
    with unit_of_work() as uow:
        review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
        faults: Sequence[Fault] = error.faults if isinstance(error, InvalidInput) else ()
        return _item(
            uow,
            look_at_review(uow, review),
            refused=said(error),
            tried=outcome,
            refusal=refusal,
            faults=faults,
        )


def _item(
    uow: UnitOfWork,
    sitting: Sitting,
    *,
    refused: str | None = None,
    tried: Outcome | None = None,
    refusal: Refusal | None = None,
    faults: Sequence[Fault] = (),
) -> Response:
    me = actor()
    wanted = _filter(request.args)
    now = uow.clock.now()
    scope = require(uow, Permission.REVIEW_VIEW)
    review, step, may_decide = sitting.review, sitting.step, sitting.may_decide
    piece, revision, version = review.piece, review.revision, review.piece.template_version
    manifest = manifest_of(uow, version)
    values = shown_values(uow, piece, revision)
    before = approved_before(uow.session, piece.id, number=revision.number)
    found = hits_of(uow.session, review.check_run_id)
    past = decisions_on_same_wording(
        uow.session,
        scope,
        {slot: revision.values.get(slot, "") for slot in free_text_slots(manifest, revision.values)},
        except_piece=piece.id,
    )
    people = names_of(
        uow.session,
        [one for one in (review.claimed_by, version.cleared_by, *revision.contributors) if one is not None],
    )
    reader = reader_of(uow.session, me.user_id, me.grants, at=now)
    taken = review.claimed_by not in {None, me.user_id} and claim_holds(review.claimed_at, at=now)
    own = not may_decide and has_hand_in(uow, review, me.user_id)
    alike = (
        alike_items(uow.session, scope, review.id, review.change_digest, by=reader)
        if may_decide and not taken
        else ()
    )
    around = neighbours(uow.session, scope, wanted, review.id, by=reader, more=len(alike))
    return render_page(
        "reviews/item.html",
        review=review,
        step=step,
        piece=piece,
        revision=revision,
        version=version,
        manifest=manifest,
        verdict=verdict_of(uow.session, review.check_run_id),
        successor=open_review_of(uow.session, piece.id) if review.state is not ReviewState.OPEN else None,
        departures=_departures(manifest, revision.values, before, past),
        before=before,
        unverified=[
            manifest.slot(name).label
            for name in sorted(unverified_slots(manifest, revision.values, piece.advisor))
        ]
        if piece.advisor
        else [],
        found=found,
        lines=_lines(reading_of(uow, version, values), found, manifest),
        crops=in_page(crops_of(uow, pictures_in(manifest, values), found)),
        picture_url=url_for("review.picture", review_id=review.id),
        decisions=decisions_on_piece(uow.session, piece.id),
        read_reason=Refusal.from_text,
        claimer=people.get(review.claimed_by) if review.claimed_by else None,
        clearer=people.get(version.cleared_by, "") if version.cleared_by else "",
        contributors=[people.get(one, "") for one in revision.contributors],
        own=own,
        taken=taken,
        mine=review.claimed_by == me.user_id,
        may_decide=may_decide and not taken,
        may_take_over=may_decide and taken,
        pins=pins_on(uow.session, piece.id, revision.values),
        notes=notes_on(uow.session, piece.id),
        alike=alike,
        labels={slot.name: slot.label for slot in manifest.slots if slot.kind is not SlotKind.QR},
        may_note=me.may(Permission.REVIEW_DECIDE),
        compared_url=url_for("review.picture_to_compare", review_id=review.id)
        if made_before(manifest, before) is not None
        else None,
        following=[(str(one), _item_url(one)) for one in around.following],
        around=around,
        counted=COUNTED,
        query=_query(wanted),
        refused=refused,
        tried=tried,
        refusal=refusal or Refusal("\n".join(dict.fromkeys(hit.reason for hit in found))),
        offered=_offered(found, revision.values, manifest),
        faults={fault.field: fault.reason for fault in faults},
        grounds=list(Ground),
    )


def _departures(
    manifest: TemplateManifest,
    values: Mapping[str, str],
    before: ApprovedRevision | None,
    past: Mapping[str, PastDecision],
) -> tuple[Departure, ...]:
    """What was changed: against the revision approved before, or against the template's defaults."""
    slots = {slot.name: slot for slot in manifest.slots if slot.kind is not SlotKind.QR}
    if before is None:
        slots = {name: slot for name, slot in slots.items() if name in made_slots(manifest)}
    compared = before.values if before else {name: slot.default or "" for name, slot in slots.items()}
    departures = []
    for change in changed_slots({name: slot.label for name, slot in slots.items()}, compared, values):
        slot = slots[change.slot]
        is_picture = slot.kind is SlotKind.IMAGE
        parts = () if is_picture else inline_change(change.before, change.after)
        departures.append(
            Departure(
                change.slot,
                change.label,
                parts,
                is_picture,
                [kind for kind, _words in parts] == [ChangeKind.REMOVED, ChangeKind.ADDED],
                change.after in slot.phrases,
                past.get(change.slot),
            )
        )
    return tuple(departures)


def _departures_in_words(uow: UnitOfWork, row: QueueRow) -> tuple[tuple[str, str], ...]:
    """For the queue: what was changed from the template, label and new text, cut to a line."""
    manifest = uow.around.shelf.catalog.source(row.template_slug, row.template_version).manifest
    # a card's date is the day it was made: shown on the item, no news in a list
    slots = {name: slot for name, slot in made_slots(manifest).items() if slot.kind is not SlotKind.DATE}
    changes = changed_slots(
        {name: slot.label for name, slot in slots.items()},
        {name: slot.default or "" for name, slot in slots.items()},
        row.values,
    )
    return tuple((change.label, _snippet(change.after)) for change in changes)


def _snippet(text: str) -> str:
    if text.startswith(ASSET_PREFIX):
        return _("已更换图片")
    line = " ".join(text.split())
    return line if len(line) <= _SNIPPET_CHARS else line[: _SNIPPET_CHARS - 1] + "…"


def _lines(
    reading: Sequence[ReadLine], found: Sequence[FoundHit], manifest: TemplateManifest
) -> tuple[Line, ...]:
    """The text line by line, hits first; what stands on several pages is read once.

    A hit in words that are not there any more, or in a picture nobody could read, stands by itself.
    """
    lines: dict[tuple[str | None, str], Line] = {}
    for line in reading:
        hits = tuple(
            hit for hit in found if hit.field == line.field and line.text[hit.start : hit.end] == hit.text
        )
        fixed = not hits and (line.slot is None or line.slot == DISCLOSURE)
        lines.setdefault((line.slot, line.text), Line(line.label, line.text, fixed, hits))
    labels = {slot.name: slot.label for slot in manifest.slots}
    placed = {hit for line in lines.values() for hit in line.found}
    alone = [Line(labels.get(hit.field, ""), hit.text, False, (hit,)) for hit in found if hit not in placed]
    return (*alone, *sorted(lines.values(), key=lambda line: not line.found))


def _offered(
    found: Sequence[FoundHit], values: Mapping[str, str], manifest: TemplateManifest
) -> dict[str, str]:
    """By slot, the text with every suggestion of the checker taken: offered, never sent unread."""
    offered: dict[str, str] = {}
    for name in made_slots(manifest):
        text = values.get(name, "")
        hits = [hit for hit in found if hit.field == name and hit.suggestion is not None]
        for hit in sorted(hits, key=lambda hit: hit.start, reverse=True):
            if text[hit.start : hit.end] == hit.text:
                text = text[: hit.start] + (hit.suggestion or "") + text[hit.end :]
        if text != values.get(name, ""):
            offered[name] = text
    return offered


def _refusal(form: MultiDict[str, str]) -> Refusal:
    named = {ground.name.lower(): ground for ground in Ground}
    prefix = "wording."
    return Refusal(
        form.get("reason", "").replace("\r\n", "\n"),
        tuple(named[one] for one in form.getlist("ground") if one in named),
        {
            name.removeprefix(prefix): words.replace("\r\n", "\n").strip()
            for name, words in form.items()
            if name.startswith(prefix) and words.strip()
        },
    )


def _outcome(value: str) -> Outcome:
    try:
        return Outcome(value)
    except ValueError:
        raise InvalidInput.of("outcome", "unknown", _("请选择通过、退回修改或驳回。")) from None


def _decided_words(uow: UnitOfWork, decision: Decision) -> str:
    review = access_review(uow, decision.review_id, may=Permission.REVIEW_VIEW)
    piece = review.piece
    title = f"「{piece.title}」" + (f"（{piece.advisor.name}）" if piece.advisor else "")
    match decision.outcome:
        case Outcome.REQUEST_CHANGES:
            return _("{title}已退回修改，制作人会看到原因。").format(title=title)
        case Outcome.REJECT:
            return _("{title}已驳回。").format(title=title)
        case Outcome.APPROVE:
            publication = latest_publication(uow, piece.id)
            if piece.advisor is None or publication is None:
                return _("{title}已通过，可由内容运营发布给受众。").format(title=title)
            return _("{title}已通过并可使用，审核编号 {number}。").format(
                title=title, number=publication.approval_no
            )


def _filter(args: MultiDict[str, str]) -> QueueFilter:
    return QueueFilter(
        text=args.get("q", "").strip()[:80],
        template=args.get("template", ""),
        verdict=args.get("verdict", "") if args.get("verdict") in VERDICTS else "",
        claim=args.get("claim", "") if args.get("claim") in {"free", "mine"} else "",
    )


def _query(wanted: QueueFilter) -> dict[str, Any]:
    """The filter as an address carries it, empty fields left out."""
    named = asdict(wanted)
    named["q"] = named.pop("text")
    return {name: value for name, value in named.items() if value}


def _item_url(review_id: UUID) -> str:
    return url_for("review.show_item", review_id=review_id, **_query(_filter(request.args)))
