"""How a round of review ends, whoever ends it."""

from sqlalchemy import select

from app.domain.review import ReviewState
from app.domain.route import StepState
from app.models.review import Review, ReviewStep
from app.services.unit_of_work import UnitOfWork


def end_round(
    uow: UnitOfWork, review: Review, state: ReviewState, *, passed: ReviewStep | None = None
) -> None:
    """Close a round and every step of it that has not been passed."""
    review.state = state
    review.claimed_by = review.claimed_at = None
    now = uow.clock.now()
    for step in uow.session.scalars(select(ReviewStep).where(ReviewStep.review_id == review.id)):
        if step.state in {StepState.WAITING, StepState.OPEN}:
            step.state = StepState.PASSED if passed is not None and step.id == passed.id else StepState.ENDED
            step.closed_at = now
