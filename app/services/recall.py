"""Take something back everywhere: proposed by one person, confirmed by another, dark by one commit.

No job has to run. The confirmation ends the publications in its own transaction, and whatever
serves a link, a page or a picture reads that state each time.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from app.domain.advisor import CODE, ProfileField
from app.domain.errors import AccessDenied, InvalidInput, Missing, SelfApproval
from app.domain.organisation import Permission, Scope
from app.domain.piece import PieceAction, PieceState, next_state
from app.domain.publication import EndReason, normal_approval_no
from app.domain.recall import RecallAction, RecallBy, RecallTarget, SelfConfirmation
from app.domain.template import TemplateAction, TemplateState
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.advisor import Advisor
from app.models.piece import Piece, PieceStep
from app.models.publication import Publication
from app.models.recall import Recall, RecallHolder, RecallItem
from app.models.template import Template, TemplateVersion
from app.queries.recall import Covered, among, covered, holders_by_pieces, live_revisions, sees, subject_name
from app.services.access import own_advisor, require
from app.services.correction import end_correction
from app.services.independence import require_another_person
from app.services.piece import lock_piece
from app.services.shown import judge_revision
from app.services.unit_of_work import UnitOfWork

_AT_ONCE: Final = 1_000


def found_subject(uow: UnitOfWork, by: RecallBy, typed: str) -> str:
    """What a person typed, as a target spells it: an approval number or a staff number becomes an id."""
    typed = typed.strip()
    found: UUID | None = None
    if by is RecallBy.PIECE and (number := normal_approval_no(typed)) is not None:
        found = uow.session.scalar(select(Publication.piece_id).where(Publication.approval_no == number))
    elif by is RecallBy.ADVISOR and CODE.fullmatch(typed):
        found = uow.session.scalar(select(Advisor.id).where(Advisor.staff_no == typed))
    return str(found) if found is not None else typed


def what_is_covered(uow: UnitOfWork, target: RecallTarget) -> tuple[str, list[Covered]]:
    """What a recall of this target would take back now: the target's name, and every item.

    Raises Missing for a target that is not within reach, AccessDenied.
    """
    scope = require(uow, Permission.RECALL)
    name = subject_name(uow.session, target, scope)
    if name is None or (target.by is RecallBy.RULE and not _is_rule(uow, target.subject)):
        raise Missing(noun="recall_subject")
    return name, _covered(uow, target, scope)


def propose_recall(uow: UnitOfWork, target: RecallTarget, *, reason: str, public_note: str = "") -> Recall:
    """Ask for a recall and say why; nothing goes dark before somebody else confirms.

    Raises InvalidInput where there is no reason or nothing to recall, Missing, AccessDenied.
    """
    reason = clean_text("reason", reason, longest=LONGEST_REMARK, lines=True)
    public_note = clean_text("public_note", public_note, longest=LONGEST_REMARK, lines=True)
    if not reason:
        raise InvalidInput.of("reason", "required", "请写明召回原因，客户经理会看到。")
    scope = require(uow, Permission.RECALL)
    name, found = what_is_covered(uow, target)
    if not found:
        raise InvalidInput.of("subject", "nothing_public", "这里没有可以召回的内容。")
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.RECALL.value)
    recall = Recall(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        by=target.by,
        subject=target.subject,
        subject_name=name,
        also_ended=target.also_ended,
        scope_paths=list(scope.paths),
        reason=reason,
        public_note=public_note,
        proposed_by=uow.actor.user_id,
        proposed_at=uow.clock.now(),
    )
    uow.session.add(recall)
    uow.session.flush()
    uow.audit.record(
        "recall:propose", recall.id, by=target.by.value, subject=target.subject, covered=len(found)
    )
    return recall


def confirm_recall(uow: UnitOfWork, recall_id: UUID) -> Recall:
    """Make everything dark that the proposal covers by now, in this one transaction.

    What was published since it was proposed is covered as well. Raises SelfConfirmation for the
    proposer, IllegalTransition, Missing, AccessDenied.
    """
    recall = access_recall(uow, recall_id, may=Permission.RECALL, for_update=True)
    _require_second_person(uow, recall)
    now = uow.clock.now()
    recall.apply(RecallAction.CONFIRM)
    recall.confirmed_by, recall.confirmed_at = uow.actor.user_id, now
    target = target_of(recall)
    found = _locked_and_covered(uow, target, Scope(tuple(recall.scope_paths)))
    uow.session.flush()
    _note_items(uow, recall, found)
    _end_publications(uow, recall, [one for one in found if one.edition_id is None])
    for one in found:
        if one.edition_id is not None:
            uow.audit.record(
                "edition:recalled", one.edition_id, recall=str(recall.id), piece=str(one.piece_id)
            )
    _ask_holders(uow, recall, found)
    _stop_making(uow, target)
    uow.audit.record("recall:confirm", recall.id, proposed_by=str(recall.proposed_by), covered=len(found))
    return recall


def cancel_recall(uow: UnitOfWork, recall_id: UUID) -> Recall:
    """Drop a proposal before anybody confirmed it; whoever may recall may do so."""
    recall = access_recall(uow, recall_id, may=Permission.RECALL, for_update=True)
    recall.apply(RecallAction.CANCEL)
    recall.cancelled_by, recall.cancelled_at = uow.actor.user_id, uow.clock.now()
    uow.audit.record("recall:cancel", recall.id)
    return recall


def acknowledge_recall(uow: UnitOfWork, recall_id: UUID) -> RecallHolder:
    """The advisor says that they have stopped using what was recalled; said twice, it counts once.

    Raises Missing where they were not asked.
    """
    advisor = own_advisor(uow)
    holder = uow.session.scalar(
        select(RecallHolder)
        .where(RecallHolder.recall_id == recall_id, RecallHolder.advisor_id == advisor.id)
        .with_for_update()
    )
    if holder is None:
        raise Missing(noun="recall")
    if holder.acknowledged_at is None:
        holder.acknowledged_at, holder.acknowledged_by = uow.clock.now(), uow.actor.user_id
        uow.audit.record("recall:acknowledge", recall_id, advisor=str(advisor.id))
    return holder


def remind_holders(uow: UnitOfWork, recall_id: UUID) -> int:
    """Remind every advisor on duty who has not confirmed; says how many there were."""
    recall = access_recall(uow, recall_id, may=Permission.RECALL, for_update=True)
    missing = uow.session.scalars(
        select(RecallHolder)
        .join(RecallHolder.advisor)
        .where(
            RecallHolder.recall_id == recall.id,
            RecallHolder.acknowledged_at.is_(None),
            Advisor.is_active,
        )
        .with_for_update(of=RecallHolder)
    ).all()
    now = uow.clock.now()
    for holder in missing:
        holder.reminded_at, holder.reminders = now, holder.reminders + 1
        uow.audit.record("recall:remind", recall.id, advisor=str(holder.advisor_id))
    return len(missing)


def access_recall(uow: UnitOfWork, recall_id: UUID, *, may: Permission, for_update: bool = False) -> Recall:
    """A recall within the actor's reach; to act on it, the reach must cover all of it.

    Raises Missing, AccessDenied.
    """
    scope = require(uow, may)
    statement = select(Recall).where(Recall.id == recall_id, sees(scope))
    if for_update:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    recall = uow.session.scalar(statement)
    if recall is None:
        raise Missing(noun="recall")
    if may is Permission.RECALL and not all(scope.covers(path) for path in recall.scope_paths):
        raise AccessDenied(permission=may.value)
    return recall


def _require_second_person(uow: UnitOfWork, recall: Recall) -> None:
    """Raise SelfConfirmation for the proposer, whichever of their accounts they come with."""
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.RECALL.value)
    try:
        require_another_person(uow, "recall:refuse", recall.id, [recall.proposed_by])
    except SelfApproval as error:
        raise SelfConfirmation from error


def target_of(recall: Recall) -> RecallTarget:
    return RecallTarget(recall.by, recall.subject, recall.also_ended)


def covered_by(uow: UnitOfWork, recall: Recall) -> list[Covered]:
    """What a proposal would take back now."""
    return _covered(uow, target_of(recall), Scope(tuple(recall.scope_paths)))


def _is_rule(uow: UnitOfWork, rule_id: str) -> bool:
    return any(rule.slug == rule_id for rule in uow.around.ruleset.rules)


def _covered(uow: UnitOfWork, target: RecallTarget, scope: Scope) -> list[Covered]:
    hit = _hit_revisions(uow, target, scope) if target.by is RecallBy.RULE else ()
    return covered(uow.session, target, scope, at=uow.clock.now(), hit=hit)


def _hit_revisions(uow: UnitOfWork, target: RecallTarget, scope: Scope) -> list[UUID]:
    """The published revisions in which the rule finds something by today's rules."""
    found = []
    for piece, revision in live_revisions(
        uow.session, scope, at=uow.clock.now(), also_ended=target.also_ended
    ):
        report = judge_revision(uow, piece, revision)
        if any(one.rule == target.subject for one in report.findings):
            found.append(revision.id)
    return found


