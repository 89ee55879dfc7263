"""Leave a pin on a picture, see that it is done, and write a note to colleagues."""

from uuid import UUID

from sqlalchemy import func, select

from app.domain.annotation import LONGEST_PIN, MOST_PINS, WHOLE_PERMILLE, PinState
from app.domain.errors import AccessDenied, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.annotation import Pin, ReviewNote
from app.models.review import Review
from app.services.access import access_review
from app.services.rendition import compiled_for, slot_values, spec_for
from app.services.shown import shown_values
from app.services.unit_of_work import UnitOfWork
from templates_lib.whereabouts import Whereabouts, whereabouts


def places_on(uow: UnitOfWork, review: Review, *, size: str = "") -> Whereabouts:
    """Where the words of a revision stand on the picture a reviewer looks at."""
    version = review.piece.template_version
    values = shown_values(uow, review.piece, review.revision)
    key = spec_for(version, values, size=size).key()
    if (known := uow.around.places.get(key)) is not None:
        return known
    found = whereabouts(compiled_for(uow, version, size), slot_values(uow, values))
    return uow.around.places.keep(key, found)


def pin(uow: UnitOfWork, review_id: UUID, words: str, *, page: int, x_permille: int, y_permille: int) -> Pin:
    """Leave a remark at a place of the picture, bound to the slot that stands there.

    Raises InvalidInput for no words, a place outside the picture, and too many open pins.
    """
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE)
    words = clean_text("words", words, longest=LONGEST_PIN, lines=True)
    if not words:
        raise InvalidInput.of("words", "required", "请写明这里要改什么。")
    manifest = compiled_for(uow, review.piece.template_version).manifest
    if not (
        0 <= page < manifest.pages and 0 <= x_permille <= WHOLE_PERMILLE and 0 <= y_permille <= WHOLE_PERMILLE
    ):
        raise InvalidInput.of("place", "out_of_range", "请在图上点选位置。")
    opened = select(func.count(Pin.id)).where(Pin.piece_id == review.piece_id, Pin.state == PinState.OPEN)
    if (uow.session.scalar(opened) or 0) >= MOST_PINS:
        raise InvalidInput.of("words", "too_many", f"已有 {MOST_PINS} 处未改的标注，请先退回修改。")
    slot = places_on(uow, review).slot_at(
        page,
        x_permille * manifest.size.width_px / WHOLE_PERMILLE,
        y_permille * manifest.size.height_px / WHOLE_PERMILLE,
    )
    left = _pin(uow, review, words, page, x_permille, y_permille, slot)
    uow.audit.record("pin:leave", left.id, piece=str(review.piece_id), revision=str(review.revision_id))
    return left


def pin_slot(uow: UnitOfWork, review_id: UUID, slot: str, words: str) -> Pin:
    """Leave a remark at a slot, wherever it stands: for whoever cannot point at the picture.

    Raises InvalidInput as `pin` does, Missing for a slot that is not on the picture.
    """
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE)
    box = places_on(uow, review).box_of(slot)
    if box is None:
        raise Missing(noun="slot")
    size = compiled_for(uow, review.piece.template_version).manifest.size
    return pin(
        uow,
        review_id,
        words,
        page=box.page,
        x_permille=round((box.x + box.width / 2) * WHOLE_PERMILLE / size.width_px),
        y_permille=round((box.y + box.height / 2) * WHOLE_PERMILLE / size.height_px),
    )


def settle_pin(uow: UnitOfWork, review_id: UUID, pin_id: UUID, state: PinState) -> Pin:
    """Say that what a pin asked for is done, or that it is not. Raises Missing."""
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE)
    found = uow.session.scalar(
        select(Pin).where(Pin.id == pin_id, Pin.piece_id == review.piece_id).with_for_update()
    )
    if found is None:
        raise Missing(noun="pin")
    if found.state is not state:
        fixed = state is PinState.FIXED
        found.state = state
        found.fixed_by, found.fixed_at = (uow.actor.user_id, uow.clock.now()) if fixed else (None, None)
        uow.audit.record("pin:fix" if fixed else "pin:reopen", found.id, piece=str(review.piece_id))
    return found


def note(uow: UnitOfWork, review_id: UUID, words: str) -> ReviewNote:
    """Write a note that only reviewers read. Raises InvalidInput."""
    review = access_review(uow, review_id, may=Permission.REVIEW_DECIDE)
    words = clean_text("note", words, longest=LONGEST_REMARK, lines=True)
    if not words:
        raise InvalidInput.of("note", "required", "请写下要告诉同事的话。")
    written = ReviewNote(
        tenant_id=uow.tenant_id,
        piece_id=review.piece_id,
        review_id=review.id,
        words=words,
        made_by=_person(uow),
        made_at=uow.clock.now(),
    )
    uow.session.add(written)
    uow.session.flush()
    uow.audit.record("review_note:write", written.id, review=str(review.id))
    return written


def _pin(
    uow: UnitOfWork, review: Review, words: str, page: int, x_permille: int, y_permille: int, slot: str | None
) -> Pin:
    left = Pin(
        tenant_id=uow.tenant_id,
        piece_id=review.piece_id,
        revision_id=review.revision_id,
        page=page,
        x_permille=x_permille,
        y_permille=y_permille,
        slot=slot,
        words=words,
        made_by=_person(uow),
        made_at=uow.clock.now(),
    )
    uow.session.add(left)
    uow.session.flush()
    return left


def _person(uow: UnitOfWork) -> UUID:
    if uow.actor.user_id is None:
        raise AccessDenied(permission=Permission.REVIEW_DECIDE.value)
    return uow.actor.user_id
