"""Who looks at an item at the same time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.review import ReviewPresence
from app.models.user import User

# A page says every fifteen seconds that it is open; one missed word does not make somebody leave.
PRESENT_FOR: Final = timedelta(seconds=40)


def others_present(session: Session, review_id: UUID, *, me: UUID | None, at: datetime) -> Sequence[str]:
    """The names of colleagues who have the item open now."""
    return session.scalars(
        select(User.name)
        .join(ReviewPresence, ReviewPresence.user_id == User.id)
        .where(
            ReviewPresence.review_id == review_id,
            ReviewPresence.seen_at > at - PRESENT_FOR,
            User.id != me,
        )
        .order_by(ReviewPresence.seen_at)
    ).all()
