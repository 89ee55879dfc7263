"""Who has an item open just now."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.domain.organisation import Permission
from app.models.review import ReviewPresence
from app.services.access import access_review
from app.services.unit_of_work import UnitOfWork


def note_presence(uow: UnitOfWork, review_id: UUID) -> None:
    """Note that the actor has the item open; a page says so again and again while it is."""
    review = access_review(uow, review_id, may=Permission.REVIEW_VIEW)
    if uow.actor.user_id is None:
        return
    now = uow.clock.now()
    uow.session.execute(
        insert(ReviewPresence)
        .values(tenant_id=uow.tenant_id, review_id=review.id, user_id=uow.actor.user_id, seen_at=now)
        .on_conflict_do_update(index_elements=["review_id", "user_id"], set_={"seen_at": now})
    )
