"""我的: the profile a picture is made from, what of it is verified, and the licence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.advisor import ProfileField
from app.domain.errors import DomainError, InvalidInput, Missing, UnsupportedFile
from app.domain.template import REQUIRED_LICENCE
from app.services.access import own_advisor
from app.services.advisor import portrait_of, remove_portrait, upload_portrait
from app.services.rollup import today
from app.web.edge import actor, platform, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import errors_by_field
from app.web.i18n import translate as _
from app.web.pictures import picture_answer

bp = Blueprint("me", __name__)

_WARN_BEFORE: Final = timedelta(days=30)


@bp.get("/me")
def show_me() -> ResponseReturnValue:
    if actor().advisor_id is None:
        return redirect(url_for("account.show_account"), 303)
    return _page()


@bp.post("/me/portrait")
def keep_portrait() -> ResponseReturnValue:
    """A new photo of one's own; it needs to be verified before it passes without a person."""
    file = request.files.get("photo")
    try:
        with unit_of_work() as uow:
            upload_portrait(
                uow,
                file.read() if file else b"",
                attested=request.form.get("attested") == "1",
                most_pixels=platform().settings.limits.image_pixels,
            )
    except (InvalidInput, UnsupportedFile) as refused:
        page = _page(faults=_faults(refused))
        page.status_code = 422
        return page
    flash(_("照片已更换。核验之前，用到照片的图需要人工审核。"), "good")
    return redirect("/me", 303)


@bp.post("/me/portrait/remove")
def drop_portrait() -> ResponseReturnValue:
    with unit_of_work() as uow:
        remove_portrait(uow)
    flash(_("照片已移除，图上会显示您的姓氏。"), "good")
    return redirect("/me", 303)


@bp.get("/me/portrait.jpg")
def show_portrait() -> ResponseReturnValue:
    with unit_of_work() as uow:
        picture = portrait_of(uow, own_advisor(uow))
    if picture is None:
        raise Missing(noun="portrait")
    return picture_answer(picture)


def _faults(refused: DomainError) -> dict[str, str]:
    if isinstance(refused, InvalidInput):
        return errors_by_field(refused)
    return {"photo": said(refused)}


def _page(*, faults: Mapping[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        day = today(uow)
        until = advisor.licence_until
        return render_page(
            "me/me.html",
            advisor=advisor,
            branch=advisor.org_unit.name,
            fields=[
                (_("姓名"), advisor.name, ProfileField.NAME in advisor.verified_fields),
                (_("职务"), advisor.title, ProfileField.TITLE in advisor.verified_fields),
                (_("执业编号"), advisor.licence_no, ProfileField.LICENCE_NO in advisor.verified_fields),
                (_("电话"), advisor.phone, ProfileField.PHONE in advisor.verified_fields),
            ],
            photo_is_verified=ProfileField.PHOTO in advisor.verified_fields,
            faults=faults or {},
            licences=advisor.licences,
            lacking=sorted(set(REQUIRED_LICENCE.values()) - set(advisor.licences)),
            lapsed=until is not None and until < day,
            lapses_soon=until is not None and day <= until <= day + _WARN_BEFORE,
        )
