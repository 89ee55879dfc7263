"""What somebody was told, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.notice import Notice
from app.queries.page import Page, offset_of

PAGE_SIZE: Final = 30


@dataclass(frozen=True, slots=True)
class ShownNotice:
    words: str
    link: str
    made_at: datetime
    is_new: bool


def notices_of(session: Session, user_id: UUID | None, *, page: int = 1) -> Page[ShownNotice]:
    """One page of what a person was told."""
    mine = Notice.user_id == user_id
    rows = session.execute(
        select(Notice.words, Notice.link, Notice.made_at, Notice.seen_at.is_(None))
        .where(mine)
        .order_by(Notice.made_at.desc(), Notice.audit_seq.desc())
        .limit(PAGE_SIZE)
        .offset(offset_of(page, PAGE_SIZE))
    )
    total = session.scalar(select(func.count(Notice.id)).where(mine)) or 0
    return Page([ShownNotice(*row) for row in rows], max(1, page), PAGE_SIZE, total)


def unseen_of(session: Session, user_id: UUID | None) -> int:
    """How many of them are new."""
    return (
        session.scalar(
            select(func.count(Notice.id)).where(Notice.user_id == user_id, Notice.seen_at.is_(None))
        )
        or 0
    )
