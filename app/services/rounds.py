"""How a round of review ends, whoever ends it."""

from sqlalchemy import case, update

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
    is_passed = ReviewStep.id == (passed.id if passed is not None else None)
    uow.session.execute(
        update(ReviewStep)
        .where(
            ReviewStep.review_id == review.id,
            ReviewStep.state.in_((StepState.WAITING, StepState.OPEN)),
        )
        .values(
            state=case((is_passed, StepState.PASSED.value), else_=StepState.ENDED.value),
            closed_at=uow.clock.now(),
        )
        .execution_options(synchronize_session="fetch")
    )
