"""From a finished check to a decision: route, claim, decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    CheckBlocked,
    InvalidInput,
    StaleRevision,
)
from app.domain.organisation import Permission
from app.domain.piece import PieceAction, PieceState, wording_digest
from app.domain.review import (
    DecisionFacts,
    Outcome,
    ReviewState,
    Route,
    claim_holds,
    rank_since,
    reasons_for,
    route_for,
    seal,
)
from app.domain.route import StepState
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.check import CheckRun
from app.models.piece import Piece, PieceRevision
from app.models.review import DecidedWording, Decision, Review, ReviewStep
from app.services.access import access_review, hold_review, revision_of
from app.services.assignment import assign
from app.services.check import record_report
from app.services.independence import (
    has_hand_in,
    person_of,
    persons_of,
    require_independence,
    require_one_vote,
    votes_in,
)
from app.services.piece import lock_piece
from app.services.publication import publish_approved
from app.services.reading import pictures_of_check, read_picture
from app.services.rendition import compiled_for
from app.services.rounds import end_round
from app.services.route import route_of
from app.services.routing import carried_wording, change_of, free_text_slots, route_facts
from app.services.ruleset import keep_ruleset
from app.services.sampling import record_auto_pass
from app.services.shown import shown_document, shown_picture
from app.services.unit_of_work import UnitOfWork
from compliance.check import check
from compliance.document import Document
from compliance.report import Report, Verdict

_ACTIONS = {
    Outcome.APPROVE: PieceAction.APPROVE,
    Outcome.REQUEST_CHANGES: PieceAction.REQUEST_CHANGES,
    Outcome.REJECT: PieceAction.REJECT,
}


def run_check(uow: UnitOfWork, run_id: UUID) -> CheckRun | None:
    """Complete a queued check and open the review it leads to; doing it twice is doing it once.

    A run that never completes is a block: nothing here passes a piece without a verdict. Pictures
    that nobody has read yet are read first; one that cannot be read is a person's to look at.
    """
    for picture in pictures_of_check(uow, run_id):
        read_picture(uow, picture)
    piece_id = uow.session.scalar(
        select(Piece.id)
        .join(CheckRun, CheckRun.revision_id == Piece.current_revision_id)
        .where(CheckRun.id == run_id)
    )
    if piece_id is None:
        return None  # the piece moved on to another revision
    piece = lock_piece(uow, piece_id)
    run = (
        uow.session.scalars(
            select(CheckRun).where(CheckRun.id == run_id).options(joinedload(CheckRun.findings))
        )
        .unique()
        .one()
    )
    if run.completed_at is not None or piece.state is not PieceState.CHECKING:
        return run
    if run.revision_id != piece.current_revision_id:
        return None  # it moved on while we waited for it
    revision = revision_of(uow, run.revision_id)
    document = shown_document(uow, piece, revision, pictures_read=True)
    report = check(document, uow.around.ruleset)
    _complete(uow, piece, run, report, document)
    now = uow.clock.now()
    if report.verdict is Verdict.BLOCK:
        piece.apply(PieceAction.FAIL_CHECK, actor=uow.actor.name, at=now)
        return run
    piece.apply(PieceAction.PASS_CHECK, actor=uow.actor.name, at=now)
    review = _open(uow, piece, revision, run, report)
    _shown_picture(uow, piece)  # drawn now, so that the reviewer never waits for it
    if review.route is Route.AUTO:
        _settle(uow, piece, review, Outcome.APPROVE, reason="", by=None)
        record_auto_pass(uow, piece, reasons=review.reasons, review_id=review.id)
    return run


def _open(uow: UnitOfWork, piece: Piece, revision: PieceRevision, run: CheckRun, report: Report) -> Review:
    """Begin a round: on its own way, or on the first step of the route that takes it now."""
    now = uow.clock.now()
    carried = carried_wording(uow, piece, revision)
    facts = route_facts(
        uow, piece.template_version, revision.values, piece.advisor, report.verdict, carried=carried
    )
    way = route_for(facts)
    change_digest = change_of(uow, piece.template_version, revision.values, piece.advisor)
    alike_since = uow.session.scalar(
        select(func.min(Review.alike_since)).where(
            Review.state == ReviewState.OPEN, Review.change_digest == change_digest
        )
    )
    review = Review(
        tenant_id=uow.tenant_id,
        piece=piece,
        org_unit_id=piece.org_unit_id,
        template_id=piece.template_version.template_id,
        template_version_id=piece.template_version_id,
        revision=revision,
        check_run_id=run.id,
        round=1 + (uow.session.scalar(select(func.count(Review.id)).where(Review.piece_id == piece.id)) or 0),
        route=way,
        risk=facts.risk,
        reasons=list(reasons_for(facts)),
        carried=sorted(carried),
        change_digest=change_digest,
        alike_since=rank_since(alike_since, at=now),
        opened_at=now,
        state=ReviewState.OPEN,
        steps=[],
    )
    if way is Route.PEOPLE:
        review.review_route = route_of(uow, piece, facts.risk)
        review.steps = [
            ReviewStep(
                tenant_id=uow.tenant_id,
                review=review,
                route_step=planned,
                position=planned.position,
                state=StepState.WAITING,
            )
            for planned in review.review_route.steps
        ]
    uow.session.add(review)
    uow.session.flush()
    owner = _open_step(uow, review, review.steps[0]) if review.steps else None
    uow.audit.record(
        "review:open",
        review.id,
        piece=str(piece.id),
        route=way.value,
        route_version=str(review.route_id) if review.route_id else None,
        risk=facts.risk.value,
        reasons=review.reasons,
        assigned=str(owner) if owner else None,
    )
    return review


def _open_step(uow: UnitOfWork, review: Review, step: ReviewStep) -> UUID | None:
    review.waits_in = step.route_step_id
    step.state = StepState.OPEN
    step.opened_at = uow.clock.now()
    step.due_at = step.opened_at + step.route_step.term
    return assign(uow, step, item_path=review.piece.org_unit.path)


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody before a round: the step it waits in, and whether they could decide it."""

    review: Review
    step: ReviewStep | None
    may_decide: bool


