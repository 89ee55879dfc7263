"""From a finished check to a decision: route, claim, decide."""

from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.distribution import AudienceRule
from app.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    CheckBlocked,
    InvalidInput,
    StaleRevision,
)
from app.domain.organisation import Permission
from app.domain.piece import PieceAction, PieceState
from app.domain.publication import validity
from app.domain.review import (
    DecisionFacts,
    Outcome,
    ReviewState,
    Route,
    claim_holds,
    require_independence,
    route_for,
    seal,
)
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.check import CheckRun
from app.models.piece import Piece
from app.models.review import Decision, Review
from app.services.access import access_review, revision_of
from app.services.check import record_report
from app.services.piece import judge_revision, lock_piece, route_facts, shown_picture
from app.services.publication import publish
from app.services.unit_of_work import UnitOfWork
from compliance.report import Report, Verdict

_ACTIONS = {
    Outcome.APPROVE: PieceAction.APPROVE,
    Outcome.REQUEST_CHANGES: PieceAction.REQUEST_CHANGES,
    Outcome.REJECT: PieceAction.REJECT,
}


def run_check(uow: UnitOfWork, run_id: UUID) -> CheckRun | None:
    """Complete a queued check and open the review it leads to; doing it twice is doing it once.

    A run that never completes is a block: nothing here passes a piece without a verdict.
    """
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
    report = judge_revision(uow, piece, revision)
    _complete(uow, piece, run, report)
    now = uow.clock.now()
    if report.verdict is Verdict.BLOCK:
        piece.apply(PieceAction.FAIL_CHECK, actor=uow.actor.name, at=now)
        return run
    piece.apply(PieceAction.PASS_CHECK, actor=uow.actor.name, at=now)
    review = Review(
        tenant_id=uow.tenant_id,
        piece=piece,
        revision=revision,
        check_run_id=run.id,
        round=1 + (uow.session.scalar(select(func.count(Review.id)).where(Review.piece_id == piece.id)) or 0),
        route=route_for(
            route_facts(uow, piece.template_version, revision.values, piece.advisor, report.verdict)
        ),
        opened_at=now,
        state=ReviewState.OPEN,
    )
    uow.session.add(review)
    uow.session.flush()
    uow.audit.record("review:open", review.id, piece=str(piece.id), route=review.route.value)
    _shown_picture(uow, piece)  # drawn now, so that the reviewer never waits for it
    if review.route is Route.AUTO:
        _settle(uow, piece, review, Outcome.APPROVE, reason="", by=None)
    return run


def claim_review(uow: UnitOfWork, review_id: UUID, *, take_over: bool = False) -> Review:
    """Say who is on it, so that two officers never work on one item unknowingly.

    A claim holds for its term; after it, or by take_over, the item passes to whoever opens it.
    A contributor looks without claiming: they could not decide it.
    """
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE, for_update=True)
    if review.state is not ReviewState.OPEN or uow.actor.user_id in review.revision.contributors:
        return review
    now = uow.clock.now()
    taken = review.claimed_by not in {None, uow.actor.user_id} and claim_holds(review.claimed_at, at=now)
    if not taken or take_over:
        if taken:
            uow.audit.record("review:take_over", review.id, from_user=str(review.claimed_by))
        review.claimed_by, review.claimed_at = uow.actor.user_id, now
    return review


def release_review(uow: UnitOfWork, review_id: UUID) -> Review:
    """Put an item one has claimed back into the queue."""
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE, for_update=True)
    if review.state is ReviewState.OPEN and review.claimed_by == uow.actor.user_id:
        review.claimed_by = review.claimed_at = None
    return review


def decide(
    uow: UnitOfWork,
    review_id: UUID,
    outcome: Outcome,
    *,
    content_hash: str,
    reason: str = "",
) -> Decision:
    """Decide a round: approve, ask for changes, or reject.

    content_hash is the content the reviewer looked at. An approved piece of an advisor's own is
    published to them at once; one made for everybody waits for its audience. Raises SelfApproval,
    StaleRevision, AlreadyDecided, InvalidInput (a refusal needs its reason), and RulesTightened
    where today's rules block what the rules of its check let through.
    """
    reason = clean_text("reason", reason, longest=LONGEST_REMARK, lines=True)
    piece_id = access_review(uow, review_id, may=Permission.REVIEW_DECIDE).piece_id
    piece = lock_piece(uow, piece_id)
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE, for_update=True)
    if review.state is not ReviewState.OPEN:
        raise AlreadyDecided
    if review.revision_id != piece.current_revision_id or review.revision.content_hash != content_hash:
        raise StaleRevision
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.REVIEW_DECIDE.value)
    run = uow.session.get_one(CheckRun, review.check_run_id)
    submitter = {run.submitted_by} if run.submitted_by else set()
    require_independence(uow.actor.user_id, submitter.union(review.revision.contributors))
    if outcome is not Outcome.APPROVE and not reason:
        raise InvalidInput.of("reason", "required", "请写明原因，制作人会按它修改。")
    if outcome is Outcome.APPROVE and run.ruleset_digest != uow.around.ruleset.digest:
        _check_again(uow, piece, review, run)
    return _settle(uow, piece, review, outcome, reason=reason, by=uow.actor.user_id)


class RulesTightened(CheckBlocked):
    """The rules changed after the check, and by today's this may not go out."""

    code = "rules_tightened"
    reason = "检测之后规则已更新：按现行规则，有 {count} 处不能对外使用的表述，不能通过。"
    remedy = "请退回修改，并附上提示中的建议措辞。"


def _check_again(uow: UnitOfWork, piece: Piece, review: Review, before: CheckRun) -> None:
    """Judge by the rules of today, before a person's approval rests on older ones (I5)."""
    report = judge_revision(uow, piece, review.revision)
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
    _complete(uow, piece, run, report)
    review.check_run_id = run.id


def _complete(uow: UnitOfWork, piece: Piece, run: CheckRun, report: Report) -> None:
    record_report(run, report)
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


def _settle(
    uow: UnitOfWork,
    piece: Piece,
    review: Review,
    outcome: Outcome,
    *,
    reason: str,
    by: UUID | None,
) -> Decision:
    now = uow.clock.now()
    facts = DecisionFacts(
        decision_id=uuid4(),
        revision_id=review.revision_id,
        content_hash=review.revision.content_hash,
        outcome=outcome,
        decided_by=by,
        decided_at=now,
    )
    decision = Decision(
        id=facts.decision_id,
        tenant_id=uow.tenant_id,
        review_id=review.id,
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
    review.state = ReviewState.DECIDED
    piece.apply(_ACTIONS[outcome], actor=str(by or uow.actor.name), at=now, note=reason)
    uow.audit.record(
        f"piece:{outcome.value}",
        piece.id,
        decision=str(decision.id),
        content=decision.content_hash,
        shown=decision.shown_sha256,
    )
    if outcome is Outcome.APPROVE and piece.advisor is not None:
        publish(
            uow,
            piece,
            audience=AudienceRule(piece.org_unit.path),
            only_advisor=piece.advisor,
            period=validity(valid_from=None, valid_until=None, at=now),
        )
    return decision


def _shown_picture(uow: UnitOfWork, piece: Piece) -> str | None:
    """The picture a reviewer looks at: an advisor's own piece is byte for byte what goes out."""
    revision = piece.current_revision
    return shown_picture(uow, piece, revision).sha256 if revision is not None else None
