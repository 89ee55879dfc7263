"""What an advisor sees while making a piece: the picture, the hints, and who will decide on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Fault, IllegalTransition, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.piece import EDITABLE, PieceAction
from app.domain.review import Outcome, Refusal, Route, route_for
from app.domain.route import UseChannel
from app.domain.tracking import LinkChannel, new_short_code
from app.models.check import CheckRun
from app.models.check import Finding as KeptFinding
from app.models.piece import Piece
from app.models.review import Decision
from app.models.template import TemplateVersion
from app.services.access import access_piece, own_advisor
from app.services.draft import draft_of, try_out
from app.services.edition import edition_links, edition_of, ensure_edition
from app.services.piece import save_piece
from app.services.qualification import require_licence
from app.services.rendition import PictureFile, compiled_for, draw, require_fits, spec_for
from app.services.routing import route_facts
from app.services.submission import submit_for_review
from app.services.template import usable_version
from app.services.unit_of_work import UnitOfWork
from compliance.finding import Finding, Severity
from compliance.report import Verdict
from templates_lib.fill import SlotErrorCode
from templates_lib.manifest import Slot, SlotKind, SlotSource, TemplateManifest


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a making page holds from its opening on, so that preview and output are one picture.

    Nothing of it is in the database: a page that is only looked at leaves no trace.
    """

    slug: str
    number: int
    qr_code: str
    key: str  # one piece for one page, however often it is sent
    piece_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Workplace:
    """A making page at its opening: the template, what stands in it, what may be changed."""

    reserved: Reserved
    manifest: TemplateManifest
    entered: Mapping[str, str]
    open_slots: tuple[Slot, ...]
    piece: Piece | None


def open_workplace(uow: UnitOfWork, slug: str, *, piece_id: UUID | None = None, key: str) -> Workplace:
    """Begin a piece from a template, or go on with one of the advisor's own.

    Raises Missing, QualificationMissing, IllegalTransition for a piece that may not be edited now.
    """
    advisor = own_advisor(uow)
    if piece_id is None:
        piece = None
        version = usable_version(uow, slug)
        code = new_short_code()
    else:
        piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
        version = piece.template_version
        if version.template.slug != slug:
            raise Missing(noun="piece")
        if piece.state not in EDITABLE:
            raise IllegalTransition(state=piece.state.value, action=PieceAction.EDIT.value)
        edition = edition_of(uow, piece.id, advisor.id) or ensure_edition(uow, piece, advisor)
        code = edition_links(uow, edition.id)[LinkChannel.QR].rsplit("/", 1)[-1]
    require_licence(uow, advisor, version.product_type)
    manifest = compiled_for(uow, version).manifest
    slots = open_slots(manifest)
    kept = piece.current_revision.values if piece and piece.current_revision else {}
    values = draft_of(uow, version, {}, qr_code=code).values
    return Workplace(
        reserved=Reserved(slug, version.number, code, key, piece_id),
        manifest=manifest,
        entered={slot.name: str(kept.get(slot.name, values.get(slot.name, ""))) for slot in slots},
        open_slots=slots,
        piece=piece,
    )


def reopen_workplace(uow: UnitOfWork, reserved: Reserved, entered: Mapping[str, str]) -> Workplace:
    """The page as it stands with what was entered since it was opened."""
    version = _version(uow, reserved)
    manifest = compiled_for(uow, version).manifest
    piece = None
    if reserved.piece_id is not None:
        piece = access_piece(uow, reserved.piece_id, may=Permission.PIECE_MAKE)
    return Workplace(reserved, manifest, dict(entered), open_slots(manifest), piece)


def open_slots(manifest: TemplateManifest) -> tuple[Slot, ...]:
    """What an advisor may change: sentences to choose from first, then words of their own."""
    order = {SlotKind.PHRASE: 0, SlotKind.TEXT: 1, SlotKind.DATE: 2}
    mine = [
        slot
        for slot in manifest.slots
        if slot.source is SlotSource.ADVISOR and not slot.locked and slot.kind in order
    ]
    return tuple(sorted(mine, key=lambda slot: order[slot.kind]))


def _version(uow: UnitOfWork, reserved: Reserved) -> TemplateVersion:
    if reserved.piece_id is not None:
        return access_piece(uow, reserved.piece_id, may=Permission.PIECE_MAKE).template_version
    return usable_version(uow, reserved.slug, reserved.number)


def preview_picture(
    uow: UnitOfWork, reserved: Reserved, entered: Mapping[str, str], *, page: int = 0, size: str = ""
) -> PictureFile:
    """The picture as it would go out with these words, byte for byte; nothing is stored.

    Raises InvalidInput naming each slot at fault.
    """
    version = _version(uow, reserved)
    require_licence(uow, own_advisor(uow), version.product_type)
    draft = draft_of(uow, version, entered, qr_code=reserved.qr_code)
    return draw(uow, spec_for(version, draft.values, page=page, size=size))