def look_at_review(uow: UnitOfWork, review: Review) -> Sitting:
    """A round as the actor finds it."""
    step = open_step_of(uow, review) if review.state is ReviewState.OPEN else None
    may_decide = (
        step is not None and uow.actor.may(Permission.REVIEW_DECIDE) and may_decide_step(uow, review, step)
    )
    return Sitting(review, step, may_decide)


def claim_review(uow: UnitOfWork, review_id: UUID, *, take_over: bool = False) -> Sitting:
    """Say who is on it, so that two officers never work on one item unknowingly.

    A claim holds for its term; after it, or by take_over, the item passes to whoever opens it.
    Whoever could not decide it looks without claiming.
    """
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE, for_update=True)
    found = look_at_review(uow, review)
    if found.step is None or not found.may_decide:
        return found
    now, me = uow.clock.now(), uow.actor.user_id
    taken = review.claimed_by not in {None, me} and claim_holds(review.claimed_at, at=now)
    if not taken or take_over:
        if taken:
            uow.audit.record("review:take_over", review.id, from_user=str(review.claimed_by))
        elif (review.claimed_by, found.step.assigned_to) != (me, me):
            uow.audit.record("review:claim", review.id, step=found.step.position)
        review.claimed_by, review.claimed_at = me, now
        found.step.assigned_to = me
    return found


def open_step_of(uow: UnitOfWork, review: Review) -> ReviewStep | None:
    """The step a round waits in, with what the route asks of it; None where it waits for nobody."""
    return uow.session.scalar(
        select(ReviewStep)
        .where(ReviewStep.review_id == review.id, ReviewStep.state == StepState.OPEN)
        .options(joinedload(ReviewStep.route_step))
        .execution_options(populate_existing=True)
    )


def may_decide_step(uow: UnitOfWork, review: Review, step: ReviewStep) -> bool:
    """Whether the actor could decide this step: a seat in it, no hand in the work, no vote so far."""
    user_id = uow.actor.user_id
    if user_id is None or not _is_seated(uow, step, review.piece) or has_hand_in(uow, review, user_id):
        return False
    votes = votes_in(uow, review)
    return not votes or person_of(uow, user_id) not in persons_of(uow, set(votes)).values()


def _is_seated(uow: UnitOfWork, step: ReviewStep, piece: Piece) -> bool:
    return step.route_step.plan.may_be_taken_by(uow.actor.grants, item_path=piece.org_unit.path)


def release_review(uow: UnitOfWork, review_id: UUID) -> Review:
    """Put an item one has claimed back into the queue."""
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE, for_update=True)
    if review.state is ReviewState.OPEN and review.claimed_by == uow.actor.user_id:
        review.claimed_by = review.claimed_at = None
        uow.audit.record("review:release", review.id)
    return review


class NotSeated(AccessDenied):
    """Somebody may review, but not in this step of this item's route."""

    code = "not_seated"
    reason = "这一步（{step}）由{role}审核，您的角色或机构不在其列。"
    remedy = "请由流程指定的审核人处理。"