def _locked_and_covered(uow: UnitOfWork, target: RecallTarget, scope: Scope) -> list[Covered]:
    """What is covered, with its pieces held still: whatever was published meanwhile is in it."""
    held: set[UUID] = set()
    while True:
        found = _covered(uow, target, scope)
        wanted = {one.piece_id for one in found if one.edition_id is None} - held
        if not wanted:
            return found
        # in one order everywhere, so that two recalls wait for each other instead of both failing
        uow.session.execute(
            select(Piece.id).where(among(Piece.id, wanted)).order_by(Piece.id).with_for_update()
        )
        held |= wanted


def _note_items(uow: UnitOfWork, recall: Recall, found: Sequence[Covered]) -> None:
    rows = [
        {
            "id": uuid4(),
            "tenant_id": uow.tenant_id,
            "recall_id": recall.id,
            "publication_id": one.publication_id,
            "piece_id": one.piece_id,
            "edition_id": one.edition_id,
        }
        for one in found
    ]
    for at in range(0, len(rows), _AT_ONCE):
        uow.session.execute(insert(RecallItem), rows[at : at + _AT_ONCE])


def _end_publications(uow: UnitOfWork, recall: Recall, found: Sequence[Covered]) -> None:
    """End them and take their pieces' step, in as many statements whether there is one or fifty thousand."""
    now = uow.clock.now()
    pieces = [one.piece_id for one in found]
    for piece_id in uow.session.scalars(
        select(Piece.id).where(among(Piece.id, pieces), Piece.correcting.is_not(None)).order_by(Piece.id)
    ).all():
        end_correction(uow, lock_piece(uow, piece_id))
    uow.session.execute(
        update(Publication)
        .where(among(Publication.id, [one.publication_id for one in found]))
        .values(
            ended_at=func.coalesce(Publication.ended_at, now),
            ended_by=uow.actor.user_id,
            end_reason=EndReason.RECALLED,
            end_note=recall.public_note,
        )
        .execution_options(synchronize_session=False)
    )
    before: dict[PieceState, list[UUID]] = defaultdict(list)
    for piece_id, state in uow.session.execute(select(Piece.id, Piece.state).where(among(Piece.id, pieces))):
        before[state].append(piece_id)
    for state, ids in before.items():
        after = next_state(state, PieceAction.RECALL)
        uow.session.execute(
            update(Piece)
            .where(among(Piece.id, ids))
            .values(state=after, state_since=now)
            .execution_options(synchronize_session=False)
        )
        steps = [
            {
                "id": uuid4(),
                "tenant_id": uow.tenant_id,
                "piece_id": piece_id,
                "before": state,
                "action": PieceAction.RECALL,
                "after": after,
                "actor": str(uow.actor.user_id),
                "at": now,
                "note": recall.reason,
            }
            for piece_id in ids
        ]
        for at in range(0, len(steps), _AT_ONCE):
            uow.session.execute(insert(PieceStep), steps[at : at + _AT_ONCE])
    for one in found:
        uow.audit.record(
            "publication:recalled", one.publication_id, recall=str(recall.id), piece=str(one.piece_id)
        )
    uow.session.expire_all()


