"""What one was told: a list, and how many of it are new."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.queries.notice import notices_of, unseen_of
from app.services.notice import see_notices
from app.web.edge import actor, render_page, unit_of_work
from app.web.forms.people import page_number

bp = Blueprint("notices", __name__, url_prefix="/notices")


@bp.get("")
def show_notices() -> ResponseReturnValue:
    """The list; what is shown is new no more."""
    with unit_of_work() as uow:
        found = notices_of(uow.session, actor().user_id, page=page_number(request.args.get("page")))
        see_notices(uow)
    return render_page(
        "notices/list.html",
        face="phone" if actor().advisor_id is not None else "desk",
        found=found,
        previous_url=url_for("notices.show_notices", page=found.number - 1) if found.has_previous else None,
        next_url=url_for("notices.show_notices", page=found.number + 1) if found.has_next else None,
    )


@bp.get("/unseen")
def show_unseen() -> ResponseReturnValue:
    """The count in the page's head, asked for again while the page stays open."""
    with unit_of_work() as uow:
        unseen = unseen_of(uow.session, actor().user_id)
    return render_page("notices/unseen.html", unseen=unseen)
