"""The institution's colour: the page that sets it, and the sheet every page takes it from."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.colour import Colour
from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.models.tenant import Tenant
from app.services.access import require_everywhere
from app.services.brand import brand_colour, set_brand_colour
from app.web.brand_sheet import HOUSE, brand_sheet, readable
from app.web.edge import public, render_page, unit_of_work
from app.web.forms.people import errors_by_field
from app.web.i18n import translate as _
from app.web.own_face import own_faces

bp = Blueprint("brand", __name__)


@bp.get("/brand")
def show_brand() -> ResponseReturnValue:
    return _brand()


@bp.post("/brand")
def change_colour() -> ResponseReturnValue:
    try:
        with unit_of_work() as uow:
            colour = set_brand_colour(uow, request.form.get("colour", ""))
    except InvalidInput as error:
        return _brand(typed=request.form.get("colour", ""), errors=errors_by_field(error)), 422
    flash(_("标识色已更换，其他人打开下一页时看到。") if colour else _("已恢复默认颜色。"), "good")
    return redirect(url_for("brand.show_brand"), 303)


def _brand(**more: Any) -> Response:
    with unit_of_work() as uow:
        require_everywhere(uow, Permission.BRAND_MANAGE)
        tenant = uow.session.get_one(Tenant, uow.tenant_id)
        chosen = brand_colour(tenant)
    shown = readable(chosen) if chosen else HOUSE
    return render_page(
        "brand/colour.html",
        chosen=str(chosen) if chosen else "",
        shown=str(shown),
        darkened=chosen is not None and shown != chosen,
        **{"typed": str(chosen) if chosen else "", "errors": {}, **more},
    )


@bp.get("/brand.css")
@public
def brand_css() -> ResponseReturnValue:
    """The colour a page asks for, over the default sheet: nothing but a colour can come through.

    And faces of our own, where the device may have no Chinese one.
    """
    try:
        sheet = brand_sheet(Colour.parse("#" + request.args["colour"]))
    except (KeyError, ValueError):
        sheet = ""  # the house's own
    response = make_response(sheet + own_faces(request.user_agent.string))
    response.mimetype = "text/css"
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.vary.add("User-Agent")
    return response