def _ask_holders(uow: UnitOfWork, recall: Recall, found: Sequence[Covered]) -> None:
    rows = [
        {
            "id": uuid4(),
            "tenant_id": uow.tenant_id,
            "recall_id": recall.id,
            "advisor_id": advisor_id,
            "pieces": pieces,
            "asked_at": uow.clock.now(),
            "reminders": 0,
        }
        for advisor_id, pieces in holders_by_pieces(uow.session, found)
    ]
    for at in range(0, len(rows), _AT_ONCE):
        uow.session.execute(insert(RecallHolder), rows[at : at + _AT_ONCE])


def _stop_making(uow: UnitOfWork, target: RecallTarget) -> None:
    """What was recalled is not made anew: its design leaves the shelf, its portrait is unverified."""
    if target.by is RecallBy.TEMPLATE:
        slug, _, number = target.subject.partition("@")
        version = uow.session.scalar(
            select(TemplateVersion)
            .join(TemplateVersion.template)
            .where(Template.slug == slug, TemplateVersion.number == int(number))
        )
        if version is not None and version.state is TemplateState.PUBLISHED:
            version.apply(TemplateAction.RETIRE)
            uow.audit.record("template:retire", version.id, digest=version.digest)
    elif target.by is RecallBy.ASSET:
        for advisor in uow.session.scalars(select(Advisor).where(Advisor.photo_sha256 == target.subject)):
            advisor.verified_fields = [
                one for one in advisor.verified_fields if one != ProfileField.PHOTO.value
            ]
            uow.audit.record("advisor:verify", advisor.id, fields=advisor.verified_fields)
