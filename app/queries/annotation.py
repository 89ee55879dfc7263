"""Pins and notes of a piece, as its pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.annotation import PinStanding, PinState, pin_standing
from app.models.annotation import Pin, ReviewNote
from app.models.piece import PieceRevision
from app.models.user import User


@dataclass(frozen=True, slots=True)
class ShownPin:
    """A pin as it stands on the revision that is looked at."""

    id: UUID
    number: int  # 1-based, in the order they were left on the piece
    page: int
    x_permille: int
    y_permille: int
    slot: str | None
    words: str
    standing: PinStanding
    made_by: str
    made_at: datetime
    on_revision: int


def pins_on(session: Session, piece_id: UUID, values: Mapping[str, str]) -> tuple[ShownPin, ...]:
    """Every pin of a piece, carried over to a revision with these values."""
    rows = session.execute(
        select(Pin, PieceRevision.number, PieceRevision.values, User.name)
        .join(PieceRevision, PieceRevision.id == Pin.revision_id)
        .join(User, User.id == Pin.made_by)
        .where(Pin.piece_id == piece_id)
        .order_by(Pin.made_at, Pin.id)
    ).all()
    return tuple(
        ShownPin(
            pin.id,
            number,
            pin.page,
            pin.x_permille,
            pin.y_permille,
            pin.slot,
            pin.words,
            pin_standing(PinState(pin.state), pin.slot, then, values),
            name,
            pin.made_at,
            revision,
        )
        for number, (pin, revision, then, name) in enumerate(rows, 1)
    )


@dataclass(frozen=True, slots=True)
class ShownNote:
    words: str
    made_by: str
    made_at: datetime


def notes_on(session: Session, piece_id: UUID) -> tuple[ShownNote, ...]:
    """What reviewers told one another about a piece, the newest last. For reviewers' pages alone."""
    return tuple(
        ShownNote(*row)
        for row in session.execute(
            select(ReviewNote.words, User.name, ReviewNote.made_at)
            .join(User, User.id == ReviewNote.made_by)
            .where(ReviewNote.piece_id == piece_id)
            .order_by(ReviewNote.made_at, ReviewNote.id)
        )
    )