@dataclass(frozen=True, slots=True)
class Hint:
    """A finding at its place in what was entered; the span counts code points of that text."""

    slot: str
    severity: str
    text: str
    start: int
    end: int
    reason: str
    suggestion: str | None
    basis: str
    also: tuple[str, ...] = ()  # what else is wrong with the same words
    fits: bool = True  # whether the suggestion has room in its slot

    def covers(self, other: "Hint") -> bool:
        """Say whether changing these words changes the other's, and no offer of wording is lost."""
        if self.slot != other.slot or other.text not in self.text:
            return False
        if (self.start, self.end) == (other.start, other.end):
            return True
        inside = self.start <= other.start and other.end <= self.end
        return inside and (self.suggestion is not None or other.suggestion is None)

    def with_reason_of(self, other: "Hint") -> "Hint":
        news = () if other.reason in (self.reason, *self.also) else (other.reason,)
        offer = self.suggestion if self.suggestion is not None else other.suggestion
        return replace(self, also=(*self.also, *news), suggestion=offer)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would happen to these words: what the checker says, and whether a person must look."""

    verdict: Verdict
    hints: tuple[Hint, ...]
    faults: tuple[Fault, ...]
    route: Route
    own_words: tuple[str, ...]  # labels of slots that hold neither the default nor a phrase
    unverified: tuple[str, ...]  # labels of profile fields nobody has verified
    template_is_cleared: bool

    def hints_for(self, slot: str) -> tuple[Hint, ...]:
        return tuple(hint for hint in self.hints if hint.slot == slot)

    def fault_for(self, slot: str) -> str | None:
        return next((fault.reason for fault in self.faults if fault.field == slot), None)

    @property
    def is_usable_at_once(self) -> bool:
        return self.route is Route.AUTO and not self.faults

    @property
    def is_blocked(self) -> bool:
        return self.verdict is Verdict.BLOCK


def foresee(uow: UnitOfWork, reserved: Reserved, entered: Mapping[str, str]) -> Outlook:
    """Judge what was entered, as submission would, without keeping anything.

    A slot that is filled in wrongly is reported, and its words are judged all the same.
    """
    version = _version(uow, reserved)
    advisor = own_advisor(uow)
    manifest = compiled_for(uow, version).manifest
    trial = try_out(uow, version, entered, qr_code=reserved.qr_code)
    report = trial.report
    facts = route_facts(uow, version, trial.values, advisor, report.verdict)
    labels = {slot.name: slot.label for slot in manifest.slots}
    hints = one_a_place(
        _hint(finding, entered, trial.values)
        for finding in report.findings
        if finding.severity is not Severity.NOTE
    )
    return Outlook(
        verdict=report.verdict,
        hints=tuple(
            replace(hint, fits=_has_room(uow, version, trial.values, entered, hint)) for hint in hints
        ),
        faults=trial.faults or _overflows(uow, version, trial.values),
        route=route_for(facts),
        own_words=tuple(labels[name] for name in labels if name in facts.free_text_slots),
        unverified=tuple(labels[name] for name in labels if name in facts.unverified_slots),
        template_is_cleared=facts.template_cleared,
    )


def _overflows(uow: UnitOfWork, version: TemplateVersion, values: Mapping[str, str]) -> tuple[Fault, ...]:
    try:
        require_fits(uow, version, values)
    except InvalidInput as refused:
        return refused.faults
    return ()


def _has_room(
    uow: UnitOfWork,
    version: TemplateVersion,
    values: Mapping[str, str],
    entered: Mapping[str, str],
    hint: Hint,
) -> bool:
    """Say whether a text still fits its slot once the suggestion stands in it."""
    if hint.suggestion is None or hint.slot not in entered:
        return True
    text = adopted(entered, hint)[hint.slot]
    limits = (SlotErrorCode.TOO_LONG, SlotErrorCode.OVERFLOW)
    faults = _overflows(uow, version, {**values, hint.slot: text})
    return not any(fault.field == hint.slot and fault.code in limits for fault in faults)


def _hint(finding: Finding, entered: Mapping[str, str], values: Mapping[str, str]) -> Hint:
    """The finding in the words as entered.

    The checker reads the picture's text, in which runs of blanks are one: so the place is looked
    up again, nearest to where the checker saw it. A hit in the design's own words has no place.
    """
    text = entered.get(finding.field, values.get(finding.field, ""))
    start = nearest(text, finding.text, finding.span.start)
    at, end = (0, 0) if start is None else (start, start + len(finding.text))
    return Hint(
        slot=finding.field,
        severity=finding.severity.value,
        text=finding.text,
        start=at,
        end=end,
        reason=finding.reason,
        # a place that is not found again cannot be replaced, only spoken of
        suggestion=None if start is None else finding.suggestion,
        basis=finding.basis,
    )


def one_a_place(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Of hints on the same words the gravest alone, naming the others' reasons where they differ."""
    said = tuple(hints)
    kept: list[Hint] = []
    for hint in sorted(said, key=lambda one: (-Severity(one.severity).rank, one.start - one.end)):
        over = next((one for one in kept if one.covers(hint)), None)
        if over is None:
            kept.append(hint)
        else:
            kept[kept.index(over)] = over.with_reason_of(hint)
    first = {(hint.slot, hint.start, hint.end): place for place, hint in reversed(tuple(enumerate(said)))}
    return tuple(sorted(kept, key=lambda one: first[one.slot, one.start, one.end]))


