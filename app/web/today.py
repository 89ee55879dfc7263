"""今日: the few things worth sending today, and what reviews said."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.distribution import ENDING_SOON, Offered, todays_picks
from app.domain.errors import QualificationMissing
from app.domain.review import Outcome
from app.models.advisor import Advisor
from app.queries.recall import recalls_to_acknowledge
from app.queries.today import LivePiece, Reader, live_pieces, recent_results
from app.services.access import own_advisor
from app.services.library import offered_picture
from app.services.profile import term_of
from app.services.qualification import require_licence
from app.services.refresh import stale_editions
from app.services.serving import open_edition
from app.services.unit_of_work import UnitOfWork
from app.web.edge import render_page, unit_of_work
from app.web.i18n import translate as _
from app.web.moments import local_now
from app.web.pictures import asked_width, picture_answer

bp = Blueprint("today", __name__)
_RESULTS_FOR: Final = timedelta(days=3)


@bp.get("/today")
def show_today() -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        now = uow.clock.now()
        offered = [piece for piece in _offered(uow, advisor) if _licensed(uow, advisor, piece)]
        by_id = {piece.piece_id: piece for piece in offered}
        picked = todays_picks(
            (Offered(one.piece_id, one.published_at, one.valid_until) for one in offered), at=now
        )
        return render_page(
            "today/today.html",
            greeting=_greeting(),
            name=advisor.name,
            picks=[by_id[key] for key in picked],
            more=[piece for piece in offered if piece.piece_id not in picked],
            stale=len(stale_editions(uow, advisor)),
            term=term_of(uow, advisor),
            now=now,
            recalls=recalls_to_acknowledge(uow.session, advisor.id),
            ending_soon=now + ENDING_SOON,
            # what waits for the advisor comes before good news
            results=sorted(
                recent_results(uow.session, advisor.id, since=now - _RESULTS_FOR),
                key=lambda result: result.outcome is Outcome.APPROVE,
            ),
        )


@bp.post("/today/<uuid:piece_id>")
def use_piece(piece_id: UUID) -> ResponseReturnValue:
    """One tap: the advisor's own edition, with its own links."""
    with unit_of_work() as uow:
        edition_id = open_edition(uow, piece_id).id
    return redirect(url_for("editions.show_edition", edition_id=edition_id), 303)


@bp.get("/today/<uuid:piece_id>/picture.jpg")
def show_picture(piece_id: UUID) -> ResponseReturnValue:
    with unit_of_work() as uow:
        picture = offered_picture(uow, piece_id, width_px=asked_width())
    return picture_answer(picture)


def _offered(uow: UnitOfWork, advisor: Advisor) -> list[LivePiece]:
    reader = Reader(advisor.id, advisor.org_unit.path, advisor.tags)
    return live_pieces(uow.session, reader, at=uow.clock.now())


def _licensed(uow: UnitOfWork, advisor: Advisor, piece: LivePiece) -> bool:
    try:
        require_licence(uow, advisor, piece.product_type)
    except QualificationMissing:
        return False
    return True


def _greeting() -> str:
    hour = local_now().hour
    if hour < 11:  # noqa: PLR2004 - hours of the day
        return _("早上好")
    if hour < 13:  # noqa: PLR2004
        return _("中午好")
    if hour < 18:  # noqa: PLR2004
        return _("下午好")
    return _("晚上好")
