"""Recalls for machines."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.models.recall import Recall
from app.queries.api.page import Order, Page, Place, Wanted, page_of
from app.queries.recall import sees


def recalls(session: Session, scope: Scope, wanted: Wanted) -> Page[Recall]:
    """Every recall within reach, newest first."""
    return page_of(
        session,
        select(Recall).where(sees(scope)),
        Order(Recall.proposed_at, Recall.id),
        wanted,
        lambda row: row[0],
        lambda recall: Place(recall.proposed_at, recall.id),
    )