def decide(
    uow: UnitOfWork,
    review_id: UUID,
    outcome: Outcome,
    *,
    content_hash: str,
    step: int = 1,
    reason: str = "",
) -> Decision:
    """Decide in a step of a round: approve, ask for changes, or reject.

    content_hash and step are what the reviewer looked at; where either has moved on, nothing happens.
    An approval counts towards the step's quorum; the one that completes the route is final. A
    refusal ends the round in whatever step. A finally approved piece of an advisor's own is
    published to them at once; one made for everybody waits for its audience. Raises SelfApproval,
    OneVote, NotSeated, StaleRevision, AlreadyDecided with the present state, InvalidInput (a refusal
    needs its reason), and RulesTightened where today's rules block what the rules of its check let
    through.
    """
    reason = clean_text("reason", reason, longest=LONGEST_REMARK, lines=True)
    review = hold_review(uow, review_id, may=Permission.REVIEW_DECIDE)
    piece = review.piece
    if review.state is not ReviewState.OPEN:
        raise AlreadyDecided(state=piece.state.value)
    if review.revision_id != piece.current_revision_id or review.revision.content_hash != content_hash:
        raise StaleRevision
    steps = _steps_of(uow, review)
    here = next((one for one in steps if one.state is StepState.OPEN), None)
    if here is None or here.position != step:
        raise AlreadyDecided(state=piece.state.value, step=here.position if here else None)
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.REVIEW_DECIDE.value)
    require_independence(uow, review, uow.actor.user_id)
    votes = votes_in(uow, review)
    if votes.get(uow.actor.user_id) == here.id:
        raise AlreadyDecided(state=piece.state.value, step=here.position)
    require_one_vote(uow, review, uow.actor.user_id, votes)
    if not _is_seated(uow, here, piece):
        raise NotSeated(
            permission=Permission.REVIEW_DECIDE.value,
            step=here.route_step.name,
            role=here.route_step.role.value,
        )
    if outcome is not Outcome.APPROVE and not reason:
        raise InvalidInput.of("reason", "required", "请写明原因，制作人会按它修改。")
    if outcome is Outcome.APPROVE and _rules_of(uow, review) != uow.around.ruleset.digest:
        _check_again(uow, piece, review, uow.session.get_one(CheckRun, review.check_run_id))
    return _settle(
        uow,
        piece,
        review,
        outcome,
        reason=reason,
        by=uow.actor.user_id,
        step=here,
        passes=outcome is not Outcome.APPROVE or _has_quorum(here, votes),
        following=_following(here, steps) if outcome is Outcome.APPROVE else None,
    )


def _steps_of(uow: UnitOfWork, review: Review) -> Sequence[ReviewStep]:
    """All steps of a round in their order, with what the route asks of each."""
    return uow.session.scalars(
        select(ReviewStep)
        .where(ReviewStep.review_id == review.id)
        .order_by(ReviewStep.position)
        .options(joinedload(ReviewStep.route_step))
        .execution_options(populate_existing=True)
    ).all()


def _rules_of(uow: UnitOfWork, review: Review) -> str | None:
    """The digest of the rules that its check was made with; its long report stays where it is."""
    return uow.session.scalar(select(CheckRun.ruleset_digest).where(CheckRun.id == review.check_run_id))


class RulesTightened(CheckBlocked):
    """The rules changed after the check, and by today's this may not go out."""

    code = "rules_tightened"
    reason = "检测之后规则已更新：按现行规则，有 {count} 处不能对外使用的表述，不能通过。"
    remedy = "请退回修改，并附上提示中的建议措辞。"


def _check_again(uow: UnitOfWork, piece: Piece, review: Review, before: CheckRun) -> None:
    """Judge by the rules of today, before a person's approval rests on older ones (I5)."""
    document = shown_document(uow, piece, review.revision, pictures_read=True)
    report = check(document, uow.around.ruleset)
    if report.verdict is Verdict.BLOCK:
        raise RulesTightened(count=len(report.findings), report=report)
    now = uow.clock.now()
    run = CheckRun(
        tenant_id=uow.tenant_id,
        revision_id=before.revision_id,
        content_hash=before.content_hash,
        queued_at=now,
        sent_at=now,
        submitted_by=before.submitted_by,
    )
    uow.session.add(run)
    _complete(uow, piece, run, report, document)
    review.check_run_id = run.id