def nearest(text: str, words: str, near: int) -> int | None:
    """Where words stand in a text, closest to a place; None where they do not."""
    if not words:
        return None
    places = [at for at in range(len(text) - len(words) + 1) if text.startswith(words, at)]
    return min(places, key=lambda at: abs(at - near), default=None)


def adopted(entered: Mapping[str, str], hint: Hint) -> dict[str, str]:
    """What was entered, with the suggested wording in place of exactly the hit."""
    text = entered.get(hint.slot, "")
    if hint.suggestion is None or text[hint.start : hint.end] != hint.text:
        return dict(entered)
    return {**entered, hint.slot: text[: hint.start] + hint.suggestion + text[hint.end :]}


def hint_at(hints: Iterable[Hint], slot: str, start: int, end: int) -> Hint | None:
    return next((h for h in hints if (h.slot, h.start, h.end) == (slot, start, end)), None)


def save_draft(
    uow: UnitOfWork,
    reserved: Reserved,
    entered: Mapping[str, str],
    *,
    channel: UseChannel | None = None,
) -> Piece:
    """Keep what was entered: as the page's one new piece, or as the next revision of its piece."""
    return save_piece(
        uow,
        reserved.slug,
        entered,
        number=reserved.number,
        piece_id=reserved.piece_id,
        qr_code=reserved.qr_code,
        channel=channel,
        idempotency_key=reserved.key,
    )


def adopt_and_resubmit(uow: UnitOfWork, piece_id: UUID, finding_id: UUID) -> Piece:
    """Take the wording the check offered for one of the advisor's own pieces, and send it again.

    Raises Missing where the finding is not of the piece's current content, or offers nothing.
    """
    piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
    revision = piece.current_revision
    found = uow.session.scalar(
        select(KeptFinding)
        .join(CheckRun, CheckRun.id == KeptFinding.run_id)
        .where(
            KeptFinding.id == finding_id,
            CheckRun.revision_id == piece.current_revision_id,
            KeptFinding.suggestion.is_not(None),
        )
    )
    if found is None or revision is None:
        raise Missing(noun="finding")
    manifest = compiled_for(uow, piece.template_version).manifest
    entered = {slot.name: str(revision.values.get(slot.name, "")) for slot in open_slots(manifest)}
    text = entered.get(found.field, "")
    start = nearest(text, found.text, found.start)
    if start is None:
        raise Missing(noun="finding")
    entered[found.field] = text[:start] + str(found.suggestion) + text[start + len(found.text) :]
    save_piece(uow, piece.template_version.template.slug, entered, piece_id=piece.id)
    return submit_for_review(uow, piece.id)


def adopt_decision_and_resubmit(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """Take every wording the reviewer gave with the refusal, and send the piece again.

    Raises Missing where the last decision on the piece's present content gave none; InvalidInput
    and CheckBlocked as saving and submitting do.
    """
    piece = access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
    revision = piece.current_revision
    reason = uow.session.scalar(
        select(Decision.reason).where(
            Decision.revision_id == piece.current_revision_id,
            Decision.is_final,
            Decision.outcome != Outcome.APPROVE,
        )
    )
    manifest = compiled_for(uow, piece.template_version).manifest
    mine = [slot.name for slot in open_slots(manifest)]
    wordings = {
        slot: words for slot, words in Refusal.from_text(reason or "").wordings.items() if slot in mine
    }
    if revision is None or not wordings:
        raise Missing(noun="wording")
    entered = {name: str(revision.values.get(name, "")) for name in mine} | wordings
    save_piece(uow, piece.template_version.template.slug, entered, piece_id=piece.id)
    return submit_for_review(uow, piece.id)