def _complete(uow: UnitOfWork, piece: Piece, run: CheckRun, report: Report, document: Document) -> None:
    keep_ruleset(uow)
    record_report(run, report, document)
    run.completed_at = uow.clock.now()
    uow.session.flush()
    uow.audit.record(
        "check:complete",
        run.id,
        piece=str(piece.id),
        content=run.content_hash,
        verdict=report.verdict.value,
        ruleset=report.ruleset_digest,
    )


def _remember_wording(uow: UnitOfWork, piece: Piece, review: Review, decision: Decision) -> None:
    """Let this decision be found beside the same words elsewhere."""
    said = review.revision.values
    manifest = compiled_for(uow, piece.template_version).manifest
    uow.session.add_all(
        DecidedWording(
            tenant_id=uow.tenant_id,
            decision_id=decision.id,
            slot=slot,
            digest=wording_digest(said[slot]),
            decided_at=decision.decided_at,
        )
        for slot in sorted(free_text_slots(manifest, said))
        if said.get(slot, "").strip()
    )


def _settle(
    uow: UnitOfWork,
    piece: Piece,
    review: Review,
    outcome: Outcome,
    *,
    reason: str,
    by: UUID | None,
    step: ReviewStep | None = None,
    passes: bool = True,
    following: ReviewStep | None = None,
) -> Decision:
    """Write a decision down; it is final where its step passes and no other follows."""
    is_final = passes and following is None
    now = uow.clock.now()
    facts = DecisionFacts(
        decision_id=uuid4(),
        revision_id=review.revision_id,
        content_hash=review.revision.content_hash,
        outcome=outcome,
        decided_by=by,
        decided_at=now,
        step_id=step.id if step is not None else None,
        is_final=is_final,
    )
    decision = Decision(
        id=facts.decision_id,
        tenant_id=uow.tenant_id,
        review_id=review.id,
        step_id=facts.step_id,
        is_final=is_final,
        piece_id=piece.id,
        revision_id=facts.revision_id,
        content_hash=facts.content_hash,
        outcome=outcome,
        reason=reason,
        shown_sha256=_shown_picture(uow, piece),
        decided_by=by,
        decided_at=now,
        seal=seal(facts, uow.around.seal_keys[0]),
    )
    uow.session.add(decision)
    uow.session.flush()
    if by is not None:
        _remember_wording(uow, piece, review, decision)
    if not is_final:
        _go_on(uow, piece, review, decision, step, following if passes else None)
        return decision
    end_round(uow, review, ReviewState.DECIDED, passed=step if outcome is Outcome.APPROVE else None)
    piece.apply(_ACTIONS[outcome], actor=str(by or uow.actor.name), at=now, note=reason)
    uow.audit.record(
        f"piece:{outcome.value}",
        piece.id,
        decision=str(decision.id),
        content=decision.content_hash,
        shown=decision.shown_sha256,
        step=step.position if step is not None else None,
    )
    if outcome is Outcome.APPROVE:
        publish_approved(uow, piece)
    return decision


def _go_on(
    uow: UnitOfWork,
    piece: Piece,
    review: Review,
    decision: Decision,
    step: ReviewStep | None,
    following: ReviewStep | None,
) -> None:
    """After an approval that is not the last: the next step opens, or this one waits for more."""
    review.claimed_by = review.claimed_at = None
    if step is None:
        return
    if following is not None:
        step.state, step.closed_at = StepState.PASSED, decision.decided_at
        uow.session.flush()
        owner = _open_step(uow, review, following)
    else:
        step.assigned_to = None
        owner = assign(uow, step, item_path=piece.org_unit.path)
    uow.audit.record(
        "review:approve_step",
        review.id,
        piece=str(piece.id),
        decision=str(decision.id),
        content=decision.content_hash,
        shown=decision.shown_sha256,
        step=step.position,
        passed=following is not None,
        assigned=str(owner) if owner else None,
    )


def _has_quorum(step: ReviewStep, votes: Mapping[UUID, UUID | None]) -> bool:
    """Whether one more approval gives the step as many as it asks for.

    The votes of a round that is open are approvals: any other would have ended it.
    """
    so_far = sum(voted_in == step.id for voted_in in votes.values())
    return so_far + 1 >= step.route_step.quorum


def _following(step: ReviewStep, steps: Sequence[ReviewStep]) -> ReviewStep | None:
    return next((one for one in steps if one.position > step.position), None)


def _shown_picture(uow: UnitOfWork, piece: Piece) -> str | None:
    """The picture a reviewer looks at: an advisor's own piece is byte for byte what goes out."""
    revision = piece.current_revision
    return shown_picture(uow, piece, revision).sha256 if revision is not None else None
